package compliance

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/graph"
)

// verdict is what an evaluation comes to.
type verdict struct {
	state  graph.ComplianceState
	why    string               // the rule that decided; "" for none
	broken map[string]time.Time // policies that are not met, and since when
	until  time.Time            // of the grace; zero where there is none
}

// Verdict evaluates a device now, and says which rule decided. Without a policy
// a device whose settings have all been applied is compliant (learn.microsoft.com,
// "Compliance policies", devices with no compliance policy assigned).
func (s *Service) Verdict(ctx context.Context, t *tenant.Tenant, m tenant.ManagedDevice) (state graph.ComplianceState, why string) {
	v := s.judge(ctx, t, m)
	return v.state, v.why
}

// judge is Verdict with its times. A device that has no user is asked for what
// policies for devices want alone. The grace of a policy counts from when it was
// first seen not to be met, and a policy whose grace is over outweighs those in
// theirs (learn.microsoft.com, "Configure actions for noncompliant devices": mark
// device noncompliant, schedule).
func (s *Service) judge(ctx context.Context, t *tenant.Tenant, m tenant.ManagedDevice) verdict {
	if s.old(m.LastSyncDateTime) {
		return verdict{state: graph.ComplianceNoncompliant, why: validityPeriod, broken: maps.Clone(m.Broken)}
	}
	if h := m.DeviceHealthAttestationState; h != nil && s.old(h.LastUpdateDateTime) {
		m.DeviceHealthAttestationState = nil
	}
	user := m.UserID
	if m.Kind.Userless() && len(m.UsersSent) == 0 {
		user = "" // the one it is assigned to has not been there
	}
	v, now := verdict{state: graph.ComplianceCompliant}, s.tenants.Now()
	for _, p := range t.Targets(t.Audience(ctx, m.AzureADDeviceID, user)).Policies {
		rule := broken(p.Policy, m)
		if rule == "" {
			continue
		}
		since, known := m.Broken[p.Policy.ID]
		if !known {
			since = now.Truncate(time.Second) // Graph has whole seconds
		}
		if v.broken == nil {
			v.broken = map[string]time.Time{}
		}
		v.broken[p.Policy.ID] = since
		switch end := since.Add(time.Duration(p.Policy.GraceHours()) * time.Hour); {
		case v.state == graph.ComplianceNoncompliant:
		case !now.Before(end):
			v.state, v.why = graph.ComplianceNoncompliant, rule
		case v.until.IsZero() || end.Before(v.until):
			v.state, v.why, v.until = graph.ComplianceInGracePeriod, rule, end
		}
	}
	if v.state != graph.ComplianceCompliant {
		return v
	}
	if i := slices.IndexFunc(m.Settings, func(st tenant.SettingState) bool {
		return st.User == "" && !st.Conflict && (st.Status < 200 || st.Status > 299)
	}); i >= 0 {
		v.state, v.why = graph.ComplianceNoncompliant, m.Settings[i].URI
	}
	return v
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
