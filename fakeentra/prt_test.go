package fakeentra_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/oauth"
)

const keyHello = 5

// broker signs the user in as the broker does, and gives the refresh token.
func (w *world) broker(resource string) *oauth.TokenResponse {
	w.t.Helper()
	out, refused, _ := w.token("/common/oauth2/token", oauth.TokenRequest{GrantType: oauth.GrantPassword, ClientID: oauth.ClientBroker,
		Username: adele, Password: password, Resource: resource}.Form())
	NewWithT(w.t).Expect(refused).To(BeNil())
	return out
}

// prtBy asks for a primary refresh token with a proof of any kind.
func (p *pc) prtBy(change func(*oauth.DeviceRequest)) (*oauth.TokenResponse, *oauth.Error) {
	p.t.Helper()
	r := oauth.DeviceRequest{ClientID: oauth.ClientPRT, Scope: oauth.ScopePRT, RequestNonce: p.challenge()}
	change(&r)
	return p.sendDevice(r, p.cert)
}

func TestPRTByRefreshToken(t *testing.T) {
	g := NewWithT(t)
	p := joined(t)
	refresh := p.broker(oauth.ResourceDRS).RefreshToken
	g.Expect(refresh).NotTo(BeEmpty())
	out, refused := p.prtBy(func(r *oauth.DeviceRequest) {
		r.GrantType, r.RefreshToken, r.ClientInfo, r.TGT = oauth.GrantRefresh, refresh, "1", true
	})
	g.Expect(refused).To(BeNil())
	g.Expect(out.ClientInfo).NotTo(BeEmpty())
	g.Expect(out.TGTCloud).To(ContainSubstring("error"))
	key, err := oauth.UnwrapSessionKey(p.transport, out.SessionKeyJWE)
	g.Expect(err).NotTo(HaveOccurred())
	token, refused := p.usePRT(out.RefreshToken, key, nil)
	g.Expect(refused).To(BeNil())
	claims, err := p.entra.STS.VerifyToken(token.AccessToken, oauth.ResourceMDM, p.now)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(claims.AuthMethods).To(Equal([]string{"pwd", "rsa"}))

	_, refused = p.prtBy(func(r *oauth.DeviceRequest) { r.GrantType, r.RefreshToken = oauth.GrantRefresh, "guess" })
	g.Expect(refused.Code()).To(Equal(oauth.InvalidRefreshToken))
	_, refused = p.prtBy(func(r *oauth.DeviceRequest) { r.GrantType, r.Assertion = oauth.GrantSAML, "<saml/>" })
	g.Expect(refused.Code()).To(Equal(oauth.UnsupportedGrant))

	// A new password ends what the old one gave.
	_, err = p.entra.Directory.UpdateUser(tenantID, adele, func(u *tenant.User) error { u.Password = "new"; return nil })
	g.Expect(err).NotTo(HaveOccurred())
	_, refused = p.usePRT(out.RefreshToken, key, nil)
	g.Expect(refused.Code()).To(Equal(oauth.GrantRevoked))
	_, refused = p.prtBy(func(r *oauth.DeviceRequest) { r.GrantType, r.RefreshToken = oauth.GrantRefresh, refresh })
	g.Expect(refused.Code()).To(Equal(oauth.GrantRevoked))
}

// hello registers a key for the user on the device, behind the surface.
func (p *pc) hello() (keyID string) {
	p.t.Helper()
	blob := drs.EncodeRSA1(&pki.RSAKey(keyHello).PublicKey)
	u, err := p.entra.Directory.User(tenantID, adele)
	must(p.t, err)
	_, err = p.entra.Directory.AddHelloKey(tenant.HelloKey{TenantID: tenantID, UserID: u.Resource.ID, DeviceID: p.device, Name: drs.KeyID(blob), Blob: blob})
	must(p.t, err)
	return drs.KeyID(blob)
}

