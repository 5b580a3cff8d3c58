package enroll_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/mde"
	"windtunnel.test/sim/wire/scep"
)

func (w *world) connection(cert *x509.Certificate) *http.Request {
	r := httptest.NewRequest(http.MethodPost, enrolURL, nil)
	r.TLS = &tls.ConnectionState{}
	if cert != nil {
		r.TLS.PeerCertificates = []*x509.Certificate{cert}
	}
	return r
}

// own is an enrolment of a device that has joined nothing.
func (w *world) own() mde.Enrol {
	m := w.user()
	m.Context.ZeroTouchProvisioning, m.Context.AIKAttestationClaim, m.Context.AIKCert = "", nil, nil
	return m
}

const (
	pageURL = "https://" + hosts.Enrollment + enroll.AuthenticationPath
	app     = "ms-app://windows.immersivecontrolpanel"
)

// signIn goes through the authentication page.
func (w *world) signIn(user, password string) (token string, rec *httptest.ResponseRecorder) {
	form := url.Values{"appru": {app}, "login": {user}, "passwd": {password}}
	rec = w.Call(w.h, http.MethodPost, pageURL+"?"+url.Values{"appru": {app}, "login_hint": {user}}.Encode(),
		http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(form.Encode()), nil)
	if m := regexp.MustCompile(`name="wresult" value="([^"]*)"`).FindStringSubmatch(rec.Body.String()); m != nil {
		token = html.UnescapeString(m[1])
	}
	return token, rec
}

func TestFederated(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	rec := w.Call(w.h, http.MethodGet, pageURL+"?"+url.Values{"appru": {app}, "login_hint": {`"><script>`}}.Encode(), nil, nil, nil)
	g.Expect(rec.Code).To(Equal(200))
	g.Expect(rec.Body.String()).To(ContainSubstring("&lt;script&gt;"))
	g.Expect(rec.Body.String()).NotTo(ContainSubstring("<script>"))

	token, rec := w.signIn(ada, secret)
	g.Expect(rec.Code).To(Equal(200))
	g.Expect(rec.Body.String()).To(ContainSubstring(`action="` + app + `"`))
	g.Expect(token).To(HaveLen(43))
	security := mde.FederatedSecurity([]byte(token))
	_, err := w.policies(policyURL, security)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = w.policies(policyURL, security)
	g.Expect(err).NotTo(HaveOccurred(), "asking uses nothing up")
	g.Expect(w.post(enrolURL, w.request(security, w.own()))).To(BeNil())
	g.Expect(w.post(enrolURL, w.request(security, w.own())).Code()).To(Equal(hresult.EnrollAuthentication), "it is good once")

	d := w.Tenant.Devices()[0]
	g.Expect(d.UserPrincipalName).To(Equal(ada))
	g.Expect(d.ManagedDeviceOwnerType).To(Equal("personal"))
	g.Expect(d.DeviceEnrollmentType).To(Equal("userEnrollment"))

	again, _ := w.signIn(ada, secret)
	g.Expect(again).NotTo(Equal(token))
	g.Expect(w.post(enrolURL, w.request(mde.FederatedSecurity([]byte(again)), w.own()))).To(BeNil())
	g.Expect(w.Tenant.Devices()).To(HaveLen(1), "the same hardware of the same user")
	late, _ := w.signIn(ada, secret)
	w.Pass(11 * time.Minute)
	g.Expect(w.post(enrolURL, w.request(mde.FederatedSecurity([]byte(late)), w.own())).Code()).To(Equal(hresult.EnrollAuthentication))
	g.Expect(w.post(enrolURL, w.request(mde.FederatedSecurity([]byte("x")), w.own())).Code()).To(Equal(hresult.EnrollAuthentication))
	w.configure(enroll.Settings{AuthPolicy: mde.OnPremise})
	other, _ := w.signIn(ada, secret)
	g.Expect(w.post(enrolURL, w.request(mde.FederatedSecurity([]byte(other)), w.own())).Code()).To(Equal(hresult.EnrollAuthentication), "not the organization's way")
}

