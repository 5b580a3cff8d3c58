package ime

import (
	"errors"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/sidecar"
)

// outcome is how one attempt ended.
type outcome struct {
	failed  sidecar.EnforcementState // 0: it did not
	code    hresult.Code
	exit    *int // nil: no installer ran to its end
	restart csp.RebootState
}

// What an app says of restarts (win32LobAppRestartBehavior).
const (
	restartByCode   = 0
	restartAllow    = 1 // the package may restart the PC
	restartSuppress = 2
	restartForce    = 3
)

// attempt downloads an app's installer, where it is not on the disk yet, and
// runs it.
func (e *evaluation) attempt(app sidecar.App) outcome {
	m, size, o := e.setup(app)
	if o.failed != 0 {
		return o
	}
	command, behaviour := app.InstallCommand, app.InstallEx.Value.DeviceRestartBehavior
	if e.uninstalling {
		command = app.UninstallCommand
	}
	s := device.Setup{Manifest: m, Size: size, Uninstall: e.uninstalling, NoRestart: behaviour != restartAllow, Tracked: e.s.esp && app.ESPConfiguration, Limit: e.w.Timing.IME.InstallLimit}
	if app.InstallContext == sidecar.ContextUser {
		s.SID = e.user.sid
	}
	if minutes := app.InstallEx.Value.MaxRunTimeMinutes; minutes > 0 {
		s.Limit = time.Duration(minutes) * time.Minute
	}
	e.workload("[Win32App][ExecutionActionHandler] Executing %q for app with id: %s", command, app.ID)
	exit, err := e.w.RunSetup(s)
	switch {
	case errors.Is(err, device.ErrInstallLimit):
		e.workload("Installation is timeout")
		return outcome{failed: e.failure(), code: hresult.WaitTimeout}
	case err != nil:
		return outcome{failed: e.failure(), code: hresult.Aborted}
	}
	return e.meaning(app, exit)
}

// failure is the state of an app that did not go where it was meant to.
func (e *evaluation) failure() sidecar.EnforcementState {
	if e.uninstalling {
		return sidecar.EnforcementErrorUninstalling
	}
	return sidecar.EnforcementErrorInstalling
}

// meaning looks an exit code up in the app's map.
func (e *evaluation) meaning(app sidecar.App, exit int) outcome {
	code := hresult.FromWin32(exit)
	e.workload("lpExitCode %d", exit)
	e.workload("hResultFromWin32 %d", int32(code))
	kind, mapped := sidecar.Meaning(app.ReturnCodes.Value, exit)
	if !mapped {
		e.workload("Admin did NOT set mapping for lpExitCode: %d of app: %s", exit, app.ID)
	}
	o := outcome{exit: &exit, restart: csp.RebootNotRequired}
	switch kind {
	case sidecar.ReturnSuccess, sidecar.ReturnSoftReboot, sidecar.ReturnHardReboot:
		o.restart = restartOf(app.InstallEx.Value.DeviceRestartBehavior, kind)
		return o
	}
	if exit == 0 {
		code = hresult.Fail // mapped to failure by the administrator
	}
	o.failed, o.code = e.failure(), code
	return o
}

func restartOf(behaviour int, kind sidecar.ReturnCodeType) csp.RebootState {
	switch {
	case behaviour == restartForce:
		return csp.RebootHard
	case behaviour != restartByCode:
		return csp.RebootNotRequired
	case kind == sidecar.ReturnSoftReboot:
		return csp.RebootSoft
	case kind == sidecar.ReturnHardReboot:
		return csp.RebootHard
	}
	return csp.RebootNotRequired
}

func codeOr(err error, otherwise hresult.Code) hresult.Code {
	if code, ok := hresult.CodeOf(err); ok {
		return code
	}
	return otherwise
}
