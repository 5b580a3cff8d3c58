package sts

import (
	"strings"
	"time"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/oauth"
)

// proveUser finds who a request for a primary refresh token is for: by password,
// by a refresh token of the broker, or by a key of Windows Hello for Business.
func (s *Service) proveUser(q *request, signed *oauth.SignedDeviceRequest, dev tenant.Device) (subject, error) {
	switch signed.GrantType {
	case oauth.GrantRefresh:
		return s.byRefreshToken(signed, dev)
	case oauth.GrantJWT:
		return s.byHello(signed, dev)
	}
	t, u, err := s.signIn(dev.TenantID, signed.Username, signed.Password)
	return subject{tenant: t, user: u, methods: []string{"pwd"}, device: dev.DeviceID, at: s.Now()}, err
}

// byRefreshToken takes a refresh token that the broker got at a sign-in; one of
// another application proves nothing here.
func (s *Service) byRefreshToken(signed *oauth.SignedDeviceRequest, dev tenant.Device) (subject, error) {
	row, ok := get(s, s.refreshes, digest(signed.RefreshToken))
	switch {
	case signed.RefreshToken == "" || !ok:
		return subject{}, fail(oauth.InvalidRefreshToken, "refresh token", "It is not known.")
	case row.ClientID != oauth.ClientBroker && row.ClientID != oauth.ClientPRT:
		return subject{}, fail(oauth.InvalidRefreshToken, "refresh token client", "It was given to another application.")
	case row.TenantID != dev.TenantID:
		return subject{}, fail(oauth.WrongTenantForGrant, "refresh token tenant", "")
	case !s.Now().Before(row.Expires):
		return subject{}, fail(oauth.RefreshTokenInactive, "refresh token life", "")
	}
	t, u, err := s.again(row.TenantID, row.UserID, row.Mark)
	return subject{tenant: t, user: u, methods: row.Methods, device: dev.DeviceID, at: row.SignedIn}, err
}

// byHello takes an assertion that a key signed which the user registered on
// this device: the key, and the PIN or gesture that opened it, are two factors.
func (s *Service) byHello(signed *oauth.SignedDeviceRequest, dev tenant.Device) (subject, error) {
	a, err := oauth.ParseHello(signed.Assertion)
	if err != nil {
		return subject{}, fail(oauth.JWTMalformed, "hello assertion", err.Error())
	}
	now := s.Now()
	u, err := s.dir.User(dev.TenantID, a.Issuer)
	if err != nil {
		return subject{}, fail(oauth.UserNotFound, "user", a.Issuer)
	}
	key, err := s.dir.HelloKey(dev.TenantID, u.Resource.ID, dev.DeviceID, a.KeyID)
	if err != nil {
		return subject{}, fail(oauth.InvalidAssertion, "hello key", "The key is not registered for this user and device.")
	}
	public, err := drs.DecodeRSA1(key.Blob)
	if err != nil {
		return subject{}, err
	}
	if err := a.Verify(public); err != nil {
		return subject{}, fail(oauth.InvalidAssertion, "hello signature", err.Error())
	}
	switch {
	case a.Nonce != "" && a.Nonce != signed.RequestNonce:
		return subject{}, fail(oauth.InvalidAssertion, "hello nonce", "The assertion is over another nonce.")
	case !anyTenant(a.Audience) && !strings.EqualFold(a.Audience, dev.TenantID):
		return subject{}, fail(oauth.InvalidAssertion, "hello audience", "The assertion is for another tenant.")
	case a.Expires == 0 || !now.Before(time.Unix(a.Expires, 0)):
		return subject{}, fail(oauth.InvalidAssertion, "hello life", "The assertion has expired.")
	}
	t, err := s.dir.Tenant(dev.TenantID)
	if err == nil && !u.Resource.Enabled() {
		err = fail(oauth.AccountDisabled, "account enabled", "")
	}
	return subject{tenant: t, user: u, methods: []string{"rsa", "mfa"}, device: dev.DeviceID, at: now}, err
}
