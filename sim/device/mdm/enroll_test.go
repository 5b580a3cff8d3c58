package mdm_test

import (
	"cmp"
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
	version  string // EnrollmentVersion that it agrees to, "": 5.0
	attest   mde.AttestationFailure
	timeout  int    // OperationTimeout, seconds
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
		out, err = mde.EncodeDiscoverResult(h.Reply(), &mde.DiscoverResult{AuthPolicy: mde.Federated, EnrollmentVersion: cmp.Or(a.version, "5.0"), EnrollmentPolicyURL: base + mde.PolicyPath, EnrollmentURL: base + mde.EnrolPath})
		a.OK(err)
	case mde.PolicyPath:
		h, _, err := mde.DecodeGetPolicies(body)
		a.OK(err)
		out, err = mde.EncodePolicy(h.Reply(), &mde.Policy{ID: "p", FriendlyName: "p", CommonName: "p", ValiditySeconds: 1000, RenewalSeconds: 100, MinimalKeyLength: 2048, HashOID: mde.SHA256OID,
			AttestationFailure: a.attest, OperationTimeout: a.timeout})
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

// What becomes of an MDM key that cannot be attested: here for want of an AIK
// certificate.
func TestAttestationFailureBehaviour(t *testing.T) {
	for name, c := range map[string]struct {
		behaviour mde.AttestationFailure
		timeout   int
		want      hresult.Code
		attempts  int
	}{
		"none said":             {"", 0, hresult.OK, 1},
		"ignore":                {mde.IgnoreOnError, 120, hresult.OK, 1},
		"fail":                  {mde.FailOnError, 120, hresult.NotFound, 1},
		"retry":                 {mde.RetryOnError, 60, hresult.NotFound, 5}, // at 0, 15, 30, 45 and 60 seconds
		"retry without timeout": {mde.RetryOnError, 0, hresult.NotFound, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t)
			a := &authority{Rig: r, version: "7.0", attest: c.behaviour, timeout: c.timeout}
			r.Net.Serve(hosts.Enrollment, a)
			r.Once(1, func(w *device.Windows) {
				code, _ := hresult.CodeOf(mdm.Enroll(w, mdm.Enrollment{Token: "a.b.c", UPN: "ada@contoso.com", UserDriven: true}))
				r.Expect(code).To(gomega.Equal(c.want))
				r.Expect(mdm.Enrolled(w)).To(gomega.Equal(c.want == hresult.OK))
			})
			r.Expect(r.Logged("mdm.attest.failed", "")).To(gomega.HaveLen(c.attempts))
			if c.want != hresult.OK {
				r.Expect(a.asked).To(gomega.BeNil(), "nothing was asked for")
				return
			}
			about := a.asked.Context
			r.Expect(about.AIKAttestationClaim).To(gomega.BeEmpty())
			status, code, message, ok := about.Attestation()
			r.Expect(ok).To(gomega.BeTrue())
			r.Expect(status).To(gomega.Equal(mde.AttestationFailed))
			r.Expect(code).To(gomega.Equal(hresult.NotFound))
			r.Expect(message).To(gomega.Equal("there is no AIK certificate"))
			r.Expect(about.AzureAttestationCorrelationVector).To(gomega.MatchRegexp(`^[A-Za-z0-9+/]{22}\.0$`))
		})
	}
}

// A server that speaks an older version is not told of the attempt.
func TestEnrolWithAnOlderServer(t *testing.T) {
	r := rig.New(t)
	a := &authority{Rig: r}
	r.Net.Serve(hosts.Enrollment, a)
	r.Once(1, func(w *device.Windows) { r.OK(mdm.Enroll(w, mdm.Enrollment{Token: "a.b.c", WhiteGlove: true})) })
	r.Expect(a.asked.Context.RequestVersion).To(gomega.Equal("5.0"))
	r.Expect(a.asked.Context.AttestationStatus).To(gomega.BeEmpty())
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
