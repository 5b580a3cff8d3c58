package join

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/tpmattest"
)

// JoinAsDevice joins with nothing but the PC's own proof: the TPM-validated
// device ticket, and the AIK's word that the new device key is in the same
// TPM. This is the technician flow's join; there is no user yet.
func JoinAsDevice(w *device.Windows, t Tenant) error {
	ticket, err := Ticket(w)
	if err != nil {
		return err
	}
	aik, ok := w.Disk.Certs.Find(device.StoreMySystem, CertAIK)
	if !ok {
		return hresult.New("join as a device", hresult.JoinServerNotAuthorized, errNoDeviceToken)
	}
	found, err := discover(w, t)
	if err != nil {
		return err
	}
	if t := found.TenantInfo; t != nil && len(t.OtherDeviceManagement) > 0 {
		w.Registry().SetDWORD(device.KeyIdentityStore, valueOtherMDM, uint32(len(t.OtherDeviceManagement)))
	}
	keys, err := newKeys(w)
	if err != nil {
		return err
	}
	body := keys.body(w, t, drs.JoinDeviceAuth)
	body.AikCertificate, body.Attributes.DeviceTicket = aik.DER, []byte(ticket)
	return register(w, t, found, "autopilot@"+t.Domain, func(r *device.Request) error {
		nonce, err := joinNonce(w, found)
		if err != nil {
			return err
		}
		if body.AttestationData, err = attestKey(w, keys.request, nonce); err != nil {
			return err
		}
		r.Header.Set(drs.HeaderNonce, nonce)
		r.Body, err = json.Marshal(body)
		return err
	})
}

// valueOtherMDM of KeyIdentityStore counts the tenant's management applications
// beside the first, as the device's join was told.
const valueOtherMDM = "OtherDeviceManagement"

// OneMDM is an error where the tenant that this PC has joined as a device has
// more than one management application: nobody is there to say which
// (learn.microsoft.com, "Windows Autopilot known issues": 0xC1036501).
func OneMDM(w *device.Windows) error {
	n, some := w.Registry().DWORD(device.KeyIdentityStore, valueOtherMDM)
	if !some {
		return nil
	}
	err := fmt.Errorf("there are %d, and it takes exactly one", n+1)
	w.Log(device.LogAutopilot, 115, "Error", "Autopilot failed to find a valid MDM: "+err.Error())
	return hresult.New("discover MDM", hresult.SeveralMDMs, err)
}

// errNoDeviceToken: the ticket is not vouched for by the TPM, so that the service
// would not take it (learn.microsoft.com, "Windows Autopilot known issues":
// 0x801C03EA).
var errNoDeviceToken = errors.New("the TPM was not attested, and there is no device token")

// JoinAsUser joins, or registers again, as the user who signed in.
func JoinAsUser(w *device.Windows, t Tenant, s *Session) error {
	found, err := discover(w, t)
	if err != nil {
		return err
	}
	keys, err := newKeys(w)
	if err != nil {
		return err
	}
	body := keys.body(w, t, drs.JoinEntra)
	if ticket, err := Ticket(w); err == nil {
		body.Attributes.DeviceTicket = []byte(ticket) // tells the service which Autopilot device this is
	} else if cause := gone(w); cause != nil {
		return cause
	}
	return register(w, t, found, s.UPN, func(r *device.Request) error {
		r.Header.Set("Authorization", "Bearer "+s.DRSToken)
		r.Body, err = json.Marshal(body)
		return err
	})
}

// Unjoin leaves Entra ID and forgets the device's keys. The MDM enrolment is
// not touched by it.
func Unjoin(w *device.Windows) error {
	cert, ok := w.Disk.Certs.Find(device.StoreMySystem, certDevice)
	if !ok {
		return nil
	}
	state := Status(w)
	client, err := w.HTTPWith(cert)
	if err != nil {
		return hresult.New("leave Entra ID", hresult.BadKeyset, err)
	}
	resp, err := w.Do(device.Request{Op: "leave Entra ID", Client: client, Method: http.MethodDelete, URL: drs.DeviceURL(nil, state.DeviceID)})
	if err != nil {
		return err
	}
	if resp.Status != http.StatusOK {
		return refusal("leave Entra ID", resp)
	}
	forget(w)
	w.Event("entra.left", journal.F("deviceId", state.DeviceID))
	return nil
}

// forget drops what Windows has of its join.
func forget(w *device.Windows) {
	w.Disk.Certs.Delete(device.StoreMySystem, certDevice)
	w.Disk.Keys.Delete(keyDevice)
	w.Disk.Keys.Delete(keyTransport)
	w.Disk.Certs.Delete(device.StoreMySystem, certClaim)
	w.Disk.Keys.Delete(keyClaim)
	for _, key := range []string{device.KeyJoinInfo, keyPRT, KeyPRTAttempt, KeyDeviceAuth, KeyDiagnostics} {
		w.Registry().DeleteTree(key)
	}
}

