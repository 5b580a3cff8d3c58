package fakeentra_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra/sts"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

func TestPublishedDocuments(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	_, body := w.get(w.entra.STS, "https://"+oauth.Host+"/contoso.com/v2.0/.well-known/openid-configuration")
	var m oauth.Metadata
	g.Expect(json.Unmarshal(body, &m)).To(Succeed())
	g.Expect(m.Issuer).To(Equal(oauth.Issuer(tenantID, "2.0")))
	g.Expect(m.Capabilities).To(ContainElement(oauth.CapabilityKDF2))
	_, body = w.get(w.entra.STS, m.JWKSURI)
	keys, err := oauth.ParseJWKS(body)
	g.Expect(err).NotTo(HaveOccurred())
	claims, err := oauth.Verify(keys, w.userToken(oauth.ResourceMDM), oauth.ResourceMDM, w.now)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]string{claims.TenantID, claims.UPN, claims.MDMEnrollmentURL}).To(Equal([]string{tenantID, adele, ""}))

	var realm oauth.UserRealm
	_, body = w.get(w.entra.STS, "https://"+oauth.Host+"/common/userrealm/"+adele+"?api-version=1.0")
	g.Expect(json.Unmarshal(body, &realm)).To(Succeed())
	g.Expect(realm.AccountType).To(Equal(oauth.RealmManaged))
	_, body = w.get(w.entra.STS, "https://"+oauth.Host+"/common/userrealm/x@nowhere.test?api-version=2.1")
	g.Expect(string(body)).To(ContainSubstring(`"NameSpaceType":"Unknown"`))
	status, _ := w.get(w.entra.STS, "https://"+oauth.Host+"/nowhere.test/.well-known/openid-configuration")
	g.Expect(status).To(Equal(http.StatusBadRequest))
	status, _ = w.get(w.entra.STS, "https://"+oauth.Host+"/contoso.com/oauth2/nothing")
	g.Expect(status).To(Equal(http.StatusNotImplemented))
}

func TestTokensForRegistrationNameTheMDM(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	claims, err := w.entra.STS.VerifyToken(w.userToken(oauth.ResourceDRS), oauth.ResourceDRS, w.now)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(claims.MDMEnrollmentURL).To(ContainSubstring("enrollment.manage.microsoft.com"))
	life := time.Duration(claims.Expires-claims.IssuedAt) * time.Second
	g.Expect(life).To(And(BeNumerically(">=", time.Hour), BeNumerically("<=", 90*time.Minute)))
}

