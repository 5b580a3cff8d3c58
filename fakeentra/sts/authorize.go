package sts

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/wire/oauth"
)

// authorize begins an interactive sign-in (RFC 6749 4.1.1, OpenID Connect Core
// 3). As long as client and redirect address are not known to belong together,
// the person is told what is wrong; after that the client is.
func (s *Service) authorize(c *call, name string, v2 bool) {
	const operation = "sts.authorize"
	var values url.Values
	var err error
	if c.r.Method == http.MethodPost {
		values, err = readForm(c.w, c.r)
	} else {
		values, err = readQuery(c.r)
	}
	if err != nil {
		s.explain(c, operation, err)
		return
	}
	f := flow{Kind: flowAuthorize, Stage: stagePassword, Request: oauth.ParseAuthorizeRequest(values), V2: v2}
	if f.Tenant, err = s.tenantNamed(name); err != nil {
		s.explain(c, operation, err)
		return
	}
	_, redirect, err := s.clientAsked(&f)
	if err != nil {
		s.explain(c, operation, err)
		return
	}
	if err := s.checkAuthorize(f, redirect); err != nil {
		s.backError(c, f.Request, err)
		return
	}
	s.ask(c, f, nil)
}

// clientAsked finds the application and makes sure of the redirect address.
func (s *Service) clientAsked(f *flow) (tenant.App, tenant.Redirect, error) {
	none := tenant.Redirect{}
	r := &f.Request
	if r.ClientID == "" {
		return tenant.App{}, none, fail(oauth.MissingBodyParameter, "client id", "client_id")
	}
	app, err := s.appAnywhere(f.Tenant, r.LoginHint, r.ClientID)
	if err != nil {
		return app, none, err
	}
	if r.RedirectURI == "" && len(app.Redirects) == 1 {
		r.RedirectURI = app.Redirects[0].URI
	}
	u, err := url.Parse(r.RedirectURI)
	if err != nil || u.Scheme == "" || u.Fragment != "" || u.User != nil {
		return app, none, fail(oauth.ReplyAddressMismatch, "redirect address", r.RedirectURI)
	}
	redirect, ok := app.Redirect(r.RedirectURI)
	if !ok {
		return app, none, fail(oauth.ReplyAddressMismatch, "redirect address", r.RedirectURI)
	}
	return app, redirect, nil
}

// appAnywhere finds an application in the tenant of the authority, or, where that
// names none, in the hinted user's or the first that has it.
func (s *Service) appAnywhere(tenantID, hint, clientID string) (tenant.App, error) {
	if tenantID != "" {
		return s.appOf(tenantID, clientID)
	}
	if t, err := s.dir.TenantOf(hint); err == nil {
		return s.appOf(t.ID, clientID)
	}
	for _, t := range s.dir.Tenants() {
		if app, err := s.dir.App(t.ID, clientID); err == nil {
			return s.appOf(t.ID, app.ClientID)
		}
	}
	return s.appOf("", clientID)
}

var responseTypes = []string{"code", "id_token", "token", "code id_token", "id_token token", "code id_token token", "code token"}

var prompts = []string{"", "none", "login", "consent", "select_account", "create"}

// checkAuthorize looks at what the client asks for. That tokens may come from
// this endpoint is settled by the kind of the redirect address: our model of the
// two switches for it that an application has.
func (s *Service) checkAuthorize(f flow, redirect tenant.Redirect) error {
	r := f.Request
	kinds := strings.Fields(r.ResponseType)
	slices.Sort(kinds)
	spa, _ := kindOf(redirect)
	tokens := r.Wants("id_token") || r.Wants("token")
	switch {
	case r.ResponseType == "":
		return fail(oauth.MissingBodyParameter, "response type", "response_type")
	case !slices.Contains(responseTypes, strings.Join(kinds, " ")):
		return fail(oauth.UnsupportedResponse, "response type", r.ResponseType)
	case !slices.Contains([]string{oauth.ModeQuery, oauth.ModeFragment, oauth.ModeFormPost}, r.Mode()),
		tokens && r.Mode() == oauth.ModeQuery:
		return fail(oauth.UnsupportedResponseMode, "response mode", r.ResponseMode)
	case tokens && redirect.Kind == tenant.RedirectPublic:
		return fail(oauth.ResponseTypeNotEnabled, "response type", r.ResponseType)
	case r.Wants("id_token") && r.Nonce == "":
		return fail(oauth.MissingBodyParameter, "nonce", "nonce")
	case !slices.Contains([]string{"", oauth.ChallengePlain, oauth.ChallengeS256}, r.ChallengeMethod):
		return fail(oauth.MalformedRequest, "code challenge method", r.ChallengeMethod)
	case r.CodeChallenge != "" && !oauth.ValidVerifier(r.CodeChallenge), r.CodeChallenge == "" && r.ChallengeMethod != "":
		return fail(oauth.MalformedRequest, "code challenge", "")
	case spa && r.Wants("code") && r.CodeChallenge == "":
		return fail(oauth.VerifierRequired, "code challenge", "")
	case f.V2 && r.Scope == "":
		return fail(oauth.MissingBodyParameter, "scope", "scope")
	case !slices.Contains(prompts, r.Prompt):
		return fail(oauth.InvalidInput, "prompt", r.Prompt)
	}
	w, err := wants(r.Scope, r.Resource)
	switch {
	case err != nil:
		return err
	case r.Wants("id_token") && !w.has("openid"):
		return fail(oauth.InvalidScope, "scope", "An id token needs the scope openid.")
	case r.Prompt == "none":
		return fail(oauth.SessionMissing, "prompt none", "")
	}
	return nil
}

// finish gives the client what it asked for, now that the user has signed in and
// nothing stands against it.
func (s *Service) finish(c *call, f flow, sub subject, u userRequest) {
	r := f.Request
	redirect, _ := u.client.Redirect(r.RedirectURI)
	spa, web := kindOf(redirect)
	answer := map[string]string{"session_state": s.more.NewID("session state")}
	fail := func(err error) { s.backError(c, r, err) }
	q := &request{call: c, tenant: sub.tenant.ID, v2: f.V2}
	var err error
	if r.Wants("code") {
		row := code{TenantID: sub.tenant.ID, UserID: sub.user.Resource.ID, Request: r, Methods: sub.methods, Mark: passwordMark(sub.user), SPA: spa, Web: web, SignedIn: sub.at}
		if answer["code"], err = s.newCode(row); err != nil {
			fail(err)
			return
		}
	}
	if r.Wants("token") {
		u.want.OIDC = slices.DeleteFunc(slices.Clone(u.want.OIDC), func(s string) bool { return s == "offline_access" || s == "openid" })
		q.v2 = true // no refresh token without a code
		tokens, err := s.userTokens(q, u)
		if err != nil {
			fail(err)
			return
		}
		answer["access_token"], answer["token_type"], answer["expires_in"], answer["scope"] = tokens.AccessToken, tokens.TokenType, itoa(int(tokens.ExpiresIn)), tokens.Scope
	}
	if r.Wants("id_token") {
		if answer["id_token"], err = s.signIDToken(u, (&request{v2: f.V2}).version(), answer["code"], answer["access_token"]); err != nil {
			fail(err)
			return
		}
	}
	if r.ClientInfo == "1" {
		answer["client_info"] = oauth.ClientInfo(sub.user.Resource.ID, sub.tenant.ID)
	}
	c.back(r, answer, s.pageNonce())
}
