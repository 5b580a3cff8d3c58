package oobe

import (
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
)

// Where Windows keeps what the following look at.
const (
	// keyCurrentVersion: UserOOBE counts the starts of setup
	// (learn.microsoft.com/autopilot/add-devices).
	keyCurrentVersion = `HKCU\SOFTWARE\Microsoft\Windows\CurrentVersion`
	// keySetup: sysprep's CloneTag says that Windows was generalized.
	keySetup = `HKLM\SYSTEM\Setup`
	// keyLanguage: InstallLanguage is the language of Windows, as a hexadecimal
	// identifier (learn.microsoft.com, "Windows language identifiers").
	keyLanguage = `HKLM\SYSTEM\CurrentControlSet\Control\Nls\Language`
)

// startedAgain counts the starts of setup that have not come through its first
// pages, this one with them. Who sets the value to 1 begins anew.
func startedAgain(w *device.Windows) int {
	key := device.ExpandHive(keyCurrentVersion, "")
	n, _ := w.Registry().DWORD(key, "UserOOBE")
	w.Registry().SetDWORD(key, "UserOOBE", n+1)
	return int(n) + 1
}

// recovery is setup after too many starts: language, region and keyboard are on
// one page, and Autopilot is left out (learn.microsoft.com/autopilot/add-devices,
// "OOBE in recovery mode").
func recovery(w *device.Windows) error {
	w.Event("oobe.recovery")
	in, err := w.Ask(device.Screen{ID: ScreenCombined, Title: "Let's set up your PC", Inputs: []string{FieldLanguage, FieldRegion, FieldKeyboard}, Buttons: []string{ButtonYes}})
	if err != nil {
		return err
	}
	for _, field := range []string{FieldLanguage, FieldRegion, FieldKeyboard} {
		remember(w, field, in)
	}
	return consumerSetup(w)
}

// updatePages brings the pages of a profile up to date, on builds that cannot do
// that in a Windows that went through sysprep (learn.microsoft.com/autopilot/resolved-issues).
func updatePages(w *device.Windows) error {
	if _, ok := cachedProfile(w); !ok || !w.Has(defects.FailsUpdate) || w.Registry().String(keySetup, "CloneTag") == "" {
		return nil
	}
	for {
		w.Event("oobe.failed", journal.F("step", stepUpdate))
		if _, err := w.Ask(device.Screen{ID: ScreenWrong, Title: "Something went wrong", Buttons: []string{ButtonTryAgain},
			Lines: []device.Line{{Label: LabelError, Value: stepUpdate}, {Label: LabelPhase, Value: "OOBE"}, {Label: LabelReason, Value: "You can try again, or skip for now."}}}); err != nil {
			return err
		}
	}
}

// Steps of setup by which its error page calls itself, where no code says more
// (learn.microsoft.com, "Troubleshoot Windows device enrollment errors").
const (
	stepUpdate = "AUTOPILOTUPDATE"
	stepIDPS   = "OOBEIDPS"
)

// unreachable tells whether an identity provider could not be talked to, whatever
// it would have said: a code of WinHTTP or WinINet, 0x80072EE0 and up.
func unreachable(err error) bool {
	code, _ := hresult.CodeOf(err)
	return code >= 0x80072EE0 && code <= 0x80072FFF
}

// identityProvider is the page of a sign-in that found nobody to sign in with
// (learn.microsoft.com, "Troubleshoot Windows device enrollment errors": a firewall
// or proxy is in the way).
func identityProvider(w *device.Windows, why error) error {
	code, _ := hresult.CodeOf(why)
	w.Event("oobe.failed", journal.F("step", stepIDPS), journal.F("code", code.Hex()))
	_, err := w.Ask(device.Screen{ID: ScreenWrong, Title: "Something went wrong", Buttons: []string{ButtonTryAgain},
		Lines: []device.Line{{Label: LabelError, Value: stepIDPS}, {Label: LabelPhase, Value: "OOBE"}, {Label: LabelReason, Value: why.Error()}}})
	return err
}

// red tells whether this Windows shows a success as if it were none: it is in
// another language than English.
func red(w *device.Windows) bool {
	id := w.Registry().String(keyLanguage, "InstallLanguage")
	return w.Has(defects.RedSuccess) && id != "" && !strings.HasSuffix(id, "09")
}
