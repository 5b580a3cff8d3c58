package sidecar

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/delivery"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/graph"
	wire "windtunnel.test/sim/wire/sidecar"
)

// scripts lists the PowerShell scripts that reach the device and its primary
// user or, where a user's token comes along, that user.
func (s *Service) scripts(ctx context.Context, c authority.Client, _ *wire.Session, token string) (string, error) {
	user := c.Device.UserID
	if token != "" {
		u, err := s.user(ctx, c, token)
		if err != nil {
			return "", err
		}
		if u != nil {
			user = u.ID
		}
	}
	var out []wire.Script
	for _, t := range c.Tenant.Targets(c.Tenant.Audience(ctx, c.Device.AzureADDeviceID, user)).Scripts {
		out = append(out, script(c.Tenant, t.Script))
	}
	s.Tenants.Record(ctx, "ime.scripts.selected", journal.F("id", c.Device.ID), journal.F("scripts", len(out)))
	return wire.EncodeScripts(out)
}

func script(t *tenant.Tenant, in graph.DeviceManagementScript) wire.Script {
	sum := sha256.Sum256(in.ScriptContent)
	out := wire.Script{
		AccountID: t.ID, PolicyID: in.ID, PolicyType: 1, SchemaVersion: "1.0", PolicyHash: base64.StdEncoding.EncodeToString(sum[:]),
		PolicyBody: string(in.ScriptContent), InternalVersion: 1, EnforceSignatureCheck: number(in.EnforceSignatureCheck), RunningMode: number(in.RunAs32Bit),
	}
	if in.RunAsAccount == graph.RunAsUser {
		out.ExecutionContext = 1
	}
	return out
}

// scriptReport records what the agent says of scripts.
func (s *Service) scriptReport(ctx context.Context, c authority.Client, in *wire.Session, _ string) (string, error) {
	reports, err := wire.DecodeScriptStatus(in.RequestPayload)
	if err != nil {
		return "", no("payload", http.StatusBadRequest)
	}
	now := s.Tenants.Now()
	_, err = c.Tenant.UpdateDevice(c.Device.ID, func(m *tenant.ManagedDevice) error {
		for _, r := range reports {
			st := tenant.ScriptState{ScriptID: r.PolicyID, State: string(r.State), ExitCode: r.ExitCode, Error: r.ErrorCode, Output: r.Output, At: at(r.TimestampUTC, now)}
			if r.User {
				st.User = m.UserID
			}
			m.SetScript(st)
		}
		return nil
	})
	for _, r := range reports {
		s.Tenants.Record(ctx, "ime.script.reported", journal.F("id", c.Device.ID), journal.F("script", r.PolicyID), journal.F("state", string(r.State)))
	}
	return "[]", err
}

// remediations are never assigned: no tenant of ours has any.
func (s *Service) remediations(context.Context, authority.Client, *wire.Session, string) (string, error) {
	return wire.EncodeScripts(nil)
}

// availableApps lists what the user whose token comes along may choose to
// install; without one, what the device's primary user may.
func (s *Service) availableApps(ctx context.Context, c authority.Client, _ *wire.Session, token string) (string, error) {
	targets, err := s.choices(ctx, c, token)
	if err != nil {
		return "", err
	}
	apps := []wire.App{}
	for _, t := range targets {
		if t.Intent != graph.IntentAvailable {
			continue
		}
		app, err := s.choice(c.Tenant, t, wire.Available)
		if err != nil {
			return "", err
		}
		apps = append(apps, app)
	}
	s.Tenants.Record(ctx, "ime.apps.available", journal.F("id", c.Device.ID), journal.F("apps", len(apps)))
	return wire.EncodeApps(apps)
}

// requestApp gives an app that the user chose, to be installed now.
func (s *Service) requestApp(ctx context.Context, c authority.Client, in *wire.Session, token string) (string, error) {
	request, err := wire.DecodeApplicationRequest(in.RequestPayload)
	if err != nil {
		return "", no("payload", http.StatusBadRequest)
	}
	targets, err := s.choices(ctx, c, token)
	if err != nil {
		return "", err
	}
	for _, t := range targets {
		if !strings.EqualFold(t.App.ID, request.ApplicationID) || t.Intent == graph.IntentUninstall {
			continue
		}
		app, err := s.choice(c.Tenant, t, wire.Required)
		if err != nil {
			return "", err
		}
		s.Tenants.Record(ctx, "ime.app.requested", journal.F("id", c.Device.ID), journal.F("app", t.App.ID))
		return wire.EncodeApps([]wire.App{app})
	}
	return "", no("app", http.StatusNotFound)
}

// choices are the apps of the agent's kinds that reach a user.
func (s *Service) choices(ctx context.Context, c authority.Client, token string) ([]tenant.AppTarget, error) {
	user := c.Device.UserID
	if token != "" {
		u, err := s.user(ctx, c, token)
		if err != nil || u == nil {
			return nil, err
		}
		user = u.ID
	}
	var out []tenant.AppTarget
	for _, t := range c.Tenant.Targets(c.Tenant.Audience(ctx, c.Device.AzureADDeviceID, user)).Apps {
		if delivery.ByAgent(t.App) {
			out = append(out, t)
		}
	}
	return out, nil
}

func (s *Service) choice(of *tenant.Tenant, t tenant.AppTarget, intent wire.Intent) (wire.App, error) {
	app, err := s.policy(of, delivery.App{MobileApp: t.App, Via: t.Via}, t.Via.Has(tenant.ViaUser))
	app.Intent = intent
	return app, err
}
