package sts_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra/sts"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

var verifier = strings.Repeat("v", 43)

// asks is an authorisation request that is good, but for the change.
func asks(change func(*oauth.AuthorizeRequest)) string {
	q := oauth.AuthorizeRequest{ClientID: web, ResponseType: "code", RedirectURI: webAddress, Scope: "openid offline_access User.Read", State: `s"<>&`, Nonce: "n"}
	if change != nil {
		change(&q)
	}
	return "/contoso.com/oauth2/v2.0/authorize?" + q.Values().Encode()
}

func (r *rig) redeem(code string, more ...string) (oauth.TokenResponse, *oauth.Error) {
	r.t.Helper()
	return r.token(append([]string{"grant_type", oauth.GrantCode, "client_id", web, "client_secret", "web secret", "redirect_uri", webAddress, "code", code}, more...)...)
}

func TestAuthorizationCode(t *testing.T) {
	r := newRig(t)
	first := r.open(asks(nil))
	r.g.Expect(first.Body.String()).To(And(ContainSubstring("Web &#34;&lt;script&gt;"), Not(ContainSubstring("<script>"))))
	r.g.Expect(first.Header().Get("Content-Security-Policy")).To(ContainSubstring("default-src 'none'"))
	r.g.Expect(first.Header().Get("X-Frame-Options")).To(Equal("DENY"))
	wrong := first.press("next", "login", adele, "passwd", "x")
	r.g.Expect(wrong.Body.String()).To(And(ContainSubstring("AADSTS50126"), Not(ContainSubstring(`value="x"`))))
	u, q := wrong.signIn(adele).location()
	r.g.Expect(u.Host + u.Path).To(Equal("web.contoso.com/signin"))
	r.g.Expect(q).To(And(HaveKeyWithValue("x", []string{"1"}), HaveKeyWithValue("state", []string{`s"<>&`})))

	for name, c := range map[string]struct {
		form []string
		want oauth.AADSTS
	}{
		"no secret":        {[]string{"client_secret", ""}, oauth.CredentialMissing},
		"another client":   {[]string{"client_id", daemon, "client_secret", "first"}, oauth.InvalidRefreshToken},
		"another address":  {[]string{"redirect_uri", "https://evil.example/"}, oauth.CodeRedirectMismatch},
		"unasked verifier": {[]string{"code_verifier", verifier}, oauth.VerifierMismatch},
		"a guess":          {[]string{"code", "1.AQguess"}, oauth.InvalidRefreshToken},
		"none":             {[]string{"code", ""}, oauth.MissingBodyParameter},
	} {
		_, refused := r.redeem(q.Get("code"), c.form...)
		r.g.Expect(refused).NotTo(BeNil(), name)
		r.refused(refused, c.want)
	}
	out, refused := r.redeem(q.Get("code"))
	r.g.Expect(refused).To(BeNil())
	r.g.Expect(r.claims(out.IDToken).Nonce).To(Equal("n"))
	r.g.Expect(out.RefreshToken).NotTo(BeEmpty())
	_, refused = r.redeem(q.Get("code"))
	r.refused(refused, oauth.CodeRedeemed)
	_, refused = r.token("grant_type", oauth.GrantRefresh, "client_id", web, "refresh_token", out.RefreshToken)
	r.refused(refused, oauth.CredentialMissing)

	_, q = r.open(asks(nil)).signIn(adele).location()
	r.now = r.now.Add(11 * time.Minute)
	_, refused = r.redeem(q.Get("code"))
	r.refused(refused, oauth.RefreshTokenExpired)
}

func TestProofKeyForCodeExchange(t *testing.T) {
	r := newRig(t)
	for _, method := range []string{oauth.ChallengeS256, oauth.ChallengePlain, ""} {
		challenge := verifier
		if method == oauth.ChallengeS256 {
			challenge = oauth.Challenge(verifier)
		}
		_, q := r.open(asks(func(a *oauth.AuthorizeRequest) {
			a.ClientID, a.RedirectURI, a.CodeChallenge, a.ChallengeMethod = tool, "http://localhost:4711/", challenge, method
		})).signIn(adele).location()
		redeem := func(verifier string) (oauth.TokenResponse, *oauth.Error) {
			return r.redeem(q.Get("code"), "client_id", tool, "client_secret", "", "redirect_uri", "http://localhost:4711/", "code_verifier", verifier)
		}
		_, refused := redeem(strings.Repeat("w", 43))
		r.refused(refused, oauth.VerifierMismatch)
		_, refused = redeem("")
		r.refused(refused, oauth.VerifierMissing)
		_, refused = redeem(verifier)
		r.g.Expect(refused).To(BeNil())
	}
}

