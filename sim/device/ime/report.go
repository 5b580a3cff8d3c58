package ime

import (
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/sidecar"
)

// settle is the end of an app in this round: for the status page, and for the
// gateway.
func (e *evaluation) settle(app sidecar.App, to sidecar.EnforcementState, code hresult.Code, exit *int) result {
	e.report(app, to, code, exit)
	e.unstage(app)
	switch {
	case to.Failed():
		e.waiting = true
		e.state(e.s, app, csp.AppError, code)
	case to == sidecar.EnforcementRequirementsNotMet && e.w.Timing.Switches.ESP.NotApplicableWaits && !e.plan.superseded(app.ID):
		// The page goes on waiting for it.
	default:
		e.state(e.s, app, csp.AppCompleted, 0)
	}
	return result{ok: !to.Failed() && to != sidecar.EnforcementRequirementsNotMet, code: code}
}

// report keeps a change of an app's state for the gateway, which hears of all
// of a round together.
func (e *evaluation) report(app sidecar.App, to sidecar.EnforcementState, code hresult.Code, exit *int) {
	told, _ := e.w.Registry().DWORD(appKey(app), "EnforcementState")
	if told == uint32(to) {
		return // the gateway wants to hear of changes
	}
	e.workload(`[ReportingManager] Execution state of app with id: %s has changed. Report delta: {"EnforcementState":{"OldValue":"%s","NewValue":"%s"}}`,
		app.ID, sidecar.EnforcementState(told), to)
	e.reports = append(e.reports, sidecar.AppStatus{
		ApplicationID: app.ID, Version: app.Version, TargetType: app.TargetType, Detected: !to.Failed() && !e.uninstalling, EnforcementState: to,
		ErrorCode: code, ExitCode: exit, ESPPhase: e.s.phase, TimestampUTC: e.w.Now().UTC().Format("2006-01-02T15:04:05Z"),
	})
}

// flush sends what is to be reported. What cannot be sent is found out again in
// the next round.
func (a *agent) flush(g *gateway) {
	if len(a.reports) == 0 {
		return
	}
	reports := a.reports
	a.reports = nil
	if err := g.report(reports); err != nil {
		a.workload("[ReportingManager] %d reports were not taken: %v", len(reports), err)
		return
	}
	for _, r := range reports {
		a.w.Registry().SetDWORD(appKey(sidecar.App{ID: r.ApplicationID}), "EnforcementState", uint32(r.EnforcementState))
	}
}

// state tells the status page how far a tracked app is.
func (a *agent) state(s scope, app sidecar.App, to csp.AppState, code hresult.Code) {
	r, changed := a.w.Registry(), false
	if now, _ := r.DWORD(appKey(app), "InstallationState"); now != uint32(to) {
		r.SetDWORD(appKey(app), "InstallationState", uint32(to))
		changed = true
	}
	tracked := s.esp && app.ESPConfiguration
	from, page := a.trackedState(s, app), to
	if app.ESPNonBlocking && to == csp.AppError {
		page = csp.AppCompleted // it was tried, which is all that the page waits for
	}
	if tracked {
		r.SetDWORD(a.trackedKey(s, app), "LastError", uint32(code))
		r.SetDWORD(a.trackedKey(s, app), csp.AppInstallationState, uint32(page))
	}
	if changed {
		a.w.Event("app.install", journal.F("app", app.Name), journal.F("state", to.String()), journal.F("code", code.Hex()))
	}
	if !tracked {
		return
	}
	if from != page {
		a.workload("[EspManager] Updating ESP tracked install status from %s to %s for application %s", from, page, app.ID)
	}
	a.w.Signal("esp").Broadcast()
}

// reboot tells the status page what an app wants of a restart.
func (a *agent) reboot(s scope, app sidecar.App, to csp.RebootState) {
	if s.esp && app.ESPConfiguration {
		a.w.Registry().SetDWORD(a.trackedKey(s, app), csp.AppRebootRequired, uint32(to))
		a.w.Signal("esp").Broadcast()
	}
}
