package compliance

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"windtunnel.test/fakeintune/mdm"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/graph"
)

// Service evaluates the devices of all customers.
type Service struct {
	tenants *tenant.Service
	due     *store.Table[due]

	mu      sync.Mutex
	watched map[string]bool // devices whose status is going to run out
}

// New makes the service.
func New(s *tenant.Service) *Service {
	return &Service{tenants: s, due: store.NewTable[due](s.DB, "intune.compliance.due"), watched: map[string]bool{}}
}

// SessionEnded plans an evaluation if the session gave reason for one.
func (s *Service) SessionEnded(ctx context.Context, e mdm.Ended) {
	m, err := e.Tenant.Device(e.DeviceID)
	if err != nil {
		return // deleted meanwhile
	}
	s.watch(ctx, e.Tenant, m.ID)
	known := m.ComplianceState != graph.ComplianceUnknown
	switch {
	case m.Lapsed: // it is back
	case e.User != "" && e.Complete:
	case e.User == "" && e.Complete && m.Kind.Userless() && !known:
	case e.Changed && known && (e.Technician || len(m.UsersSent) > 0):
	default:
		return
	}
	d := due{TenantID: e.Tenant.ID, DeviceID: m.ID, N: strconv.FormatInt(s.tenants.Now().UnixNano(), 10)}
	if s.remember(d) == nil {
		s.plan(ctx, e.Tenant, d)
	}
}

// after runs f once a drawn duration is over. It keeps a run alive: the verdict
// is part of what happens to a device.
func (s *Service) after(ctx context.Context, r timing.Range, tag string, names []string, f func(ctx context.Context)) {
	d := r.Draw(s.tenants.Seed.Stream(append([]string{tag}, names...)...))
	s.tenants.Clock.AfterFunc(vclock.Detach(ctx), d, tag, f)
}

// evaluate reaches the verdict and tells the directory a little later.
func (s *Service) evaluate(ctx context.Context, t *tenant.Tenant, d due) {
	m, err := t.Device(d.DeviceID)
	if err != nil {
		s.forget(d)
		return
	}
	state, why := s.Verdict(ctx, t, m)
	before := m.ComplianceState
	m, err = t.UpdateDevice(m.ID, func(m *tenant.ManagedDevice) error {
		m.ComplianceState, m.Lapsed = state, why == validityPeriod
		return nil
	})
	if err != nil {
		s.forget(d)
		return
	}
	d.State, d.AzureADDeviceID = state, m.AzureADDeviceID
	if s.remember(d) != nil {
		return
	}
	s.tenants.Record(ctx, "mdm.compliance.evaluated", journal.F("id", m.ID), journal.F("serial", m.SerialNumber),
		journal.F("before", string(before)), journal.F("state", string(state)), journal.F("why", why))
	s.plan(ctx, t, d)
	s.watch(ctx, t, m.ID)
}

// tell lets the directory know.
func (s *Service) tell(ctx context.Context, t *tenant.Tenant, d due) {
	defer s.forget(d)
	if _, err := t.Device(d.DeviceID); err != nil {
		return // deleted since, of which the directory knows
	}
	compliant := d.State == graph.ComplianceCompliant || d.State == graph.ComplianceInGracePeriod
	if err := s.tenants.Directory.SetCompliance(ctx, t.ID, d.AzureADDeviceID, true, compliant); err != nil {
		s.tenants.Record(ctx, "mdm.compliance.lost", journal.F("id", d.DeviceID), journal.F("error", err.Error()))
		return
	}
	s.tenants.Record(ctx, "entra.device.compliance", journal.F("deviceId", d.AzureADDeviceID), journal.F("compliant", compliant))
}

// Verdict evaluates a device now, and says which rule decided. Without a policy
// a device whose settings have all been applied is compliant (learn.microsoft.com,
// "Compliance policies", devices with no compliance policy assigned).
func (s *Service) Verdict(ctx context.Context, t *tenant.Tenant, m tenant.ManagedDevice) (state graph.ComplianceState, why string) {
	if s.old(m.LastSyncDateTime) {
		return graph.ComplianceNoncompliant, validityPeriod
	}
	if h := m.DeviceHealthAttestationState; h != nil && s.old(h.LastUpdateDateTime) {
		m.DeviceHealthAttestationState = nil
	}
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
	if i := slices.IndexFunc(m.Settings, func(st tenant.SettingState) bool {
		return st.User == "" && !st.Conflict && (st.Status < 200 || st.Status > 299)
	}); i >= 0 {
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
