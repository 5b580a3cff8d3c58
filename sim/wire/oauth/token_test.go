package oauth_test

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/wire/oauth"
)

func claims() oauth.Claims {
	return oauth.Claims{
		Audience: oauth.ResourceMDM, Issuer: oauth.Issuer(tenant, "1.0"), Version: "1.0", TenantID: tenant,
		IssuedAt: start.Unix(), NotBefore: start.Unix(), Expires: start.Add(time.Hour).Unix(),
		UPN: "adele@contoso.com", DeviceID: "0b2c4d6e-8f10-4a32-9b54-c6d7e8f90a1b",
	}
}

func signer(t testing.TB) *oauth.Signer {
	t.Helper()
	s, err := oauth.NewSigner(deviceKey(t), pemBytes(t, "device-cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTokenIsVerifiedWithThePublishedKeys(t *testing.T) {
	g := NewWithT(t)
	s := signer(t)
	doc, err := json.Marshal(oauth.NewJWKS(s))
	g.Expect(err).NotTo(HaveOccurred())
	keys, err := oauth.ParseJWKS(doc)
	g.Expect(err).NotTo(HaveOccurred())
	token, err := s.Sign(claims())
	g.Expect(err).NotTo(HaveOccurred())
	got, err := oauth.Verify(keys, token, "https://Enrollment.manage.microsoft.com", start)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(*got).To(Equal(claims()))
	again, err := s.Sign(claims())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again).To(Equal(token), "RS256 is deterministic")
}

func TestTokensThatAreRefused(t *testing.T) {
	s := signer(t)
	keys := oauth.NewJWKS(s)
	for name, c := range map[string]struct {
		change func(*oauth.Claims)
		now    time.Time
		want   error
	}{
		"expired":        {func(*oauth.Claims) {}, start.Add(time.Hour), oauth.ErrExpired},
		"too early":      {func(*oauth.Claims) {}, start.Add(-time.Second), oauth.ErrNotYetValid},
		"other audience": {func(c *oauth.Claims) { c.Audience = oauth.ResourceGraph }, start, oauth.ErrAudience},
		"other issuer":   {func(c *oauth.Claims) { c.Issuer = oauth.Issuer("else", "1.0") }, start, oauth.ErrIssuer},
		"no tenant":      {func(c *oauth.Claims) { c.TenantID = "" }, start, oauth.ErrIssuer},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			body := claims()
			c.change(&body)
			token, err := s.Sign(body)
			g.Expect(err).NotTo(HaveOccurred())
			_, err = oauth.Verify(keys, token, oauth.ResourceMDM, c.now)
			g.Expect(err).To(MatchError(c.want))
		})
	}
	g := NewWithT(t)
	token, err := s.Sign(claims())
	g.Expect(err).NotTo(HaveOccurred())
	_, err = oauth.Verify(keys, tamper(token), oauth.ResourceMDM, start)
	g.Expect(err).To(MatchError(oauth.ErrSignature))
	_, err = oauth.Verify(&oauth.JWKS{}, token, oauth.ResourceMDM, start)
	g.Expect(err).To(MatchError(oauth.ErrUnknownKey))
	_, err = oauth.Verify(keys, "nonsense", oauth.ResourceMDM, start)
	g.Expect(err).To(MatchError(oauth.ErrMalformed))

	// The old trick: take the public key for an HMAC secret.
	forged, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte("0123456789abcdef0123456789abcdef")}, nil)
	g.Expect(err).NotTo(HaveOccurred())
	jws, err := forged.Sign([]byte(`{}`))
	g.Expect(err).NotTo(HaveOccurred())
	text, err := jws.CompactSerialize()
	g.Expect(err).NotTo(HaveOccurred())
	_, err = oauth.Verify(keys, text, oauth.ResourceMDM, start)
	g.Expect(err).To(MatchError(oauth.ErrMalformed))
}

func TestNewSignerNeedsACertificate(t *testing.T) {
	_, err := oauth.NewSigner(deviceKey(t), []byte("x"))
	NewWithT(t).Expect(err).To(HaveOccurred())
}

