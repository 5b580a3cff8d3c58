package oobe

import (
	"errors"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/device/esp"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
)

// restarted goes on with a user's setup after a restart in its middle. Windows
// signs setup's account in by itself and the page comes back. Where it cannot,
// it asks whoever is there to sign in; where that is because of rules about
// passwords, device setup does not come to its end any more
// (learn.microsoft.com, "Windows Autopilot troubleshooting FAQ").
func restarted(w *device.Windows) error {
	on, err := autologon(w)
	if err != nil || on {
		if err != nil {
			return err
		}
		return setUp(w)
	}
	if err := logonScreen(w, ""); err != nil {
		return err
	}
	if passwordRules(w) && w.Registry().String(device.KeyTracking, "Phase") != "AccountSetup" {
		w.Show(device.Screen{ID: ScreenESP, Title: "Setting up for work or school",
			Lines: []device.Line{{Label: "Category", Value: "DeviceSetup"}},
			Rows:  []device.Row{{Name: esp.RowPolicies, Status: "Identifying", Working: true}}})
		return w.Clock.NewCond("device setup of " + w.Name + " under another account").Wait(w.Ctx)
	}
	return setUp(w)
}

// setUp is what a user waits for: device setup again, then account setup, which
// is the user's own session. A boot in the middle comes back to here.
func setUp(w *device.Windows) error {
	w.StartService(device.ServiceIME)
	steps := []func() error{
		func() error { return esp.DevicePreparation(w, plan(w)) },
		func() error { return esp.DeviceSetup(w, plan(w)) },
		func() error { return userSession(w) },
		func() error { return accountSetup(w) },
	}
	if keptByReset(w) {
		// The page does not come up for what is required after an Autopilot Reset;
		// it is installed behind the user's back (learn.microsoft.com, "Windows
		// Autopilot known issues").
		steps = steps[2:3]
	}
	continued := false
	for i := 0; i < len(steps); {
		err := steps[i]()
		if err == nil {
			i++
			continue
		}
		anyway, err := setupFailed(w, err)
		if err != nil {
			return err
		}
		if anyway {
			w.Event("user.continued")
			esp.ContinueAnyway(w)
			continued = true
			i++
		}
	}
	w.Log(device.LogShell, 62407, "Information", "CommercialOOBE_ESPProgress_Page_Exiting")
	if again, err := updates(w); again || err != nil {
		return err
	}
	if _, member := w.Domain(); member && !continued {
		return signOut(w)
	}
	return finish(w)
}

// plan is what the page knows of the user; who that is on a domain's PC is known
// from the logon on.
func plan(w *device.Windows) esp.Plan {
	r := w.Registry()
	p := esp.Plan{UserSID: r.String(device.KeyOOBE, "UserSID"), UPN: r.String(device.KeyOOBE, "UserUPN")}
	if _, member := w.Domain(); member {
		p.WorkAccount = func(sid string) error { return workAccount(w, sid) }
	}
	return p
}

// userSession signs the user in whose account is set up next, with the
// credentials that were given in this boot; where a restart has taken them,
// the user gives them again.
func userSession(w *device.Windows) error {
	if a, on := w.LoggedOn(); on && !a.Default {
		return nil
	}
	w.Log(device.LogShell, 62407, "Information", "CommercialOOBE_ESPProgress_Page_Exiting")
	if _, member := w.Domain(); member || !join.Unlocked(w) {
		w.LogOff()
		return logonScreen(w, "")
	}
	w.LoadingProfile(true)
	defer w.LoadingProfile(false)
	w.LogOn(join.AccountOf(w))
	return w.Sleep(w.Draw(w.Timing.Device.SignIn), "sign-in")
}

func accountSetup(w *device.Windows) error {
	stop := lockWhenIdle(w)
	defer stop()
	return esp.AccountSetup(w, plan(w))
}

// finish is the end of setup.
func finish(w *device.Windows) error {
	setStage(w, stageDone)
	w.Event("desktop.reached", journal.F("user", w.Registry().String(device.KeyOOBE, "UserUPN")))
	return desktop(w)
}

