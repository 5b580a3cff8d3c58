package compliance

import (
	"context"
	"strconv"
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
	watched map[string]time.Time // when devices are looked at again, whose grace or status runs out
}

// New makes the service.
func New(s *tenant.Service) *Service {
	return &Service{tenants: s, due: store.NewTable[due](s.DB, "intune.compliance.due"), watched: map[string]time.Time{}}
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
	case e.Complete && known && (e.Technician || len(m.UsersSent) > 0) && s.judge(ctx, e.Tenant, m).state != m.ComplianceState:
		// what is asked of it has changed meanwhile
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
	v := s.judge(ctx, t, m)
	before := m.ComplianceState
	m, err = t.UpdateDevice(m.ID, func(m *tenant.ManagedDevice) error {
		m.ComplianceState, m.Lapsed = v.state, v.why == validityPeriod
		m.Broken, m.ComplianceGracePeriodExpirationDateTime = v.broken, graph.Time{}
		if v.state == graph.ComplianceInGracePeriod {
			m.ComplianceGracePeriodExpirationDateTime = graph.At(v.until)
		}
		return nil
	})
	if err != nil {
		s.forget(d)
		return
	}
	d.State, d.AzureADDeviceID = v.state, m.AzureADDeviceID
	if s.remember(d) != nil {
		return
	}
	s.tenants.Record(ctx, "mdm.compliance.evaluated", journal.F("id", m.ID), journal.F("serial", m.SerialNumber),
		journal.F("before", string(before)), journal.F("state", string(v.state)), journal.F("why", v.why))
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
