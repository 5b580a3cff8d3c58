package mdm

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/mde"
)

// Enrollment says on whose behalf the device enrols. Token is an Entra access
// token for the MDM service, the device's own in the technician flow.
type Enrollment struct {
	Token      string
	UPN        string // "" for the device's own enrolment
	WhiteGlove bool   // technician flow
	Hybrid     bool   // that leads into a domain
	UserDriven bool   // a user has signed in
	ZtdID      string // Autopilot registration, "" where there is none
}

// enrollmentVersion is the protocol version that Windows asks for; from 5.0 on
// the key's attestation goes along, from 7.0 on how it went.
const enrollmentVersion = "7.0"

// Enroll finds the MDM server, asks for its certificate policy, and gets the
// MDM certificate and the management account.
func Enroll(w *device.Windows, e Enrollment) error {
	err := enroll(w, e)
	if cause := context.Cause(w.Ctx); err != nil && cause != nil {
		return cause
	}
	if err != nil {
		w.Log(device.LogMDM, 71, "Error", "MDM enroll: failed: "+err.Error())
		return err
	}
	w.Log(device.LogMDM, 72, "Information", "MDM enroll: succeeded")
	return nil
}

func enroll(w *device.Windows, e Enrollment) error {
	if w.Installation.Edition == "Home" {
		w.Log(device.LogAutopilot, 114, "Error", "this edition of Windows cannot be managed by an organization")
		return hresult.New("MDM enroll", hresult.EnrollCSPMisc, errEdition)
	}
	if err := leftovers(w, e); err != nil {
		return err
	}
	found, err := discoverServer(w, e)
	if err != nil {
		return err
	}
	policy, err := call(w, "MDM policy", found.EnrollmentPolicyURL, func(h mde.Header) ([]byte, error) {
		h.Action, h.Security = mde.ActionGetPolicies, mde.EntraSecurity(e.Token)
		return mde.EncodeGetPolicies(h, &mde.GetPolicies{})
	}, mde.DecodePolicy)
	if err != nil {
		return err
	}
	key, err := w.NewKey(w.Ctx, keyMDM)
	if err != nil {
		return hresult.New("make MDM key", hresult.EnrollPrivateKeyCreation, err)
	}
	request, err := x509.CreateCertificateRequest(nil, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: w.Hardware.UUID}, SignatureAlgorithm: x509.SHA256WithRSA,
	}, key.In(w.Ctx))
	if err != nil {
		return hresult.New("sign certificate request", hresult.EnrollPrivateKeyCreation, err)
	}
	about, id := describe(w, e)
	if err := attest(w, policy, key, id, &about); err != nil {
		return err
	}
	about = about.ForVersion(found.EnrollmentVersion)
	result, err := call(w, "MDM enroll", found.EnrollmentURL, func(h mde.Header) ([]byte, error) {
		h.Action, h.Security = mde.ActionEnrol, mde.EntraSecurity(e.Token)
		return mde.EncodeEnrol(h, &mde.Enrol{Request: request, Context: about})
	}, mde.DecodeEnrolResult)
	if err != nil {
		return err
	}
	return provision(w, e, found.EnrollmentURL, result.Provisioning)
}

var errEdition = errors.New("a Windows of edition Home cannot be enrolled")

// discoverServer asks where to enrol. The bare GET before it is how Windows
// makes sure that somebody is there.
func discoverServer(w *device.Windows, e Enrollment) (*mde.DiscoverResult, error) {
	address := "https://" + hosts.Enrollment + mde.DiscoveryPath
	resp, err := w.Do(device.Request{Op: "MDM discovery", Method: http.MethodGet, URL: address, Header: http.Header{"User-Agent": {mde.UserAgent}}})
	if err != nil {
		return nil, err
	}
	if resp.Status != http.StatusOK {
		return nil, hresult.New("MDM discovery", hresult.FromHTTPStatus(resp.Status), nil)
	}
	email := e.UPN
	if email == "" {
		email = "device@" + hosts.Enrollment
	}
	return call(w, "MDM discovery", address, func(h mde.Header) ([]byte, error) {
		h.Action = mde.ActionDiscover
		return mde.EncodeDiscover(h, &mde.Discover{
			EmailAddress: email, RequestVersion: enrollmentVersion, DeviceType: mde.DeviceType,
			ApplicationVersion: "10.0." + w.Installation.Build, OSEdition: SKU(w.Installation.Edition),
			AuthPolicies: []mde.AuthPolicy{mde.Federated, mde.Certificate, mde.OnPremise},
		})
	}, mde.DecodeDiscoverResult)
}

// call makes one SOAP exchange. A fault becomes the HRESULT that the client
// shows for it.
func call[T any](w *device.Windows, op, address string, encode func(mde.Header) ([]byte, error), decode func([]byte) (mde.Header, T, error)) (T, error) {
	return callWith(w, nil, op, address, encode, decode)
}