func TestSinglePageApplication(t *testing.T) {
	r := newRig(t)
	_, q := r.open(asks(func(a *oauth.AuthorizeRequest) {
		a.ClientID, a.RedirectURI, a.ResponseMode = spa, spaAddress, oauth.ModeFragment
		a.CodeChallenge, a.ChallengeMethod = oauth.Challenge(verifier), oauth.ChallengeS256
	})).signIn(adele).location()
	form := values("grant_type", oauth.GrantCode, "client_id", spa, "redirect_uri", spaAddress, "code", q.Get("code"), "code_verifier", verifier)
	const path = "/contoso.com/oauth2/v2.0/token"
	_, refused := r.tokenAt(path, form)
	r.refused(refused, oauth.SPANeedsOrigin)
	out, refused := r.tokenAt(path, form, "Origin", "https://spa.contoso.com")
	r.g.Expect(refused).To(BeNil())
	refresh := func() (oauth.TokenResponse, *oauth.Error) {
		return r.tokenAt(path, values("grant_type", oauth.GrantRefresh, "client_id", spa, "refresh_token", out.RefreshToken), "Origin", "https://spa.contoso.com")
	}
	r.now = r.now.Add(23 * time.Hour)
	out, refused = refresh()
	r.g.Expect(refused).To(BeNil())
	r.now = r.now.Add(2 * time.Hour)
	_, refused = refresh()
	r.refused(refused, oauth.SPARefreshTokenExpired) // a day from the sign-in, whatever its use
}

func TestResponseTypesAndModes(t *testing.T) {
	r := newRig(t)
	u, q := r.open(asks(func(a *oauth.AuthorizeRequest) { a.ResponseType, a.ClientInfo = "code id_token", "1" })).signIn(adele).location()
	r.g.Expect(u.Fragment).NotTo(BeEmpty())
	id := r.claims(q.Get("id_token"))
	r.g.Expect([]string{id.CodeHash, id.Nonce, id.Audience}).To(Equal([]string{oauth.HalfHash(q.Get("code")), "n", web}))
	r.g.Expect(q.Get("client_info")).NotTo(BeEmpty())
	_, q = r.open(asks(func(a *oauth.AuthorizeRequest) { a.ResponseType = "id_token token" })).signIn(adele).location()
	r.g.Expect(r.claims(q.Get("id_token")).TokenHash).To(Equal(oauth.HalfHash(q.Get("access_token"))))
	r.g.Expect(q.Get("token_type")).To(Equal("Bearer"))
	posted := r.open(asks(func(a *oauth.AuthorizeRequest) { a.ResponseMode = oauth.ModeFormPost })).signIn(adele)
	r.g.Expect(posted.Code).To(Equal(http.StatusOK))
	r.g.Expect(posted.Body.String()).To(And(ContainSubstring(`action="https://web.contoso.com/signin?x=1"`), Not(ContainSubstring(`name="action"`))))
	r.g.Expect(posted.form()).To(And(HaveKey("code"), HaveKeyWithValue("state", []string{`s"<>&`})))
	// A request may come as a form as well.
	rec := r.do(http.MethodPost, "/contoso.com/oauth2/v2.0/authorize", strings.TrimPrefix(asks(nil), "/contoso.com/oauth2/v2.0/authorize?"), "Content-Type", formType)
	r.g.Expect(page{r, rec}.form()).To(HaveKey("passwd"))
	// Version 1, where the resource may be left to the redemption.
	_, q = r.open("/common/oauth2/authorize?" + oauth.AuthorizeRequest{ClientID: web, ResponseType: "code", RedirectURI: webAddress, Resource: oauth.ResourceGraph}.Values().Encode()).signIn(adele).location()
	out, refused := r.tokenAt("/common/oauth2/token", values("grant_type", oauth.GrantCode, "client_id", web, "client_secret", "web secret", "redirect_uri", webAddress, "code", q.Get("code"), "resource", oauth.ResourceGraph))
	r.g.Expect(refused).To(BeNil())
	r.g.Expect(out.Resource).To(Equal(oauth.ResourceGraph))
}

