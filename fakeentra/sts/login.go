package sts

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

// SecondFactor is the code that a user types who is asked for a second factor:
// the same for all, our model of an authenticator.
const SecondFactor = "246810"

const loginPath = "/common/login"

// ask shows the page of a flow's stage; refused is what was wrong with the last
// answer, or nil.
func (s *Service) ask(c *call, f flow, refused error) {
	cookie := s.cookieFor(c)
	sealed, err := s.sealPage(f, cookie)
	if err != nil {
		s.explain(c, "sts.login", err)
		return
	}
	v := view{Action: loginPath, Hidden: []input{{Name: "ctx", Value: sealed}}, Button: "Next", Cancel: "Cancel"}
	s.dress(&v, f)
	if refused != nil {
		e := s.errorOf(c, "sts.login", refused)
		if e == nil {
			http.Error(c.w, "the service failed", http.StatusInternalServerError)
			return
		}
		v.Error, v.Detail = message(e), detailOf(c, e)
	}
	c.show(http.StatusOK, v)
}

// dress puts title, text and fields of a stage on the page.
func (s *Service) dress(v *view, f flow) {
	name := "an application"
	if app, err := s.appAnywhere(f.TenantID, f.Request.LoginHint, f.Request.ClientID); err == nil && app.Name != "" {
		name = app.Name
	}
	if f.UserID != "" {
		if u, err := s.dir.User(f.TenantID, f.UserID); err == nil {
			v.Account = u.Resource.UserPrincipalName
		}
	}
	switch f.Stage {
	case stageUserCode:
		v.Title, v.Text = "Enter code", "Enter the code displayed on your app or device."
		v.Fields, v.Cancel = []input{{"otc", "Code", "text", f.Request.LoginHint}}, ""
	case stagePassword:
		v.Title, v.Text, v.Button = "Sign in", "to continue to "+name, "Sign in"
		v.Fields = []input{{"login", "Email or user name", "email", f.Request.LoginHint}, {"passwd", "Password", "password", ""}}
		if f.Kind == flowDevice {
			v.Fields[0].Value = ""
		}
	case stageFactor:
		v.Title, v.Text, v.Button = "Verify your identity", "Enter the code of your authenticator app.", "Verify"
		v.Fields = []input{{"otc", "Code", "text", ""}}
	case stageTerms:
		v.Title, v.Text, v.Button, v.Cancel = "Terms of use", "Your organization asks you to accept its terms of use before you go on to "+name+".", "Accept", "Decline"
	case stageConsent:
		v.Title, v.Text, v.Button = "Permissions requested", name+" would like to:", "Accept"
		if w, err := wants(f.Request.Scope, f.Request.Resource); err == nil {
			v.List = append(append(v.List, w.Asked...), w.OIDC...)
		}
	case stageApprove:
		v.Title, v.Text, v.Button = "Are you trying to sign in to "+name+"?", "Only continue if you began this sign-in yourself, on a device that you trust.", "Continue"
	}
}

// login takes what the person answered on a page.
func (s *Service) login(c *call) {
	const operation = "sts.login"
	values, err := readForm(c.w, c.r)
	if err != nil {
		s.explain(c, operation, err)
		return
	}
	f, err := s.unsealPage(c.r, values.Get("ctx"))
	if err != nil {
		s.explain(c, operation, err)
		return
	}
	if values.Get("action") == "cancel" {
		s.decline(c, f)
		return
	}
	done, err := s.take(&f, values)
	switch {
	case err != nil && !isRefusal(err):
		s.explain(c, operation, err)
	case err != nil, !done:
		s.ask(c, f, err)
	default:
		s.advance(c, f)
	}
}

func (s *Service) decline(c *call, f flow) {
	refused := fail(oauth.UserDeclined, "user", "")
	if f.Kind == flowAuthorize {
		s.backError(c, f.Request, refused)
		return
	}
	if f.Device != "" {
		if err := s.settle(f.Device, codeDeclined, subject{at: s.Now()}); err != nil {
			s.explain(c, "sts.login", err)
			return
		}
	}
	c.show(http.StatusOK, view{Title: "Sign-in cancelled", Text: "You can close this window now."})
}

// take checks the answer of one stage and puts what follows from it into the
// flow. done is false where the next page is settled by that already.
func (s *Service) take(f *flow, values url.Values) (done bool, err error) {
	switch f.Stage {
	case stageUserCode:
		key, row, err := s.findUserCode(values.Get("otc"))
		if err != nil {
			return false, err
		}
		f.Device, f.Tenant, f.Stage = key, row.TenantID, stagePassword
		f.Request = oauth.AuthorizeRequest{ClientID: row.ClientID, Scope: row.Scope, Resource: row.Resource}
		return false, nil
	case stagePassword:
		f.Request.LoginHint = strings.TrimSpace(values.Get("login"))
		t, u, err := s.signIn(f.Tenant, f.Request.LoginHint, values.Get("passwd"))
		if err != nil {
			return false, err
		}
		f.TenantID, f.UserID, f.Mark, f.Methods, f.SignedIn = t.ID, u.Resource.ID, passwordMark(u), []string{"pwd"}, s.Now()
	case stageFactor:
		given := strings.ReplaceAll(values.Get("otc"), " ", "")
		if subtle.ConstantTimeCompare([]byte(given), []byte(SecondFactor)) != 1 {
			return false, fail(oauth.SecondFactorWrong, "second factor", "")
		}
		f.Methods = methodsWith(f.Methods, "mfa")
	case stageTerms:
		err = s.acceptTerms(*f)
	case stageConsent:
		err = s.accept(*f)
	case stageApprove:
		f.Stage = ""
	}
	return true, err
}

