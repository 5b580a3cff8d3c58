package sts

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/wire/oauth"
)

func itoa(n int) string { return strconv.Itoa(n) }

// digest names a secret in a table: who reads the table cannot use it.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// userClaims are what a token says about a user. Tokens for registration also
// say where the tenant's device management is, for users in its scope.
func (s *Service) userClaims(t tenant.Tenant, u tenant.User, client, audience string) oauth.Claims {
	c := oauth.Claims{
		Audience: audience, TenantID: t.ID, ObjectID: u.Resource.ID, Subject: s.pairwise(u, client),
		UPN: u.Resource.UserPrincipalName, Name: u.Resource.DisplayName, AppID: client, Scopes: "user_impersonation", IdentityType: "user",
	}
	if oauth.SameAudience(audience, oauth.ResourceDRS) && s.dir.Managed(t, u.Resource.ID) {
		mdm := t.Addresses()
		c.MDMEnrollmentURL, c.MDMTermsURL, c.MDMComplianceURL = mdm.EnrollmentURL, mdm.TermsURL, mdm.ComplianceURL
	}
	return c
}

// pairwise is the subject that one application knows the user by.
func (s *Service) pairwise(u tenant.User, client string) string {
	return s.Seed.UUID("subject", u.Resource.ID, client)
}

// accessClaims are those of a user's access token.
func (s *Service) accessClaims(u userRequest, t target, have []string) oauth.Claims {
	c := s.userClaims(u.sub.tenant, u.sub.user, u.client.ClientID, t.audience)
	c.Version = t.version
	c.Scopes = strings.Join(have, " ")
	if c.Scopes == "" {
		c.Scopes = strings.Join(openIDScopes[:2], " ")
	}
	c.AuthMethods, c.DeviceID, c.AppIDACR = u.sub.methods, u.sub.device, u.client.proof
	if t.version == "1.0" {
		c.UniqueName = c.UPN
	}
	return c
}

// issue signs an access token of a life drawn from the profile. Its version is
// the claims', or the endpoint's where they say none.
func (s *Service) issue(q *request, c oauth.Claims) (*oauth.TokenResponse, error) {
	now := s.Now()
	life := s.Timing.Entra.AccessTokenLife.Draw(s.Stream("token life")).Truncate(time.Second)
	if c.Version == "" {
		c.Version = q.version()
	}
	c.Issuer = oauth.Issuer(c.TenantID, c.Version)
	c.IssuedAt, c.NotBefore, c.Expires = now.Unix(), now.Unix(), now.Add(life).Unix()
	c.TokenID = s.NewID("token")
	if c.Version == "2.0" {
		c.AuthorizedParty, c.AppID = c.AppID, ""
		c.AZPACR, c.AppIDACR = c.AppIDACR, ""
		c.PreferredUsername, c.UPN = c.UPN, ""
	}
	token, err := s.signer.Sign(c)
	if err != nil {
		return nil, err
	}
	out := &oauth.TokenResponse{TokenType: "Bearer", AccessToken: token, ExpiresIn: int64(life / time.Second), Scope: c.Scopes}
	if !q.v2 {
		out.ExpiresOn, out.NotBefore, out.Resource = c.Expires, c.NotBefore, c.Audience
	}
	return out, nil
}

// idToken is what a client with a primary refresh token may know about the user.
func (s *Service) idToken(t tenant.Tenant, u tenant.User, client string, now time.Time, life time.Duration) (string, error) {
	c := s.userClaims(t, u, client, client)
	c.Version, c.Issuer, c.Scopes, c.AppID = "1.0", oauth.Issuer(t.ID, "1.0"), "", ""
	c.IssuedAt, c.NotBefore, c.Expires = now.Unix(), now.Unix(), now.Add(life).Unix()
	return s.signer.Sign(c)
}

// signIDToken is what a client may know about the user (OpenID Connect Core 2;
// learn.microsoft.com, "ID token claims reference"). code and access are what it
// came together with from the authorisation endpoint.
func (s *Service) signIDToken(u userRequest, version, code, access string) (string, error) {
	now := s.Now()
	user := u.sub.user.Resource
	c := oauth.Claims{
		Audience: u.client.ClientID, TenantID: u.sub.tenant.ID, ObjectID: user.ID, Subject: s.pairwise(u.sub.user, u.client.ClientID),
		Name: user.DisplayName, Nonce: u.nonce, TokenID: s.more.NewID("id token"),
		Version: version, Issuer: oauth.Issuer(u.sub.tenant.ID, version),
		IssuedAt: now.Unix(), NotBefore: now.Unix(), Expires: now.Add(s.Timing.Entra.AccessTokenLife.Min).Unix(),
	}
	if version == "2.0" {
		c.PreferredUsername = user.UserPrincipalName
	} else {
		c.UPN, c.UniqueName, c.AuthMethods = user.UserPrincipalName, user.UserPrincipalName, u.sub.methods
	}
	if u.want.has("email") {
		c.Email = user.Mail
	}
	if code != "" {
		c.CodeHash = oauth.HalfHash(code)
	}
	if access != "" {
		c.TokenHash = oauth.HalfHash(access)
	}
	return s.signer.Sign(c)
}
