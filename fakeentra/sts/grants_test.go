package sts_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

const graphDefault = oauth.ResourceGraph + "/.default"

func TestClientSecrets(t *testing.T) {
	r := newRig(t)
	for _, secret := range []string{"first", "second"} {
		out, refused := r.token("grant_type", oauth.GrantClient, "client_id", daemon, "client_secret", secret, "scope", graphDefault)
		r.g.Expect(refused).To(BeNil())
		r.g.Expect(out.RefreshToken + out.IDToken + out.Scope).To(BeEmpty())
		c := r.claims(out.AccessToken)
		r.g.Expect(c.Roles).To(Equal([]string{"User.Read.All"}))
		r.g.Expect([]string{c.Version, c.AppID, c.AppIDACR, c.IdentityType, c.Scopes, c.Audience}).To(Equal([]string{"1.0", daemon, "1", "app", "", oauth.ResourceGraph}))
		r.g.Expect(c.ObjectID).To(Equal(r.dir.PrincipalID(tenantID, daemon)))
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(daemon+":first"))
	form := values("grant_type", oauth.GrantClient, "scope", graphDefault)
	_, refused := r.tokenAt("/contoso.com/oauth2/v2.0/token", form, "Authorization", basic)
	r.g.Expect(refused).To(BeNil())
	form.Set("client_secret", "first")
	_, refused = r.tokenAt("/contoso.com/oauth2/v2.0/token", form, "Authorization", basic)
	r.refused(refused, oauth.MalformedRequest)

	r.now = r.now.Add(2 * time.Hour)
	for name, c := range map[string]struct {
		id, secret, scope string
		want              oauth.AADSTS
	}{
		"expired meanwhile":  {daemon, "second", graphDefault, oauth.ClientSecretExpired},
		"wrong":              {daemon, "third", graphDefault, oauth.InvalidClientSecret},
		"none":               {daemon, "", graphDefault, oauth.CredentialMissing},
		"of a public client": {tool, "x", graphDefault, oauth.PublicWithCredential},
		"unknown client":     {strangeID, "first", graphDefault, oauth.AppNotFound},
		"no client":          {"", "first", graphDefault, oauth.MissingBodyParameter},
		"no scope":           {daemon, "first", "", oauth.MissingBodyParameter},
		"named scope":        {daemon, "first", "https://graph.microsoft.com/User.Read", oauth.ScopeNeedsDefault},
		"only OpenID":        {daemon, "first", "openid", oauth.ScopeNeedsDefault},
		"two resources":      {daemon, "first", graphDefault + " https://manage.microsoft.com/.default", oauth.SeveralResources},
		"no resource":        {daemon, "first", "https://nowhere.example/.default", oauth.ResourceNotFound},
		"both":               {daemon, "first", graphDefault + " User.Read", oauth.InvalidScope},
	} {
		_, refused := r.token("grant_type", oauth.GrantClient, "client_id", c.id, "client_secret", c.secret, "scope", c.scope)
		r.g.Expect(refused).NotTo(BeNil(), name)
		r.refused(refused, c.want)
		r.g.Expect(refused.Description).NotTo(ContainSubstring("first"), "a secret")
	}
	_, refused = r.tokenAt("/common/oauth2/v2.0/token", values("grant_type", oauth.GrantClient, "client_id", daemon, "client_secret", "first", "scope", graphDefault))
	r.refused(refused, oauth.TenantNotFound)
	// A resource of the tenant's own that takes version 2.
	out, refused := r.token("grant_type", oauth.GrantClient, "client_id", daemon, "client_secret", "first", "scope", "api://contoso/.default")
	r.g.Expect(refused).To(BeNil())
	c := r.claims(out.AccessToken)
	r.g.Expect([]string{c.Version, c.Audience, c.AuthorizedParty, c.AZPACR, c.AppID, c.Issuer}).To(Equal([]string{"2.0", api, daemon, "1", "", oauth.Issuer(tenantID, "2.0")}))
	r.must(func() error {
		_, err := r.dir.UpdateApp(tenantID, daemon, func(a *tenant.App) error { a.Disabled = true; return nil })
		return err
	}())
	_, refused = r.token("grant_type", oauth.GrantClient, "client_id", daemon, "client_secret", "first", "scope", graphDefault)
	r.refused(refused, oauth.AppDisabled)
}

