package drs

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/journal"
	wire "windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/oauth"
)

// methodNGC in a token says that its user showed a second factor for the
// purpose of making a Windows Hello key.
const methodNGC = "ngcmfa"

// key registers a key of Windows Hello for Business ([MS-KPP] 3.2.5.1.1).
func (s *Service) key(w http.ResponseWriter, r *http.Request) {
	answer, err := s.doKey(r)
	if err != nil {
		s.refused(w, r, "drs.key", err)
		return
	}
	service.WriteJSON(w, http.StatusOK, answer)
}

// doKey: the token is for registration, of a user on a joined device, and its
// second factor was for this.
func (s *Service) doKey(r *http.Request) (*wire.KeyResponse, error) {
	if err := version(r, "1.0"); err != nil {
		return nil, err
	}
	if s.settings.Tokens == nil {
		return nil, no("token", wire.AuthenticationError, "", errors.New("nobody verifies tokens"))
	}
	claims, err := s.settings.Tokens.VerifyToken(oauth.Bearer(r.Header.Get("Authorization")), wire.Resource, s.Now())
	if err != nil {
		return nil, no("token", wire.AuthenticationError, "", err)
	}
	user, err := s.dir.User(claims.TenantID, claims.ObjectID)
	if err != nil {
		return nil, no("user", wire.AuthenticationError, "", err)
	}
	if !slices.Contains(claims.AuthMethods, methodNGC) {
		return nil, no("multifactor", wire.AuthorizationError, wire.SubMFA, errors.New("the token's amr has no "+methodNGC))
	}
	dev, err := s.dir.Device(claims.TenantID, claims.DeviceID)
	switch {
	case claims.DeviceID == "" || err != nil || !dev.Joined():
		return nil, no("device", wire.AuthenticationError, wire.SubDeviceNotFound, errors.New("the token names no joined device"))
	case !dev.Enabled:
		return nil, no("device enabled", wire.AuthorizationError, "", tenant.ErrDisabled)
	}
	body, err := readJSON(r)
	if err != nil {
		return nil, err
	}
	req, _, err := wire.ParseKeyRequest(body)
	if err != nil {
		return nil, no("message", wire.MalformedMessage, "", err)
	}
	k, err := s.dir.AddHelloKey(tenant.HelloKey{TenantID: user.TenantID, UserID: user.Resource.ID, DeviceID: dev.DeviceID,
		Name: wire.KeyID(req.Key), Blob: slices.Clone(req.Key)})
	if err != nil {
		return nil, err
	}
	s.Record(r.Context(), "entra.key.registered", journal.F("deviceId", dev.DeviceID), journal.F("upn", user.Resource.UserPrincipalName))
	return &wire.KeyResponse{KeyID: k.ID, UPN: strings.ToLower(user.Resource.UserPrincipalName)}, nil
}
