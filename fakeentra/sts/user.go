package sts

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

// subject is a user who proved to be one, and how.
type subject struct {
	tenant  tenant.Tenant
	user    tenant.User
	methods []string
	device  string // id of the device that proved itself too
	at      time.Time
	app     string // kind of client: see tenant.SignIn
	// platform is what a device that proved itself runs; "" is not known.
	platform string
}

// signIn checks a user's name and password. A tenant id of "" takes the one of
// the user's domain.
func (s *Service) signIn(tenantID, name, password string) (tenant.Tenant, tenant.User, error) {
	no := func(n oauth.AADSTS, check, detail string) (tenant.Tenant, tenant.User, error) {
		return tenant.Tenant{}, tenant.User{}, fail(n, check, detail)
	}
	if name == "" {
		return no(oauth.MissingParameter, "user name", "username is missing")
	}
	t, err := s.dir.TenantOf(name)
	if err != nil || tenantID != "" && t.ID != tenantID {
		return no(oauth.UserNotFound, "user tenant", name)
	}
	if password == "" {
		return no(oauth.PasswordMissing, "password", "")
	}
	u, err := s.dir.Authenticate(t.ID, name, password)
	switch {
	case err == nil:
		return t, u, nil
	case errors.Is(err, tenant.ErrNoUser):
		return no(oauth.UserNotFound, "user", name)
	case errors.Is(err, tenant.ErrLocked):
		return no(oauth.AccountLocked, "account lock", "")
	case errors.Is(err, tenant.ErrPassword):
		return no(oauth.InvalidCredentials, "password", "")
	case errors.Is(err, tenant.ErrAccountDisabled):
		return no(oauth.AccountDisabled, "account enabled", "")
	case errors.Is(err, tenant.ErrPasswordExpired):
		return no(oauth.PasswordExpired, "password age", "")
	}
	return tenant.Tenant{}, tenant.User{}, err
}

// access asks conditional access whether the user may have a token now.
func (s *Service) access(sub subject, clientID, resource string) error {
	d := s.decide(sub, clientID, resource)
	if d.Allowed() {
		return nil
	}
	err := &refusal{number: d.Refused, check: "conditional access", detail: d.Policy}
	for _, p := range d.Applied {
		if p.Name == d.Policy {
			err.claims = claimsChallenge(p.ID)
		}
	}
	return err
}

func (s *Service) decide(sub subject, clientID, resource string) tenant.Decision {
	return s.dir.Decide(tenant.SignIn{
		TenantID: sub.tenant.ID, UserID: sub.user.Resource.ID, ClientID: clientID, Resource: resource,
		DeviceID: sub.device, Methods: sub.methods, ClientApp: sub.app, Platform: sub.platform,
	})
}

// claimsChallenge is what a client sends back as claims, to be asked for what
// the policy wants (learn.microsoft.com, "Claims challenges, claims requests,
// and client capabilities").
func claimsChallenge(policyID string) string {
	b, err := json.Marshal(map[string]any{"access_token": map[string]any{
		"capolids": map[string]any{"essential": true, "values": []string{policyID}},
	}})
	if err != nil {
		return ""
	}
	return string(b)
}

// again finds the user of a grant that was given before, and checks what may
// have changed since: mark is that of the password then.
func (s *Service) again(tenantID, userID, mark string) (t tenant.Tenant, u tenant.User, err error) {
	if t, err = s.dir.Tenant(tenantID); err != nil {
		return t, u, fail(oauth.TenantNotFound, "tenant", err.Error())
	}
	if u, err = s.dir.User(tenantID, userID); err != nil {
		return t, u, fail(oauth.UserNotFound, "user", "The account was deleted.")
	}
	switch {
	case !u.Resource.Enabled():
		err = fail(oauth.AccountDisabled, "account enabled", "")
	case mark != passwordMark(u):
		err = fail(oauth.GrantRevoked, "password change", "")
	}
	return t, u, err
}

// passwordMark changes when the password does.
func passwordMark(u tenant.User) string { return digest(u.Resource.ID + "\x00" + u.Password)[:16] }

// userRequest is what a client asks for in a user's name, whatever proved it.
type userRequest struct {
	client client
	sub    subject
	want   wanted
	nonce  string
	spa    bool // the client is a single page application
}

// userTokens gives a client what it asks for in a user's name.
func (s *Service) userTokens(q *request, u userRequest) (*oauth.TokenResponse, error) {
	t, err := s.targetOf(u.sub.tenant.ID, u.want.Resource)
	if err != nil {
		return nil, err
	}
	have, err := s.granted(u.client, u.sub.user, t, u.want)
	if err != nil {
		return nil, err
	}
	if err := s.access(u.sub, u.client.ClientID, t.audience); err != nil {
		return nil, err
	}
	claims := s.accessClaims(u, t, have)
	answer, err := s.issue(q, claims)
	if err != nil {
		return nil, err
	}
	answer.Scope = scopeText(t, u.want, have, q.v2)
	if u.want.has("openid") {
		if answer.IDToken, err = s.signIDToken(u, q.version(), "", ""); err != nil {
			return nil, err
		}
	}
	if u.want.has("offline_access") || !q.v2 {
		if answer.RefreshToken, err = s.newRefresh(u, t.audience); err != nil {
			return nil, err
		}
	}
	if q.form.ClientInfo == "1" {
		answer.ClientInfo = oauth.ClientInfo(u.sub.user.Resource.ID, u.sub.tenant.ID)
	}
	s.Record(q.r.Context(), "entra.user.signedIn",
		journal.F("upn", u.sub.user.Resource.UserPrincipalName), journal.F("audience", t.audience))
	return answer, nil
}

// password is the user's plain sign-in (RFC 6749 4.3). The password is looked
// at last: a request that can come to nothing is no failed sign-in.
func (s *Service) password(q *request) (any, error) {
	if q.form.Username == "" {
		return nil, q.missing("username", "user name")
	}
	t, err := s.dir.TenantOf(q.form.Username)
	if err != nil || q.tenant != "" && t.ID != q.tenant {
		return nil, fail(oauth.UserNotFound, "user tenant", q.form.Username)
	}
	c, err := s.clientOf(q, t.ID)
	if err == nil {
		err = c.needPublic()
	}
	if err != nil {
		return nil, err
	}
	w, err := q.wants()
	if err != nil {
		return nil, err
	}
	if _, err := s.targetOf(t.ID, w.Resource); err != nil {
		return nil, err
	}
	t, u, err := s.signIn(t.ID, q.form.Username, q.form.Password)
	if err != nil {
		return nil, err
	}
	return s.userTokens(q, userRequest{client: c, want: w,
		sub: subject{tenant: t, user: u, methods: []string{"pwd"}, at: s.Now(), app: graph.ClientAppModern}})
}

// methodsWith adds a method to those that were used.
func methodsWith(methods []string, more ...string) []string {
	out := slices.Clone(methods)
	for _, m := range more {
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out
}
