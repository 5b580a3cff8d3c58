package compliance

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/fakeintune/mdm"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/graph"
)

// Service evaluates the devices of all customers.
type Service struct {
	tenants *tenant.Service
}

// New makes the service.
func New(s *tenant.Service) *Service { return &Service{tenants: s} }

// SessionEnded plans an evaluation if the session gave reason for one.
func (s *Service) SessionEnded(ctx context.Context, e mdm.Ended) {
	m, err := e.Tenant.Device(e.DeviceID)
	if err != nil {
		return // deleted meanwhile
	}
	known := m.ComplianceState != graph.ComplianceUnknown
	switch {
	case e.User != "" && e.Complete:
	case e.User == "" && e.Complete && m.Kind.Userless() && !known:
	case e.Changed && known && (e.Technician || len(m.UsersSent) > 0):
	default:
		return
	}
	n := strconv.FormatInt(s.tenants.Now().UnixNano(), 10)
	s.after(ctx, s.tenants.Timing.Compliance.Evaluation, "compliance.evaluation", []string{m.ID, n}, func(ctx context.Context) {
		s.evaluate(ctx, e.Tenant, m.ID, n)
	})
}

// after runs f once a drawn duration is over. It keeps a run alive: the verdict
// is part of what happens to a device.
func (s *Service) after(ctx context.Context, r timing.Range, tag string, names []string, f func(ctx context.Context)) {
	d := r.Draw(s.tenants.Seed.Stream(append([]string{tag}, names...)...))
	s.tenants.Clock.AfterFunc(vclock.Detach(ctx), d, tag, f)
}

// evaluate reaches the verdict and tells the directory a little later.
func (s *Service) evaluate(ctx context.Context, t *tenant.Tenant, id, n string) {
	m, err := t.Device(id)
	if err != nil {
		return
	}
	state, why := s.Verdict(ctx, t, m)
	before := m.ComplianceState
	m, err = t.UpdateDevice(id, func(m *tenant.ManagedDevice) error {
		m.ComplianceState = state
		return nil
	})
	if err != nil {
		return
	}
	s.tenants.Record(ctx, "mdm.compliance.evaluated", journal.F("id", m.ID), journal.F("serial", m.SerialNumber),
		journal.F("before", string(before)), journal.F("state", string(state)), journal.F("why", why))
	s.after(ctx, s.tenants.Timing.Compliance.EntraUpdate, "compliance.entra", []string{m.ID, n}, func(ctx context.Context) {
		compliant := state == graph.ComplianceCompliant || state == graph.ComplianceInGracePeriod
		if err := s.tenants.Directory.SetCompliance(ctx, t.ID, m.AzureADDeviceID, true, compliant); err != nil {
			s.tenants.Record(ctx, "mdm.compliance.lost", journal.F("id", m.ID), journal.F("error", err.Error()))
			return
		}
		s.tenants.Record(ctx, "entra.device.compliance", journal.F("deviceId", m.AzureADDeviceID), journal.F("compliant", compliant))
	})
}

// Verdict evaluates a device now, and says which rule decided. Without a policy
// a device whose settings have all been applied is compliant (learn.microsoft.com,
// "Compliance policies", devices with no compliance policy assigned).
func (s *Service) Verdict(ctx context.Context, t *tenant.Tenant, m tenant.ManagedDevice) (state graph.ComplianceState, why string) {
	a := t.Audience(ctx, m.AzureADDeviceID, m.UserID)
	for _, p := range t.Targets(a).Policies {
		if rule := broken(p.Policy, m); rule != "" {
			grace := time.Duration(p.Policy.GraceHours()) * time.Hour
			if s.tenants.Now().Before(m.EnrolledDateTime.Add(grace)) {
				return graph.ComplianceInGracePeriod, rule
			}
			return graph.ComplianceNoncompliant, rule
		}
	}
	if i := slices.IndexFunc(m.Settings, func(st tenant.SettingState) bool { return st.User == "" && (st.Status < 200 || st.Status > 299) }); i >= 0 {
		return graph.ComplianceNoncompliant, m.Settings[i].URI
	}
	return graph.ComplianceCompliant, ""
}

// broken names the first rule of a policy that a device does not meet.
func broken(p graph.CompliancePolicy, m tenant.ManagedDevice) string {
	switch {
	case p.OSMinimumVersion != "" && older(m.OSVersion, p.OSMinimumVersion):
		return "osMinimumVersion"
	case p.OSMaximumVersion != "" && older(p.OSMaximumVersion, m.OSVersion):
		return "osMaximumVersion"
	case p.TPMRequired && !m.Attested:
		return "tpmRequired"
	case p.AsksHealth():
		return unhealthy(p, m.DeviceHealthAttestationState)
	}
	return ""
}

// unhealthy names the first rule about a device's start that it does not meet.
// What nobody has attested is not met.
func unhealthy(p graph.CompliancePolicy, h *graph.DeviceHealthAttestationState) string {
	on := func(state func(h *graph.DeviceHealthAttestationState) string) bool {
		return h.Attested() && state(h) == graph.HealthEnabled
	}
	switch {
	case p.RequireHealthyDeviceReport && !h.Attested():
		return "requireHealthyDeviceReport"
	case p.BitLockerEnabled && !on(func(h *graph.DeviceHealthAttestationState) string { return h.BitLocker }):
		return "bitLockerEnabled"
	case p.SecureBootEnabled && !on(func(h *graph.DeviceHealthAttestationState) string { return h.SecureBoot }):
		return "secureBootEnabled"
	case p.CodeIntegrityEnabled && !on(func(h *graph.DeviceHealthAttestationState) string { return h.CodeIntegrity }):
		return "codeIntegrityEnabled"
	case p.EarlyLaunchAntiMalwareDriverEnabled && !on(func(h *graph.DeviceHealthAttestationState) string { return h.EarlyLaunch }):
		return "earlyLaunchAntiMalwareDriverEnabled"
	}
	return ""
}

// older compares versions as far as both go.
func older(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		m, _ := strconv.Atoi(x[i])
		n, _ := strconv.Atoi(y[i])
		if m != n {
			return m < n
		}
	}
	return false
}
