package sts_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/oauth"
)

func TestBodiesThatAreRefused(t *testing.T) {
	r := newRig(t)
	good := values("grant_type", oauth.GrantClient, "client_id", daemon, "client_secret", "first", "scope", graphDefault).Encode()
	for _, path := range []string{"/contoso.com/oauth2/v2.0/token", "/contoso.com/oauth2/token", deviceCodePath} {
		for name, c := range map[string]struct {
			body, contentType string
			want              oauth.AADSTS
		}{
			"wrong content type":   {good, "application/json", oauth.MalformedRequest},
			"no content type":      {good, "", oauth.MalformedRequest},
			"broken escape":        {good + "&x=%zz", formType, oauth.MalformedRequest},
			"oversized":            {good + "&x=" + strings.Repeat("a", 1<<20), formType, oauth.MalformedRequest},
			"duplicate parameter":  {good + "&client_id=" + tool, formType, oauth.DuplicateParameter},
			"semicolons, not ands": {"a=1;b=2", formType, oauth.MalformedRequest},
		} {
			rec := r.do(http.MethodPost, path, c.body, "Content-Type", c.contentType)
			r.g.Expect(rec.Code).To(Equal(http.StatusBadRequest), name)
			var refused oauth.Error
			r.must(json.Unmarshal(rec.Body.Bytes(), &refused))
			r.refused(&refused, c.want)
			r.g.Expect(rec.Body.String()).NotTo(ContainSubstring("client_secret"), name)
		}
	}
	_, refused := r.token("scope", graphDefault)
	r.refused(refused, oauth.MissingBodyParameter)
	_, refused = r.token("grant_type", "implicit")
	r.refused(refused, oauth.UnsupportedGrant)
}

func TestWhatTheCallerSendsComesBackHarmless(t *testing.T) {
	r := newRig(t)
	const id = "0b2c4d6e-8f10-4a32-9b54-c6d7e8f90a1b"
	ask := func(path, header string, client string) (http.Header, oauth.Error) {
		rec := r.do(http.MethodPost, path, values("grant_type", oauth.GrantClient, "client_id", client, "client_secret", "x", "scope", graphDefault).Encode(), "Content-Type", formType, "client-request-id", header)
		var refused oauth.Error
		r.must(json.Unmarshal(rec.Body.Bytes(), &refused))
		return rec.Header(), refused
	}
	h, e := ask("/contoso.com/oauth2/v2.0/token", id, daemon)
	r.g.Expect([]string{h.Get("client-request-id"), e.CorrelationID}).To(Equal([]string{id, id}))
	r.g.Expect(h.Get("x-ms-request-id")).To(Equal(e.TraceID))
	r.g.Expect(h.Get("Cache-Control")).To(Equal("no-store"))
	r.g.Expect(e.Description).To(And(ContainSubstring(id), ContainSubstring(e.TraceID), ContainSubstring(e.Timestamp)))
	r.g.Expect(e.URI).To(HaveSuffix("code=7000215"))
	h, e = ask("/contoso.com/oauth2/v2.0/token?client-request-id="+id, "", daemon)
	r.g.Expect(h.Get("client-request-id")).To(Equal(id), "as the library for Node does it")
	for _, evil := range []string{"x\r\nSet-Cookie: a=b", "<script>", strings.Repeat("a", 100), "x y"} {
		h, e = ask("/contoso.com/oauth2/v2.0/token?client-request-id="+url.QueryEscape(evil), "", "x\r\ny\x00"+strings.Repeat("z", 10000))
		r.g.Expect(h.Get("client-request-id")).To(BeEmpty())
		r.g.Expect(e.CorrelationID).To(Equal(e.TraceID))
		r.g.Expect(len(e.Description)).To(BeNumerically("<", 600))
		r.g.Expect(e.Description).NotTo(ContainSubstring("\r"))
	}
}