// callWith is call by a client of its own; nil is the usual one.
func callWith[T any](w *device.Windows, client *http.Client, op, address string, encode func(mde.Header) ([]byte, error), decode func([]byte) (mde.Header, T, error)) (T, error) {
	var none T
	body, err := encode(mde.Header{MessageID: "urn:uuid:" + w.GUID(), To: address})
	if err != nil {
		return none, hresult.New(op, hresult.EnrollMessageFormat, err)
	}
	resp, err := w.Do(device.Request{Op: op, Client: client, Method: http.MethodPost, URL: address, Body: body,
		Header: http.Header{"Content-Type": {mde.ContentType}, "User-Agent": {mde.UserAgent}}})
	if err != nil {
		return none, err
	}
	switch resp.Status {
	case http.StatusOK, http.StatusInternalServerError: // SOAP 1.2 sends faults with 500
	case http.StatusTooManyRequests:
		return none, hresult.New(op, hresult.EnrollServer429, nil)
	default:
		return none, hresult.New(op, hresult.FromHTTPStatus(resp.Status), nil)
	}
	_, answer, err := decode(resp.Body)
	var fault *mde.Fault
	switch {
	case errors.As(err, &fault):
		return none, hresult.New(op, fault.Code(), fault)
	case err != nil:
		return none, hresult.New(op, hresult.EnrollMessageFormat, err)
	}
	return answer, nil
}

// describe fills the context items with what this device is and which flow it
// is in; id is its hardware device id.
func describe(w *device.Windows, e Enrollment) (c mde.Context, id []byte) {
	sum := sha256.Sum256([]byte(w.Hardware.UUID + w.Hardware.Serial))
	id = sum[:]
	c = mde.Context{
		OSEdition: SKU(w.Installation.Edition), OSVersion: "10.0." + w.Installation.Build, DeviceName: w.ComputerName(),
		EnrollmentType: mde.EnrolFull, DeviceType: mde.DeviceType, ApplicationVersion: "10.0." + w.Installation.Build,
		DeviceID: strings.ToUpper(hex.EncodeToString(id[:16])), HWDevID: hex.EncodeToString(id), MAC: []string{strings.ReplaceAll(w.Hardware.MAC, ":", "-")},
		Locale: "en-US", ZeroTouchProvisioning: e.ZtdID, WhiteGlove: e.WhiteGlove, WhiteGloveHybridJoin: e.WhiteGlove && e.Hybrid, TargetedUserLoggedIn: e.UserDriven,
	}
	if e.WhiteGlove {
		c.EnrollmentType = mde.EnrolDevice
	}
	return c, id
}

// certificates puts those of a provisioning document into the stores: the
// device's own must be about the key in the container.
func certificates(w *device.Windows, document []byte, container string) (*mde.Provisioning, *x509.Certificate, error) {
	p, err := mde.DecodeProvisioning(document)
	if err != nil {
		return nil, nil, hresult.New("provisioning document", hresult.EnrollProvisioningUnknown, err)
	}
	cert, err := pki.Parse(p.Client.DER)
	if err != nil {
		return nil, nil, hresult.New("provisioning document", hresult.EnrollCSPCertStore, err)
	}
	key, err := w.Key(w.Ctx, container)
	if err != nil {
		return nil, nil, hresult.New("open MDM key", hresult.BadKeyset, err)
	}
	if same, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); ok && !same.Equal(cert.PublicKey) {
		return nil, nil, hresult.New("provisioning document", hresult.EnrollCSPCertStore, errors.New("the certificate is about another key"))
	}
	for _, root := range p.Roots {
		w.Disk.Certs.Put(device.Certificate{Store: device.StoreRoot, Name: thumbprint(root), DER: root})
	}
	for _, ca := range p.CAs {
		w.Disk.Certs.Put(device.Certificate{Store: device.StoreCA, Name: thumbprint(ca), DER: ca})
	}
	w.Disk.Certs.Put(device.Certificate{Store: device.StoreMySystem, Name: certMDM, DER: p.Client.DER, Container: container})
	return p, cert, nil
}

// provision applies the document that enrolment ends with. address is where it
// came from, and where renewals go.
func provision(w *device.Windows, e Enrollment, address string, document []byte) error {
	p, _, err := certificates(w, document, keyMDM)
	if err != nil {
		return err
	}
	id := strings.ToUpper(w.GUID())
	r, base := w.Registry(), device.KeyEnrollments+`\`+id
	r.SetString(base, "ProviderID", p.App.ProviderID)
	r.SetDWORD(base, "EnrollmentType", 6)
	r.SetString(base, "UPN", e.UPN)
	r.SetString(base, "Addr", p.App.Addr)
	r.SetString(base, "EntDMID", p.DM.EntDMID)
	keepCredentials(w, base, p.App.Client)
	r.SetString(base, "EnrollmentServiceURL", address)
	keepRenewal(w, base, p.Client)
	r.SetString(base, "Enrolled", w.Clock.Now().UTC().Format(timeLayout))
	r.SetString(device.KeyEnrollments, "Current", id)
	w.InstallService(ServiceSchedule)
	w.Event("mdm.enrolled", journal.F("entDMID", p.DM.EntDMID), journal.F("whiteGlove", e.WhiteGlove), journal.F("upn", e.UPN))
	return nil
}

// SKU is the number of a Windows edition (GetProductInfo).
func SKU(edition string) string {
	switch edition {
	case "Enterprise":
		return "4"
	case "Pro":
		return "48"
	case "Education":
		return "121"
	case "Home":
		return "101"
	default:
		return "0"
	}
}
