package ime

import (
	"context"
	"errors"
	"fmt"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/sidecar"
)

// Version is what the agent says of itself.
const Version = "1.97.102.0"

// Service is the body of the Windows service.
func Service(w *device.Windows) func(ctx context.Context) {
	return func(ctx context.Context) {
		a := &agent{w: w.Under(ctx)}
		a.log("EMS Agent Started")
		a.log("Agent version is: %s", Version)
		a.restarted()
		if a.w.Sleep(a.w.Draw(a.w.Timing.IME.ServiceStart), "IME service start") != nil {
			return
		}
		a.ready()
		watchLogons(w)
		for a.round() == nil {
		}
	}
}

// agent is the running service.
type agent struct {
	w       *device.Windows
	gateway *gateway
	user    account
	reports []sidecar.AppStatus // of this round, not sent yet
	rounds  int

	waiting bool // the last round left something that is worth another look soon
	stopped bool // this round's apps are not gone on with
	hard    bool // an app wants a restart before anything else, and the service has not been restarted since
	aside   bool // it wanted that while no status page was up, which would have restarted
}

// over is why the boot is over, nil where it is not.
func (a *agent) over() error { return context.Cause(a.w.Ctx) }

// round works through the present phase once and waits for the next reason to
// do so: a change of phase, or the hour. Its error is the end of the boot.
func (a *agent) round() error {
	seen := a.w.Signal("ime").Count()
	phase := a.w.Registry().String(device.KeyTracking, "Phase")
	if err := a.work(phase); err != nil {
		if cause := context.Cause(a.w.Ctx); cause != nil {
			return cause
		}
		a.log("Check-in failed: %v", err)
		a.waiting = true
	}
	wait := a.w.Timing.IME.CheckInterval
	if a.waiting {
		wait = a.w.Timing.IME.AppRetryDelay
	}
	ctx, cancel := a.w.Clock.WithTimeout(a.w.Ctx, wait, errNextCheck)
	defer cancel()
	if err := a.w.Signal("ime").After(ctx, seen); err != nil && !errors.Is(context.Cause(ctx), errNextCheck) {
		return err
	}
	return context.Cause(a.w.Ctx)
}

var errNextCheck = errors.New("time for the next check")

// ready tells the status page that the provider is there.
func (a *agent) ready() {
	key := device.KeyTracking + `\Device\DevicePreparation\PolicyProviders\Sidecar`
	if state, tracked := a.w.Registry().DWORD(key, "InstallationState"); tracked && state != uint32(csp.ProviderCompleted) {
		a.w.Registry().SetDWORD(key, "InstallationState", uint32(csp.ProviderCompleted))
		a.w.Signal("esp").Broadcast()
	}
}

// scope is whose apps a round is about.
type scope struct {
	phase sidecar.ESPPhase
	sid   string // "" for the device's
	token string // the user's, "" for the device's
	esp   bool   // the status page waits for it
}

// userID is how the agent's logs name whom a download is for.
func (s scope) userID() string {
	if s.sid == "" {
		return noUser
	}
	return s.sid
}

func (a *agent) work(phase string) error {
	a.waiting, a.stopped, a.user = false, false, a.signedIn()
	if phase == "DevicePreparation" {
		a.ready() // the page may have been cleared since the service started
		return nil
	}
	if a.hard && a.aside && (phase == "DeviceSetup" || phase == "AccountSetup") {
		a.hard = false // the page that has come up knows nothing of the app, would not restart, and waits for a list
	}
	if a.hard {
		a.workload("[Win32App][V3Processor] A restart is required to continue processing apps. Stop processing.")
		return nil
	}
	a.session()
	if err := a.scripts(a.user.token); err != nil {
		if a.over() != nil {
			return a.over()
		}
		a.log("[PowerShell] Check-in failed: %v", err)
		a.waiting = true
	}
	err := a.phase(phase)
	a.log("Completed user session %d, userId: %s, userSID: %s", a.rounds, a.userID(), a.user.sid)
	return err
}

// phase works through the apps of the page's phase, or of none.
func (a *agent) phase(phase string) error {
	switch phase {
	case "DeviceSetup":
		a.log("[Win32App] In EspPhase: DeviceSetup")
		return a.apps(scope{phase: sidecar.ESPDeviceSetup, esp: true})
	case "AccountSetup":
		a.log("[Win32App] In EspPhase: AccountSetup")
		if _, member := a.w.Domain(); member && a.user.token == "" {
			return nil // Entra ID does not know the device yet, or the user has not signed in there
		}
		return a.apps(scope{phase: sidecar.ESPAccountSetup, sid: a.user.sid, token: a.user.token, esp: true})
	}
	a.log("[Win32App] The EspPhase: NotInEsp in session")
	if err := a.apps(scope{}); err != nil || a.user.token == "" || a.hard {
		return err
	}
	a.stopped = false
	return a.apps(scope{sid: a.user.sid, token: a.user.token})
}

// session opens a round: who it is for.
func (a *agent) session() {
	a.rounds++
	if a.user.name != "" {
		a.log(`After impersonation: %s\%s`, a.w.ComputerName(), a.user.name)
	}
	if a.user.token == "" {
		a.log("Failed to get AAD token. No user is signed in to Entra ID on this session.")
	}
}

func (a *agent) userID() string {
	if a.user.sid == "" {
		return noUser
	}
	return a.user.sid
}

// log writes a line of the agent's log.
func (a *agent) log(format string, args ...any) {
	a.w.WriteLog(device.LogIME, "IntuneManagementExtension", fmt.Sprintf(format, args...))
}

// workload writes a line of the log that apps have for themselves.
func (a *agent) workload(format string, args ...any) {
	a.w.WriteLog(device.LogAppWorkload, "AppWorkload", fmt.Sprintf(format, args...))
}
