package oobe

import (
	"context"
	"errors"
	"slices"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/device/esp"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/ztd"
)

// options is the dialog behind five strikes of the Windows key. It returns nil
// where the person cancels.
func options(w *device.Windows) error {
	say := wordingOf(w)
	in, err := w.Ask(device.Screen{
		ID: ScreenOptions, Title: "What would you like to do?",
		Lines:  []device.Line{{Label: FieldOption, Value: say.option}, {Label: FieldOption, Value: OptionPackage}},
		Inputs: []string{FieldOption}, Buttons: []string{say.goOn, ButtonCancel},
	})
	if err != nil || in.Button != say.goOn || in.Values[FieldOption] != say.option {
		return err
	}
	return landing(w)
}

// landing is the Windows Autopilot configuration screen: it says what this PC
// is about to become. Refresh reads the profile again; Provision starts.
func landing(w *device.Windows) error {
	if !connected(w) {
		if err := powerLost(w); err != nil {
			return err
		}
		return failurePage(w, &hresult.Error{Op: "connect", Phase: "Landing", Code: hresult.URLInvalidServer}, 0)
	}
	if err := acquireProfile(w); err != nil {
		return err
	}
	if reset, _ := w.Registry().DWORD(device.KeyOOBE, afterReset); reset != 0 {
		return failurePage(w, &hresult.Error{Op: "pre-provisioning", Phase: "Landing", Code: hresult.NotImplemented, Err: errAfterReset}, 0)
	}
	for {
		profile, ok := cachedProfile(w)
		if !ok {
			return failurePage(w, profileError(w), 0)
		}
		s, err := configuration(w, profile, ScreenLanding, "Windows Autopilot Configuration")
		if err != nil {
			return err
		}
		begin := wordingOf(w).provision
		s.Buttons = []string{ButtonRefresh, begin}
		in, err := w.Ask(s)
		switch {
		case err != nil:
			return err
		case in.Button == ButtonRefresh:
			if err := refreshProfile(w); err != nil {
				return err
			}
		case in.Button == begin:
			w.Registry().SetString(device.KeyOOBE, "WhiteGloveStart", w.Clock.Now().UTC().Format(time.RFC3339Nano))
			setStage(w, stageTechnician)
			return provision(w)
		}
	}
}

// provision is the technician flow proper: the enrollment status page brings
// the PC under management and waits until what is targeted at the device is on
// it. A boot in the middle comes back to here, and the page goes on from what
// it finds.
func provision(w *device.Windows) error {
	profile, ok := cachedProfile(w)
	if !ok {
		return failurePage(w, profileError(w), elapsed(w))
	}
	plan := esp.Plan{
		Technician: true,
		Tenant:     join.Tenant{ID: profile.CloudAssignedTenantID, Domain: profile.CloudAssignedTenantDomain},
		ZtdID:      profile.ZtdRegistrationID,
		Hybrid:     hybrid(profile),
		Assigned:   profile.CloudAssignedTenantUpn != "",
	}
	w.Log(device.LogManagement, 509, "Information", "Autopilot white glove provisioning started")
	err := esp.DevicePreparation(w, plan)
	if err == nil {
		err = esp.DeviceSetup(w, plan)
	}
	switch {
	case powerLost(w) != nil:
		return powerLost(w)
	case errors.Is(err, device.ErrReboot):
		return err
	case err != nil && esp.AttestationFailed(w) && w.Has(defects.HangsOnAttestation):
		return w.Clock.NewCond("page of " + w.Name + " after a failed attestation").Wait(w.Ctx)
	case err != nil:
		return failurePage(w, err, elapsed(w))
	}
	return successPage(w, profile)
}

// continueAnyway is how a technician gets past a status page that does not keep
// people from the PC: what is pending is installed behind the success page.
func continueAnyway(w *device.Windows) error {
	profile, ok := cachedProfile(w)
	if !ok {
		return failurePage(w, profileError(w), elapsed(w))
	}
	w.Event("technician.continued")
	esp.ContinueAnyway(w)
	return successPage(w, profile)
}