func TestPRTByHelloKey(t *testing.T) {
	g := NewWithT(t)
	p := joined(t)
	id := p.hello()
	try := func(key *rsa.PrivateKey, id string, change func(*oauth.HelloAssertion)) (*oauth.TokenResponse, *oauth.Error) {
		return p.prtBy(func(r *oauth.DeviceRequest) {
			a := oauth.HelloAssertion{Issuer: adele, Audience: "common", Nonce: r.RequestNonce, IssuedAt: p.now.Unix(), Expires: p.now.Add(time.Minute).Unix()}
			change(&a)
			jwt, err := oauth.SignHello(key, id, a)
			must(t, err)
			r.GrantType, r.Username, r.Assertion = oauth.GrantJWT, adele, jwt
		})
	}
	same := func(*oauth.HelloAssertion) {}
	out, refused := try(pki.RSAKey(keyHello), id, same)
	g.Expect(refused).To(BeNil())
	key, err := oauth.UnwrapSessionKey(p.transport, out.SessionKeyJWE)
	g.Expect(err).NotTo(HaveOccurred())
	token, refused := p.usePRT(out.RefreshToken, key, nil)
	g.Expect(refused).To(BeNil())
	claims, err := p.entra.STS.VerifyToken(token.AccessToken, oauth.ResourceMDM, p.now)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(claims.AuthMethods).To(ContainElements("rsa", "mfa"))

	for check, c := range map[string]struct {
		key    *rsa.PrivateKey
		id     string
		change func(*oauth.HelloAssertion)
	}{
		"hello key":       {pki.RSAKey(keyHello), drs.KeyID([]byte("another")), same},
		"hello signature": {pki.RSAKey(keyForeign), id, same},
		"hello nonce":     {pki.RSAKey(keyHello), id, func(a *oauth.HelloAssertion) { a.Nonce = "another" }},
		"hello audience":  {pki.RSAKey(keyHello), id, func(a *oauth.HelloAssertion) { a.Audience = strangeID }},
		"hello life":      {pki.RSAKey(keyHello), id, func(a *oauth.HelloAssertion) { a.Expires = p.now.Add(-time.Minute).Unix() }},
		"user":            {pki.RSAKey(keyHello), id, func(a *oauth.HelloAssertion) { a.Issuer = "bob@contoso.com" }},
	} {
		_, refused := try(c.key, c.id, c.change)
		g.Expect(refused).NotTo(BeNil(), check)
		p.refused("sts", check)
	}
	_, refused = p.prtBy(func(r *oauth.DeviceRequest) { r.GrantType, r.Assertion = oauth.GrantJWT, "a.b.c" })
	g.Expect(refused.Code()).To(Equal(oauth.JWTMalformed))
}

// TestStolenPRTs: a token without its key, a key of another device's token, a
// request sent twice, an older derivation, a device of another tenant.
func TestStolenPRTs(t *testing.T) {
	g := NewWithT(t)
	p := joined(t)
	token, key, refused := p.prtOf(adele, password)
	g.Expect(refused).To(BeNil())
	other := p.world.pc(1).ready()
	other.register()
	other.joinAsDevice()
	theirs, theirKey, refused := other.prtOf(adele, password)
	g.Expect(refused).To(BeNil())

	_, refused = other.usePRT(token, theirKey, nil)
	g.Expect(refused.Code()).To(Equal(oauth.InvalidAssertion), "a token used with another device's session key")
	_, refused = p.usePRT(theirs, key, nil)
	g.Expect(refused.Code()).To(Equal(oauth.InvalidAssertion))
	p.refused("sts", "session key")

	nonce := p.challenge()
	with := func(r *oauth.BoundRequest) { r.RequestNonce = nonce }
	_, refused = p.usePRT(token, key, with)
	g.Expect(refused).To(BeNil())
	_, refused = p.usePRT(token, key, with)
	g.Expect(refused.Code()).To(Equal(oauth.InvalidAssertion), "a nonce is good once")

	old, err := oauth.SignBound(key, bytes.Repeat([]byte{7}, oauth.ContextSize), oauth.KDF1,
		oauth.BoundRequest{ClientID: oauth.ClientBroker, GrantType: oauth.GrantRefresh, RefreshToken: token, Resource: oauth.ResourceMDM})
	g.Expect(err).NotTo(HaveOccurred())
	_, refused, _ = p.token("/common/oauth2/token", oauth.TokenRequest{GrantType: oauth.GrantJWT, Request: old}.Form())
	g.Expect(refused.Code()).To(Equal(oauth.OldKeyDerivation))

	jwt, err := oauth.SignDeviceRequest(deviceSigner{p.chip}, p.cert, oauth.KDF2, oauth.DeviceRequest{ClientID: oauth.ClientPRT, GrantType: oauth.GrantPassword,
		Scope: oauth.ScopePRT, RequestNonce: p.challenge(), Username: adele, Password: password})
	g.Expect(err).NotTo(HaveOccurred())
	_, refused, _ = p.token("/fabrikam.com/oauth2/token", oauth.TokenRequest{GrantType: oauth.GrantJWT, Request: jwt}.Form())
	g.Expect(refused.Code()).To(Equal(oauth.DeviceAuthFailed))
	p.refused("sts", "device tenant")
	_, refused, _ = p.token("/common/oauth2/token", oauth.TokenRequest{GrantType: oauth.GrantJWT, Request: jwt, WindowsAPIVersion: "3.0"}.Form())
	g.Expect(refused.Code()).To(Equal(oauth.UnsupportedGrant))
}