func TestAuthorizationRequestsThatAreRefused(t *testing.T) {
	r := newRig(t)
	// As long as the address cannot be trusted, the browser stays.
	for name, c := range map[string]struct {
		change func(*oauth.AuthorizeRequest)
		want   string
	}{
		"another address":       {func(a *oauth.AuthorizeRequest) { a.RedirectURI = "https://evil.example/" }, "AADSTS50011"},
		"longer address":        {func(a *oauth.AuthorizeRequest) { a.RedirectURI = webAddress + "&y=2" }, "AADSTS50011"},
		"other case":            {func(a *oauth.AuthorizeRequest) { a.RedirectURI = strings.ToUpper(webAddress) }, "AADSTS50011"},
		"user in it":            {func(a *oauth.AuthorizeRequest) { a.RedirectURI = "https://web.contoso.com@evil.example/" }, "AADSTS50011"},
		"header in it":          {func(a *oauth.AuthorizeRequest) { a.RedirectURI = webAddress + "\r\nX-Evil: 1" }, "AADSTS50011"},
		"script":                {func(a *oauth.AuthorizeRequest) { a.RedirectURI = "javascript:alert(1)" }, "AADSTS50011"},
		"loopback of a web app": {func(a *oauth.AuthorizeRequest) { a.RedirectURI = "http://localhost:1/" }, "AADSTS50011"},
		"loopback look-alike": {func(a *oauth.AuthorizeRequest) {
			a.ClientID, a.RedirectURI = tool, "http://localhost.evil.example/"
		}, "AADSTS50011"},
		"loopback with another path": {func(a *oauth.AuthorizeRequest) { a.ClientID, a.RedirectURI = tool, "http://localhost:1/x" }, "AADSTS50011"},
		"no client":                  {func(a *oauth.AuthorizeRequest) { a.ClientID = "" }, "AADSTS900144"},
		"unknown client":             {func(a *oauth.AuthorizeRequest) { a.ClientID = `"><script>` }, "AADSTS700016"},
	} {
		p := r.open(asks(c.change))
		r.g.Expect(p.Code).To(Equal(http.StatusBadRequest), name)
		r.g.Expect(p.Header()).NotTo(Or(HaveKey("Location"), HaveKey("X-Evil")), name)
		r.g.Expect(p.Body.String()).To(And(ContainSubstring(c.want), Not(ContainSubstring("<script"))), name)
	}
	r.g.Expect(r.open("/nowhere.example/oauth2/v2.0/authorize?client_id=" + web).Body.String()).To(ContainSubstring("AADSTS90002"))
	r.g.Expect(r.open(asks(nil) + "&client_id=" + web).Body.String()).To(ContainSubstring("AADSTS9000411"))
	// After that the application is told.
	for name, c := range map[string]struct {
		change     func(*oauth.AuthorizeRequest)
		code, text string
	}{
		"no response type":      {func(a *oauth.AuthorizeRequest) { a.ResponseType = "" }, oauth.InvalidRequest, "AADSTS900144"},
		"unknown response type": {func(a *oauth.AuthorizeRequest) { a.ResponseType = "secret" }, oauth.UnsupportedResponseType, "AADSTS70005"},
		"unknown response mode": {func(a *oauth.AuthorizeRequest) { a.ResponseMode = "smoke" }, oauth.InvalidRequest, "AADSTS70007"},
		"token by query":        {func(a *oauth.AuthorizeRequest) { a.ResponseType, a.ResponseMode = "id_token", "query" }, oauth.InvalidRequest, "AADSTS70007"},
		"no nonce":              {func(a *oauth.AuthorizeRequest) { a.ResponseType, a.Nonce = "id_token", "" }, oauth.InvalidRequest, "AADSTS900144"},
		"token for native": {func(a *oauth.AuthorizeRequest) {
			a.ClientID, a.RedirectURI, a.ResponseType = tool, "myapp://auth", "id_token"
		}, oauth.UnsupportedResponseType, "AADSTS700054"},
		"no scope":            {func(a *oauth.AuthorizeRequest) { a.Scope = "" }, oauth.InvalidRequest, "AADSTS900144"},
		"id token, no openid": {func(a *oauth.AuthorizeRequest) { a.ResponseType, a.Scope = "id_token", "User.Read" }, oauth.InvalidScopeName, "AADSTS70011"},
		"nobody signed in":    {func(a *oauth.AuthorizeRequest) { a.Prompt = "none" }, oauth.LoginRequired, "AADSTS50058"},
		"unknown prompt":      {func(a *oauth.AuthorizeRequest) { a.Prompt = "maybe" }, oauth.InvalidRequest, "AADSTS90023"},
		"short challenge":     {func(a *oauth.AuthorizeRequest) { a.CodeChallenge = "x" }, oauth.InvalidRequest, "AADSTS9002313"},
		"unknown method":      {func(a *oauth.AuthorizeRequest) { a.CodeChallenge, a.ChallengeMethod = verifier, "S512" }, oauth.InvalidRequest, "AADSTS9002313"},
		"page without PKCE":   {func(a *oauth.AuthorizeRequest) { a.ClientID, a.RedirectURI = spa, spaAddress }, oauth.InvalidRequest, "AADSTS9002325"},
		"two resources":       {func(a *oauth.AuthorizeRequest) { a.Scope = "https://a/x https://b/y" }, oauth.InvalidScopeName, "AADSTS28000"},
	} {
		u, q := r.open(asks(c.change)).location()
		r.g.Expect(u.Host).To(BeElementOf("web.contoso.com", "spa.contoso.com", "auth"), name)
		r.g.Expect([]string{q.Get("error"), q.Get("state")}).To(Equal([]string{c.code, `s"<>&`}), name)
		r.g.Expect(q.Get("error_description")).To(HavePrefix(c.text), name)
	}
}