func TestAuthenticationPageRefusals(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	for _, who := range [][2]string{{ada, "wrong"}, {ada, ""}, {"eve@contoso.example", secret}, {"ada@nowhere.example", secret}, {"", ""}} {
		token, rec := w.signIn(who[0], who[1])
		g.Expect(token).To(BeEmpty())
		g.Expect(rec.Code).To(Equal(http.StatusUnauthorized))
		g.Expect(rec.Body.String()).NotTo(ContainSubstring(secret))
	}
	get := func(query string) int { return w.Call(w.h, http.MethodGet, pageURL+"?"+query, nil, nil, nil).Code }
	for _, query := range []string{"", "appru=https%3A%2F%2Fevil.example", "appru=javascript%3Aalert(1)", "appru=ms-app%3Ax", "appru=%zz", "appru=%3A"} {
		g.Expect(get(query)).To(Equal(http.StatusBadRequest), query)
	}
	g.Expect(w.Call(w.h, http.MethodDelete, pageURL, nil, nil, nil).Code).To(Equal(http.StatusMethodNotAllowed))
	big := []byte("appru=" + url.QueryEscape(app) + "&login=" + strings.Repeat("x", 1<<20))
	g.Expect(w.Call(w.h, http.MethodPost, pageURL, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, big, nil).Code).To(Equal(http.StatusRequestEntityTooLarge))
	w.directory = context.DeadlineExceeded
	_, rec := w.signIn(ada, secret)
	g.Expect(rec.Code).To(Equal(http.StatusInternalServerError))
	g.Expect(rec.Body.String()).NotTo(ContainSubstring("deadline"))
}

func TestOnPremise(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.configure(enroll.Settings{AuthPolicy: mde.OnPremise})
	g.Expect(w.post(enrolURL, w.request(mde.OnPremiseSecurity(ada, secret), w.own()))).To(BeNil())
	g.Expect(w.Tenant.Devices()[0].UserPrincipalName).To(Equal(ada))
	for name, s := range map[string]*mde.Security{
		"password": mde.OnPremiseSecurity(ada, "wrong"), "none": mde.OnPremiseSecurity(ada, ""), "user": mde.OnPremiseSecurity("eve@contoso.example", secret),
		"domain": mde.OnPremiseSecurity("ada@nowhere.example", secret),
	} {
		g.Expect(w.post(enrolURL, w.request(s, w.own())).Code()).To(Equal(hresult.EnrollAuthentication), name)
	}
	digest := strings.Replace(string(w.request(mde.OnPremiseSecurity(ada, secret), w.own())), "#PasswordText", "#PasswordDigest", 1)
	g.Expect(w.post(enrolURL, []byte(digest)).Code()).To(Equal(hresult.EnrollInvalidSecurity))
	w.configure(enroll.Settings{})
	g.Expect(w.post(enrolURL, w.request(mde.OnPremiseSecurity(ada, secret), w.own())).Code()).To(Equal(hresult.EnrollAuthentication), "not the organization's way")
	g.Expect(w.Tenant.Devices()).To(HaveLen(1))
	for _, e := range w.Events.Find(func(journal.Event) bool { return true }) {
		g.Expect(fmt.Sprint(e)).NotTo(ContainSubstring(secret))
	}
}

// smartCard is a certificate of a customer's authority for the pool's n-th key.
func (w *world) smartCard(t *tenant.Tenant, h authority.Holder, n int) scep.Identity {
	ca, err := w.authorities.Organization(t)
	if err != nil {
		w.T.Fatal(err)
	}
	key := pki.RSAKey(n)
	cert, err := ca.Issue(w.Clock.Now(), &x509.Certificate{Subject: pkix.Name{CommonName: h.UPN}, NotAfter: w.Clock.Now().Add(30 * 24 * time.Hour)}, key.Public())
	if err != nil {
		w.T.Fatal(err)
	}
	h.TenantID = t.ID
	if err := w.authorities.Keep(cert, h); err != nil {
		w.T.Fatal(err)
	}
	return scep.Identity{Certificate: cert, Key: key}
}

