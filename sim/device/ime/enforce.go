package ime

import (
	"context"
	"slices"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/sidecar"
)

// evaluation is one look at a subgraph.
type evaluation struct {
	*agent
	g    *gateway
	s    scope
	plan plan
	done map[string]result // by app
	path []string          // apps that are waiting for one that they depend on

	uninstalling bool // the app at hand is taken off
}

// result is what became of an app.
type result struct {
	ok   bool // it is as it is meant to be
	code hresult.Code
}

// app brings one app to what it is meant to be, once an evaluation. What goes
// wrong is reported, not returned; the error is the end of the boot.
func (e *evaluation) app(app sidecar.App) (result, error) {
	if r, known := e.done[app.ID]; known {
		return r, nil
	}
	if slices.Contains(e.path, app.ID) {
		e.workload("[Win32App][V3Processor] App %s depends on itself.", app.ID)
		return result{code: hresult.InvalidParameter}, nil
	}
	e.path = append(e.path, app.ID)
	var r result
	var err error
	if app.Intent == sidecar.Uninstall {
		r, err = e.remove(app)
	} else {
		r, err = e.install(app)
	}
	e.path = e.path[:len(e.path)-1]
	if err == nil {
		e.done[app.ID] = r
	}
	return r, err
}

// install brings an app that is meant to be there onto the PC: detect, and
// where it is missing see whether it may be, bring what it depends on, download,
// install and detect again.
func (e *evaluation) install(app sidecar.App) (result, error) {
	if app.InstallContext == sidecar.ContextUser && !e.user.here {
		e.workload("[Win32App][V3Processor] App %s runs as the logged-on user, and nobody is logged on.", app.ID)
		e.waiting = true
		return result{}, nil
	}
	detected, err := e.detected(app)
	switch {
	case context.Cause(e.w.Ctx) != nil:
		return result{}, context.Cause(e.w.Ctx)
	case err != nil:
		return e.settle(app, sidecar.EnforcementError, hresult.AppNotDetected, nil), nil
	case detected:
		if err := e.replace(app); err != nil {
			return result{}, err
		}
		return e.settle(app, sidecar.EnforcementSuccess, 0, nil), nil
	}
	if e.plan.superseded(app.ID) {
		e.workload("[Win32App][ActionProcessor] App with id: %s, targeted intent: RequiredInstall, is superseded and is not installed.", app.ID)
		return e.settle(app, sidecar.EnforcementRequirementsNotMet, 0, nil), nil
	}
	if e.leftAlone(app) {
		e.workload("[Win32App][ActionProcessor] App with id: %s, targeted intent: RequiredInstall, is in GRS and is not tried again yet.", app.ID)
		if app.ESPNonBlocking {
			e.state(e.s, app, csp.AppError, hresult.InstallFailure) // the page is not kept for it, whatever broke off before it heard
		}
		return result{code: hresult.InstallFailure}, nil
	}
	if applicable, err := e.applicable(app); err != nil {
		return result{}, err
	} else if !applicable {
		return e.settle(app, sidecar.EnforcementRequirementsNotMet, 0, nil), nil
	}
	e.workload("[Win32App][ActionProcessor] App with id: %s, targeted intent: RequiredInstall, and enforceability: Enforceable.", app.ID)
	if r, err := e.dependencies(app); err != nil || !r.ok {
		return r, err
	}
	if err := e.replace(app); err != nil {
		return result{}, err
	}
	e.state(e.s, app, csp.AppInProgress, 0)
	return e.attempts(app)
}

// dependencies brings what an app needs. It fails as its dependency did.
func (e *evaluation) dependencies(app sidecar.App) (result, error) {
	for _, d := range e.plan.children(app, sidecar.Depends) {
		child, ok := e.plan.app(d.ChildID)
		r := result{code: hresult.AppNotDetected}
		var err error
		switch {
		case !ok:
		case d.Action == sidecar.DependInstall:
			if child.Intent != sidecar.Uninstall {
				r, err = e.app(child)
			}
		default:
			r.ok, err = e.detected(child)
			if err != nil {
				r.ok, err = false, context.Cause(e.w.Ctx)
			}
		}
		if err != nil {
			return result{}, err
		}
		if e.stopped {
			return result{}, nil // after the restart
		}
		if !r.ok {
			e.workload("[Win32App][V3Processor] App %s is not installed, because app %s that it depends on is not there.", app.ID, d.ChildID)
			if r.code == 0 {
				r.code = hresult.AppNotDetected
			}
			return e.settle(app, sidecar.EnforcementDependencyNotReached, r.code, nil), nil
		}
	}
	return result{ok: true}, nil
}