// TestPRTsEndWithTheirJoin: a device that joins anew has its old name, and none
// of the tokens that were given to it before.
func TestPRTsEndWithTheirJoin(t *testing.T) {
	g := NewWithT(t)
	p := joined(t)
	token, key, refused := p.prtOf(adele, password)
	g.Expect(refused).To(BeNil())
	before := p.device
	must(t, p.entra.Directory.Leave(tenantID, p.device))
	_, refused = p.usePRT(token, key, nil)
	g.Expect(refused).NotTo(BeNil())
	p.now = p.now.Add(time.Minute)
	again := p.joinRequest()
	again.Attributes.DeviceTicket = []byte(p.ticket(false))
	out, no := p.sendJoin(again, "Authorization", "Bearer "+p.userToken(oauth.ResourceDRS))
	g.Expect(no).To(BeNil())
	p.take(out)
	g.Expect(p.device).To(Equal(before))
	_, refused = p.usePRT(token, key, nil)
	g.Expect(refused).NotTo(BeNil())
	g.Expect(refused.Code()).To(Equal(oauth.DeviceNotFound))
	token, key, refused = p.prtOf(adele, password)
	g.Expect(refused).To(BeNil())
	_, refused = p.usePRT(token, key, nil)
	g.Expect(refused).To(BeNil())
}

// TestFormsOfOtherClients: x5c as one text, a client that derives keys the old
// way from the start.
func TestFormsOfOtherClients(t *testing.T) {
	g := NewWithT(t)
	p := joined(t)
	jwt, err := oauth.SignDeviceRequest(deviceSigner{p.chip}, p.cert, oauth.KDF1, oauth.DeviceRequest{ClientID: oauth.ClientPRT, GrantType: oauth.GrantPassword,
		Scope: "openid aza", RequestNonce: p.challenge(), Username: adele, Password: password})
	g.Expect(err).NotTo(HaveOccurred())
	parts := strings.Split(jwt, ".")
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	g.Expect(err).NotTo(HaveOccurred())
	var h map[string]any
	g.Expect(json.Unmarshal(header, &h)).To(Succeed())
	h["x5c"] = h["x5c"].([]any)[0]
	header, err = json.Marshal(h)
	g.Expect(err).NotTo(HaveOccurred())
	input := base64.RawURLEncoding.EncodeToString(header) + "." + parts[1]
	jwt = input + "." + base64.RawURLEncoding.EncodeToString(p.sign(input))
	out, refused, _ := p.token("/common/oauth2/token", oauth.TokenRequest{GrantType: oauth.GrantJWT, Request: jwt, WindowsAPIVersion: oauth.WindowsAPI20}.Form())
	g.Expect(refused).To(BeNil())
	key, err := oauth.UnwrapSessionKey(p.transport, out.SessionKeyJWE)
	g.Expect(err).NotTo(HaveOccurred())
	for _, v := range []oauth.KDF{oauth.KDF1, oauth.KDF2} {
		bound, err := oauth.SignBound(key, bytes.Repeat([]byte{7}, oauth.ContextSize), v,
			oauth.BoundRequest{ClientID: oauth.ClientBroker, GrantType: oauth.GrantRefresh, RefreshToken: out.RefreshToken, Resource: oauth.ResourceMDM})
		g.Expect(err).NotTo(HaveOccurred())
		_, refused, jwe := p.token("/common/oauth2/token", oauth.TokenRequest{GrantType: oauth.GrantJWT, Request: bound}.Form())
		g.Expect(refused).To(BeNil())
		_, err = oauth.DecryptAnswer(key, jwe)
		g.Expect(err).NotTo(HaveOccurred())
	}
}

// sign signs with the device key.
func (p *pc) sign(input string) []byte {
	p.t.Helper()
	digest := sha256.Sum256([]byte(input))
	sig, err := deviceSigner{p.chip}.Sign(nil, digest[:], crypto.SHA256)
	must(p.t, err)
	return sig
}

// FuzzDeviceRequest sends any signed text to the token endpoint.
func FuzzDeviceRequest(f *testing.F) {
	w := newWorld(f)
	f.Add("eyJhbGciOiJSUzI1NiIsIng1YyI6WyJBQUFBIl19.e30.AAAA", "2.0")
	f.Add("eyJhbGciOiJIUzI1NiIsImN0eCI6IkFBQUEifQ.e30.AAAA", "")
	f.Add("eyJhbGciOiJub25lIn0.e30.", "")
	f.Fuzz(func(t *testing.T, jwt, version string) {
		w.t = t
		form := oauth.TokenRequest{GrantType: oauth.GrantJWT, Request: jwt, WindowsAPIVersion: version}.Form()
		r := httptest.NewRequest("POST", "https://"+oauth.Host+"/common/oauth2/token", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if status, answer := w.do(w.entra.STS, r); status < 400 || status >= 500 {
			t.Fatalf("%d: %s", status, answer)
		}
	})
}
