package mdm_test

import (
	"crypto/x509"
	"io"
	"net/http"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/internal/rig"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/mde"
)

// authority is an enrolment server. What it does differently than a good one is
// said by its fields.
type authority struct {
	*rig.Rig
	fault    *mde.Fault
	status   int    // of every answer, 0: as it should be
	strange  bool   // certifies another key
	document []byte // in place of a provisioning document
	asked    *mde.Enrol
}

func (a *authority) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	a.OK(err)
	if a.status != 0 {
		w.WriteHeader(a.status)
		return
	}
	if q.Method == http.MethodGet {
		return
	}
	var out []byte
	switch q.URL.Path {
	case mde.DiscoveryPath:
		h, _, err := mde.DecodeDiscover(body)
		a.OK(err)
		base := "https://" + hosts.Enrollment
		out, err = mde.EncodeDiscoverResult(h.Reply(), &mde.DiscoverResult{AuthPolicy: mde.Federated, EnrollmentVersion: "5.0", EnrollmentPolicyURL: base + mde.PolicyPath, EnrollmentURL: base + mde.EnrolPath})
		a.OK(err)
	case mde.PolicyPath:
		h, _, err := mde.DecodeGetPolicies(body)
		a.OK(err)
		out, err = mde.EncodePolicy(h.Reply(), &mde.Policy{ID: "p", FriendlyName: "p", CommonName: "p", ValiditySeconds: 1000, RenewalSeconds: 100, MinimalKeyLength: 2048, HashOID: mde.SHA256OID})
		a.OK(err)
	default:
		h, enrol, err := mde.DecodeEnrol(body)
		a.OK(err)
		a.asked = enrol
		if a.fault != nil {
			out, err = mde.EncodeFault(h.Reply(), a.fault)
			a.OK(err)
			w.WriteHeader(http.StatusInternalServerError)
			break
		}
		out, err = mde.EncodeEnrolResult(h.Reply(), &mde.EnrolResult{Provisioning: a.provisioning(enrol.Request)})
		a.OK(err)
	}
	_, err = w.Write(out)
	a.OK(err)
}

func (a *authority) provisioning(csr []byte) []byte {
	if a.document != nil {
		return a.document
	}
	request, err := x509.ParseCertificateRequest(csr)
	a.OK(err)
	a.OK(request.CheckSignature())
	public := request.PublicKey
	if a.strange {
		public = pki.RSAKey(0).Public()
	}
	cert, err := a.MDM.Issue(rig.Start, &x509.Certificate{NotBefore: rig.Start, NotAfter: rig.Start.AddDate(1, 0, 0)}, public)
	a.OK(err)
	doc, err := (&mde.Provisioning{
		Roots: [][]byte{a.MDM.Cert.Raw}, Client: mde.ClientCertificate{Store: mde.StoreSystem, DER: cert.Raw},
		App: mde.Application{ProviderID: "MS DM Server", Addr: address}, DM: mde.DMClient{EntDMID: "the-entdmid"},
	}).Encode(mde.LayoutIntune)
	a.OK(err)
	return doc
}

func TestEnroll(t *testing.T) {
	r := rig.New(t)
	a := &authority{Rig: r}
	r.Net.Serve(hosts.Enrollment, a)
	s := serve(r)
	r.Once(1, func(w *device.Windows) {
		r.Expect(mdm.Enrolled(w)).To(gomega.BeFalse())
		r.OK(mdm.Enroll(w, mdm.Enrollment{Token: "a.b.c", WhiteGlove: true, ZtdID: "9f1d0d41-0a3f-4fb2-8a75-6e3d9d8f2b11"}))
		r.Expect(mdm.Enrolled(w)).To(gomega.BeTrue())
		r.Expect(a.asked.Context.WhiteGlove).To(gomega.BeTrue())
		r.Expect(a.asked.Context.EnrollmentType).To(gomega.Equal(mde.EnrolDevice))
		r.Expect(a.asked.Context.OSEdition).To(gomega.Equal("48"))
		r.Expect(w.Disk.Certs.All(device.StoreRoot)).To(gomega.HaveLen(1))
		r.OK(mdm.Sync(w, deviceSession)) // with the certificate that came
		r.Expect(s.begun[0].Device).To(gomega.Equal("the-entdmid"))
	})
}

func TestEnrolFaults(t *testing.T) {
	fault := func(subcode, kind string) *mde.Fault {
		return &mde.Fault{Subcode: subcode, Reason: "no", ErrorType: kind, Message: "no"}
	}
	for name, c := range map[string]struct {
		a    authority
		want hresult.Code
	}{
		"cap":           {authority{fault: fault("s:Authorization", "DeviceCapReached")}, hresult.EnrollDeviceCapReached},
		"not supported": {authority{fault: fault("s:Receiver", "DeviceNotSupported")}, hresult.EnrollDeviceNotSupported},
		"licence":       {authority{fault: fault("s:Authorization", "UserLicense")}, hresult.EnrollUserLicense},
		"authorization": {authority{fault: fault("s:Authorization", "")}, hresult.EnrollAuthorization},
		"server":        {authority{fault: fault("s:EnrollmentServer", "")}, hresult.EnrollServerError},
		"unknown":       {authority{fault: fault("x:What", "")}, hresult.EnrollUnknown},
		"404":           {authority{status: 404}, hresult.FromHTTPStatus(404)},
		"strange key":   {authority{strange: true}, hresult.EnrollCSPCertStore},
		"document":      {authority{document: []byte("<x/>")}, hresult.EnrollProvisioningUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t)
			a := c.a
			a.Rig = r
			r.Net.Serve(hosts.Enrollment, &a)
			r.Once(1, func(w *device.Windows) {
				err := mdm.Enroll(w, mdm.Enrollment{Token: "a.b.c", UPN: "ada@contoso.com", UserDriven: true})
				code, _ := hresult.CodeOf(err)
				r.Expect(code).To(gomega.Equal(c.want), "%v", err)
				r.Expect(mdm.Enrolled(w)).To(gomega.BeFalse())
			})
			r.Expect(r.Logged("eventlog", "id=71")).To(gomega.HaveLen(1))
		})
	}
}

// A PC without a TPM cannot make the key that enrolment wants.
func TestEnrolWithoutTPM(t *testing.T) {
	r := rig.New(t)
	r.Net.Serve(hosts.Enrollment, &authority{Rig: r})
	r.Once(0, func(w *device.Windows) {
		code, _ := hresult.CodeOf(mdm.Enroll(w, mdm.Enrollment{Token: "a.b.c"}))
		r.Expect(code).To(gomega.Equal(hresult.EnrollPrivateKeyCreation))
	})
}
