package oobe

import (
	"strconv"
	"strings"

	"windtunnel.test/sim/device"
)

// firstOfEleven is the first build of Windows 11.
const firstOfEleven = 22000

// wording is what the technician's pages call things, which Windows 11 changed
// (learn.microsoft.com, "Windows Autopilot for pre-provisioned deployment").
type wording struct {
	option, goOn string // the option of the dialog, and the dialog's button
	provision    string // button of the configuration screen
	diagnostics  string // button of the failure page, "" where a key opens them
}

func wordingOf(w *device.Windows) wording {
	major, _, _ := strings.Cut(w.Installation.Build, ".")
	if build, err := strconv.Atoi(major); err == nil && build < firstOfEleven {
		return wording{OptionProvision, ButtonContinue, ButtonProvision, ButtonDiagnostics}
	}
	return wording{OptionPreProvision, ButtonNext, ButtonNext, ""}
}

// exportPage is Windows 11's diagnostics page, behind Ctrl+Shift+D.
func exportPage(w *device.Windows, name string) error {
	in, err := w.Ask(device.Screen{ID: ScreenExport, Title: "Windows Autopilot diagnostics", Buttons: []string{ButtonExport, ButtonClose}})
	if err != nil || in.Button != ButtonExport {
		return err
	}
	return saveLogs(w, name)
}