func TestPagesGoBackToTheBrowserThatGotThem(t *testing.T) {
	r := newRig(t)
	p := r.open(asks(nil))
	mine := r.cookie
	for name, break_ := range map[string]func(url.Values){
		"another browser": func(url.Values) { r.cookie = strings.Repeat("z", 43) },
		"no cookie":       func(url.Values) { r.cookie = "" },
		"forged":          func(v url.Values) { v.Set("ctx", "e30.e30") },
		"tampered with":   func(v url.Values) { v.Set("ctx", "A"+v.Get("ctx")) },
		"empty":           func(v url.Values) { v.Set("ctx", "") },
		"late":            func(url.Values) { r.now = r.now.Add(11 * time.Minute) },
	} {
		r.cookie = mine
		v := p.form()
		v.Set("login", adele)
		v.Set("passwd", password)
		break_(v)
		rec := r.do(http.MethodPost, "/common/login", v.Encode(), "Content-Type", formType)
		r.g.Expect(rec.Code).To(Equal(http.StatusBadRequest), name)
		r.g.Expect(rec.Header().Get("Location")).To(BeEmpty(), name)
	}
}

func TestWhatAPersonIsAskedFor(t *testing.T) {
	r := newRig(t)
	_, q := r.open(asks(nil)).press("cancel").location()
	r.g.Expect(q.Get("error")).To(Equal(oauth.AccessDenied))
	// Consent to what a user may consent to.
	consent := r.open(asks(func(a *oauth.AuthorizeRequest) { a.Scope = "api://contoso/access" })).signIn(adele)
	r.g.Expect(consent.Body.String()).To(ContainSubstring("Permissions requested"))
	_, q = consent.press("next").location()
	out, refused := r.redeem(q.Get("code"))
	r.g.Expect(refused).To(BeNil())
	r.g.Expect(r.claims(out.AccessToken).Scopes).To(Equal("access"))
	_, q = r.open(asks(func(a *oauth.AuthorizeRequest) { a.Scope = "api://contoso/access" })).signIn(adele).location()
	r.g.Expect(q).To(HaveKey("code"), "asked once")
	_, q = r.open(asks(func(a *oauth.AuthorizeRequest) { a.Scope = "api://contoso/manage" })).signIn(adele).location()
	r.g.Expect(q.Get("error_description")).To(HavePrefix("AADSTS90094"))
	_, q = r.open(asks(func(a *oauth.AuthorizeRequest) { a.Scope = "api://contoso/nothing" })).signIn(adele).location()
	r.g.Expect(q.Get("error_description")).To(HavePrefix("AADSTS650053"))

	// Conditional access: a second factor, then terms of use.
	_, err := r.dir.UpdateUser(tenantID, adele, func(u *tenant.User) error { u.MFA = true; return nil })
	r.must(err)
	r.policy("second factor and terms", graph.AccessGrantControls{Operator: "AND", BuiltInControls: []string{graph.ControlMFA}, TermsOfUse: []string{"terms-1"}})
	factor := r.open(asks(nil)).signIn(adele)
	r.g.Expect(factor.Body.String()).To(ContainSubstring("Verify your identity"))
	r.g.Expect(factor.press("next", "otc", "1").Body.String()).To(ContainSubstring("AADSTS500121"))
	terms := factor.press("next", "otc", sts.SecondFactor)
	r.g.Expect(terms.Body.String()).To(ContainSubstring("Terms of use"))
	_, q = terms.press("next").location()
	out, refused = r.redeem(q.Get("code"))
	r.g.Expect(refused).To(BeNil())
	r.g.Expect(r.claims(out.AccessToken).AuthMethods).To(ConsistOf("pwd", "mfa"))
	r.g.Expect(r.open(asks(nil)).signIn(megan).Body.String()).To(ContainSubstring("AADSTS50079"))
}