func TestGrantsThatAreRefused(t *testing.T) {
	user := func(change func(*oauth.TokenRequest)) oauth.TokenRequest {
		r := oauth.TokenRequest{GrantType: oauth.GrantPassword, ClientID: oauth.ClientBroker, Username: adele, Password: password, Resource: oauth.ResourceMDM}
		change(&r)
		return r
	}
	app := func(change func(*oauth.TokenRequest)) oauth.TokenRequest {
		r := oauth.TokenRequest{GrantType: oauth.GrantClient, ClientID: appID, ClientSecret: appSecret, Resource: oauth.ResourceGraph}
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		path  string
		r     oauth.TokenRequest
		want  oauth.AADSTS
		check string
	}{
		"wrong password":     {"/common/oauth2/token", user(func(r *oauth.TokenRequest) { r.Password = "x" }), oauth.InvalidCredentials, "password"},
		"unknown user":       {"/common/oauth2/token", user(func(r *oauth.TokenRequest) { r.Username = "bob@contoso.com" }), oauth.UserNotFound, "user"},
		"no user":            {"/common/oauth2/token", user(func(r *oauth.TokenRequest) { r.Username = "" }), oauth.MissingParameter, "user name"},
		"user of no tenant":  {"/common/oauth2/token", user(func(r *oauth.TokenRequest) { r.Username = "x@nowhere.test" }), oauth.UserNotFound, "user tenant"},
		"other tenant":       {"/fabrikam.com/oauth2/token", user(func(*oauth.TokenRequest) {}), oauth.UserNotFound, "user tenant"},
		"unknown tenant":     {"/nowhere.test/oauth2/token", user(func(*oauth.TokenRequest) {}), oauth.TenantNotFound, "tenant"},
		"unknown resource":   {"/common/oauth2/token", user(func(r *oauth.TokenRequest) { r.Resource = "https://x" }), oauth.ResourceNotFound, "resource"},
		"no resource":        {"/common/oauth2/token", user(func(r *oauth.TokenRequest) { r.Resource = "" }), oauth.MissingParameter, "resource"},
		"no client":          {"/common/oauth2/token", user(func(r *oauth.TokenRequest) { r.ClientID = "" }), oauth.MissingParameter, "client id"},
		"unknown grant":      {"/common/oauth2/token", oauth.TokenRequest{GrantType: "implicit"}, oauth.UnsupportedGrant, "grant type"},
		"wrong secret":       {"/contoso.com/oauth2/token", app(func(r *oauth.TokenRequest) { r.ClientSecret = "x" }), oauth.InvalidClientSecret, "client secret"},
		"unknown app":        {"/contoso.com/oauth2/token", app(func(r *oauth.TokenRequest) { r.ClientID = "x" }), oauth.AppNotFound, "application"},
		"app without tenant": {"/common/oauth2/token", app(func(*oauth.TokenRequest) {}), oauth.TenantNotFound, "tenant"},
		"no device request":  {"/common/oauth2/token", oauth.TokenRequest{GrantType: oauth.GrantJWT}, oauth.MissingParameter, "request"},
		"broken request":     {"/common/oauth2/token", oauth.TokenRequest{GrantType: oauth.GrantJWT, Request: "a.b.c"}, oauth.JWTMalformed, "device request"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			w := newWorld(t)
			_, refused, _ := w.token(c.path, c.r.Form())
			g.Expect(refused).NotTo(BeNil())
			g.Expect(refused.Code()).To(Equal(c.want), refused.Description)
			w.refused("sts", c.check)
		})
	}
}

// challenge asks for a nonce.
func (w *world) challenge() string {
	w.t.Helper()
	status, body := w.form("/common/oauth2/token", oauth.TokenRequest{GrantType: oauth.GrantChallenge}.Form())
	NewWithT(w.t).Expect(status).To(Equal(http.StatusOK))
	var n oauth.NonceResponse
	must(w.t, json.Unmarshal(body, &n))
	return n.Nonce
}

// deviceRequest is what a joined device signs to get a token of its own.
func (p *pc) deviceRequest() oauth.DeviceRequest {
	return oauth.DeviceRequest{ClientID: oauth.ClientBroker, GrantType: oauth.GrantDeviceToken, Resource: oauth.ResourceMDM,
		RedirectURI: oauth.RedirectMDM, Issuer: oauth.IssuerBroker, RequestNonce: p.challenge()}
}

func (p *pc) sendDevice(r oauth.DeviceRequest, cert []byte) (*oauth.TokenResponse, *oauth.Error) {
	p.t.Helper()
	jwt, err := oauth.SignDeviceRequest(deviceSigner{p.chip}, cert, oauth.KDF2, r)
	must(p.t, err)
	out, refused, _ := p.token("/common/oauth2/token", oauth.TokenRequest{GrantType: oauth.GrantJWT, Request: jwt, WindowsAPIVersion: oauth.WindowsAPI20}.Form())
	return out, refused
}

func joined(t testing.TB) *pc {
	t.Helper()
	p := newWorld(t).pc(0).ready()
	p.register()
	p.joinAsDevice()
	return p
}

