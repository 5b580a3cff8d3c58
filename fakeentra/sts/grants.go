package sts

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/oauth"
)

// request is a token request with the tenant that its path names; tenant is
// empty for common and organizations.
type request struct {
	*call
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

// tenantNamed finds the tenant of an authority; "" stands for any.
func (s *Service) tenantNamed(name string) (string, error) {
	switch {
	case anyTenant(name):
		return "", nil
	case strings.EqualFold(name, oauth.Consumers):
		return oauth.ConsumersTenant, nil // whose users are not modelled
	}
	t, err := s.dir.Tenant(name)
	if err != nil {
		return "", fail(oauth.TenantNotFound, "tenant", name)
	}
	return t.ID, nil
}

func (s *Service) token(c *call, name string, v2 bool) {
	if origin := c.r.Header.Get("Origin"); origin != "" {
		c.w.Header().Set("Access-Control-Allow-Origin", "*")
	}
	values, err := readForm(c.w, c.r)
	if err != nil {
		s.refuse(c, "sts.token", err)
		return
	}
	q := &request{call: c, form: oauth.ParseTokenRequest(values), v2: v2}
	if q.tenant, err = s.tenantNamed(name); err != nil {
		s.refuse(c, "sts.token", err)
		return
	}
	operation, answer, err := s.grant(q)
	switch text, isText := answer.(string); {
	case err != nil:
		s.refuse(c, operation, err)
	case isText:
		service.Write(c.w, http.StatusOK, "application/jose", []byte(text))
	default:
		service.WriteJSON(c.w, http.StatusOK, answer)
	}
}

// grant serves a request by its kind and names the operation.
func (s *Service) grant(q *request) (operation string, answer any, err error) {
	switch q.form.GrantType {
	case "":
		return "sts.token", nil, q.missing("grant_type", "grant type")
	case oauth.GrantChallenge:
		answer, err = s.challenge()
		return "sts.nonce", answer, err
	case oauth.GrantPassword:
		answer, err = s.password(q)
		return "sts.token.user", answer, err
	case oauth.GrantClient:
		answer, err = s.clientCredentials(q)
		return "sts.token.app", answer, err
	case oauth.GrantRefresh:
		answer, err = s.refresh(q)
		return "sts.token.refresh", answer, err
	case oauth.GrantCode:
		answer, err = s.redeem(q)
		return "sts.token.code", answer, err
	case oauth.GrantDeviceCode, oauth.GrantDeviceCode1:
		answer, err = s.poll(q)
		return "sts.token.deviceCode", answer, err
	case oauth.GrantJWT:
		if q.form.Request == "" && (q.form.Assertion != "" || q.form.RequestedTokenUse != "") {
			answer, err = s.onBehalfOf(q)
			return "sts.token.onBehalfOf", answer, err
		}
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

// clientCredentials is an application's own sign-in (RFC 6749 4.4).
func (s *Service) clientCredentials(q *request) (any, error) {
	if q.tenant == "" {
		return nil, fail(oauth.TenantNotFound, "tenant", "an application has to name its tenant")
	}
	c, err := s.clientOf(q, q.tenant)
	if err == nil {
		err = c.needProof()
	}
	if err != nil {
		return nil, err
	}
	w, err := q.wants()
	if err != nil {
		return nil, err
	}
	if q.v2 && !w.Default {
		return nil, fail(oauth.ScopeNeedsDefault, "scope", q.form.Scope)
	}
	t, err := s.targetOf(q.tenant, w.Resource)
	if err != nil {
		return nil, err
	}
	id := s.dir.PrincipalID(q.tenant, c.ClientID)
	claims := oauth.Claims{
		Audience: t.audience, TenantID: q.tenant, ObjectID: id, Subject: id, AppID: c.ClientID, AppIDACR: c.proof, IdentityType: "app", Version: t.version,
	}
	if t.app.ClientID == "" { // grants at the tenant's own resources are not modelled
		claims.Roles = c.Granted()
	}
	answer, err := s.issue(q, claims)
	if err == nil {
		s.Record(q.r.Context(), "entra.app.signedIn", journal.F("appId", c.ClientID), journal.F("audience", t.audience))
	}
	return answer, err
}

// onBehalfOf gives a service a token for the user who called it, at another
// service (learn.microsoft.com, "OAuth 2.0 On-Behalf-Of flow").
func (s *Service) onBehalfOf(q *request) (any, error) {
	if q.form.RequestedTokenUse != oauth.OnBehalfOf {
		return nil, q.missing("requested_token_use", "requested token use")
	}
	if q.form.Assertion == "" {
		return nil, q.missing("assertion", "assertion")
	}
	claims, err := oauth.VerifyAny(s.keys, q.form.Assertion, s.Now())
	if err != nil {
		return nil, assertionRefusal(err)
	}
	if q.tenant != "" && q.tenant != claims.TenantID {
		return nil, fail(oauth.WrongTenantForGrant, "assertion tenant", "")
	}
	c, err := s.clientOf(q, claims.TenantID)
	if err == nil {
		err = c.needProof()
	}
	if err != nil {
		return nil, err
	}
	switch {
	case !s.isFor(c, claims.Audience):
		return nil, fail(oauth.AssertionAudience, "assertion audience", "")
	case claims.ObjectID == "" || claims.Scopes == "":
		return nil, fail(oauth.InvalidAssertion, "assertion user", "It is not of a user.")
	}
	t, u, err := s.userOf(claims)
	if err != nil {
		return nil, err
	}
	w, err := q.wants()
	if err != nil {
		return nil, err
	}
	methods := claims.AuthMethods
	if len(methods) == 0 {
		methods = []string{"pwd"}
	}
	return s.userTokens(q, userRequest{client: c, want: w,
		sub: subject{tenant: t, user: u, methods: methods, device: claims.DeviceID, at: s.Now()}})
}

func assertionRefusal(err error) error {
	if errors.Is(err, oauth.ErrExpired) || errors.Is(err, oauth.ErrNotYetValid) {
		return fail(oauth.AssertionNotInTime, "assertion life", "")
	}
	return fail(oauth.InvalidAssertion, "assertion", "It is no access token of this service.")
}

// isFor tells whether an audience is one of an application's names.
func (s *Service) isFor(c client, audience string) bool {
	return slices.ContainsFunc(s.namesOf(target{audience: c.ClientID, app: c.App}), func(name string) bool { return oauth.SameAudience(name, audience) })
}

// userOf finds the user that a verified token is about.
func (s *Service) userOf(c *oauth.Claims) (tenant.Tenant, tenant.User, error) {
	u, err := s.dir.User(c.TenantID, c.ObjectID)
	if err != nil {
		return tenant.Tenant{}, u, fail(oauth.InvalidAssertion, "assertion user", "The user is not in the directory.")
	}
	return s.again(c.TenantID, c.ObjectID, passwordMark(u))
}
