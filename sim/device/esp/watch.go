package esp

import (
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
)

// watch measures how long a category has been up, for the page's time limit. It
// counts what the processor counts: time for which the PC was off is not in it,
// restarts do not set it back, and whoever puts the clock right changes nothing
// (learn.microsoft.com, Autopilot "Resolved issues", KB4541335; before that
// update it was the PC's clock, esp.timeoutByTicks off). Where it stands is kept
// in the registry, our model.
type watch struct {
	w      *device.Windows
	name   string // of the registry value
	last   time.Time
	spent  time.Duration
	listed time.Duration // of it, spent on nothing but a provider's list of apps; not in spent
	list   bool          // so it has been since last
}

const watchLayout = time.RFC3339Nano

// startWatch goes on from where the category's watch stood; anew sets it back.
func startWatch(w *device.Windows, category string, anew bool) *watch {
	t := &watch{w: w, name: category + "Elapsed"}
	t.last = t.now()
	r := w.Registry()
	if anew {
		t.stop()
	} else {
		t.spent, _ = time.ParseDuration(r.String(device.KeyTracking, t.name))
		t.listed, _ = time.ParseDuration(r.String(device.KeyTracking, t.name+"List"))
		if at, err := time.Parse(watchLayout, r.String(device.KeyTracking, t.name+"Clock")); err == nil && !byTicks(w) {
			t.last = at // the time that the PC was off counts as well
		}
	}
	t.look(false)
	return t
}

// byTicks tells what the page's time is counted in.
func byTicks(w *device.Windows) bool {
	return w.Timing.ESP.TimeoutByTicks && !w.Has(defects.TimesByClock)
}

func (t *watch) now() time.Time {
	if byTicks(t.w) {
		return t.w.Clock.Now()
	}
	return t.w.Now()
}

// look brings the watch up to date. list says that from now on nothing but a
// provider's list of apps is missing.
func (t *watch) look(list bool) {
	now := t.now()
	if t.list {
		t.listed += now.Sub(t.last)
	} else {
		t.spent += now.Sub(t.last)
	}
	t.last, t.list = now, list
	r := t.w.Registry()
	r.SetString(device.KeyTracking, t.name, t.spent.String())
	if t.listed != 0 {
		r.SetString(device.KeyTracking, t.name+"List", t.listed.String())
	}
	if !byTicks(t.w) {
		r.SetString(device.KeyTracking, t.name+"Clock", now.Format(watchLayout))
	}
}

// left is what remains of a limit; bounded is false where nothing ends the
// wait. The page's own limit does not end the wait for a provider's list: that
// one has none (EnrollmentStatusTracking CSP, TrackingPoliciesCreated, where
// only the provider's installation has a Timeout), unless the timing profile
// gives it one.
func (t *watch) left(limit time.Duration) (d time.Duration, bounded bool) {
	if !t.list {
		return limit - t.spent, true
	}
	wait := t.w.Timing.ESP.TrackingPoliciesWait
	return wait - t.listed, wait > 0
}

// rest leaves out the time since the last look: something else had the user wait.
func (t *watch) rest() { t.last = t.now() }

// stop forgets what was measured: the category is over.
func (t *watch) stop() {
	for _, v := range []string{t.name, t.name + "List", t.name + "Clock"} {
		t.w.Registry().Delete(device.KeyTracking, v)
	}
}
