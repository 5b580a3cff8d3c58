package esp

import (
	"context"
	"errors"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/vclock"
)

// States of a policy provider (EnrollmentStatusTracking CSP).
const (
	providerNotRequired = 2
	providerCompleted   = 3
	providerError       = 4
)

const providersKey = device.KeyTracking + `\Device\DevicePreparation\PolicyProviders`

// providers lists the policy providers that have registered with the page.
func providers(w *device.Windows) []string {
	var out []string
	for _, p := range w.Registry().Subkeys(providersKey) {
		if w.Registry().HasValue(providersKey+`\`+p, "InstallationState") {
			out = append(out, p)
		}
	}
	return out
}

// listsApps tells whether a provider has apps that the page waits for. One that
// does not say so has.
func listsApps(w *device.Windows, provider string) bool {
	v, ok := w.Registry().DWORD(providersKey+`\`+provider+`\TrackedResourceTypes`, "Apps")
	return !ok || v != 0
}

var errProviderWait = errors.New("the policy provider did not report in time")

// waitForProviders runs management sessions until every policy provider has
// said that it is there, or is not needed. Each has a time limit of its own; the
// silent step beside it is about the sessions.
func (p *page) waitForProviders(w *device.Windows) error {
	t := startWatch(w, p.category, !p.resumed)
	next := w.Clock.Now()
	for {
		seen := w.Signal(SignalProgress).Count()
		t.look(false)
		left, missing, err := p.missing(w, t.spent)
		if err != nil || !missing {
			t.stop()
			if p.state(StepSync) != succeeded {
				p.set(StepSync, notRequired, "No setup needed")
			}
			return err
		}
		if wait := min(next.Sub(w.Clock.Now()), left); wait > 0 {
			if err := pause(w, wait, seen); err != nil {
				return err
			}
			continue
		}
		if err := p.session(w, left); err != nil {
			return err
		}
		next = w.Clock.Now().Add(w.Timing.ESP.SessionInterval)
	}
}

// missing looks at the providers: whether any has still to report, and how long
// the page may wait for it.
func (p *page) missing(w *device.Windows, spent time.Duration) (left time.Duration, missing bool, err error) {
	r, known := w.Registry(), providers(w)
	if len(known) == 0 {
		if readSettings(w, "").sent {
			return 0, false, nil // there are none to wait for
		}
		known = []string{""} // none has registered yet
	}
	for _, name := range known {
		key, limit := providersKey+`\`+name, w.Timing.ESP.ProviderTimeout
		switch state, _ := r.DWORD(key, "InstallationState"); state {
		case providerNotRequired:
			if !w.Has(defects.WaitsForNobody) {
				continue
			}
		case providerCompleted:
			continue
		case providerError:
			code, _ := r.DWORD(key, "LastError")
			if code == 0 {
				code = uint32(hresult.Fail)
			}
			return 0, false, &hresult.Error{Op: "policy provider " + name, Code: hresult.Code(code)}
		}
		if v, ok := r.DWORD(key, "Timeout"); ok && v != 0 {
			limit = time.Duration(v) * time.Minute
		}
		if limit <= spent {
			return 0, false, &hresult.Error{Op: "wait for policy provider " + name, Code: hresult.WaitTimeout, Err: errProviderWait}
		}
		if !missing || limit-spent < left {
			left, missing = limit-spent, true
		}
	}
	return left, missing, nil
}

// session runs a management session of the device that lasts no longer than
// d. One that failed is tried again, like any other.
func (p *page) session(w *device.Windows, d time.Duration) error {
	ctx, cancel := w.Clock.WithTimeout(w.Ctx, d, errProviderWait)
	defer cancel()
	if p.state(StepSync) == notStarted {
		p.set(StepSync, inProgress, "Working on it...")
	}
	err := mdm.Sync(w.Under(ctx), deviceSession())
	switch {
	case context.Cause(w.Ctx) != nil:
		return context.Cause(w.Ctx)
	case errors.Is(err, vclock.ErrStopped):
		return err
	case err == nil:
		p.set(StepSync, succeeded, "Complete")
	}
	return nil
}
