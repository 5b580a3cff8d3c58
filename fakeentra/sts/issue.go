package sts

import (
	"strconv"
	"time"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/wire/oauth"
)

func itoa(n int) string { return strconv.Itoa(n) }

// userClaims are what a token says about a user. Tokens for registration also
// say where the tenant's device management is, for users in its scope.
func (s *Service) userClaims(t tenant.Tenant, u tenant.User, client, audience string) oauth.Claims {
	c := oauth.Claims{
		Audience: audience, TenantID: t.ID, ObjectID: u.Resource.ID, Subject: s.Seed.UUID("subject", u.Resource.ID, client),
		UPN: u.Resource.UserPrincipalName, Name: u.Resource.DisplayName, AppID: client, Scopes: "user_impersonation", IdentityType: "user",
	}
	if mdm := t.Addresses(); oauth.SameAudience(audience, oauth.ResourceDRS) && !mdm.Off {
		c.MDMEnrollmentURL, c.MDMTermsURL, c.MDMComplianceURL = mdm.EnrollmentURL, mdm.TermsURL, mdm.ComplianceURL
	}
	return c
}

// issue signs an access token of a life drawn from the profile.
func (s *Service) issue(q *request, c oauth.Claims) (*oauth.TokenResponse, error) {
	now := s.Now()
	life := s.Timing.Entra.AccessTokenLife.Draw(s.Stream("token life")).Truncate(time.Second)
	c.Version, c.Issuer = q.version(), oauth.Issuer(c.TenantID, q.version())
	c.IssuedAt, c.NotBefore, c.Expires = now.Unix(), now.Unix(), now.Add(life).Unix()
	c.TokenID = s.NewID("token")
	if q.v2 {
		c.AuthorizedParty, c.AppID = c.AppID, ""
		c.PreferredUsername = c.UPN
	}
	token, err := s.signer.Sign(c)
	if err != nil {
		return nil, err
	}
	out := &oauth.TokenResponse{TokenType: "Bearer", AccessToken: token, ExpiresIn: int64(life / time.Second), Scope: c.Scopes}
	if !q.v2 {
		out.ExpiresOn, out.Resource = c.Expires, c.Audience
	}
	return out, nil
}

// idToken is what a client may know about the user.
func (s *Service) idToken(t tenant.Tenant, u tenant.User, client string, now time.Time, life time.Duration) (string, error) {
	c := s.userClaims(t, u, client, client)
	c.Version, c.Issuer, c.Scopes, c.AppID = "1.0", oauth.Issuer(t.ID, "1.0"), "", ""
	c.IssuedAt, c.NotBefore, c.Expires = now.Unix(), now.Unix(), now.Add(life).Unix()
	return s.signer.Sign(c)
}
