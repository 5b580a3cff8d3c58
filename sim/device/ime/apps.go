package ime

import (
	"context"
	"fmt"
	"strings"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/sidecar"
)

// apps asks for a scope's apps and brings the required ones onto the PC.
func (a *agent) apps(s scope) error {
	g, err := a.connect()
	if err != nil {
		return err
	}
	if expired := g.certificateExpired(); expired {
		return a.expired(s)
	}
	all, err := g.selectedApps(s)
	if err != nil {
		return err
	}
	var required []sidecar.App
	for _, app := range all {
		if app.Intent == sidecar.Required {
			required = append(required, app)
		}
	}
	if s.esp {
		a.track(s, required)
	}
	for _, app := range required {
		if err := a.app(g, s, app); err != nil {
			return err
		}
	}
	return nil
}

// track lists what the status page has to wait for, before anything of it is
// installed.
func (a *agent) track(s scope, apps []sidecar.App) {
	r, base := a.w.Registry(), a.trackingKey(s)
	var ids []string
	for _, app := range apps {
		if !app.ESPConfiguration {
			continue
		}
		ids = append(ids, app.ID)
		key := base + `\Tracking\Sidecar\` + csp.Win32AppName(app.ID, app.Version)
		if _, known := r.DWORD(key, "InstallationState"); !known {
			r.SetDWORD(key, "InstallationState", uint32(csp.AppNotInstalled))
			r.SetDWORD(key, csp.AppRebootRequired, uint32(csp.RebootNotRequired))
		}
	}
	a.log("[Win32App][ESPAppLockInProcessor] Found %d apps which need to be installed for current phase of ESP. AppIds: %s", len(ids), strings.Join(ids, ", "))
	r.SetDWORD(base+`\PolicyProviders\Sidecar`, "TrackingPoliciesCreated", 1)
	a.w.Signal("esp").Broadcast()
}

func (a *agent) trackingKey(s scope) string {
	name := "Device"
	if s.sid != "" {
		name = s.sid
	}
	return device.KeyTracking + `\` + name + `\Setup\Apps`
}

// app brings one app onto the PC: detect, and where it is missing download,
// install and detect again. What goes wrong is reported, not returned; the
// error is the end of the boot.
func (a *agent) app(g *gateway, s scope, app sidecar.App) error {
	detected, err := a.detect(app)
	if err != nil {
		a.settle(g, s, app, sidecar.EnforcementError, hresult.AppNotDetected, nil)
		return nil
	}
	a.log("[Win32App][DetectionActionHandler] Detection for policy with id: %s resulted in action status: Success and detection state: %s.", app.ID, state(detected))
	if detected {
		a.settle(g, s, app, sidecar.EnforcementSuccess, 0, nil)
		return nil
	}
	if !s.esp && a.leftAlone(app) {
		a.log("[Win32App][GRSManager] App with id: %s is not expired", app.ID)
		return nil
	}
	a.state(s, app, csp.AppInProgress, 0)
	for try := 1; ; try++ {
		code, exit, err := a.install(g, app)
		if cause := context.Cause(a.w.Ctx); cause != nil {
			return cause
		}
		if err == nil {
			if detected, err = a.detect(app); err == nil && detected {
				a.settle(g, s, app, sidecar.EnforcementSuccess, 0, exit)
				return nil
			}
			code = hresult.AppNotDetected
		}
		a.log("[Win32App][ExecutionActionHandler] App %s failed on attempt %d with %s", app.ID, try, code.Hex())
		if try >= a.w.Timing.IME.AppRetries {
			a.w.Registry().SetString(appKey(app), grsTime, a.w.Clock.Now().UTC().Format(time.RFC3339Nano))
			a.settle(g, s, app, sidecar.EnforcementErrorInstalling, code, exit)
			return nil
		}
		if err := a.w.Sleep(a.w.Timing.IME.AppRetryDelay, "Win32 app retry"); err != nil {
			return err
		}
	}
}

// grsTime is when an app's attempts were used up: the global re-evaluation
// schedule leaves it alone from then on for a day (learn.microsoft.com,
// "Troubleshoot Win32 app installations"). The status page does not wait so long.
const grsTime = "GRSTime"

func appKey(app sidecar.App) string { return device.KeyIME + `\Win32Apps\` + app.ID }

func (a *agent) leftAlone(app sidecar.App) bool {
	since, err := time.Parse(time.RFC3339Nano, a.w.Registry().String(appKey(app), grsTime))
	return err == nil && a.w.Clock.Now().Sub(since) < a.w.Timing.IME.GlobalReevaluation
}

func state(detected bool) string {
	if detected {
		return "Detected"
	}
	return "NotDetected"
}

// settle is the end of an app in this round: for the status page, and for the
// gateway.
func (a *agent) settle(g *gateway, s scope, app sidecar.App, e sidecar.EnforcementState, code hresult.Code, exit *int) {
	to := csp.AppCompleted
	if e.Failed() {
		to = csp.AppError
		a.waiting = true
	}
	a.state(s, app, to, code)
	if told, ok := a.w.Registry().DWORD(appKey(app), "EnforcementState"); ok && told == uint32(e) {
		return // the gateway wants to hear of changes
	}
	status := sidecar.AppStatus{
		ApplicationID: app.ID, Version: app.Version, TargetType: app.TargetType, Detected: !e.Failed(), EnforcementState: e,
		ErrorCode: code, ExitCode: exit, ESPPhase: s.phase, TimestampUTC: a.w.Now().UTC().Format("2006-01-02T15:04:05Z"),
	}
	if err := g.report(status); err != nil {
		a.log("[ReportingManager] Report of app %s failed: %v", app.ID, err)
		return
	}
	a.w.Registry().SetDWORD(appKey(app), "EnforcementState", uint32(e))
}

// state tells the status page how far a tracked app is.
func (a *agent) state(s scope, app sidecar.App, to csp.AppState, code hresult.Code) {
	if now, _ := a.w.Registry().DWORD(appKey(app), "InstallationState"); now != uint32(to) {
		a.w.Registry().SetDWORD(appKey(app), "InstallationState", uint32(to))
		a.w.Event("app.install", journal.F("app", app.Name), journal.F("state", to.String()), journal.F("code", code.Hex()))
	}
	if !s.esp || !app.ESPConfiguration {
		return
	}
	key := a.trackingKey(s) + `\Tracking\Sidecar\` + csp.Win32AppName(app.ID, app.Version)
	from, _ := a.w.Registry().DWORD(key, "InstallationState")
	if from != uint32(to) {
		a.log("[EspManager] Updating ESP tracked install status from %s to %s for application %s", csp.AppState(from), to, app.ID)
	}
	a.w.Registry().SetDWORD(key, "InstallationState", uint32(to))
	a.w.Registry().SetDWORD(key, "LastError", uint32(code))
	a.w.Signal("esp").Broadcast()
}

// expired is what happens to every app once the agent's certificate is no
// longer valid: it cannot ask, so it does not know.
func (a *agent) expired(s scope) error {
	known := a.knownApps()
	if len(known) == 0 {
		known = []string{"00000000-0000-0000-0000-000000000000"}
	}
	for _, id := range known {
		a.log("[Win32App][DetectionActionHandler] Detection for policy with id: %s resulted in action status: Failed and detection state: NotComputed.", id)
	}
	return fmt.Errorf("certificate of the management extension: %w", errCertificate)
}
