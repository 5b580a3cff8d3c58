package tenant

import (
	"context"
	"strconv"
	"time"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
)

// Born is when the service began to exist, by which its authorities are dated.
func (s *Service) Born() time.Time {
	if !s.Since.IsZero() {
		return s.Since
	}
	return s.Now()
}

// Tenants are all customers, by id.
func (s *Service) Tenants() (all []*Tenant) {
	// Reading cannot fail: the function returns nil.
	_ = s.DB.View(func(tx *store.Tx) error {
		for _, a := range s.accounts.All(tx) {
			all = append(all, &Tenant{s: s, ID: a.ID, Domain: a.Domain})
		}
		return nil
	})
	return all
}

// Resume plans what the rows say is under way and what an earlier process had
// planned: imports, syncs, evaluations and assignments. What was due meanwhile
// happens soon. It is for rows that come from elsewhere than this process.
func (s *Service) Resume(ctx context.Context) {
	for _, t := range s.Tenants() {
		for _, d := range t.Imports() {
			if d.State.DeviceImportStatus == graph.ImportPending {
				t.processImportLater(ctx, d.ID)
			}
		}
		t.resumeSync(ctx)
		for _, r := range t.Registrations() {
			t.resumeRegistration(ctx, r)
		}
	}
}

func (t *Tenant) resumeSync(ctx context.Context) {
	a, _ := read(t.s, t.s.accounts, t.ID)
	if a.Sync.Status == SyncInProgress {
		t.finishLater(ctx)
	}
	if next := a.Sync.Next; !next.IsZero() {
		t.syncAfter(ctx, max(0, next.Sub(t.s.Now())))
		return
	}
	for _, r := range list(t.s, t.s.registrations, byTenant, t.ID) {
		if !r.Synced || r.Deleting {
			t.needSync(ctx)
			return
		}
	}
}

func (t *Tenant) resumeRegistration(ctx context.Context, r Registration) {
	if r.Deleting {
		return
	}
	if r.Status == graph.AssignmentPending {
		t.assignLater(ctx, r.ID, r.Generation)
	}
	if due := r.Recheck; !due.IsZero() {
		t.evaluateAfter(ctx, r.ID, max(0, due.Sub(t.s.Now())))
	}
	t.evaluate(ctx, r.ID)
}

func (t *Tenant) processImportLater(ctx context.Context, id string) {
	t.s.after(ctx, t.s.draw(t.s.Timing.Autopilot.ImportRow, "import", id), "autopilot.import", func(ctx context.Context) {
		t.processImport(ctx, id)
	})
}

func (t *Tenant) evaluateAfter(ctx context.Context, id string, d time.Duration) {
	t.s.after(ctx, d, "autopilot.groups", func(ctx context.Context) { t.evaluate(ctx, id) })
}

func (t *Tenant) assignLater(ctx context.Context, id string, generation int) {
	d := t.s.draw(t.s.Timing.Autopilot.AssignmentDelay, "assignment", id, strconv.Itoa(generation))
	t.s.after(ctx, d, "autopilot.assignment", func(ctx context.Context) { t.assign(ctx, id, generation) })
}

// RequestID is the GUID of the n-th request of this process to a surface.
func (s *Service) RequestID(surface string, n uint64) string {
	return s.Seed.UUID(surface+" request", s.DB.Numbered(n, s.Starts))
}