func (s *Service) subjectOf(f flow) (subject, error) {
	t, u, err := s.again(f.TenantID, f.UserID, f.Mark)
	return subject{tenant: t, user: u, methods: f.Methods, at: f.SignedIn, app: graph.ClientAppBrowser}, err
}

// advance shows what still has to be answered, or finishes.
func (s *Service) advance(c *call, f flow) {
	const operation = "sts.login"
	sub, err := s.subjectOf(f)
	if err != nil {
		s.explain(c, operation, err)
		return
	}
	if err := s.redirectHolds(f, sub); err != nil {
		s.explain(c, operation, err)
		return
	}
	u, t, err := s.wantedBy(f, sub)
	if err != nil {
		s.stop(c, f, err)
		return
	}
	approved := f.Stage == ""
	switch d := s.decide(sub, u.client.ClientID, t.audience); {
	case d.Refused == oauth.MFARequired:
		f.Stage = stageFactor
	case d.Control == tenant.ControlTerms:
		f.Stage = stageTerms
	case !d.Allowed():
		s.explain(c, operation, s.access(sub, u.client.ClientID, t.audience))
		return
	default:
		needed, err := s.consentNeeded(u, t)
		if err != nil {
			s.stop(c, f, err)
			return
		}
		switch {
		case needed:
			f.Stage = stageConsent
		case f.Kind == flowDevice && !approved:
			f.Stage = stageApprove
		case f.Kind == flowDevice:
			s.approve(c, f, sub)
			return
		default:
			s.finish(c, f, sub, u)
			return
		}
	}
	s.ask(c, f, nil)
}

// stop ends a flow with a refusal: the client is told where it can be.
func (s *Service) stop(c *call, f flow, err error) {
	if f.Kind == flowAuthorize {
		s.backError(c, f.Request, err)
		return
	}
	s.explain(c, "sts.login", err)
}

// redirectHolds makes sure of the redirect address once more, now that the
// user's tenant is known: an application of the same id may have others there.
func (s *Service) redirectHolds(f flow, sub subject) error {
	if f.Kind != flowAuthorize {
		return nil
	}
	app, err := s.appOf(sub.tenant.ID, f.Request.ClientID)
	if err != nil {
		return err
	}
	if _, ok := app.Redirect(f.Request.RedirectURI); !ok {
		return fail(oauth.ReplyAddressMismatch, "redirect address", f.Request.RedirectURI)
	}
	return nil
}

func (s *Service) approve(c *call, f flow, sub subject) {
	if err := s.settle(f.Device, codeApproved, sub); err != nil {
		s.explain(c, "sts.login", err)
		return
	}
	c.show(http.StatusOK, view{Title: "You have signed in", Text: "You can close this window now.", Account: sub.user.Resource.UserPrincipalName})
}

// wantedBy is what a flow's client asks for, in the tenant of the user.
func (s *Service) wantedBy(f flow, sub subject) (userRequest, target, error) {
	var t target
	app, err := s.appOf(sub.tenant.ID, f.Request.ClientID)
	if err != nil {
		return userRequest{}, t, err
	}
	u := userRequest{client: client{App: app, proof: proofNone}, sub: sub, nonce: f.Request.Nonce}
	if u.want, err = wants(f.Request.Scope, f.Request.Resource); err != nil {
		return u, t, err
	}
	if u.want.Resource == "" {
		u.want.Resource = oauth.ResourceAADGraph // version 1's own
	}
	t, err = s.targetOf(sub.tenant.ID, u.want.Resource)
	return u, t, err
}

// consentNeeded tells whether the user has to be asked, and refuses what nobody
// could consent to.
func (s *Service) consentNeeded(u userRequest, t target) (bool, error) {
	have := s.delegated(u.client, u.sub.user, t)
	needed := u.want.Default && len(have) == 0
	for _, name := range u.want.Named {
		if containsFold(have, name) {
			continue
		}
		mine, exists := s.consentable(u.sub.user, t, name)
		switch {
		case !exists:
			return false, fail(oauth.ScopeUnknown, "scope", name)
		case !mine:
			return false, fail(oauth.AdminConsentRequired, "consent", name)
		}
		needed = true
	}
	if needed && u.want.Default {
		return false, fail(oauth.ConsentRequired, "consent", u.client.ClientID)
	}
	return needed, nil
}

// accept notes the user's consent to what was asked.
func (s *Service) accept(f flow) error {
	sub, err := s.subjectOf(f)
	if err != nil {
		return err
	}
	u, t, err := s.wantedBy(f, sub)
	if err != nil {
		return err
	}
	if _, err := s.consentNeeded(u, t); err != nil {
		return err
	}
	return s.dir.Consent(tenant.Consent{TenantID: sub.tenant.ID, ClientID: u.client.ClientID, Resource: t.audience, UserID: sub.user.Resource.ID, Scopes: u.want.Named})
}

func (s *Service) acceptTerms(f flow) error {
	sub, err := s.subjectOf(f)
	if err != nil {
		return err
	}
	u, t, err := s.wantedBy(f, sub)
	if err != nil {
		return err
	}
	for _, id := range s.decide(sub, u.client.ClientID, t.audience).Terms {
		if err := s.dir.AcceptTerms(sub.tenant.ID, sub.user.Resource.ID, id); err != nil {
			return err
		}
	}
	return nil
}

// devicePage is where a user types the code that a device shows.
func (s *Service) devicePage(c *call) {
	q, err := readQuery(c.r)
	if err != nil {
		s.explain(c, "sts.deviceAuth", err)
		return
	}
	typed := q.Get("user_code")
	if typed == "" {
		typed = q.Get("otc")
	}
	if len(typed) > 20 {
		typed = ""
	}
	s.ask(c, flow{Kind: flowDevice, Stage: stageUserCode, Request: oauth.AuthorizeRequest{LoginHint: typed}}, nil)
}