// successPage says the same as the configuration screen, and how long it took.
// Reseal makes the PC ready to be unpacked by somebody else, and turns it off.
func successPage(w *device.Windows, profile ztd.Profile) error {
	w.Registry().SetString(device.KeyOOBE, "WhiteGloveSuccess", "1")
	s, err := configuration(w, profile, ScreenSuccess, "Success")
	if err != nil {
		return err
	}
	s.Lines = append(s.Lines, device.Line{Label: LabelElapsed, Value: esp.Elapsed(elapsed(w))})
	s.Buttons = []string{ButtonReseal}
	if red(w) {
		s.ID, s.Buttons = ScreenFailure, []string{ButtonRetry, ButtonReset}
		w.Event("autopilot.failed", journal.F("phase", "result"), journal.F("error", "the page of a success is red"))
		for {
			in, err := w.Ask(s)
			switch {
			case err != nil:
				return err
			case in.Button == ButtonReset:
				return reset(w)
			}
		}
	}
	w.Log(device.LogShell, 62407, "Information", "CommercialOOBE_ESPProgress_WhiteGlove_Success")
	if _, err := w.Ask(s); err != nil {
		return err
	}
	return reseal(w)
}

const technicianLogs = "AutopilotWhiteGloveLogs.zip"

var errAfterReset = errors.New("not supported on a device after an Autopilot Reset")

// failurePage is the red one. What a person can do there: save diagnostics,
// try again, or start over with a PC as new; and go on, where the status page has
// failed and its settings let people past it.
func failurePage(w *device.Windows, why error, took time.Duration) error {
	code, _ := hresult.CodeOf(why)
	profile, _ := cachedProfile(w)
	s, err := configuration(w, profile, ScreenFailure, "Something went wrong")
	if err != nil {
		return err
	}
	s.Lines = append(s.Lines,
		device.Line{Label: LabelError, Value: code.Hex()},
		device.Line{Label: LabelPhase, Value: phaseOf(why)},
		device.Line{Label: LabelReason, Value: why.Error()},
		device.Line{Label: LabelElapsed, Value: esp.Elapsed(took)})
	offers := esp.Offers(w)
	if offers.Text != "" {
		s.Lines = append(s.Lines, device.Line{Label: LabelMessage, Value: offers.Text})
	}
	s.Buttons, s.Keys = []string{ButtonRetry, ButtonReset}, []string{KeyLogs}
	if button := wordingOf(w).diagnostics; button != "" {
		s.Buttons, s.Keys = slices.Insert(s.Buttons, 0, button), nil
	}
	if offers.Continue && stage(w) == stageTechnician {
		s.Buttons = append(s.Buttons, ButtonAnyway)
	}
	w.Event("autopilot.failed", journal.F("code", code.Hex()), journal.F("phase", phaseOf(why)), journal.F("error", why.Error()))
	w.Log(device.LogShell, 62407, "Error", "CommercialOOBE_ESPProgress_WhiteGlove_Failed")
	for {
		in, err := w.Ask(s)
		switch {
		case err != nil:
			return err
		case in.Button == ButtonDiagnostics:
			if err := saveLogs(w, technicianLogs); err != nil {
				return err
			}
		case in.Key == KeyLogs:
			if err := exportPage(w, technicianLogs); err != nil {
				return err
			}
		case in.Button == ButtonRetry && stage(w) == stageTechnician:
			return provision(w)
		case in.Button == ButtonRetry:
			return landing(w)
		case in.Button == ButtonAnyway:
			return continueAnyway(w)
		case in.Button == ButtonReset:
			return reset(w)
		}
	}
}

func phaseOf(err error) string {
	var e *hresult.Error
	if errors.As(err, &e) {
		return e.Phase
	}
	return ""
}

// cancelled tells a step that ended with the boot from one that failed.
func cancelled(w *device.Windows, err error) bool { return err != nil && context.Cause(w.Ctx) != nil }