func TestMessagesHaveTheDocumentedShape(t *testing.T) {
	golden(t, "metadata.json", oauth.NewMetadata(tenant, "2.0"))
	golden(t, "keys.json", oauth.NewJWKS(signer(t)))
	golden(t, "error.json", oauth.NewError(oauth.InvalidCredentials, "", tenant, tenant, start))
	golden(t, "token-v1.json", oauth.TokenResponse{TokenType: "Bearer", ExpiresIn: 3599, ExpiresOn: start.Unix(), Resource: oauth.ResourceMDM, AccessToken: "a"})
	golden(t, "token-v2.json", oauth.TokenResponse{TokenType: "Bearer", ExpiresIn: 3599, AccessToken: "a"})
	v1, v2 := oauth.NewUserRealm("adele@contoso.com", "contoso.com", "Contoso")
	golden(t, "userrealm-1.0.json", v1)
	golden(t, "userrealm-2.1.json", v2)
	none, _ := oauth.NewUserRealm("x@nowhere.test", "", "")
	NewWithT(t).Expect(none.AccountType).To(Equal(oauth.RealmUnknown))
	NewWithT(t).Expect(oauth.NewMetadata(tenant, "1.0").TokenEndpoint).To(Equal("https://login.microsoftonline.com/" + tenant + "/oauth2/token"))
}

func TestFormsAndResponsesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ -~]{0,12}`)
		want := oauth.TokenRequest{GrantType: text.Draw(t, "grant"), ClientID: text.Draw(t, "client"), Request: text.Draw(t, "request"),
			Username: text.Draw(t, "user"), Password: text.Draw(t, "password"), Scope: text.Draw(t, "scope")}
		form, err := url.ParseQuery(want.Form().Encode())
		if err != nil {
			t.Fatal(err)
		}
		if got := oauth.ParseTokenRequest(form); got != want {
			t.Fatalf("got %+v", got)
		}
		r := oauth.TokenResponse{TokenType: text.Draw(t, "type"), AccessToken: text.Draw(t, "token"),
			ExpiresIn: rapid.Int64Min(0).Draw(t, "in"), ExpiresOn: rapid.Int64Min(0).Draw(t, "on"),
			RefreshTokenExpiresIn: rapid.Int64Min(0).Draw(t, "refresh in")}
		raw, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back oauth.TokenResponse
		if err := json.Unmarshal(raw, &back); err != nil || back != r {
			t.Fatalf("got %+v, %v", back, err)
		}
	})
	g := NewWithT(t)
	var r oauth.TokenResponse
	g.Expect(json.Unmarshal([]byte(`{"expires_in":"soon"}`), &r)).NotTo(Succeed())
	g.Expect(json.Unmarshal([]byte(`[]`), &r)).NotTo(Succeed())
	g.Expect(oauth.HasScope("openid aza ugs", "aza")).To(BeTrue())
	g.Expect(oauth.HasScope("openid azad", "aza")).To(BeFalse())
}

func TestErrorsCarryNumberAndStatus(t *testing.T) {
	g := NewWithT(t)
	e := oauth.NewError(oauth.InvalidClientSecret, "Scenario.", tenant, tenant, start)
	g.Expect(e.Status()).To(Equal(401))
	g.Expect(e.Error()).To(And(ContainSubstring("AADSTS7000215"), ContainSubstring("Scenario.")))
	raw, err := json.Marshal(e)
	g.Expect(err).NotTo(HaveOccurred())
	var back oauth.Error
	g.Expect(json.Unmarshal(raw, &back)).To(Succeed())
	g.Expect(back.Code()).To(Equal(oauth.InvalidClientSecret))
	g.Expect((&oauth.Error{}).Code()).To(BeZero())
	g.Expect(oauth.NewError(12345, "", "", "", start).Name).To(Equal(oauth.InvalidRequest))
	g.Expect(oauth.NewError(oauth.DeviceAuthRequired, "", "", "", start).Status()).To(Equal(400))
}

func TestBearer(t *testing.T) {
	g := NewWithT(t)
	for header, want := range map[string]string{"Bearer abc": "abc", "bearer  abc ": "abc", "abc": "abc", "Basic abc": "", "": ""} {
		g.Expect(oauth.Bearer(header)).To(Equal(want), header)
	}
}

func FuzzVerify(f *testing.F) {
	s := signer(f)
	token, err := s.Sign(claims())
	if err != nil {
		f.Fatal(err)
	}
	keys := oauth.NewJWKS(s)
	f.Add(token)
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := oauth.Verify(keys, text, oauth.ResourceMDM, start); err == nil && c.TenantID != tenant {
			t.Fatal("verified a forged token")
		}
		var r oauth.TokenResponse
		_ = json.Unmarshal([]byte(text), &r)
		_, _ = oauth.ParseJWKS([]byte(text))
	})
}
