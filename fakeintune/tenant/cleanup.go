package tenant

import (
	"fmt"
	"time"

	"windtunnel.test/sim/wire/graph"
)

const day = 24 * time.Hour

// CleanupRules are the rules that take PCs out of sight that do not call.
func (t *Tenant) CleanupRules() Collection[graph.CleanupRule] {
	return Collection[graph.CleanupRule]{t, t.s.cleanupRules}
}

func cleanupMeta(r *graph.CleanupRule) meta {
	return meta{&r.ID, &r.DisplayName, &r.LastModifiedDateTime, &r.LastModifiedDateTime, nil, func(t *Tenant, _ int) error {
		switch r.Platform {
		case "":
			r.Platform = graph.CleanupAll
		case graph.CleanupAll, graph.CleanupWindows, graph.CleanupIOS, graph.CleanupMacOS:
		default:
			return fmt.Errorf("deviceCleanupRulePlatformType %q is unknown", r.Platform)
		}
		limits := t.s.Timing.Intune.StaleDevice
		if after := time.Duration(r.DaysInactive) * day; after < limits.Min || after > limits.Max {
			return fmt.Errorf("deviceInactivityBeforeRetirementInDays must be from %d to %d", limits.Min/day, limits.Max/day)
		}
		return nil
	}}
}

// InSight tells which managed devices the portal shows: all but those that no rule
// has waited longer for; nil is all. A PC that calls again is shown again: its
// record was never gone.
func (t *Tenant) InSight() func(*ManagedDevice) bool {
	patience := time.Duration(0)
	for r := range t.CleanupRules().All() {
		if after := time.Duration(r.DaysInactive) * day; (r.Platform == graph.CleanupAll || r.Platform == graph.CleanupWindows) && (patience == 0 || after < patience) {
			patience = after
		}
	}
	if patience == 0 {
		return nil
	}
	since := t.s.Now().Add(-patience)
	return func(m *ManagedDevice) bool { return !m.LastSyncDateTime.Before(since) }
}
