package oobe

import (
	"context"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/esp"
	"windtunnel.test/sim/device/ime"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/device/mdm"
)

// Stages of a PC's setup, kept in the registry under KeyOOBE, "Stage".
const (
	stageNew        = ""           // as it left the factory, or after a reset
	stageTechnician = "technician" // Provision was pressed
	stageResealing  = "resealing"  // Reseal was pressed
	stageResealed   = "resealed"   // and has been done
	stageDomain     = "domain"     // enrolled; waits for the domain, or restarts into it
	stageUser       = "user"       // a user signed in; the account is not set up yet
	stageUpdates    = "updates"    // the account is set up, and Windows' updates are being installed
	stageSignOut    = "signOut"    // the account of a domain's user is set up; the user signs in anew
	stageDone       = "done"       // somebody has reached the desktop
)

// Program boots Windows: services first, then setup from where it stopped, or
// the desktop.
func Program(w *device.Windows) error {
	if done, err := pendingReset(w); done {
		return err
	}
	w.Provide(device.ServiceIME, ime.Service(w))
	w.Provide(mdm.ServiceSchedule, mdm.Schedule(w))
	w.Provide(device.TaskAIK, join.AIKTask(w))
	mdm.ProvideTokens(w, userToken)
	w.StartServices()
	join.Maintain(w)
	if _, member := w.Domain(); member {
		w.Service(join.TaskRegistration, join.RegistrationTask(w))
	}
	switch stage(w) {
	case stageTechnician:
		on, err := autologon(w)
		if err != nil {
			return err
		}
		if !on {
			return nobody(w)
		}
		return provision(w)
	case stageResealing:
		return reseal(w)
	case stageDomain:
		return enterDomain(w)
	case stageUser:
		return restarted(w)
	case stageUpdates, stageSignOut:
		if err := logonScreen(w, ""); err != nil {
			return err
		}
		return finish(w)
	case stageDone:
		return everyday(w)
	default:
		w.LogOn(setupAccount) // by setup itself, which has only begun
		return firstScreens(w)
	}
}

// userToken is what the token broker has for sessions of the user who is signed
// in, and whether it speaks for the user.
func userToken(w *device.Windows) (token string, ofUser bool) {
	t, err := join.TokenFor(w, esp.Resource)
	return t.Raw, err == nil && t.Kind == "user"
}

func stage(w *device.Windows) string { return w.Registry().String(device.KeyOOBE, "Stage") }

// setStage notes how far setup is: past its first pages, whose starts are no
// longer counted.
func setStage(w *device.Windows, s string) {
	w.Registry().SetString(device.KeyOOBE, "Stage", s)
	w.Registry().Delete(device.ExpandHive(keyCurrentVersion, ""), "UserOOBE")
}

// everyday is a PC that is set up: its user signs in. Who made an account of
// their own in setup, on a PC that is nobody's, has no password to give.
func everyday(w *device.Windows) error {
	if kiosk(w) {
		w.LogOn(kioskAccount)
	} else if w.Registry().String(device.KeyOOBE, "LocalAccount") == "" {
		if err := logonScreen(w, join.AccountOf(w).UPN); err != nil {
			return err
		}
	}
	if err := unfinished(w); err != nil {
		return err
	}
	return desktop(w)
}

// desktop is where setup ends. The PC runs until somebody shuts it down.
func desktop(w *device.Windows) error {
	s := device.Screen{ID: "desktop", Title: "Desktop", Buttons: []string{ButtonShutDown, ButtonRestart}}
	in, err := w.Ask(s)
	if err != nil {
		return err
	}
	if in.Button == ButtonRestart {
		return device.ErrReboot
	}
	return device.ErrShutdown
}

// powerLost gives the reason why this boot cannot go on, nil where it can.
func powerLost(w *device.Windows) error { return context.Cause(w.Ctx) }
