package ime

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

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
		a.log("Agent version is: %s", Version)
		if a.w.Sleep(a.w.Draw(a.w.Timing.IME.ServiceStart), "IME service start") != nil {
			return
		}
		a.ready()
		for a.round() == nil {
		}
	}
}

// agent is the running service.
type agent struct {
	w       *device.Windows
	gateway *gateway
	waiting bool // the last round left something that is worth another look soon
}

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

func (a *agent) work(phase string) error {
	a.waiting = false
	user := a.signedIn()
	switch phase {
	case "DevicePreparation":
		a.ready() // the page may have been cleared since the service started
		return nil
	case "DeviceSetup":
		a.log("[Win32App] In EspPhase: DeviceSetup")
		return a.apps(scope{phase: sidecar.ESPDeviceSetup, esp: true})
	case "AccountSetup":
		a.log("[Win32App] In EspPhase: AccountSetup")
		return a.apps(scope{phase: sidecar.ESPAccountSetup, sid: user.sid, token: user.token, esp: true})
	}
	a.log("[Win32App] The EspPhase: NotInEsp in session")
	if err := a.apps(scope{}); err != nil || user.token == "" {
		return err
	}
	return a.apps(scope{sid: user.sid, token: user.token})
}

// account is the user who has signed in, as the token broker left it. Without a
// token that is still good there is nothing to ask in the user's name.
type account struct{ sid, token string }

func (a *agent) signedIn() account {
	r, key := a.w.Registry(), device.KeyIdentityStore+`\Tokens\https://enrollment.manage.microsoft.com/`
	user := account{sid: r.String(device.KeyIdentityStore+`\PRT`, "UserSID")}
	expires, err := strconv.ParseInt(r.String(key, "Expires"), 10, 64)
	if user.sid != "" && err == nil && a.w.Now().Before(time.Unix(expires, 0)) {
		user.token = r.String(key, "Token")
	}
	return user
}

// log writes a line of the agent's log.
func (a *agent) log(format string, args ...any) {
	a.w.WriteLog(device.LogIME, "IntuneManagementExtension", fmt.Sprintf(format, args...))
}
