package enroll_test

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/mde"
)

const ada = "ada@contoso.example"

// world is a rig with one registered PC whose profile allows pre-provisioning.
type world struct {
	*rig.Rig
	h            *enroll.Service
	tpm          rig.TPM
	ek           [32]byte // what the AIK authority says of any AIK
	registration tenant.Registration
	authorities  *authority.Authorities
	directory    error // that it answers with instead of looking at a password
}

// TenantOf and Password are the rig's Entra ID: everybody of the domain has one
// password.
func (w *world) TenantOf(_ context.Context, upn string) (string, bool) {
	return rig.TenantID, strings.HasSuffix(upn, "@contoso.example")
}

func (w *world) Password(_ context.Context, _, upn, password string) error {
	if _, ok := w.Directory.Users[upn]; w.directory == nil && (!ok || password != secret) {
		return enroll.ErrSignIn
	}
	return w.directory
}

const secret = "P@ssw0rd<&>"

func (w *world) Attested(der []byte, now time.Time) (*x509.Certificate, [32]byte, error) {
	ca := w.AIKAuthority()
	cert, _, err := enroll.ChainTo([]*x509.Certificate{ca.Parent.Cert}, []*x509.Certificate{ca.Cert}).Attested(der, now)
	return cert, w.ek, err
}

func newWorld(t testing.TB) *world {
	t.Helper()
	r := rig.New(t)
	w := &world{Rig: r}
	w.Directory.Users[ada] = tenant.DirectoryUser{ID: "oid-" + ada, UPN: ada, DisplayName: "Ada", Licensed: true, Enabled: true, Groups: []string{"sales"}}
	a, err := authority.New(r.Service)
	if err != nil {
		t.Fatal(err)
	}
	w.h = enroll.New(enroll.Options{Tenants: r.Service, Authorities: a, Attestation: w, SignIn: w})
	w.authorities = a
	w.Do(func(ctx context.Context) {
		if _, err := w.Tenant.Profiles().Add(ctx, graph.DeploymentProfile{ODataType: graph.TypeEntraProfile, DisplayName: "Standard", PreprovisioningAllowed: true,
			Assignments: []graph.Assignment{{Target: graph.AllDevices()}}}); err != nil {
			t.Error(err)
		}
		pc := rig.NewPC(1)
		if _, err := w.Tenant.Import(ctx, []graph.ImportedDevice{{SerialNumber: "PC-001", HardwareIdentifier: pc.Hash()}}); err != nil {
			t.Error(err)
		}
	})
	w.Pass(time.Minute)
	w.Do(func(ctx context.Context) {
		if err := w.Tenant.Sync(ctx); err != nil {
			t.Error(err)
		}
	})
	w.Pass(time.Hour)
	w.registration = w.Tenant.Registrations()[0]
	w.ek = w.registration.Hardware.EKHash
	w.tpm = w.NewTPM(w.AIKAuthority(), 2)
	return w
}

// technician is what a device sends in the technician flow.
func (w *world) technician() mde.Enrol {
	key := pki.RSAKey(3)
	id, qualifying := rig.HWDevID(1)
	return mde.Enrol{Request: w.CSR(key), Context: mde.Context{
		OSEdition: "4", OSVersion: "10.0.26100.4652", DeviceName: "DESKTOP-1", EnrollmentType: mde.EnrolDevice, DeviceType: mde.DeviceType, MAC: []string{"00-15-5D-01-02-03"},
		HWDevID: id, RequestVersion: "5.0", ZeroTouchProvisioning: w.registration.ID, WhiteGlove: true,
		AIKAttestationClaim: w.Certify(w.tpm, &key.PublicKey, qualifying), AIKCert: w.tpm.Cert.Raw,
	}}
}

func (w *world) user() mde.Enrol {
	m := w.technician()
	m.Context.WhiteGlove, m.Context.TargetedUserLoggedIn, m.Context.EnrollmentType = false, true, mde.EnrolFull
	return m
}

func (w *world) deviceToken() string {
	return w.DeviceToken(rig.TenantID, w.registration.EntraDeviceID)
}

func (w *world) userToken() string {
	return w.UserToken(rig.TenantID, ada, w.registration.EntraDeviceID)
}