// Leave leaves Entra ID as a PC does that joined it for nothing but its
// enrolment, and will be a domain's. Where the service does not hear it, the
// object stays behind, and the PC is out of it all the same.
func Leave(w *device.Windows) error {
	err := Unjoin(w)
	if cause := gone(w); cause != nil {
		return cause
	}
	if err != nil {
		w.Log(device.LogRegistration, 304, "Warning", err.Error())
		forget(w)
	}
	return nil
}

// keys are the new pair that every registration makes in the TPM: one for the
// device certificate, one that session keys travel under.
type keys struct {
	request   drs.CertificateRequest
	transport []byte
}

func newKeys(w *device.Windows) (*keys, error) {
	deviceKey, err := w.NewKey(w.Ctx, keyDevice)
	if err != nil {
		return nil, tpmError(w, "make device key", err)
	}
	transport, err := w.NewKey(w.Ctx, keyTransport)
	if err != nil {
		return nil, tpmError(w, "make transport key", err)
	}
	return keysOf(w, deviceKey, transport)
}

// waitingKeys are the pair of a registration that has not come about yet, or a
// new one: making keys takes a TPM seconds.
func waitingKeys(w *device.Windows) (*keys, error) {
	deviceKey, err := w.Key(w.Ctx, keyDevice)
	if errors.Is(err, device.ErrNoKey) {
		return newKeys(w)
	}
	if err != nil {
		return nil, tpmError(w, "open device key", err)
	}
	transport, err := w.Key(w.Ctx, keyTransport)
	if errors.Is(err, device.ErrNoKey) {
		return newKeys(w)
	}
	if err != nil {
		return nil, tpmError(w, "open transport key", err)
	}
	return keysOf(w, deviceKey, transport)
}

// keysOf has the device key sign a certificate request.
func keysOf(w *device.Windows, deviceKey, transport *vtpm.Key) (*keys, error) {
	request, err := drs.NewCertificateRequest(deviceKey.In(w.Ctx))
	if err != nil {
		return nil, tpmError(w, "sign certificate request", err)
	}
	public, ok := transport.Public().(*rsa.PublicKey)
	if !ok {
		return nil, hresult.New("make transport key", hresult.Unexpected, errors.New("not an RSA key"))
	}
	return &keys{request: request, transport: drs.EncodeRSA1(public)}, nil
}

func (k *keys) body(w *device.Windows, t Tenant, kind drs.JoinType) *drs.JoinRequest {
	return &drs.JoinRequest{
		CertificateRequest: k.request, TransportKey: k.transport, TargetDomain: t.Domain,
		DeviceType: "Windows", OSVersion: "10.0." + w.Installation.Build, DeviceDisplayName: w.ComputerName(), JoinType: kind,
		Attributes: drs.Attributes{ReuseDevice: true, ReturnClientSID: true},
	}
}

// attestKey has the AIK certify the device key: it is in this TPM, and it was
// made for this attempt.
func attestKey(w *device.Windows, request drs.CertificateRequest, nonce string) ([]byte, error) {
	csr, err := x509.ParseCertificateRequest(request.Data)
	if err != nil {
		return nil, fmt.Errorf("attest device key: %w", err)
	}
	qualifying := drs.QualifyingData(csr.RawSubjectPublicKeyInfo, nonce)
	return CertifyKey(w, keyDevice, qualifying[:])
}

// CertifyKey gives the AIK's statement about the key of a container, as the
// key attestation structure of [MS-WCCE] 2.2.2.5.
func CertifyKey(w *device.Windows, container string, qualifying []byte) ([]byte, error) {
	key, err := w.Key(w.Ctx, container)
	if err != nil {
		return nil, tpmError(w, "certify key", err)
	}
	aik, err := w.Chip.AIK(w.Ctx)
	if err != nil {
		return nil, tpmError(w, "open AIK", err)
	}
	a, err := aik.Certify(w.Ctx, key, qualifying)
	if err != nil {
		return nil, tpmError(w, "certify key", err)
	}
	return tpmattest.KeyAttestation{Attest: a.Attest, Signature: a.Signature, KeyBlob: key.PublicArea()}.Marshal(), nil
}

func discover(w *device.Windows, t Tenant) (*drs.Discovery, error) {
	const op = "discover device registration"
	resp, err := w.Do(device.Request{Op: op, Method: http.MethodGet, URL: drs.DiscoverURL(t.ID), Header: http.Header{
		"Accept": {"application/json"}, http.CanonicalHeaderKey(drs.HeaderClientName): {"Dsreg"}, http.CanonicalHeaderKey(drs.HeaderClientVersion): {"10.0." + w.Installation.Build},
	}})
	if err != nil {
		return nil, err
	}
	if resp.Status != http.StatusOK {
		var body drs.ErrorDetails
		if json.Unmarshal(resp.Body, &body) != nil {
			return nil, hresult.New(op, drs.DiscoveryResult(resp.Status, nil), nil)
		}
		return nil, hresult.New(op, drs.DiscoveryResult(resp.Status, &body), &body)
	}
	var found drs.Discovery
	if err := json.Unmarshal(resp.Body, &found); err != nil {
		return nil, hresult.New(op, hresult.InvalidData, err) // a captive portal's page, most often
	}
	if found.NonceService == nil || found.DeviceJoinService == nil {
		return nil, hresult.New(op, hresult.JoinDiscoveryBadMessage, errors.New("no join service in the document"))
	}
	return &found, nil
}