// replace uninstalls what an app takes the place of. What does not go is left:
// the app is installed beside it.
func (e *evaluation) replace(app sidecar.App) error {
	for _, d := range e.plan.children(app, sidecar.Supersedes) {
		old, ok := e.plan.app(d.ChildID)
		if !ok || d.Action != sidecar.SupersedeReplace {
			continue
		}
		if _, done := e.done[old.ID]; done {
			continue
		}
		r, err := e.remove(old)
		if err != nil {
			return err
		}
		e.done[old.ID] = r
	}
	return nil
}

// remove takes an app off the PC.
func (e *evaluation) remove(app sidecar.App) (result, error) {
	detected, err := e.detected(app)
	if context.Cause(e.w.Ctx) != nil {
		return result{}, context.Cause(e.w.Ctx)
	}
	if err == nil && !detected {
		return e.settle(app, sidecar.EnforcementSuccess, 0, nil), nil
	}
	if err != nil || e.leftAlone(app) {
		return result{code: hresult.AppNotDetected}, nil
	}
	e.workload("[Win32App][ActionProcessor] App with id: %s, targeted intent: RequiredUninstall, and enforceability: Enforceable.", app.ID)
	e.uninstalling = true
	defer func() { e.uninstalling = false }()
	return e.attempts(app)
}

// attempts runs an app's installer, or its uninstaller, until it ends well or
// the tries are used up.
func (e *evaluation) attempts(app sidecar.App) (result, error) {
	for try := 1; ; try++ {
		o := e.attempt(app)
		if cause := context.Cause(e.w.Ctx); cause != nil {
			return result{}, cause
		}
		if o.restart == csp.RebootHard && e.s.esp && !app.ESPConfiguration {
			o.restart = csp.RebootSoft // the page knows nothing of the app, and would not restart
		}
		if o.restart == csp.RebootHard {
			return e.hardRestart(app, o)
		}
		if o.failed == 0 {
			there, err := e.detected(app)
			if cause := context.Cause(e.w.Ctx); cause != nil {
				return result{}, cause
			}
			if err == nil && there != e.uninstalling {
				return e.finished(app, o), nil
			}
			o.failed, o.code = sidecar.EnforcementErrorInstalling, hresult.AppNotDetected
		}
		e.workload("[Win32App][ExecutionActionHandler] Attempt %d of app with id: %s ended with %s.", try, app.ID, o.code.Hex())
		if try >= e.w.Timing.IME.AppRetries {
			e.useUp(app)
			return e.settle(app, o.failed, o.code, o.exit), nil
		}
		e.flush(e.g)
		if err := e.w.Sleep(e.w.Timing.IME.AppRetryDelay, "Win32 app retry"); err != nil {
			return result{}, err
		}
	}
}

// finished is the good end of an app.
func (e *evaluation) finished(app sidecar.App, o outcome) result {
	state := sidecar.EnforcementSuccess
	if o.restart == csp.RebootSoft {
		state = sidecar.EnforcementPendingSoftReboot
		e.w.NeedRestart("app " + app.ID)
		e.reboot(e.s, app, csp.RebootSoft)
	}
	return e.settle(app, state, 0, o.exit)
}

// hardRestart is an app that wants a restart before anything else goes on. The
// status page restarts the PC; after it detection tells how the app is.
func (e *evaluation) hardRestart(app sidecar.App, o outcome) (result, error) {
	e.unstage(app)
	e.w.NeedRestart("app " + app.ID)
	e.report(app, sidecar.EnforcementPendingHardReboot, 0, o.exit)
	e.workload("[Win32App][V3Processor] A restart is required to continue processing apps. Stop processing.")
	e.stopped, e.hard, e.aside = true, true, !e.s.esp
	e.flush(e.g)
	e.reboot(e.s, app, csp.RebootHard) // last: the page may act on it at once
	return result{ok: true}, nil
}

// The global re-evaluation schedule (GRS) leaves an app alone for a day once its
// attempts are used up (learn.microsoft.com, "Troubleshoot Win32 app
// installations"); a new version of the app is tried at once, and so is what a
// status page that comes up anew tracks and does not go on without.
const (
	grsTime    = "GRSTime"
	grsVersion = "GRSVersion"
)

func appKey(app sidecar.App) string { return device.KeyIME + `\Win32Apps\` + app.ID }

func (e *evaluation) useUp(app sidecar.App) {
	r, key := e.w.Registry(), appKey(app)
	r.SetDWORD(key, grsVersion, uint32(app.Version))
	r.SetString(key, grsTime, e.w.Clock.Now().UTC().Format(time.RFC3339Nano))
}

func (e *evaluation) leftAlone(app sidecar.App) bool {
	if e.s.esp && app.ESPConfiguration && !app.ESPNonBlocking && e.trackedState(e.s, app) != csp.AppError {
		return false
	}
	r, key := e.w.Registry(), appKey(app)
	since, err := time.Parse(time.RFC3339Nano, r.String(key, grsTime))
	version, _ := r.DWORD(key, grsVersion)
	return err == nil && version == uint32(app.Version) && e.w.Clock.Now().Sub(since) < e.w.Timing.IME.GlobalReevaluation
}
