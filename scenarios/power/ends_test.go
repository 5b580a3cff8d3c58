package power_test

import (
	"errors"
	"fmt"
	"strings"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/ending"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/spec"
)

// possible is an error of all that cannot be true of a PC with Windows.
func possible(w *spec.World, pc *device.PC) error {
	if found := w.Impossible(pc); len(found) > 0 {
		return errors.New("impossible: " + strings.Join(found, "; "))
	}
	return nil
}

// failures are the codes with which a flow whose power was cut may end, and why.
// The screen is the flow's failure page.
var failures = map[string]string{
	hresult.WaitTimeout.Hex():                   "a row or the whole page took longer than it may; ticks of a PC that is off do not count",
	hresult.TPMAttestationRetriesExceeded.Hex(): "the TPM was not attested in four tries",
	hresult.EnrollDeviceNotSupported.Hex():      "Intune enrolled the PC, and the PC did not get to know: one enrolment without a user for each record",
	hresult.AppNotDetected.Hex():                "a detection rule did not find what an installer had not brought to its end",
}

// documented tells whether a flow's failure is one that is written down: its
// screen, its code, and a record in an event log that says the same.
func documented(w *spec.World, pc *device.PC, f *sim.Failed) error {
	if f.Screen != oobe.ScreenFailure && f.Screen != oobe.ScreenWrong {
		return fmt.Errorf("%w: no failure page", f)
	}
	if failures[f.Code] == "" {
		return fmt.Errorf("%w: not a failure that a power cut is known to lead to", f)
	}
	for _, kind := range []string{"autopilot.failed", "user.failed"} {
		for _, e := range w.Events(pc, kind) {
			if e.Text("code") == f.Code {
				return nil
			}
		}
	}
	return fmt.Errorf("%w: nothing was logged about it", f)
}

// endless is the rule of the endless wait that a PC is in, "" for none.
func endless(w *spec.World, pc *device.PC) string {
	wait, _ := ending.Endless(w.World, pc)
	return wait.Rule
}