func joinNonce(w *device.Windows, found *drs.Discovery) (string, error) {
	const op = "fetch join nonce"
	resp, err := w.Do(device.Request{Op: op, Method: http.MethodGet, URL: found.NonceService.URL})
	if err != nil {
		return "", err
	}
	if resp.Status != http.StatusOK {
		return "", refusal(op, resp)
	}
	var nonce drs.Nonce
	if err := json.Unmarshal(resp.Body, &nonce); err != nil || nonce.Value == "" {
		return "", hresult.New(op, hresult.JoinBadServerMessage, err)
	}
	return nonce.Value, nil
}

// register sends the join, whose body and proof fill makes for each attempt, and
// keeps what it brings.
func register(w *device.Windows, t Tenant, found *drs.Discovery, email string, fill func(*device.Request) error) error {
	const op = "join Entra ID"
	header := http.Header{"Content-Type": {"application/json"}, "User-Agent": {fmt.Sprintf(drs.UserAgent, "10.0."+w.Installation.Build)}}
	resp, err := w.Do(device.Request{Op: op, Method: http.MethodPost, URL: found.DeviceJoinService.URL + "?api-version=" + drs.JoinVersion, Header: header, Make: fill})
	if err != nil {
		return err
	}
	if resp.Status != http.StatusOK {
		err := refusal(op, resp)
		w.Log(device.LogRegistration, 304, "Error", err.Error())
		return err
	}
	return keepJoin(w, op, t, email, resp.Body)
}

// keepJoin reads the answer to a join and keeps what it brings.
func keepJoin(w *device.Windows, op string, t Tenant, email string, body []byte) error {
	var answer drs.JoinResponse
	if err := json.Unmarshal(body, &answer); err != nil {
		return hresult.New(op, hresult.JoinBadServerMessage, err)
	}
	cert, err := pki.Parse(answer.Certificate.RawBody)
	if err != nil {
		return hresult.New(op, hresult.JoinBadServerMessage, err)
	}
	id, err := drs.ParseIdentity(cert)
	if err != nil {
		return hresult.New(op, hresult.JoinBadServerMessage, err)
	}
	if public, ok := cert.PublicKey.(*rsa.PublicKey); ok && !isKey(w.Disk.Keys.Get(keyDevice), public) {
		return hresult.New(op, hresult.JoinBadServerMessage, errors.New("the certificate is about another key"))
	}
	w.Disk.Certs.Put(device.Certificate{Store: device.StoreMySystem, Name: certDevice, DER: answer.Certificate.RawBody, Container: keyDevice})
	r := w.Registry()
	r.DeleteTree(device.KeyJoinInfo)
	key := device.KeyJoinInfo + `\` + answer.Certificate.Thumbprint
	r.SetString(key, "DeviceId", id.DeviceID)
	r.SetString(key, "TenantId", t.ID)
	r.SetString(key, "UserEmail", email)
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	w.Log(device.LogRegistration, 306, "Information", "Automatic registration succeeded")
	w.Event("entra.join", journal.F("deviceId", id.DeviceID), journal.F("as", email), journal.F("key", fmt.Sprintf("%x", sum[:8])))
	encrypt(w) // somebody keeps the recovery key now
	return nil
}

// isKey tells whether a key that the TPM wrapped is the one of that public key.
// Its wrapped form begins with its public area (TPM 2.0 part 2, 12.2.5).
func isKey(blob []byte, public *rsa.PublicKey) bool {
	return bytes.Contains(blob, public.N.Bytes())
}

// refusal reads the error body of a device registration service.
func refusal(op string, resp *device.Response) error {
	var body drs.ErrorDetails
	if err := json.Unmarshal(resp.Body, &body); err != nil || body.Code == "" {
		return hresult.New(op, hresult.FromHTTPStatus(resp.Status), nil)
	}
	return hresult.New(op, body.HResult(), &body)
}

// tpmError words a failure of the TPM as its provider does, unless the power
// went, which is no failure of the TPM.
func tpmError(w *device.Windows, op string, err error) error {
	if cause := gone(w); cause != nil {
		return cause
	}
	if errors.Is(err, device.ErrNoKey) {
		return hresult.New(op, hresult.BadKeyset, err)
	}
	return hresult.New(op, hresult.PCPInternalError, err)
}
