package sts

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/oauth"
)

// refusal is a check that said no, with the number that the caller sees.
type refusal struct {
	number        oauth.AADSTS
	check, detail string
}

func (r *refusal) Error() string { return r.check + ": " + r.detail }

func fail(n oauth.AADSTS, check, detail string) error { return &refusal{n, check, detail} }

func (s *Service) refuse(w http.ResponseWriter, r *http.Request, operation string, err error) {
	var no *refusal
	if !errors.As(err, &no) {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	correlation := r.Header.Get("client-request-id")
	id := s.NewID("trace")
	if correlation == "" {
		correlation = id
	}
	e := oauth.NewError(no.number, no.detail, id, correlation, s.Now())
	s.Refused(r.Context(), operation, no.check, "AADSTS"+itoa(int(no.number)))
	w.Header().Set("x-ms-request-id", id)
	service.WriteJSON(w, e.Status(), e)
}

// request is a token request with the tenant that its path names; tenant is
// empty for common.
type request struct {
	r      *http.Request
	form   oauth.TokenRequest
	tenant string
	v2     bool
}

func (q *request) version() string {
	if q.v2 {
		return "2.0"
	}
	return "1.0"
}

// resource is the audience asked for: named itself, or by a scope below it.
func (q *request) resource() string {
	if q.form.Resource != "" {
		return q.form.Resource
	}
	for _, scope := range strings.Fields(q.form.Scope) {
		if strings.Contains(scope, ":") {
			at := strings.LastIndex(scope, "/")
			return scope[:max(at, 0)]
		}
	}
	return ""
}

func (s *Service) token(w http.ResponseWriter, r *http.Request, name string, v2 bool) {
	r.Body = http.MaxBytesReader(w, r.Body, service.MaxBody)
	if err := r.ParseForm(); err != nil {
		s.refuse(w, r, "sts.token", fail(oauth.MissingParameter, "form", err.Error()))
		return
	}
	q := &request{r: r, form: oauth.ParseTokenRequest(r.PostForm), v2: v2}
	if !anyTenant(name) {
		t, err := s.dir.Tenant(name)
		if err != nil {
			s.refuse(w, r, "sts.token", fail(oauth.TenantNotFound, "tenant", err.Error()))
			return
		}
		q.tenant = t.ID
	}
	operation, answer, err := s.grant(q)
	switch text, isText := answer.(string); {
	case err != nil:
		s.refuse(w, r, operation, err)
	case isText:
		service.Write(w, http.StatusOK, "application/jose", []byte(text))
	default:
		service.WriteJSON(w, http.StatusOK, answer)
	}
}

// grant serves a request by its kind and names the operation.
func (s *Service) grant(q *request) (operation string, answer any, err error) {
	switch q.form.GrantType {
	case oauth.GrantChallenge:
		answer, err = s.challenge()
		return "sts.nonce", answer, err
	case oauth.GrantPassword:
		answer, err = s.password(q)
		return "sts.token.user", answer, err
	case oauth.GrantClient:
		answer, err = s.clientCredentials(q)
		return "sts.token.app", answer, err
	case oauth.GrantJWT:
		return s.jwt(q)
	}
	return "sts.token", nil, fail(oauth.UnsupportedGrant, "grant type", q.form.GrantType)
}

// challenge gives a nonce for a request that a device signs ([MS-OAPXBC]
// 3.2.5.1.1). It is good in any tenant: the one who asks has not said which.
func (s *Service) challenge() (any, error) {
	now := s.Now()
	value, err := s.nonces.New(s.NewSecret("nonce"), "", now, now.Add(s.Timing.Entra.NonceLife))
	return oauth.NonceResponse{Nonce: value}, err
}

// signIn checks a user's name and password. A tenant id of "" takes the one of
// the user's domain.
func (s *Service) signIn(tenantID, name, password string) (tenant.Tenant, tenant.User, error) {
	if name == "" {
		return tenant.Tenant{}, tenant.User{}, fail(oauth.MissingParameter, "user name", "username is missing")
	}
	t, err := s.dir.TenantOf(name)
	if err != nil || tenantID != "" && t.ID != tenantID {
		return tenant.Tenant{}, tenant.User{}, fail(oauth.UserNotFound, "user tenant", name)
	}
	u, err := s.dir.User(t.ID, name)
	switch {
	case err != nil:
		return tenant.Tenant{}, tenant.User{}, fail(oauth.UserNotFound, "user", name)
	case u.Password == "" || subtle.ConstantTimeCompare([]byte(u.Password), []byte(password)) != 1:
		return tenant.Tenant{}, tenant.User{}, fail(oauth.InvalidCredentials, "password", "")
	case !u.Resource.Enabled():
		return tenant.Tenant{}, tenant.User{}, fail(oauth.AccountDisabled, "account enabled", "")
	}
	return t, u, nil
}

// password is the user's plain sign-in (RFC 6749 4.3).
func (s *Service) password(q *request) (any, error) {
	if q.form.ClientID == "" {
		return nil, fail(oauth.MissingParameter, "client id", "client_id is missing")
	}
	t, u, err := s.signIn(q.tenant, q.form.Username, q.form.Password)
	if err != nil {
		return nil, err
	}
	audience, err := s.audience(q.resource())
	if err != nil {
		return nil, err
	}
	claims := s.userClaims(t, u, q.form.ClientID, audience)
	claims.AuthMethods = []string{"pwd"}
	s.Record(q.r.Context(), "entra.user.signedIn", journal.F("upn", u.Resource.UserPrincipalName), journal.F("audience", audience))
	return s.issue(q, claims)
}

// clientCredentials is an application's own sign-in (RFC 6749 4.4).
func (s *Service) clientCredentials(q *request) (any, error) {
	if q.tenant == "" {
		return nil, fail(oauth.TenantNotFound, "tenant", "an application has to name its tenant")
	}
	if name, secret, ok := q.r.BasicAuth(); ok {
		q.form.ClientID, q.form.ClientSecret = name, secret
	}
	app, err := s.dir.App(q.tenant, q.form.ClientID)
	if err != nil {
		return nil, fail(oauth.AppNotFound, "application", q.form.ClientID)
	}
	if app.Secret == "" || subtle.ConstantTimeCompare([]byte(app.Secret), []byte(q.form.ClientSecret)) != 1 {
		return nil, fail(oauth.InvalidClientSecret, "client secret", "")
	}
	audience, err := s.audience(q.resource())
	if err != nil {
		return nil, err
	}
	id := s.Seed.UUID("service principal", q.tenant, app.ClientID)
	return s.issue(q, oauth.Claims{
		Audience: audience, TenantID: q.tenant, ObjectID: id, Subject: id, AppID: app.ClientID, IdentityType: "app", Roles: app.Granted(),
	})
}

// audience checks that a resource is known, and spells it as known.
func (s *Service) audience(resource string) (string, error) {
	if resource == "" {
		return "", fail(oauth.MissingParameter, "resource", "resource or scope is missing")
	}
	for _, known := range s.resources {
		if oauth.SameAudience(known, resource) {
			return known, nil
		}
	}
	return "", fail(oauth.ResourceNotFound, "resource", resource)
}