// assertion makes one that is good, but for the change.
func (r *rig) assertion(key int, alg jose.SignatureAlgorithm, chain bool, change func(*oauth.ClientAssertion)) string {
	r.t.Helper()
	a := oauth.ClientAssertion{Audience: []string{"https://login.microsoftonline.com/" + tenantID + "/oauth2/v2.0/token"}, Issuer: daemon, Subject: daemon, ID: "1",
		NotBefore: r.now.Unix(), Expires: r.now.Add(10 * time.Minute).Unix()}
	if change != nil {
		change(&a)
	}
	text, err := oauth.SignClientAssertion(r.key(key), r.certificate(key), alg, chain, a)
	r.must(err)
	return text
}

func (r *rig) assert(text string, more ...string) (oauth.TokenResponse, *oauth.Error) {
	r.t.Helper()
	return r.token(append([]string{"grant_type", oauth.GrantClient, "client_id", daemon, "client_assertion_type", oauth.AssertionTypeJWT,
		"client_assertion", text, "scope", graphDefault}, more...)...)
}

func TestClientAssertions(t *testing.T) {
	r := newRig(t)
	for _, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.PS256} {
		for _, aud := range []string{"", "https://login.microsoftonline.com/contoso.com/oauth2/token", "https://login.windows.net/" + tenantID + "/v2.0", "https://login.microsoftonline.com/common/oauth2/v2.0/token"} {
			out, refused := r.assert(r.assertion(daemonKey, alg, aud == "", func(a *oauth.ClientAssertion) {
				if aud != "" {
					a.Audience = []string{"https://else.example", aud}
				}
			}))
			r.g.Expect(refused).To(BeNil(), aud)
			r.g.Expect(r.claims(out.AccessToken).AppIDACR).To(Equal("2"))
		}
	}
	good := r.assertion(daemonKey, jose.PS256, false, nil)
	for range 2 { // some libraries sign one and use it until it expires
		_, refused := r.assert(good, "client_id", "")
		r.g.Expect(refused).To(BeNil())
	}
	hmac, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: r.cert.RawSubjectPublicKeyInfo}, nil)
	r.must(err)
	confused, err := hmac.Sign([]byte(`{"iss":"` + daemon + `","sub":"` + daemon + `"}`))
	r.must(err)
	hs256, err := confused.CompactSerialize()
	r.must(err)
	header, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	tampered := header + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"`+daemon+`","sub":"`+daemon+`","exp":99999999999}`)) + "." + signature
	change := func(f func(*oauth.ClientAssertion)) string { return r.assertion(daemonKey, jose.RS256, false, f) }
	for name, c := range map[string]struct {
		text string
		want oauth.AADSTS
	}{
		"alg none":         {none + "." + payload + ".", oauth.JWTMalformed},
		"key confusion":    {hs256, oauth.JWTMalformed},
		"no JWT":           {"x", oauth.JWTMalformed},
		"tampered with":    {tampered, oauth.InvalidClientAssertion},
		"another's key":    {r.assertion(strangeKey, jose.RS256, true, nil), oauth.InvalidClientAssertion},
		"expired":          {change(func(a *oauth.ClientAssertion) { a.Expires = r.now.Add(-6 * time.Minute).Unix() }), oauth.AssertionExpired},
		"not yet":          {change(func(a *oauth.ClientAssertion) { a.NotBefore = r.now.Add(6 * time.Minute).Unix() }), oauth.AssertionExpired},
		"for ever":         {change(func(a *oauth.ClientAssertion) { a.Expires = 0 }), oauth.AssertionExpired},
		"another audience": {change(func(a *oauth.ClientAssertion) { a.Audience = []string{"https://evil.example/oauth2/token"} }), oauth.AssertionWrongAudience},
		"another tenant": {change(func(a *oauth.ClientAssertion) {
			a.Audience = []string{"https://login.microsoftonline.com/" + strangeID + "/oauth2/token"}
		}), oauth.AssertionWrongAudience},
		"another issuer":  {change(func(a *oauth.ClientAssertion) { a.Issuer = tool }), oauth.AssertionOfOtherApp},
		"another subject": {change(func(a *oauth.ClientAssertion) { a.Subject = tool }), oauth.AssertionOfOtherApp},
	} {
		_, refused := r.assert(c.text)
		r.g.Expect(refused).NotTo(BeNil(), name)
		r.refused(refused, c.want)
	}
	_, refused := r.assert(good, "client_assertion_type", "saml")
	r.refused(refused, oauth.MalformedRequest)
	r.now = r.now.AddDate(30, 0, 0)
	_, refused = r.assert(r.assertion(daemonKey, jose.RS256, false, nil))
	r.refused(refused, oauth.InvalidClientAssertion) // the certificate is over
}

func (r *rig) password(client, scope string, more ...string) (oauth.TokenResponse, *oauth.Error) {
	r.t.Helper()
	return r.token(append([]string{"grant_type", oauth.GrantPassword, "client_id", client, "username", adele, "password", password, "scope", scope}, more...)...)
}

func TestTokensOfAUser(t *testing.T) {
	r := newRig(t)
	out, refused := r.password(tool, "openid profile offline_access email User.Read", "client_info", "1")
	r.g.Expect(refused).To(BeNil())
	r.g.Expect(strings.Fields(out.Scope)).To(ConsistOf("openid", "profile", "email", "User.Read"))
	u, err := r.dir.User(tenantID, adele)
	r.must(err)
	c := r.claims(out.AccessToken)
	r.g.Expect([]string{c.UPN, c.UniqueName, c.Scopes, c.AppID, c.AppIDACR, c.Version, c.ObjectID}).To(Equal([]string{adele, adele, "User.Read", tool, "0", "1.0", u.Resource.ID}))
	r.g.Expect(c.AuthMethods).To(Equal([]string{"pwd"}))
	id := r.claims(out.IDToken)
	r.g.Expect([]string{id.Audience, id.PreferredUsername, id.Email, id.Version, id.TenantID, id.Scopes}).To(Equal([]string{tool, adele, adele, "2.0", tenantID, ""}))
	info, err := base64.RawURLEncoding.DecodeString(out.ClientInfo)
	r.must(err)
	r.g.Expect(string(info)).To(MatchJSON(`{"uid":"` + u.Resource.ID + `","utid":"` + tenantID + `"}`))

	// Another application knows the same user by another subject.
	other, refused := r.tokenAt("/common/oauth2/token", values("grant_type", oauth.GrantPassword, "client_id", tenant.AppAzureCLI, "username", adele, "password", password, "resource", oauth.ResourceGraph, "scope", "openid"))
	r.g.Expect(refused).To(BeNil())
	id1 := r.claims(other.IDToken)
	r.g.Expect(id1.Subject).NotTo(Equal(id.Subject))
	r.g.Expect([]string{id1.Version, id1.UPN, id1.Issuer}).To(Equal([]string{"1.0", adele, oauth.Issuer(tenantID, "1.0")}))
	r.g.Expect(other.ExpiresOn).To(BeEquivalentTo(r.claims(other.AccessToken).Expires))
	r.g.Expect(other.RefreshToken).NotTo(BeEmpty(), "version 1 always gives one")
	without, _ := r.password(tool, "User.Read")
	r.g.Expect(without.RefreshToken + without.IDToken + without.ClientInfo).To(BeEmpty())

	for name, c := range map[string]struct {
		form []string
		want oauth.AADSTS
	}{
		"scope nobody consented to": {[]string{"scope", "Mail.Read"}, oauth.ConsentRequired},
		"other resource":            {[]string{"scope", "api://contoso/access"}, oauth.ConsentRequired},
		"confidential client":       {[]string{"client_id", web}, oauth.CredentialMissing},
		"wrong password":            {[]string{"password", "x"}, oauth.InvalidCredentials},
		"no password":               {[]string{"password", ""}, oauth.PasswordMissing},
		"unknown user":              {[]string{"username", "bob@contoso.com"}, oauth.UserNotFound},
		"other tenant's user":       {[]string{"username", "adele@fabrikam.com"}, oauth.UserNotFound},
	} {
		_, refused := r.password(tool, "User.Read", c.form...)
		r.g.Expect(refused).NotTo(BeNil(), name)
		r.refused(refused, c.want)
	}
	_, refused = r.password(tool, "Mail.Read")
	r.g.Expect([]string{refused.Name, refused.SubError}).To(Equal([]string{oauth.InvalidGrant, oauth.SubErrorConsentRequired}))
	_, refused = r.tokenAt("/consumers/oauth2/v2.0/token", values("grant_type", oauth.GrantPassword, "client_id", tool, "username", adele, "password", password, "scope", "User.Read"))
	r.refused(refused, oauth.UserNotFound)
}

func TestLockoutAndStatesOfAUser(t *testing.T) {
	r := newRig(t)
	for range 10 {
		_, refused := r.password(tool, "User.Read", "password", "x")
		r.refused(refused, oauth.InvalidCredentials)
	}
	_, refused := r.password(tool, "User.Read")
	r.refused(refused, oauth.AccountLocked)
	r.now = r.now.Add(2 * time.Minute)
	_, refused = r.password(tool, "User.Read")
	r.g.Expect(refused).To(BeNil())
	off := false
	change := func(f func(*tenant.User)) {
		_, err := r.dir.UpdateUser(tenantID, adele, func(u *tenant.User) error { f(u); return nil })
		r.must(err)
	}
	change(func(u *tenant.User) { u.Expired = true })
	_, refused = r.password(tool, "User.Read")
	r.refused(refused, oauth.PasswordExpired)
	change(func(u *tenant.User) { u.Resource.AccountEnabled = &off })
	_, refused = r.password(tool, "User.Read")
	r.refused(refused, oauth.AccountDisabled)
	_, refused = r.password(tool, "User.Read", "password", "x")
	r.refused(refused, oauth.InvalidCredentials) // who does not know the password learns no more
}

func (r *rig) policy(name string, grant graph.AccessGrantControls) {
	r.t.Helper()
	_, err := r.dir.PutPolicy(tenantID, graph.ConditionalAccessPolicy{DisplayName: name, State: graph.PolicyEnabled,
		Conditions:    graph.AccessConditions{Users: &graph.AccessUsers{IncludeUsers: []string{"All"}}, Applications: &graph.AccessApplications{IncludeApplications: []string{"All"}}, ClientAppTypes: []string{"all"}},
		GrantControls: &grant})
	r.must(err)
}

func TestConditionalAccessAtTheTokenEndpoint(t *testing.T) {
	r := newRig(t)
	before, refused := r.password(tool, "offline_access User.Read")
	r.g.Expect(refused).To(BeNil())
	r.policy("second factor", graph.AccessGrantControls{Operator: "OR", BuiltInControls: []string{graph.ControlMFA}})
	_, refused = r.password(tool, "User.Read")
	r.refused(refused, oauth.MFAEnrolmentRequired)
	_, err := r.dir.UpdateUser(tenantID, adele, func(u *tenant.User) error { u.MFA = true; return nil })
	r.must(err)
	_, refused = r.password(tool, "User.Read")
	r.refused(refused, oauth.MFARequired)
	r.g.Expect([]string{refused.Name, refused.SubError}).To(Equal([]string{oauth.InteractionRequired, oauth.SubErrorBasicAction}))
	r.g.Expect(refused.Claims).To(ContainSubstring("capolids"))
	_, refused = r.token("grant_type", oauth.GrantRefresh, "client_id", tool, "refresh_token", before.RefreshToken)
	r.refused(refused, oauth.MFARequired) // an old grant is no way around
	_, refused = r.token("grant_type", oauth.GrantClient, "client_id", daemon, "client_secret", "first", "scope", graphDefault)
	r.g.Expect(refused).To(BeNil(), "applications are not subject to it")
	r.policy("blocked", graph.AccessGrantControls{Operator: "OR", BuiltInControls: []string{graph.ControlBlock}})
	_, refused = r.password(tool, "User.Read")
	r.refused(refused, oauth.AccessBlocked)
}

func TestRefreshTokens(t *testing.T) {
	r := newRig(t)
	first, refused := r.password(tool, "openid offline_access User.Read")
	r.g.Expect(refused).To(BeNil())
	use := func(token string, more ...string) (oauth.TokenResponse, *oauth.Error) {
		return r.token(append([]string{"grant_type", oauth.GrantRefresh, "client_id", tool, "refresh_token", token}, more...)...)
	}
	second, refused := use(first.RefreshToken)
	r.g.Expect(refused).To(BeNil())
	r.g.Expect(second.RefreshToken).NotTo(BeElementOf("", first.RefreshToken))
	r.g.Expect(second.IDToken).NotTo(BeEmpty())
	r.g.Expect(r.claims(second.AccessToken).Scopes).To(Equal("User.Read"))
	_, refused = use(first.RefreshToken)
	r.g.Expect(refused).To(BeNil(), "a use does not revoke the old one")

	cli, refused := r.password(tenant.AppAzureCLI, "offline_access User.Read")
	r.g.Expect(refused).To(BeNil())
	other, refused := r.token("grant_type", oauth.GrantRefresh, "client_id", tenant.AppAzureCLI, "refresh_token", cli.RefreshToken, "scope", "https://manage.microsoft.com//.default")
	r.g.Expect(refused).To(BeNil())
	r.g.Expect(r.claims(other.AccessToken).Audience).To(Equal(oauth.ResourceIntune))

	for name, c := range map[string]struct {
		form []string
		want oauth.AADSTS
	}{
		"another client": {[]string{"client_id", tenant.AppAzureCLI}, oauth.InvalidRefreshToken},
		"no client":      {[]string{"client_id", ""}, oauth.MissingBodyParameter},
		"a guess":        {[]string{"refresh_token", "1.Aguess"}, oauth.InvalidRefreshToken},
		"none":           {[]string{"refresh_token", ""}, oauth.MissingBodyParameter},
		"more scope":     {[]string{"scope", "Mail.Read"}, oauth.ConsentRequired},
	} {
		_, refused := use(second.RefreshToken, c.form...)
		r.g.Expect(refused).NotTo(BeNil(), name)
		r.refused(refused, c.want)
	}
	_, refused = r.tokenAt("/fabrikam.com/oauth2/v2.0/token", values("grant_type", oauth.GrantRefresh, "client_id", tool, "refresh_token", second.RefreshToken))
	r.refused(refused, oauth.WrongTenantForGrant)
	r.now = r.now.Add(89 * 24 * time.Hour)
	third, refused := use(second.RefreshToken)
	r.g.Expect(refused).To(BeNil())
	r.now = r.now.Add(2 * 24 * time.Hour)
	_, refused = use(second.RefreshToken)
	r.g.Expect(refused.Code()).To(BeElementOf(oauth.RefreshTokenInactive, oauth.InvalidRefreshToken))
	_, err := r.dir.UpdateUser(tenantID, adele, func(u *tenant.User) error { u.Password = "another"; return nil })
	r.must(err)
	_, refused = use(third.RefreshToken)
	r.refused(refused, oauth.GrantRevoked)
	r.must(r.dir.DeleteUser(tenantID, adele))
	_, refused = use(third.RefreshToken)
	r.refused(refused, oauth.UserNotFound)
}

func TestOnBehalfOf(t *testing.T) {
	r := newRig(t)
	incoming, refused := r.password(tenant.AppAzureCLI, "api://contoso/access")
	r.g.Expect(refused).To(BeNil())
	form := func(pairs ...string) url.Values {
		v := values("grant_type", oauth.GrantJWT, "requested_token_use", oauth.OnBehalfOf, "client_id", api, "client_secret", "api secret", "assertion", incoming.AccessToken, "scope", graphDefault)
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	const path = "/contoso.com/oauth2/v2.0/token"
	out, refused := r.tokenAt(path, form())
	r.g.Expect(refused).To(BeNil())
	c := r.claims(out.AccessToken)
	r.g.Expect([]string{c.UPN, c.AppID, c.Audience, c.Scopes}).To(Equal([]string{adele, api, oauth.ResourceGraph, "User.Read"}))
	app, _ := r.token("grant_type", oauth.GrantClient, "client_id", daemon, "client_secret", "first", "scope", "api://contoso/.default")
	for name, c := range map[string]struct {
		form url.Values
		want oauth.AADSTS
	}{
		"token for another":   {form("assertion", out.AccessToken), oauth.AssertionAudience},
		"id or forged token":  {form("assertion", "a.b.c"), oauth.InvalidAssertion},
		"application's token": {form("assertion", app.AccessToken), oauth.InvalidAssertion},
		"no secret":           {form("client_secret", ""), oauth.CredentialMissing},
		"no use":              {form("requested_token_use", "x"), oauth.MissingBodyParameter},
		"no assertion":        {form("assertion", ""), oauth.MissingBodyParameter},
		"no consent":          {form("scope", "Mail.Read"), oauth.ConsentRequired},
	} {
		_, refused := r.tokenAt(path, c.form)
		r.g.Expect(refused).NotTo(BeNil(), name)
		r.refused(refused, c.want)
	}
	_, refused = r.tokenAt("/fabrikam.com/oauth2/v2.0/token", form())
	r.refused(refused, oauth.WrongTenantForGrant)
	r.now = r.now.Add(2 * time.Hour)
	_, refused = r.tokenAt(path, form())
	r.refused(refused, oauth.AssertionNotInTime)
}