// updates installs Windows' quality updates at the end of a user's setup, where
// the enrollment status page's profile asks for that, and restarts. It lets a
// metered network be (learn.microsoft.com, "Set up the Enrollment Status Page":
// only in the user flow, and only where the page blocks).
func updates(w *device.Windows) (restart bool, err error) {
	if !esp.QualityUpdates(w) || w.Metered() || !connected(w) || updatesOff(w) && !w.Has(defects.UpdatesAnyway) {
		return false, powerLost(w)
	}
	if _, member := w.Domain(); member && w.Has(defects.LosesUpdates) {
		w.Event("updates.lost")
		return false, powerLost(w)
	}
	w.Show(device.Screen{ID: ScreenUpdates, Title: "Installing updates", Rows: []device.Row{{Name: "Quality updates", Status: "Working on it...", Working: true}}})
	w.Event("updates.begun")
	if err := w.Sleep(w.Draw(w.Timing.ESP.QualityUpdates), "quality updates"); err != nil {
		return false, err
	}
	setStage(w, stageUpdates)
	w.Event("updates.installed")
	return true, device.ErrReboot
}

// updatesOff tells whether a policy switches automatic updates off: 5 of
// AllowAutoUpdate (learn.microsoft.com, Policy CSP - Update).
func updatesOff(w *device.Windows) bool {
	return w.Registry().String(device.KeyPolicyManager+`\device\Update`, "AllowAutoUpdate") == "5"
}

// setupFailed is the page that says what failed, with what the organization
// lets its users do about it. Nil means that the step is to be done again, or,
// with anyway, that it is let be.
func setupFailed(w *device.Windows, why error) (anyway bool, err error) {
	if err := powerLost(w); err != nil {
		return false, err
	}
	if errors.Is(why, device.ErrReboot) || errors.Is(why, device.ErrShutdown) {
		return false, why
	}
	code, _ := hresult.CodeOf(why)
	w.Event("user.failed", journal.F("code", code.Hex()), journal.F("phase", phaseOf(why)), journal.F("error", why.Error()))
	w.Log(device.LogShell, 62407, "Error", failureText(code))
	o := esp.Offers(w)
	s := device.Screen{ID: ScreenWrong, Title: "Something went wrong",
		Lines: []device.Line{{Label: LabelError, Value: code.Hex()}, {Label: LabelPhase, Value: phaseOf(why)}, {Label: LabelReason, Value: why.Error()}}}
	if o.Text != "" {
		s.Lines = append(s.Lines, device.Line{Label: LabelMessage, Value: o.Text})
	}
	for _, b := range []struct {
		there bool
		name  string
	}{{o.Retry, ButtonTryAgain}, {o.Reset, ButtonReset}, {o.Continue, ButtonAnyway}, {o.Logs, ButtonLogs}} {
		if b.there {
			s.Buttons = append(s.Buttons, b.name)
		}
	}
	if o.Logs {
		s.Keys = []string{KeyLogs}
	}
	for {
		in, err := w.Ask(s)
		switch {
		case err != nil:
			return false, err
		case in.Button == ButtonLogs || in.Key == KeyLogs:
			if err := saveLogs(w, "MDMDiagReport.zip"); err != nil {
				return false, err
			}
		case in.Button == ButtonReset:
			return false, reset(w)
		default:
			return in.Button == ButtonAnyway, nil
		}
	}
}

func failureText(code hresult.Code) string {
	if code == hresult.WaitTimeout {
		return "CommercialOOBE_ESPProgress_Timeout"
	}
	return "CommercialOOBE_ESPProgress_Failure"
}

// saveLogs makes the package of logs, which takes its time, for whoever has a
// drive to keep it on. What cannot be saved keeps nobody from going on.
func saveLogs(w *device.Windows, name string) error {
	if err := w.Sleep(w.Draw(w.Timing.OOBE.DiagnosticsCollect), "collect logs"); err != nil {
		return err
	}
	if err := w.SaveDiagnostics(name); err != nil {
		w.Event("diagnostics.failed", journal.F("error", err.Error()))
	}
	return powerLost(w)
}

// elapsed is the time since Provision was pressed.
func elapsed(w *device.Windows) time.Duration {
	start, err := time.Parse(time.RFC3339Nano, w.Registry().String(device.KeyOOBE, "WhiteGloveStart"))
	if err != nil {
		return 0
	}
	return w.Clock.Now().Sub(start)
}
