package sts

import (
	"errors"
	"fmt"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/oauth"
)

// jwt serves the requests that a device or its broker signs.
func (s *Service) jwt(q *request) (operation string, answer any, err error) {
	if q.form.Request == "" {
		return "sts.token", nil, fail(oauth.MissingParameter, "request", "request is missing")
	}
	if oauth.IsBound(q.form.Request) {
		answer, err = s.usePRT(q)
		return "sts.prt.use", answer, err
	}
	signed, err := oauth.ParseDeviceRequest(q.form.Request)
	if errors.Is(err, oauth.ErrSignature) {
		return "sts.token.device", nil, fail(oauth.InvalidAssertion, "device signature", err.Error())
	}
	if err != nil {
		return "sts.token.device", nil, fail(oauth.JWTMalformed, "device request", err.Error())
	}
	if v := q.r.PostForm.Get("prt_protocol_version"); v != "" && v != "2.0" || q.form.WindowsAPIVersion > oauth.WindowsAPI22 {
		return "sts.token.device", nil, fail(oauth.UnsupportedGrant, "protocol version", "Only version 2 is modelled.")
	}
	switch signed.GrantType {
	case oauth.GrantPassword, oauth.GrantRefresh, oauth.GrantJWT:
		answer, err = s.issuePRT(q, signed)
		return "sts.prt.issue", answer, err
	case oauth.GrantDeviceToken:
		answer, err = s.deviceToken(q, signed)
		return "sts.token.device", answer, err
	case oauth.GrantSAML:
		return "sts.prt.issue", nil, fail(oauth.UnsupportedGrant, "grant type", "Federated users are not modelled.")
	}
	return "sts.token.device", nil, fail(oauth.UnsupportedGrant, "grant type", signed.GrantType)
}

// device believes a signed request: the certificate is a joined device's, the
// tenant the one asked, and the nonce one of ours that was not used before.
func (s *Service) device(q *request, signed *oauth.SignedDeviceRequest) (tenant.Device, error) {
	if s.settings.Devices == nil {
		return tenant.Device{}, fail(oauth.DeviceAuthFailed, "device certificate", "no device is known")
	}
	now := s.Now()
	dev, err := s.settings.Devices.Device(signed.Certificate, now)
	if err != nil {
		return tenant.Device{}, deviceRefusal(err)
	}
	if q.tenant != "" && q.tenant != dev.TenantID {
		return tenant.Device{}, fail(oauth.DeviceAuthFailed, "device tenant", "the device is of another tenant")
	}
	if signed.Expires != 0 && now.Unix() >= signed.Expires {
		return tenant.Device{}, fail(oauth.InvalidAssertion, "request life", "the request has expired")
	}
	if err := s.nonces.Take(signed.RequestNonce, "", now); err != nil {
		return tenant.Device{}, fail(oauth.InvalidAssertion, "nonce", err.Error())
	}
	return dev, nil
}

func deviceRefusal(err error) error {
	switch {
	case errors.Is(err, tenant.ErrNoDevice):
		return fail(oauth.DeviceNotFound, "device object", err.Error())
	case errors.Is(err, tenant.ErrDisabled):
		return fail(oauth.DeviceDisabled, "device enabled", err.Error())
	}
	return fail(oauth.DeviceAuthFailed, "device certificate", err.Error())
}

// deviceToken gives a token about the device alone, for management enrolment in
// flows without a user. Which claims the real one has is not public beyond the
// device id: our model.
func (s *Service) deviceToken(q *request, signed *oauth.SignedDeviceRequest) (any, error) {
	dev, err := s.device(q, signed)
	if err != nil {
		return nil, err
	}
	audience, err := s.audience(signed.Resource)
	if err != nil {
		return nil, err
	}
	if signed.ClientID == "" {
		return nil, fail(oauth.MissingParameter, "client id", "client_id is missing")
	}
	if _, err := s.appOf(dev.TenantID, signed.ClientID); err != nil {
		return nil, err
	}
	t, err := s.dir.Tenant(dev.TenantID)
	if err != nil {
		return nil, fmt.Errorf("fakeentra/sts: %w", err)
	}
	c := oauth.Claims{
		Audience: audience, TenantID: t.ID, ObjectID: dev.ObjectID, Subject: dev.ObjectID, DeviceID: dev.DeviceID,
		AppID: signed.ClientID, IdentityType: "device", AuthMethods: []string{"rsa"},
	}
	s.Record(q.r.Context(), "entra.device.signedIn", journal.F("deviceId", dev.DeviceID), journal.F("audience", audience))
	return s.issue(q, c)
}