// TestTokensThatAreRefused: what a resource server is shown by others than this
// service and its clients.
func TestTokensThatAreRefused(t *testing.T) {
	r := newRig(t)
	out, refused := r.token("grant_type", oauth.GrantClient, "client_id", daemon, "client_secret", "first", "scope", graphDefault)
	r.g.Expect(refused).To(BeNil())
	parts := strings.Split(out.AccessToken, ".")
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	r.must(err)
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	r.must(err)
	enc := base64.RawURLEncoding.EncodeToString
	published := r.sts.Keys().Keys[0]
	sign := func(alg jose.SignatureAlgorithm, key any, kid string, change func(*oauth.Claims)) string {
		c := r.claims(out.AccessToken)
		if change != nil {
			change(&c)
		}
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", kid))
		r.must(err)
		body, err := json.Marshal(c)
		r.must(err)
		jws, err := signer.Sign(body)
		r.must(err)
		text, err := jws.CompactSerialize()
		r.must(err)
		return text
	}
	own := cryptosigner.Opaque(pki.PooledRSA(0)) // the service's own key: only to say wrong things rightly signed
	stranger := cryptosigner.Opaque(pki.PooledRSA(strangeKey))
	right := func(change func(*oauth.Claims)) string { return sign(jose.RS256, own, published.KeyID, change) }
	_, err = r.sts.VerifyToken(right(nil), oauth.ResourceGraph, r.now)
	r.must(err)
	der := published.Certificates[0].Raw
	for name, c := range map[string]struct {
		token string
		at    time.Time
		want  error
	}{
		"alg none":               {enc([]byte(strings.Replace(string(header), "RS256", "none", 1))) + "." + parts[1] + ".", r.now, oauth.ErrMalformed},
		"HS256 with public key":  {sign(jose.HS256, der, published.KeyID, nil), r.now, oauth.ErrMalformed},
		"PS256 with the key":     {sign(jose.PS256, own, published.KeyID, nil), r.now, oauth.ErrMalformed},
		"another's key, our kid": {sign(jose.RS256, stranger, published.KeyID, nil), r.now, oauth.ErrSignature},
		"another's kid":          {sign(jose.RS256, stranger, "stranger", nil), r.now, oauth.ErrUnknownKey},
		"no kid":                 {sign(jose.RS256, own, "", nil), r.now, oauth.ErrUnknownKey},
		"expired":                {out.AccessToken, r.now.Add(2 * time.Hour), oauth.ErrExpired},
		"not yet valid":          {out.AccessToken, r.now.Add(-time.Minute), oauth.ErrNotYetValid},
		"another audience":       {right(func(c *oauth.Claims) { c.Audience = oauth.ResourceMDM }), r.now, oauth.ErrAudience},
		"another issuer":         {right(func(c *oauth.Claims) { c.Issuer = "https://evil.example/" }), r.now, oauth.ErrIssuer},
		"issuer of other tenant": {right(func(c *oauth.Claims) { c.Issuer = oauth.Issuer(strangeID, "1.0") }), r.now, oauth.ErrIssuer},
		"payload of more":        {parts[0] + "." + enc([]byte(strings.Replace(string(payload), "User.Read.All", "Directory.ReadWrite.All", 1))) + "." + parts[2], r.now, oauth.ErrSignature},
		"truncated":              {out.AccessToken[:len(out.AccessToken)-20], r.now, oauth.ErrSignature},
		"two parts":              {parts[0] + "." + parts[1], r.now, oauth.ErrMalformed},
		"encrypted, they say":    {out.AccessToken + ".a.b", r.now, oauth.ErrMalformed},
		"nothing":                {"", r.now, oauth.ErrMalformed},
	} {
		_, err := r.sts.VerifyToken(c.token, oauth.ResourceGraph, c.at)
		r.g.Expect(err).To(MatchError(c.want), name)
	}
	id, refused := r.password(tool, "openid User.Read")
	r.g.Expect(refused).To(BeNil())
	_, err = r.sts.VerifyToken(id.IDToken, oauth.ResourceGraph, r.now)
	r.g.Expect(err).To(MatchError(oauth.ErrAudience), "an id token is for the client alone")
}

// TestSecretsStayWhereTheyAre: what was given out stands nowhere in the state or
// in the journal in a form that works.
func TestSecretsStayWhereTheyAre(t *testing.T) {
	r := newRig(t)
	out, refused := r.password(tool, "openid offline_access User.Read")
	r.g.Expect(refused).To(BeNil())
	d := r.deviceCode(deviceCodePath, "client_id", tool, "scope", "User.Read")
	_, q := r.open(asks(nil)).signIn(adele).location()
	journaled := r.journal()
	for _, secret := range []string{out.AccessToken, out.RefreshToken, d.DeviceCode, q.Get("code"), password, "web secret"} {
		r.g.Expect(journaled).NotTo(ContainSubstring(secret))
	}
}

func FuzzPage(f *testing.F) {
	r := newRig(f)
	f.Add("e30.e30", "next", adele)
	f.Add(r.open(asks(nil)).form().Get("ctx"), "cancel", "")
	f.Fuzz(func(t *testing.T, ctx, action, login string) {
		r.t, r.g = t, NewWithT(t)
		rec := r.do(http.MethodPost, "/common/login", values("ctx", ctx, "action", action, "login", login, "passwd", login).Encode(), "Content-Type", formType)
		if rec.Code >= 500 {
			t.Fatal(rec.Code)
		}
	})
}

func FuzzToken(f *testing.F) {
	r := newRig(f)
	f.Add("grant_type=client_credentials&client_id=" + daemon + "&client_secret=x&scope=a/.default")
	f.Add("grant_type=refresh_token&refresh_token=x&client_id=" + tool)
	f.Add("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=a.b.c&requested_token_use=on_behalf_of&client_id=" + api)
	f.Fuzz(func(t *testing.T, form string) {
		r.t, r.g = t, NewWithT(t)
		for _, path := range []string{"/contoso.com/oauth2/v2.0/token", "/common/oauth2/token"} {
			if rec := r.do(http.MethodPost, path, form, "Content-Type", formType); rec.Code >= 500 {
				t.Fatal(rec.Code, rec.Body.String())
			}
		}
	})
}