func (w *world) signed(id scep.Identity, created time.Time, life time.Duration) []byte {
	body, err := mde.Sign(w.request(mde.CertificateSecurity(id.Certificate.Raw, created, created.Add(life)), w.own()), id.Key)
	if err != nil {
		w.T.Fatal(err)
	}
	return body
}

func TestCertificate(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.configure(enroll.Settings{AuthPolicy: mde.Certificate})
	id := w.smartCard(w.Tenant, authority.Holder{UPN: ada}, 7)
	_, err := w.policies(policyURL, mde.CertificateSecurity(id.Certificate.Raw, w.Clock.Now(), w.Clock.Now().Add(time.Minute)))
	g.Expect(err).NotTo(HaveOccurred())
	request := w.signed(id, w.Clock.Now(), 2*time.Minute)
	g.Expect(w.post(enrolURL, request)).To(BeNil())
	g.Expect(w.Tenant.Devices()[0].UserPrincipalName).To(Equal(ada))
	g.Expect(w.Tenant.Devices()[0].ManagedDeviceOwnerType).To(Equal("company"))
	g.Expect(w.post(enrolURL, request).Code()).To(Equal(hresult.EnrollInvalidSecurity), "the same message again")
	w.Pass(time.Minute)
	g.Expect(w.post(enrolURL, w.signed(id, w.Clock.Now(), 2*time.Minute))).To(BeNil())
}

func TestCertificateRefusals(t *testing.T) {
	for _, tc := range []struct {
		name  string
		body  func(*world, scep.Identity) []byte
		code  hresult.Code
		check string
	}{
		{"unsigned", func(w *world, id scep.Identity) []byte {
			return w.request(mde.CertificateSecurity(id.Certificate.Raw, w.Clock.Now(), w.Clock.Now().Add(time.Minute)), w.own())
		}, hresult.EnrollInvalidSecurity, "signature"},
		{"changed", func(w *world, id scep.Identity) []byte {
			return []byte(strings.Replace(string(w.signed(id, w.Clock.Now(), time.Minute)), "DESKTOP-1", "DESKTOP-2", 1))
		}, hresult.EnrollInvalidSecurity, "signature"},
		{"signed too long ago", func(w *world, id scep.Identity) []byte {
			return w.signed(id, w.Clock.Now().Add(-time.Hour), time.Minute)
		}, hresult.EnrollInvalidSecurity, "timestamp"},
		{"signed in the future", func(w *world, id scep.Identity) []byte {
			return w.signed(id, w.Clock.Now().Add(time.Hour), time.Minute)
		}, hresult.EnrollInvalidSecurity, "timestamp"},
		{"without a timestamp", func(w *world, id scep.Identity) []byte {
			body, _ := mde.Sign(w.request(&mde.Security{ValueType: mde.ValueTypeX509, Token: id.Certificate.Raw}, w.own()), id.Key)
			return body
		}, hresult.EnrollInvalidSecurity, "timestamp"},
		{"revoked", func(w *world, id scep.Identity) []byte {
			_ = w.authorities.Revoke(pki.Thumbprint(id.Certificate))
			return w.signed(id, w.Clock.Now(), time.Minute)
		}, hresult.EnrollAuthentication, "certificate holder"},
		{"of a device that was deleted", func(w *world, _ scep.Identity) []byte {
			return w.signed(w.smartCard(w.Tenant, authority.Holder{UPN: ada, DeviceID: "gone"}, 7), w.Clock.Now(), time.Minute)
		}, hresult.EnrollAuthentication, "certificate holder"},
		{"expired", func(w *world, id scep.Identity) []byte {
			w.Pass(31 * 24 * time.Hour)
			return w.signed(id, w.Clock.Now(), time.Minute)
		}, hresult.EnrollAuthentication, "certificate holder"},
		{"of another authority", func(w *world, id scep.Identity) []byte {
			ca, _ := pki.NewRoot(w.Clock.Now(), 9, rig.Domain+" Issuing CA", pki.Options{})
			forged, _ := ca.Issue(w.Clock.Now(), &x509.Certificate{Subject: id.Certificate.Subject, NotAfter: id.Certificate.NotAfter}, id.Key.Public())
			return w.signed(scep.Identity{Certificate: forged, Key: id.Key}, w.Clock.Now(), time.Minute)
		}, hresult.EnrollAuthentication, "certificate holder"},
		{"self-signed", func(w *world, _ scep.Identity) []byte {
			self, _ := scep.NewSigner(pki.RSAKey(7), w.Clock.Now(), time.Hour, strings.NewReader(strings.Repeat("serial", 4)))
			return w.signed(self, w.Clock.Now(), time.Minute)
		}, hresult.EnrollAuthentication, "certificate holder"},
		{"of a user who left", func(w *world, id scep.Identity) []byte {
			delete(w.Directory.Users, ada)
			return w.signed(id, w.Clock.Now(), time.Minute)
		}, hresult.EnrollAuthentication, "token user"},
		{"of a tenant that has another way", func(w *world, _ scep.Identity) []byte {
			return w.signed(w.smartCard(w.Other, authority.Holder{UPN: ada}, 7), w.Clock.Now(), time.Minute)
		}, hresult.EnrollAuthentication, "authentication mode"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g, w := NewWithT(t), newWorld(t)
			w.configure(enroll.Settings{AuthPolicy: mde.Certificate})
			fault := w.post(enrolURL, tc.body(w, w.smartCard(w.Tenant, authority.Holder{UPN: ada}, 7)))
			g.Expect(fault).NotTo(BeNil())
			g.Expect(fault.Code().Hex()).To(Equal(tc.code.Hex()), fault.Error())
			g.Expect(w.Refusals()).To(ConsistOf(tc.check + " " + tc.code.Hex()))
			g.Expect(w.Tenant.Devices()).To(BeEmpty())
		})
	}
}

