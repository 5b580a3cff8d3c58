package oobe

import (
	"errors"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/esp"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/ztd"
)

// hybrid tells whether a profile leads into an Active Directory domain.
func hybrid(p ztd.Profile) bool { return p.CloudAssignedDomainJoinMethod == ztd.JoinHybrid }

// domainRestart is set once setup has restarted a PC into its domain.
const domainRestart = "DomainRestart"

// phaseDomain is where failures of the way into the domain say they are.
const phaseDomain = "DomainJoin"

// welcome is what follows the first screens. A PC that a technician has enrolled
// for a domain asks for no Entra credentials: its user gives those of the domain
// later (learn.microsoft.com, "Windows Autopilot for pre-provisioned
// deployment", user flow).
func welcome(w *device.Windows) error {
	p, ok := cachedProfile(w)
	if !ok || !hybrid(p) || !mdm.Enrolled(w) {
		return signInPage(w)
	}
	setStage(w, stageDomain)
	return enterDomain(w)
}

// enrolForDomain is the user flow of a PC that no technician has had: the user
// who has signed in enrols it. It is not joined to Entra ID by that.
func enrolForDomain(w *device.Windows, profile ztd.Profile, session *join.Session, password string) error {
	if !mdm.Enrolled(w) {
		token, err := join.UserToken(w, session.UPN, password, esp.Resource)
		if err == nil {
			err = mdm.Enroll(w, mdm.Enrollment{Token: token, UPN: session.UPN, UserDriven: true, Hybrid: true, ZtdID: profile.ZtdRegistrationID})
		}
		if err != nil {
			return somethingWentWrong(w, err)
		}
	}
	setStage(w, stageDomain)
	return enterDomain(w)
}

// enterDomain waits for the offline domain join and, unless the profile skips
// that, until a domain controller can be seen; then it restarts Windows, once,
// into the domain. A start in the middle comes back to here.
func enterDomain(w *device.Windows) error {
	r := w.Registry()
	_, member := w.Domain()
	if done, _ := r.DWORD(device.KeyOOBE, domainRestart); done != 0 && member {
		setStage(w, stageUser)
		return restarted(w)
	}
	w.LogOn(setupAccount)
	skip := false
	if p, ok := cachedProfile(w); ok {
		skip = p.HybridJoinSkipDCConnectivityCheck != 0
	}
	for {
		w.Show(device.Screen{ID: ScreenDomain, Title: "Please wait while we set up your device...",
			Rows: []device.Row{{Name: esp.RowNetwork, Status: "Working on it...", Working: true}}})
		err := esp.AwaitDomainJoin(w, esp.JoinWait{Controller: !skip, Phase: phaseDomain})
		if err == nil {
			break
		}
		if err := domainFailed(w, err); err != nil {
			return err
		}
	}
	r.SetDWORD(device.KeyOOBE, domainRestart, 1)
	w.Event("domain.restart")
	return device.ErrReboot
}

// domainFailed is the page that says why there is no domain. Nil means that it
// is to be tried again.
func domainFailed(w *device.Windows, why error) error {
	if err := powerLost(w); err != nil {
		return err
	}
	if errors.Is(why, device.ErrReboot) || errors.Is(why, device.ErrShutdown) {
		return why
	}
	code, _ := hresult.CodeOf(why)
	w.Event("user.failed", journal.F("code", code.Hex()), journal.F("phase", phaseOf(why)), journal.F("error", why.Error()))
	_, err := w.Ask(device.Screen{ID: ScreenWrong, Title: "Something went wrong", Buttons: []string{ButtonTryAgain},
		Lines: []device.Line{{Label: LabelError, Value: code.Hex()}, {Label: LabelPhase, Value: phaseOf(why)}, {Label: LabelReason, Value: why.Error()}}})
	return err
}

// signOut is the end of a domain user's account setup: the rights that setup
// has given the account are in force from the next logon on.
func signOut(w *device.Windows) error {
	setStage(w, stageSignOut)
	w.Event("setup.done", journal.F("user", w.Registry().String(device.KeyOOBE, "UserUPN")))
	if _, err := w.Ask(device.Screen{ID: ScreenSignOut, Title: "Your device is set up", Buttons: []string{ButtonSignOut}}); err != nil {
		return err
	}
	w.LogOff()
	if err := logonScreen(w, ""); err != nil {
		return err
	}
	return finish(w)
}

// unfinished does the account setup of a user again at whose logon nothing of
// the user could be set up, until it is through or the user goes past it.
func unfinished(w *device.Windows) error {
	a, on := w.LoggedOn()
	if !on || a.SID != w.Registry().String(device.KeyOOBE, "UserSID") || !esp.Unfinished(w, a.SID) {
		return nil
	}
	w.Event("setup.again", journal.F("user", a.UPN))
	for {
		err := accountSetup(w)
		if err == nil {
			return nil
		}
		anyway, err := setupFailed(w, err)
		if err != nil {
			return err
		}
		if anyway {
			esp.ContinueAnyway(w)
			return nil
		}
	}
}
