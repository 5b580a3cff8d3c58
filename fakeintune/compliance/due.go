package compliance

import (
	"context"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
)

// due is an evaluation that is planned, and once there is a State, that the
// directory is to be told of it.
type due struct {
	TenantID, DeviceID string
	N                  string // tells it from the device's other ones
	AzureADDeviceID    string // once there is a state
	State              graph.ComplianceState
}

func (d due) key() string { return d.TenantID + "/" + d.DeviceID + "/" + d.N }

// plan lets the next step happen when its time has come.
func (s *Service) plan(ctx context.Context, t *tenant.Tenant, d due) {
	pace, names := s.tenants.Timing.Compliance, []string{d.DeviceID, d.N}
	if d.State == "" {
		s.after(ctx, pace.Evaluation, "compliance.evaluation", names, func(ctx context.Context) { s.evaluate(ctx, t, d) })
		return
	}
	s.after(ctx, pace.EntraUpdate, "compliance.entra", names, func(ctx context.Context) { s.tell(ctx, t, d) })
}

// Resume plans what an earlier process had planned. It is for rows that come
// from elsewhere than this process.
func (s *Service) Resume(ctx context.Context) {
	var all []due
	// Reading cannot fail: the function returns nil.
	_ = s.tenants.DB.View(func(tx *store.Tx) error {
		for _, d := range s.due.All(tx) {
			all = append(all, d)
		}
		return nil
	})
	for _, d := range all {
		if t, err := s.tenants.Tenant(d.TenantID); err == nil {
			s.plan(ctx, t, d)
		}
	}
	s.watchAll(ctx)
}

func (s *Service) remember(d due) error {
	return s.tenants.DB.Update(func(tx *store.Tx) error {
		s.due.Put(tx, d.key(), d)
		return nil
	})
}

func (s *Service) forget(d due) {
	// Where this fails, the next process does it again, to the same end.
	_ = s.tenants.DB.Update(func(tx *store.Tx) error {
		s.due.Delete(tx, d.key())
		return nil
	})
}
