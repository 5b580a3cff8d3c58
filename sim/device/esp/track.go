package esp

import (
	"errors"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/csp"
)

var (
	errPageTimeout  = errors.New("installing took longer than the enrollment status page allows")
	errServerFailed = errors.New("the server says that provisioning has failed")
	errSessionOver  = errors.New("the page's time was over during a session")
)

// track watches the four trackers until all are through or one has failed, and
// keeps management sessions going meanwhile. An app that wants Windows to
// restart before anything else goes on gets that at once.
func (c category) track(p *page, t *watch) error {
	w := p.w
	next := w.Clock.Now()
	for {
		seen := w.Signal(SignalProgress).Count()
		set := readSettings(w, c.sid)
		if set.syncDone && c.sid != "" { // over the page's head (DMClient CSP, IsSyncDone)
			if set.outcome == provisioningFailed {
				return &hresult.Error{Op: c.name, Phase: c.name, Code: hresult.Fail, Err: errServerFailed}
			}
			return nil
		}
		done, listing, err := c.look(p, set)
		if err != nil {
			return err
		}
		if app := wantsRestart(w, c.sid); app != "" {
			return restartNow(w, "app "+app)
		}
		if done {
			return nil
		}
		t.look(listing)
		left, bounded := t.left(set.timeout)
		if bounded && left <= 0 {
			return p.timedOut()
		}
		wait := next.Sub(w.Clock.Now())
		if wait <= 0 {
			err := c.syncWithin(w, left, bounded)
			if over := gone(w, err); over != nil {
				return over
			}
			next = w.Clock.Now().Add(w.Timing.ESP.SessionInterval)
			continue
		}
		if bounded {
			wait = min(wait, left)
		}
		if err := pause(w, wait, seen); err != nil {
			return err
		}
	}
}

// syncWithin runs one management session, no longer than the page has time.
func (c category) syncWithin(w *device.Windows, left time.Duration, bounded bool) error {
	if !bounded {
		return c.sync(w)
	}
	ctx, cancel := w.Clock.WithTimeout(w.Ctx, left, errSessionOver)
	defer cancel()
	return c.sync(w.Under(ctx))
}

// look brings the rows up to date. listing says that nothing is missing but a
// provider's list of apps. The error names the first item that failed.
func (c category) look(p *page, set settings) (done, listing bool, err error) {
	w := p.w
	installed := apps(w, c.sid, set)
	done = true
	for _, t := range []struct {
		row, verb string
		progress
	}{
		{RowPolicies, "applied", policies(w, c.sid, set)},
		{RowCertificates, "applied", certificates(w, c.sid, set)},
		{RowConnections, "added", connections(w, c.sid, set)},
		{RowApps, "installed", installed},
	} {
		state, text := t.status(t.verb)
		p.set(t.row, state, text)
		if t.failure != 0 && err == nil {
			err = &hresult.Error{Op: t.row + ": " + t.item, Phase: p.category + "." + subcategories[t.row], Code: t.failure}
		}
		if t.row == RowApps {
			listing = done && t.unlisted && t.done == t.total
		}
		done = done && t.finished()
	}
	return done, listing, err
}

// wantsRestart finds an app that nothing goes on without a restart for. The
// request is taken back before it is met: a start of Windows is a start.
func wantsRestart(w *device.Windows, sid string) string {
	r := w.Registry()
	for _, key := range trackedApps(w, sid) {
		if v, _ := r.DWORD(key, csp.AppRebootRequired); v == uint32(csp.RebootHard) {
			r.SetDWORD(key, csp.AppRebootRequired, uint32(csp.RebootNotRequired))
			return key[strings.LastIndexByte(key, '\\')+1:]
		}
	}
	return ""
}

// timedOut words the failure of the rows that were not through in time.
func (p *page) timedOut() error {
	for _, r := range slices.Backward(p.rows) {
		if r.state == inProgress && !r.silent() {
			p.set(r.name, failed, "Error ("+hresult.WaitTimeout.Hex()+")")
			return &hresult.Error{Op: r.name, Phase: p.category + "." + subcategories[r.name], Code: hresult.WaitTimeout, Err: errPageTimeout}
		}
	}
	return &hresult.Error{Op: p.category, Phase: p.category, Code: hresult.WaitTimeout, Err: errPageTimeout}
}

// finish does the silent end of a category, in its order: the restart that was
// put off, once; the results for the server; the technician's result last. Then
// the first sync is done, for good.
func (c category) finish(p *page) error {
	w := p.w
	if c.name == "DeviceSetup" {
		if err := p.coalesce(); err != nil {
			return err
		}
	}
	c.provisioned(w, provisioningSucceeded)
	w.Registry().SetDWORD(firstSync(w, c.sid), "IsSyncDone", 1)
	p.set(StepResults, inProgress, "Working on it...")
	err := c.sync(w)
	if over := gone(w, err); over != nil {
		return over
	}
	if err != nil {
		code, ok := hresult.CodeOf(err)
		if !ok {
			code = hresult.Fail
		}
		p.set(StepResults, failed, "Failed ("+code.Hex()+")") // the next session tells the server
	} else {
		p.set(StepResults, succeeded, "Complete")
	}
	if c.name == "DeviceSetup" {
		announce(w, "AccountSetup", accountRows...)
		p.set(StepSave, succeeded, "Complete") // in every enrolment, whoever did it
	}
	w.Registry().SetDWORD(setupKey(c.sid), "HasProvisioningCompleted", 1)
	p.close(succeeded, "Complete")
	leave(w)
	return nil
}

// coalesce restarts Windows once, where anything of device setup wants that. A
// page that finds itself in this step has been restarted.
func (p *page) coalesce() error {
	switch state := p.state(StepReboot); {
	case state == succeeded || state == notRequired:
	case state == inProgress:
		p.set(StepReboot, succeeded, "Complete")
	case len(p.w.RestartNeeded()) == 0:
		p.set(StepReboot, notRequired, "No setup needed")
	default:
		p.set(StepReboot, inProgress, "Working on it...")
		return restartNow(p.w, StepReboot+": "+strings.Join(p.w.RestartNeeded(), ", "))
	}
	return nil
}

// again makes what had failed count as pending: a page that comes up anew after
// a failure gives it another chance. The management extension looks at its apps
// again, and the MDM client takes up what it had given up; what nobody does
// again stays failed.
func again(w *device.Windows, sid string) {
	r := w.Registry()
	for _, key := range trackedApps(w, sid) {
		if state, _ := r.DWORD(key, "InstallationState"); state == appError {
			r.SetDWORD(key, "InstallationState", appNotInstalled)
			r.SetDWORD(key, "LastError", 0)
		}
	}
	mdm.Again(w, sid)
	mergeAgain(w)
	if done, _ := r.DWORD(firstSync(w, sid), "IsSyncDone"); done != 0 && sid != "" {
		r.Delete(firstSync(w, sid), "IsSyncDone")
	}
}
