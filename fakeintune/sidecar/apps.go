package sidecar

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/delivery"
	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	wire "windtunnel.test/sim/wire/sidecar"
)

// selectedApps lists the Win32 apps that are due: to the device, or to the user
// whose token comes along. A device's token in the user's place gets nothing,
// since it names nobody.
func (s *Service) selectedApps(ctx context.Context, c authority.Client, in *wire.Session, token string) (string, error) {
	request, err := wire.DecodeAppRequest(in.RequestPayload)
	if err != nil {
		return "", no("payload", http.StatusBadRequest)
	}
	sub := delivery.Subject{Tenant: c.Tenant, Device: c.Device, Technician: s.Technician != nil && s.Technician(c.Device)}
	apps := []wire.App{}
	if request.User {
		if sub.User, err = s.user(ctx, c, token); err != nil {
			return "", err
		}
	}
	if !request.User || sub.User != nil {
		if apps, err = s.due(c.Tenant, sub, sub.Due(ctx, request.ESPPhase != wire.ESPNone)); err != nil {
			return "", err
		}
	}
	s.Tenants.Record(ctx, "ime.apps.selected", journal.F("id", c.Device.ID), journal.F("phase", int(request.ESPPhase)),
		journal.F("user", sub.User != nil), journal.F("apps", len(apps)))
	return wire.EncodeApps(apps)
}

// due is what the agent hears of: what is to come and what is to go, and after
// that the apps that these need or take the place of.
func (s *Service) due(t *tenant.Tenant, sub delivery.Subject, due delivery.Due) ([]wire.App, error) {
	apps := []wire.App{}
	add := func(app delivery.App, intent wire.Intent) error {
		if !delivery.ByAgent(app.MobileApp) {
			return nil
		}
		one, err := s.policy(t, app, sub.User != nil)
		if err != nil {
			return fmt.Errorf("fakeintune/sidecar: app %q: %w", app.DisplayName, err)
		}
		one.Intent = intent
		apps = append(apps, one)
		return nil
	}
	for _, app := range due.Apps {
		if err := add(app, wire.Required); err != nil {
			return nil, err
		}
	}
	for _, app := range due.Removals {
		if err := add(app, wire.Uninstall); err != nil {
			return nil, err
		}
	}
	for _, app := range delivery.Related(t, slices.Concat(due.Apps, due.Removals)) {
		if err := add(delivery.App{MobileApp: app}, wire.NotTargeted); err != nil {
			return nil, err
		}
	}
	return apps, nil
}

// user verifies a user's token. nil without an error: the token is a device's,
// or its user has no licence.
func (s *Service) user(ctx context.Context, c authority.Client, token string) (*tenant.DirectoryUser, error) {
	claims, err := s.Tenants.Tokens.Verify(ctx, token, enroll.Audience, s.Tenants.Now())
	switch {
	case err != nil:
		return nil, no("token", http.StatusUnauthorized)
	case !strings.EqualFold(claims.TenantID, c.Tenant.ID):
		return nil, no("token tenant", http.StatusUnauthorized)
	case claims.UPN == "":
		return nil, nil
	}
	if claims.DeviceID != "" && !strings.EqualFold(claims.DeviceID, c.Device.AzureADDeviceID) {
		return nil, no("token device", http.StatusUnauthorized)
	}
	u, ok := s.Tenants.Directory.User(ctx, c.Tenant.ID, claims.UPN)
	switch {
	case !ok || !u.Enabled:
		return nil, no("token user", http.StatusUnauthorized)
	case !u.Licensed:
		return nil, nil
	}
	return &u, nil
}

// report records what the agent says of apps.
func (s *Service) report(ctx context.Context, c authority.Client, in *wire.Session, _ string) (string, error) {
	reports, err := wire.DecodeStatus(in.RequestPayload)
	if err != nil {
		return "", no("payload", http.StatusBadRequest)
	}
	now := s.Tenants.Now()
	_, err = c.Tenant.UpdateDevice(c.Device.ID, func(m *tenant.ManagedDevice) error {
		for _, r := range reports {
			st := tenant.AppState{AppID: r.ApplicationID, State: int(r.EnforcementState), Detected: r.Detected, Error: r.ErrorCode, At: at(r.TimestampUTC, now)}
			if r.TargetType == wire.TargetUser {
				st.User = m.UserID
			}
			m.SetApp(st)
		}
		return nil
	})
	for _, r := range reports {
		s.Tenants.Record(ctx, "ime.app.reported", journal.F("id", c.Device.ID), journal.F("app", r.ApplicationID),
			journal.F("state", int(r.EnforcementState)), journal.F("code", r.ErrorCode.Hex()))
	}
	return "[]", err
}

func at(text string, otherwise time.Time) time.Time {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t
	}
	return otherwise
}