func TestTechnicianFlow(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p, fault := w.Enrol(w.h, w.deviceToken(), w.technician())
	g.Expect(fault).To(BeNil())
	m, err := w.Tenant.Device(p.DM.EntDMID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(m.Kind).To(Equal(tenant.EnrolledWhiteGlove))
	g.Expect(m.Attested).To(BeTrue())
	g.Expect(m.SerialNumber).To(Equal("PC-001"))
	g.Expect(m.UserPrincipalName).To(BeEmpty())
	g.Expect(m.AzureADDeviceID).To(Equal(w.registration.EntraDeviceID))
	g.Expect(m.EnrollmentProfileName).To(Equal("Standard"))

	cert, err := x509.ParseCertificate(p.Client.DER)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(cert.Subject.CommonName).To(Equal(m.ID))
	g.Expect(cert.NotAfter.Sub(cert.NotBefore)).To(Equal(365 * 24 * time.Hour))
	g.Expect(pki.Thumbprint(cert)).To(Equal(m.Thumbprint))
	g.Expect(p.Client.Store).To(Equal(mde.StoreSystem), "a device without a user keeps it in My\\System")
	g.Expect(p.Roots).To(HaveLen(1))
	g.Expect(p.CAs).To(HaveLen(1))
	g.Expect(p.App.Addr).To(HavePrefix("https://" + hosts.OMADM + "/"))
	g.Expect(p.DM.Poll).To(Equal(mde.Poll{FirstRetries: 5, FirstInterval: 3, SecondRetries: 8, SecondInterval: 15, RemainingInterval: 480, OnLogin: true}))
	r, err := w.Tenant.Registration(w.registration.ID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(r.Userless).To(Equal(graph.UserlessBlocked))
	g.Expect(w.Directory.Managed).To(HaveKeyWithValue(w.registration.EntraDeviceID, true))
	g.Expect(w.Refusals()).To(BeEmpty())
}

func TestOneTimeLimit(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	p, fault := w.Enrol(w.h, w.deviceToken(), w.technician())
	g.Expect(fault).To(BeNil())
	first := p.DM.EntDMID

	_, fault = w.Enrol(w.h, w.deviceToken(), w.technician())
	g.Expect(fault.Code()).To(Equal(hresult.EnrollDeviceNotSupported))
	g.Expect(fault.Error()).To(ContainSubstring("One Time Limit Check"))
	g.Expect(w.Refusals()).To(ConsistOf("one-time limit 0x80180014"))

	g.Expect(w.Tenant.AllowNextEnrollment(w.registration.ID)).To(Succeed())
	p, fault = w.Enrol(w.h, w.deviceToken(), w.technician())
	g.Expect(fault).To(BeNil())
	_, err := w.Tenant.Device(first)
	g.Expect(err).To(MatchError(tenant.ErrNotFound), "the new record takes the old one's place")

	w.Do(func(ctx context.Context) { g.Expect(w.Tenant.DeleteDevice(ctx, p.DM.EntDMID)).To(Succeed()) })
	_, fault = w.Enrol(w.h, w.deviceToken(), w.technician())
	g.Expect(fault).To(BeNil(), "deleting the record lifts the limit too")
	_, fault = w.Enrol(w.h, w.userToken(), w.user())
	g.Expect(fault).To(BeNil(), "the limit is about enrolment without a user")
}

func TestUserEnrolment(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	m := w.user()
	m.Context.AIKAttestationClaim, m.Context.AIKCert = nil, nil
	p, fault := w.Enrol(w.h, w.userToken(), m)
	g.Expect(fault).To(BeNil())
	d, err := w.Tenant.Device(p.DM.EntDMID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(d.Kind).To(Equal(tenant.EnrolledByUser))
	g.Expect(d.UserPrincipalName).To(Equal(ada))
	g.Expect(d.Attested).To(BeFalse(), "recorded, and enrolment goes on")
	g.Expect(p.DM.UPN).To(Equal(ada))

	for _, behaviour := range []mde.AttestationFailure{mde.FailOnError, mde.RetryOnError} {
		g.Expect(w.h.Configure(rig.TenantID, enroll.Settings{AttestationFailure: behaviour})).To(Succeed())
		_, fault = w.Enrol(w.h, w.userToken(), m)
		g.Expect(fault.Code()).To(Equal(hresult.EnrollAuthorization), string(behaviour))
	}
}

// The AIK's word for the key of the Entra certificate, and the device's own
// word on its attempt.
func TestAttestationIsRecorded(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	_, qualifying := rig.HWDevID(1)
	entra := pki.RSAKey(4)
	m := w.technician()
	m.Context.AadAIKAttestationClaim = w.Certify(w.tpm, &entra.PublicKey, qualifying)
	m.Context.AADPub = w.PublicArea(&entra.PublicKey)
	m.Context.SetAttestation(mde.AttestationCompleted, hresult.OK, "")
	m.Context.AzureAttestationBlob, m.Context.AzureAttestationCorrelationVector = []byte("not looked at"), "cv.0"
	p, fault := w.Enrol(w.h, w.deviceToken(), m)
	g.Expect(fault).To(BeNil())
	d, err := w.Tenant.Device(p.DM.EntDMID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(d.Attestation).To(Equal(tenant.AttestationResult{MDMKey: true, EntraKey: true, Status: "Status=Completed;AttestationErrorMsg=", HResult: "0x00000000"}))
	g.Expect(d.DeviceHealthAttestationState.AttestationKey).To(Equal(enroll.AIKPresent))

	u := w.user()
	u.Context.AIKAttestationClaim = nil
	u.Context.SetAttestation(mde.AttestationFailed, hresult.PCPInternalError, "no; TPM")
	p, fault = w.Enrol(w.h, w.userToken(), u)
	g.Expect(fault).To(BeNil())
	d, err = w.Tenant.Device(p.DM.EntDMID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(d.Attestation).To(Equal(tenant.AttestationResult{Check: "AIK", Status: "Status=Failed;AttestationErrorMsg=no, TPM", HResult: "0x80290407"}))
	g.Expect(d.DeviceHealthAttestationState).To(BeNil())
}

func TestRefusals(t *testing.T) {
	device := func(w *world) string { return w.deviceToken() }
	user := func(w *world) string { return w.userToken() }
	setting := func(c enroll.Settings) func(*world) {
		return func(w *world) {
			if err := w.h.Configure(rig.TenantID, c); err != nil {
				w.T.Fatal(err)
			}
		}
	}
	for _, tc := range []struct {
		name   string
		token  func(*world) string
		before func(*world)
		change func(*world, *mde.Enrol)
		user   bool
		code   hresult.Code
		check  string
	}{
		{name: "forged token", token: func(w *world) string { return w.ForgedDeviceToken(rig.TenantID, w.registration.EntraDeviceID) }, code: hresult.EnrollAuthentication, check: "token"},
		{name: "expired token", token: func(w *world) string {
			token := w.deviceToken()
			w.Pass(2 * time.Hour)
			return token
		}, code: hresult.EnrollAuthentication, check: "token"},
		{name: "token for another audience", token: func(w *world) string { return w.TokenFor("https://graph.microsoft.com", rig.TenantID) }, code: hresult.EnrollAuthentication, check: "token"},
		{name: "token of no customer", token: func(w *world) string { return w.DeviceToken("33333333-3333-4333-8333-333333333333", "d") }, code: hresult.EnrollAuthentication, check: "token tenant"},
		{name: "token of another tenant", token: func(w *world) string { return w.DeviceToken(rig.OtherID, w.registration.EntraDeviceID) }, code: hresult.EnrollAuthorization, check: "ZtdId"},
		{name: "token of an unknown device", token: func(w *world) string { return w.DeviceToken(rig.TenantID, "nobody") }, code: hresult.EnrollAuthentication, check: "token device"},
		{name: "token of an unknown user", token: func(w *world) string { return w.UserToken(rig.TenantID, "eve@contoso.example", "") }, user: true, code: hresult.EnrollAuthentication, check: "token user"},
		{name: "Windows Home", token: device, change: func(_ *world, m *mde.Enrol) { m.Context.OSEdition = "101" }, code: hresult.EnrollNotSupported, check: "edition"},
		{name: "not in scope", token: user, user: true, before: setting(enroll.Settings{Scope: enroll.ScopeNone}), code: hresult.EnrollAuthorization, check: "MDM scope"},
		{name: "in no group of the scope", token: user, user: true, before: setting(enroll.Settings{Scope: enroll.ScopeSome, ScopeGroups: []string{"it"}}), code: hresult.EnrollAuthorization, check: "MDM scope"},
		{name: "no licence", token: user, user: true, before: func(w *world) {
			u := w.Directory.Users[ada]
			u.Licensed = false
			w.Directory.Users[ada] = u
		}, code: hresult.EnrollUserLicense, check: "licence"},
		{name: "device token without technician flow", token: device, user: true, code: hresult.EnrollAuthorization, check: "device token"},
		{name: "unknown registration", token: device, change: func(_ *world, m *mde.Enrol) { m.Context.ZeroTouchProvisioning = "no" }, code: hresult.EnrollAuthorization, check: "ZtdId"},
		{name: "profile forbids", token: device, before: func(w *world) {
			w.Do(func(ctx context.Context) {
				if _, err := w.Tenant.Profiles().Update(ctx, w.registration.ProfileID, func(p *graph.DeploymentProfile) error {
					p.PreprovisioningAllowed = false
					return nil
				}); err != nil {
					w.T.Error(err)
				}
			})
		}, code: hresult.EnrollServerError, check: "profile allows pre-provisioning"},
		{name: "platform blocked", token: device, before: restricted(graph.PlatformRestriction{PlatformBlocked: true}), code: hresult.EnrollDeviceNotSupported, check: "platform restriction"},
		{name: "version blocked", token: device, before: restricted(graph.PlatformRestriction{OSMinimumVersion: "10.0.26200"}), code: hresult.EnrollDeviceNotSupported, check: "version restriction"},
		{name: "device cap", token: user, user: true, before: func(w *world) {
			w.limit(1)
			w.Do(func(ctx context.Context) {
				if _, err := w.Tenant.Enroll(ctx, tenant.ManagedDevice{ManagedDevice: graph.ManagedDevice{UserPrincipalName: ada, AzureADDeviceID: "old"}}); err != nil {
					w.T.Error(err)
				}
			})
		}, code: hresult.EnrollDeviceCapReached, check: "device cap"},
		{name: "renewal with a token", token: device, change: func(_ *world, m *mde.Enrol) { m.Renew = true }, code: hresult.EnrollAuthentication, check: "client certificate missing"},
		{name: "no certificate request", token: device, change: func(_ *world, m *mde.Enrol) { m.Request = []byte("x") }, code: hresult.EnrollCertificateRequest, check: "certificate request"},
		{name: "request changed after it was signed", token: device, change: func(_ *world, m *mde.Enrol) { m.Request[len(m.Request)-1] ^= 1 }, code: hresult.EnrollCertificateRequest, check: "certificate request signature"},
		{name: "elliptic key", token: device, change: func(w *world, m *mde.Enrol) { m.Request = w.CSR(pki.Key(1, "x")) }, code: hresult.EnrollCertificateRequest, check: "certificate request key"},
		{name: "no attestation", token: device, change: func(_ *world, m *mde.Enrol) { m.Context.AIKAttestationClaim = nil }, code: hresult.EnrollAuthorization, check: "attestation AIK"},
		{name: "key that is not the attested one", token: device, change: func(w *world, m *mde.Enrol) { m.Request = w.CSR(pki.RSAKey(4)) }, code: hresult.EnrollAuthorization, check: "attestation subject key"},
		{name: "claim of another AIK", token: device, change: func(w *world, m *mde.Enrol) {
			m.Context.AIKCert = w.NewTPM(w.AIKAuthority(), 5).Cert.Raw
		}, code: hresult.EnrollAuthorization, check: "attestation signature"},
		{name: "claim over another device's id", token: device, change: func(_ *world, m *mde.Enrol) { m.Context.HWDevID, _ = rig.HWDevID(2) }, code: hresult.EnrollAuthorization, check: "attestation qualifyingData"},
		{name: "AIK of nobody", token: device, change: func(w *world, m *mde.Enrol) {
			ca, err := pki.NewRoot(w.Clock.Now(), 8, "other", pki.Options{})
			if err != nil {
				w.T.Fatal(err)
			}
			m.Context.AIKCert = w.NewTPM(ca, 2).Cert.Raw
		}, code: hresult.EnrollAuthorization, check: "attestation AIK"},
		{name: "Entra key that its claim is not about", token: device, change: func(w *world, m *mde.Enrol) {
			_, qualifying := rig.HWDevID(1)
			m.Context.AadAIKAttestationClaim = w.Certify(w.tpm, &pki.RSAKey(4).PublicKey, qualifying)
			m.Context.AADPub = w.PublicArea(&pki.RSAKey(5).PublicKey)
		}, code: hresult.EnrollAuthorization, check: "attestation Entra key subject key"},
		{name: "Entra key attested by another AIK", token: device, change: func(w *world, m *mde.Enrol) {
			_, qualifying := rig.HWDevID(1)
			m.Context.AadAIKAttestationClaim = w.Certify(w.NewTPM(w.AIKAuthority(), 5), &pki.RSAKey(4).PublicKey, qualifying)
			m.Context.AADPub = w.PublicArea(&pki.RSAKey(4).PublicKey)
		}, code: hresult.EnrollAuthorization, check: "attestation Entra key signature"},
		{name: "Entra key attested without AADPub", token: device, change: func(w *world, m *mde.Enrol) {
			_, qualifying := rig.HWDevID(1)
			m.Context.AadAIKAttestationClaim = w.Certify(w.tpm, &pki.RSAKey(4).PublicKey, qualifying)
		}, code: hresult.EnrollAuthorization, check: "attestation Entra key format"},
		{name: "Entra key that is not the certificate's", token: device, before: func(w *world) { w.Directory.KeyHash = [32]byte{1} }, change: func(w *world, m *mde.Enrol) {
			_, qualifying := rig.HWDevID(1)
			m.Context.AadAIKAttestationClaim = w.Certify(w.tpm, &pki.RSAKey(4).PublicKey, qualifying)
			m.Context.AADPub = w.PublicArea(&pki.RSAKey(4).PublicKey)
		}, code: hresult.EnrollAuthorization, check: "attestation Entra key subject key"},
		{name: "TPM that is not the registered one", token: device, change: func(w *world, _ *mde.Enrol) { w.ek = [32]byte{1} }, code: hresult.EnrollAuthorization, check: "attestation AIK"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g, w := NewWithT(t), newWorld(t)
			if tc.before != nil {
				tc.before(w)
			}
			m := w.technician()
			if tc.user {
				m = w.user()
			}
			if tc.change != nil {
				tc.change(w, &m)
			}
			devices := len(w.Tenant.Devices())
			_, fault := w.Enrol(w.h, tc.token(w), m)
			g.Expect(fault).NotTo(BeNil())
			g.Expect(fault.Code().Hex()).To(Equal(tc.code.Hex()), fault.Error())
			g.Expect(w.Refusals()).To(ConsistOf(tc.check + " " + tc.code.Hex()))
			g.Expect(w.Tenant.Devices()).To(HaveLen(devices))
		})
	}
}

func FuzzEnrolment(f *testing.F) {
	f.Add("<s:Envelope/>", mde.EnrolPath)
	f.Add(strings.Repeat("<a>", 40), mde.DiscoveryPath)
	r := rig.New(f)
	a, err := authority.New(r.Service)
	if err != nil {
		f.Fatal(err)
	}
	h := enroll.New(enroll.Options{Tenants: r.Service, Authorities: a})
	f.Fuzz(func(_ *testing.T, body, path string) {
		req := httptest.NewRequest(http.MethodPost, "https://"+hosts.Enrollment+mde.EnrolPath, strings.NewReader(body))
		req.URL.Path = path
		req.Header.Set("Content-Type", mde.ContentType)
		h.ServeHTTP(httptest.NewRecorder(), req)
	})
}

// FuzzProof is for a device that may enrol, with parts that it makes up: request,
// claims, public areas, certificate and identifier.
func FuzzProof(f *testing.F) {
	w := newWorld(f)
	token, good := w.deviceToken(), w.technician()
	_, qualifying := rig.HWDevID(1)
	aad, area := w.Certify(w.tpm, &pki.RSAKey(4).PublicKey, qualifying), w.PublicArea(&pki.RSAKey(4).PublicKey)
	c := good.Context
	f.Add(good.Request, c.AIKAttestationClaim, w.PublicArea(&w.tpm.Key.PublicKey), c.AIKCert, aad, area, c.HWDevID)
	f.Add(good.Request, c.AIKAttestationClaim, []byte{}, c.AIKCert, []byte{}, []byte{}, c.HWDevID)
	f.Fuzz(func(t *testing.T, request, claim, pub, cert, aadClaim, aadPub []byte, id string) {
		w.T = t
		if err := w.Tenant.AllowNextEnrollment(w.registration.ID); err != nil {
			t.Fatal(err) // an enrolment before this one came about
		}
		m := good
		m.Request = request
		m.Context.AIKAttestationClaim, m.Context.AIKPub, m.Context.AIKCert, m.Context.AadAIKAttestationClaim, m.Context.AADPub = claim, pub, cert, aadClaim, aadPub
		m.Context.HWDevID = strings.ToValidUTF8(id, "")
		if _, fault := w.Enrol(w.h, token, m); fault != nil && fault.Code() == hresult.EnrollInternalService {
			t.Fatal(fault)
		}
	})
}

func BenchmarkEnrolment(b *testing.B) {
	w := newWorld(b)
	m, token := w.user(), w.userToken()
	for b.Loop() {
		if _, fault := w.Enrol(w.h, token, m); fault != nil {
			b.Fatal(fault)
		}
	}
}