func TestDeviceToken(t *testing.T) {
	g := NewWithT(t)
	p := joined(t)
	out, refused := p.sendDevice(p.deviceRequest(), p.cert)
	g.Expect(refused).To(BeNil())
	claims, err := p.entra.STS.VerifyToken(out.AccessToken, oauth.ResourceMDM, p.now)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]string{claims.DeviceID, claims.UPN, claims.TenantID}).To(Equal([]string{p.device, "", tenantID}))

	foreign, err := pki.NewRoot(p.now, 5, "MS-Organization-Access", pki.Options{})
	must(t, err)
	good := parse(t, p.cert)
	forged, err := foreign.Issue(p.now, &x509.Certificate{Subject: good.Subject, NotAfter: good.NotAfter, ExtraExtensions: good.Extensions}, good.PublicKey)
	must(t, err)
	for check, try := range map[string]func() (*oauth.TokenResponse, *oauth.Error){
		"device certificate": func() (*oauth.TokenResponse, *oauth.Error) { return p.sendDevice(p.deviceRequest(), forged.Raw) },
		"device signature":   func() (*oauth.TokenResponse, *oauth.Error) { return p.sendDevice(p.deviceRequest(), p.ekCert) },
		"nonce": func() (*oauth.TokenResponse, *oauth.Error) {
			r := p.deviceRequest()
			p.now = p.now.Add(6 * time.Minute)
			return p.sendDevice(r, p.cert)
		},
		"resource": func() (*oauth.TokenResponse, *oauth.Error) {
			r := p.deviceRequest()
			r.Resource = "https://elsewhere"
			return p.sendDevice(r, p.cert)
		},
		"grant type": func() (*oauth.TokenResponse, *oauth.Error) {
			r := p.deviceRequest()
			r.GrantType = oauth.GrantSAML
			return p.sendDevice(r, p.cert)
		},
	} {
		_, refused := try()
		g.Expect(refused).NotTo(BeNil(), check)
		p.refused("sts", check)
	}
	r := p.deviceRequest()
	_, refused = p.sendDevice(r, p.cert)
	g.Expect(refused).To(BeNil())
	_, refused = p.sendDevice(r, p.cert)
	g.Expect(refused.Code()).To(Equal(oauth.InvalidAssertion), "a nonce is good once")

	g.Expect(p.entra.Directory.Delete(tenantID, p.device)).To(Succeed())
	_, refused = p.sendDevice(p.deviceRequest(), p.cert)
	g.Expect(refused.Code()).To(Equal(oauth.DeviceNotFound))
}

// prtOf signs the user in on the device and unwraps the session key.
func (p *pc) prtOf(upn, secret string) (token string, sessionKey []byte, refused *oauth.Error) {
	p.t.Helper()
	out, refused := p.sendDevice(oauth.DeviceRequest{ClientID: oauth.ClientPRT, GrantType: oauth.GrantPassword, Scope: oauth.ScopePRT,
		RequestNonce: p.challenge(), Username: upn, Password: secret}, p.cert)
	if refused != nil {
		return "", nil, refused
	}
	NewWithT(p.t).Expect(out.TokenType).To(Equal("pop"))
	key, err := oauth.UnwrapSessionKey(p.transport, out.SessionKeyJWE)
	must(p.t, err)
	return out.RefreshToken, key, nil
}

func (p *pc) usePRT(token string, key []byte, change func(*oauth.BoundRequest)) (*oauth.TokenResponse, *oauth.Error) {
	p.t.Helper()
	r := oauth.BoundRequest{ClientID: oauth.ClientBroker, GrantType: oauth.GrantRefresh, RefreshToken: token, Scope: "openid",
		Resource: oauth.ResourceMDM, IssuedAt: p.now.Unix(), Expires: p.now.Add(time.Hour).Unix()}
	if change != nil {
		change(&r)
	}
	jwt, err := oauth.SignBound(key, bytes.Repeat([]byte{7}, oauth.ContextSize), oauth.KDF2, r)
	must(p.t, err)
	_, refused, jwe := p.token("/common/oauth2/token", oauth.TokenRequest{GrantType: oauth.GrantJWT, Request: jwt}.Form())
	if refused != nil {
		return nil, refused
	}
	out, err := oauth.DecryptAnswer(key, jwe)
	must(p.t, err)
	return out, nil
}

