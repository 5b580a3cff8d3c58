package compliance

import (
	"context"
	"strconv"
	"time"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/graph"
)

// validityPeriod names the reason of a verdict: the device has not reported
// for so long that what was known of it does not count any more.
const validityPeriod = "compliance status validity period"

// watch looks at a device again when its grace is over, or its compliance status
// runs out: a device that fails to report for a policy before the validity period
// expires is treated as noncompliant (learn.microsoft.com, "Get started with
// device compliance", compliance status validity period). It keeps no run alive.
func (s *Service) watch(ctx context.Context, t *tenant.Tenant, id string) {
	m, err := t.Device(id)
	if err != nil || m.ComplianceState == graph.ComplianceUnknown || m.Lapsed {
		return
	}
	at := s.runsOut(m)
	s.mu.Lock()
	planned, watched := s.watched[id]
	later := watched && !at.Before(planned)
	if !later {
		s.watched[id] = at
	}
	s.mu.Unlock()
	if later {
		return // that look sees to it
	}
	wait := max(0, at.Sub(s.tenants.Now()))
	s.tenants.Clock.AfterFunc(vclock.Daemon(vclock.Detach(ctx)), wait, "compliance.validity", func(ctx context.Context) { s.ranOut(ctx, t, id, at) })
}

// ranOut evaluates a device whose grace is over or that has been silent, and
// waits on for one that has not.
func (s *Service) ranOut(ctx context.Context, t *tenant.Tenant, id string, at time.Time) {
	s.mu.Lock()
	mine := s.watched[id].Equal(at)
	if mine {
		delete(s.watched, id)
	}
	s.mu.Unlock()
	if !mine {
		return // an earlier look took its place
	}
	m, err := t.Device(id)
	if err != nil {
		return
	}
	now := s.tenants.Now()
	if now.Before(s.runsOut(m)) {
		s.watch(ctx, t, id)
		return
	}
	d := due{TenantID: t.ID, DeviceID: id, N: strconv.FormatInt(now.UnixNano(), 10)}
	if s.remember(d) == nil {
		s.evaluate(ctx, t, d)
	}
}

// runsOut is when a device's status ends by itself: with its grace, or counted
// from its last session and, while it is compliant by an attestation report, from
// that.
func (s *Service) runsOut(m tenant.ManagedDevice) time.Time {
	at := m.LastSyncDateTime.Time
	if h := m.DeviceHealthAttestationState; h.Attested() && !h.LastUpdateDateTime.IsZero() && m.ComplianceState != graph.ComplianceNoncompliant && h.LastUpdateDateTime.Before(at) {
		at = h.LastUpdateDateTime.Time
	}
	at = at.Add(s.tenants.Timing.Compliance.Validity)
	if end := m.ComplianceGracePeriodExpirationDateTime; m.ComplianceState == graph.ComplianceInGracePeriod && !end.IsZero() && end.Before(at) {
		at = end.Time
	}
	return at
}

// old tells whether something that was reported at a time does not count any
// more.
func (s *Service) old(at graph.Time) bool {
	return !at.IsZero() && !s.tenants.Now().Before(at.Add(s.tenants.Timing.Compliance.Validity))
}

// watchAll is watch for every device.
func (s *Service) watchAll(ctx context.Context) {
	for _, t := range s.tenants.Tenants() {
		for _, m := range t.Devices() {
			s.watch(ctx, t, m.ID)
		}
	}
}