// A provisioning package enrols devices that are nobody's.
func TestBulk(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	const account = "package_1f3c@contoso.example"
	w.Directory.Users[account] = tenant.DirectoryUser{ID: "oid-package", UPN: account, Enabled: true}
	m := w.own()
	m.Context.BulkAADJ = true
	p, fault := w.Enrol(w.h, w.UserToken(rig.TenantID, account, w.registration.EntraDeviceID), m)
	g.Expect(fault).To(BeNil())
	g.Expect(p.Client.Store).To(Equal(mde.StoreSystem))
	d := w.Tenant.Devices()[0]
	g.Expect(d.Kind).To(Equal(tenant.EnrolledBulk))
	g.Expect(d.UserPrincipalName).To(BeEmpty())
	g.Expect(d.DeviceEnrollmentType).To(Equal("windowsBulkAzureDomainJoin"))
	_, fault = w.Enrol(w.h, w.userToken(), m)
	g.Expect(fault.Code()).To(Equal(hresult.EnrollAuthorization), "who signs in as himself is no package")
	g.Expect(w.Refusals()).To(ConsistOf("bulk token 0x80180003"))
}

func TestLayouts(t *testing.T) {
	for layout, stores := range map[mde.Layout]int{mde.LayoutIntune: 1, mde.LayoutSpec: 2} {
		g, w := NewWithT(t), newWorld(t)
		w.configure(enroll.Settings{Layout: layout})
		rec := w.Call(w.h, http.MethodPost, enrolURL, soap, w.request(mde.EntraSecurity(w.userToken()), w.user()), nil)
		_, result, err := mde.DecodeEnrolResult(rec.Body.Bytes())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(strings.Count(string(result.Provisioning), `type="CertificateStore"`)).To(Equal(stores))
		_, err = mde.DecodeProvisioning(result.Provisioning)
		g.Expect(err).NotTo(HaveOccurred())
	}
}