func TestPrimaryRefreshToken(t *testing.T) {
	g := NewWithT(t)
	p := joined(t)
	token, key, refused := p.prtOf(adele, password)
	g.Expect(refused).To(BeNil())
	out, refused := p.usePRT(token, key, nil)
	g.Expect(refused).To(BeNil())
	claims, err := p.entra.STS.VerifyToken(out.AccessToken, oauth.ResourceMDM, p.now)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]string{claims.UPN, claims.DeviceID}).To(Equal([]string{adele, p.device}))
	g.Expect(out.RefreshToken).To(BeEmpty())

	// Renewed with aza; the one before stays good until the next.
	aza := func(r *oauth.BoundRequest) { r.Scope = "openid aza" }
	out, refused = p.usePRT(token, key, aza)
	g.Expect(refused).To(BeNil())
	g.Expect(out.RefreshToken).NotTo(Equal(token))
	g.Expect(out.SessionKeyJWE).To(BeEmpty())
	_, refused = p.usePRT(token, key, nil)
	g.Expect(refused).To(BeNil())
	// After a month of use the session key is a new one.
	token = out.RefreshToken
	for range 3 {
		p.now = p.now.Add(12 * 24 * time.Hour)
		out, refused = p.usePRT(token, key, aza)
		g.Expect(refused).To(BeNil())
		token = out.RefreshToken
	}
	g.Expect(out.SessionKeyJWE).NotTo(BeEmpty())
	key, err = oauth.UnwrapSessionKey(p.transport, out.SessionKeyJWE)
	g.Expect(err).NotTo(HaveOccurred())
	_, refused = p.usePRT(token, key, nil)
	g.Expect(refused).To(BeNil())
}

func TestPRTsThatAreRefused(t *testing.T) {
	g := NewWithT(t)
	p := joined(t)
	_, _, refused := p.prtOf(adele, "wrong")
	g.Expect(refused.Code()).To(Equal(oauth.InvalidCredentials))
	_, _, refused = p.prtOf("adele@fabrikam.com", password)
	g.Expect(refused.Code()).To(Equal(oauth.UserNotFound), "a user of another tenant")

	token, key, refused := p.prtOf(adele, password)
	g.Expect(refused).To(BeNil())
	try := func(want oauth.AADSTS, token string, key []byte, change func(*oauth.BoundRequest)) {
		t.Helper()
		_, refused := p.usePRT(token, key, change)
		g.Expect(refused).NotTo(BeNil())
		g.Expect(refused.Code()).To(Equal(want), refused.Description)
	}
	try(oauth.InvalidAssertion, token, make([]byte, 32), nil) // stolen token, no session key
	try(oauth.InvalidRefreshToken, "guess", key, nil)
	try(oauth.ResourceNotFound, token, key, func(r *oauth.BoundRequest) { r.Resource = "https://x" })
	try(oauth.InvalidAssertion, token, key, func(r *oauth.BoundRequest) { r.Expires = p.now.Add(-time.Hour).Unix() })
	try(oauth.InvalidAssertion, token, key, func(r *oauth.BoundRequest) { r.RequestNonce = "guess" })

	dir := p.entra.Directory
	set := func(enabled bool) {
		_, err := dir.Update(tenantID, p.device, func(d *tenant.Device) error { d.Enabled = enabled; return nil })
		g.Expect(err).NotTo(HaveOccurred())
		_, err = dir.PutUser(tenantID, graph.User{UserPrincipalName: adele}, password)
		g.Expect(err).NotTo(HaveOccurred())
	}
	set(false)
	try(oauth.DeviceDisabled, token, key, nil)
	set(true)
	off := false
	_, err := dir.PutUser(tenantID, graph.User{UserPrincipalName: adele, AccountEnabled: &off}, password)
	g.Expect(err).NotTo(HaveOccurred())
	try(oauth.AccountDisabled, token, key, nil)
	set(true)
	g.Expect(dir.Leave(tenantID, p.device)).To(Succeed())
	try(oauth.DeviceNotFound, token, key, nil)
	p.now = p.now.Add(15 * 24 * time.Hour)
	try(oauth.RefreshTokenInactive, token, key, nil)
}

func TestZeroSTSServiceWorks(t *testing.T) {
	g := NewWithT(t)
	w := &world{t: t}
	var s sts.Service
	status, body := w.get(&s, "https://"+oauth.Host+"/common/discovery/keys")
	g.Expect(status).To(Equal(http.StatusOK))
	_, err := oauth.ParseJWKS(body)
	g.Expect(err).NotTo(HaveOccurred())
}
