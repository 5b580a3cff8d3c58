package tenant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
)

// Values of windowsAutopilotSettings.syncStatus.
const (
	SyncUnknown    = "unknown"
	SyncInProgress = "inProgress"
	SyncCompleted  = "completed"
	SyncFailed     = "failed"
)

// SyncState is where the sync between Intune and the deployment service stands.
type SyncState struct {
	Status     string
	Last       time.Time // end of the last one
	LastManual time.Time // last one that an administrator asked for
	Next       time.Time // of the service's own; zero while there is nothing to do
}

// ErrSyncRunning refuses a sync beside another.
var ErrSyncRunning = errors.New("a sync is in progress")

// ThrottledError refuses what was asked for too soon.
type ThrottledError struct{ RetryAfter time.Duration }

// Error names the wait.
func (e *ThrottledError) Error() string {
	return fmt.Sprintf("too many requests, try again in %s", e.RetryAfter)
}

// Settings is windowsAutopilotSettings.
func (t *Tenant) Settings() graph.AutopilotSettings {
	a, _ := read(t.s, t.s.accounts, t.ID)
	return graph.AutopilotSettings{ID: t.ID, LastSyncDateTime: graph.At(a.Sync.Last),
		LastManualSyncTriggerDateTime: graph.At(a.Sync.LastManual), SyncStatus: a.Sync.Status}
}

// Sync starts a sync on an administrator's word. ErrSyncRunning, or a
// *ThrottledError when the last such word is too young.
func (t *Tenant) Sync(ctx context.Context) error {
	now, gap := t.s.Now(), t.s.Timing.Autopilot.ManualSyncGap
	err := t.changeSync(func(s *SyncState) error {
		if s.Status == SyncInProgress {
			return ErrSyncRunning
		}
		if until := s.LastManual.Add(gap); !s.LastManual.IsZero() && now.Before(until) {
			return &ThrottledError{until.Sub(now)}
		}
		s.Status, s.LastManual = SyncInProgress, now
		return nil
	})
	if err != nil {
		return err
	}
	t.s.Record(ctx, "autopilot.sync.started", journal.F("manual", true))
	t.finishLater(ctx)
	return nil
}

// needSync sees to it that the service's own sync happens, at its next time.
func (t *Tenant) needSync(ctx context.Context) {
	now := t.s.Now()
	var wait time.Duration
	err := t.s.DB.Update(func(tx *store.Tx) error {
		a, ok := t.s.accounts.Get(tx, t.ID)
		if !ok {
			return ErrNotFound
		}
		if a.Sync.Next.After(now) {
			return ErrSyncRunning
		}
		every := t.s.Timing.Autopilot.SyncInterval
		wait = every - now.Sub(a.Since)%every
		a.Sync.Next = now.Add(wait)
		t.s.accounts.Put(tx, t.ID, a)
		return nil
	})
	if err != nil {
		return // one is planned already
	}
	t.syncAfter(ctx, wait)
}

func (t *Tenant) syncAfter(ctx context.Context, wait time.Duration) {
	t.s.after(ctx, wait, "autopilot.sync", func(ctx context.Context) {
		err := t.changeSync(func(s *SyncState) error {
			s.Next = time.Time{}
			if s.Status == SyncInProgress {
				return ErrSyncRunning
			}
			s.Status = SyncInProgress
			return nil
		})
		if err == nil {
			t.finishLater(ctx)
		}
	})
}

func (t *Tenant) changeSync(f func(*SyncState) error) error {
	return t.s.DB.Update(func(tx *store.Tx) error {
		a, ok := t.s.accounts.Get(tx, t.ID)
		if !ok {
			return fmt.Errorf("intune tenant %q: %w", t.ID, ErrNotFound)
		}
		if err := f(&a.Sync); err != nil {
			return err
		}
		t.s.accounts.Put(tx, t.ID, a)
		return nil
	})
}

func (t *Tenant) finishLater(ctx context.Context) {
	d := t.s.draw(t.s.Timing.Autopilot.SyncDuration, "sync", t.ID, t.s.Now().UTC().Format(time.RFC3339Nano))
	t.s.after(ctx, d, "autopilot.sync.end", t.finishSync)
}

// finishSync brings Intune and the deployment service together: new
// registrations get a device object and become visible, deleted ones go, and
// those whose device object went lose what its groups gave them.
func (t *Tenant) finishSync(ctx context.Context) {
	var added, deleted int
	var failed error
	for _, r := range list(t.s, t.s.registrations, byTenant, t.ID) {
		var err error
		switch {
		case r.Deleting:
			var gone bool
			if gone, err = t.remove(ctx, r); gone {
				deleted++
			}
		case !r.Synced:
			if err = t.link(ctx, r); err == nil {
				added++
			}
		case r.Explicit && t.unanchored(ctx, r):
			t.evaluate(ctx, r.ID)
		}
		if err != nil && failed == nil {
			failed = err
		}
	}
	status := SyncCompleted
	if failed != nil {
		status = SyncFailed
	}
	now := t.s.Now()
	// The tenant exists, or there would be no registrations.
	_ = t.changeSync(func(s *SyncState) error {
		s.Status, s.Last = status, now
		return nil
	})
	fields := []journal.Field{journal.F("status", status), journal.F("added", added), journal.F("deleted", deleted)}
	if failed != nil {
		fields = append(fields, journal.F("error", failed.Error()))
		t.needSync(ctx)
	}
	t.s.Record(ctx, "autopilot.sync.ended", fields...)
}

// unanchored tells that somebody deleted the device object of a registration: it
// is in no group any more, and what was assigned through one is lost
// (learn.microsoft.com/autopilot/registration-overview: it anchors groups and profile).
func (t *Tenant) unanchored(ctx context.Context, r Registration) bool {
	_, there := t.s.Directory.Device(ctx, t.ID, r.EntraDeviceID)
	return !there
}

func (t *Tenant) link(ctx context.Context, r Registration) error {
	deviceID, err := t.s.Directory.EnsureAutopilotDevice(ctx, t.ID, r.directoryDevice())
	if err != nil {
		return fmt.Errorf("device object of %s: %w", r.Serial, err)
	}
	if _, err := t.change(r.ID, func(r *Registration) error {
		r.Synced, r.EntraDeviceID = true, deviceID
		return nil
	}); err != nil {
		return err
	}
	t.evaluate(ctx, r.ID)
	return nil
}

// remove takes a registration out. One whose device was enrolled after somebody
// asked for its deletion stays, as if he had asked now: managed devices go first.
func (t *Tenant) remove(ctx context.Context, r Registration) (gone bool, err error) {
	if r, err = t.change(r.ID, stay); err != nil || !r.Deleting {
		if err == nil {
			t.s.Refused(ctx, "graph", "autopilot.sync", "managed device", ErrEnrolled.Error())
		}
		return false, err
	}
	if r.EntraDeviceID != "" {
		if err := t.s.Directory.DeleteAutopilotDevice(ctx, t.ID, r.EntraDeviceID); err != nil {
			return false, fmt.Errorf("device object of %s: %w", r.Serial, err)
		}
	}
	return true, t.s.DB.Update(func(tx *store.Tx) error {
		t.s.registrations.Delete(tx, t.key(r.ID))
		return nil
	})
}

// stay keeps a registration whose device is managed.
func stay(r *Registration) error {
	r.Deleting = r.Deleting && r.ManagedDeviceID == ""
	return nil
}
