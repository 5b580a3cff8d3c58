package oobe

import (
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/ztd"
)

// firstScreens takes a person from the first boot to the sign-in page, or to
// the technician's options where the Windows key is struck five times.
//
// A cable brings the Autopilot profile before anybody touches a key, so that
// only the language is asked for, and not even that where the profile presets
// it. Without a network the profile cannot be read: region, keyboard and
// network are asked for first, whatever the profile says.
func firstScreens(w *device.Windows) error {
	if again := startedAgain(w); again > w.Timing.OOBE.Restarts {
		return recovery(w)
	}
	online := w.NIC.IsUp() && connected(w)
	if online {
		setClock(w)
		if err := acquireProfile(w); err != nil {
			return err
		}
		if err := updatePages(w); err != nil {
			return err
		}
	}
	pages := []func(*device.Windows) error{language, region, keyboard, network}
	if online {
		presetKeyboard(w)
		pages = pages[:0]
		if p, ok := cachedProfile(w); !ok || p.CloudAssignedLanguage == "" {
			pages = append(pages, language)
		}
	}
	for _, page := range pages {
		if err := page(w); err != nil {
			return err
		}
	}
	if _, ok := cachedProfile(w); !ok {
		return consumerSetup(w)
	}
	return welcome(w)
}

// ask shows a first screen until a button is pressed. Five strikes of the
// Windows key, no more and no fewer, lead to the technician's options; whoever
// cancels there comes back to this screen.
func ask(w *device.Windows, s device.Screen) (device.Input, error) {
	s.Keys = []string{KeyWindows}
	for {
		in, err := w.Ask(s)
		if err != nil {
			return in, err
		}
		if in.Key == "" {
			return in, nil
		}
		if in.Times == w.Timing.OOBE.KeyPresses {
			if err := options(w); err != nil {
				return in, err
			}
		}
	}
}

func language(w *device.Windows) error {
	in, err := ask(w, device.Screen{ID: ScreenLanguage, Title: "Choose a language", Inputs: []string{FieldLanguage}, Buttons: []string{ButtonYes}})
	remember(w, FieldLanguage, in)
	return err
}

func region(w *device.Windows) error {
	in, err := ask(w, device.Screen{ID: ScreenRegion, Title: "Is this the right country or region?", Inputs: []string{FieldRegion}, Buttons: []string{ButtonYes}})
	remember(w, FieldRegion, in)
	return err
}

func keyboard(w *device.Windows) error {
	in, err := ask(w, device.Screen{ID: ScreenKeyboard, Title: "Is this the right keyboard layout or input method?", Inputs: []string{FieldKeyboard}, Buttons: []string{ButtonYes}})
	remember(w, FieldKeyboard, in)
	return err
}

func remember(w *device.Windows, field string, in device.Input) {
	if v := in.Values[field]; v != "" {
		w.Registry().SetString(device.KeyOOBE, field, v)
	}
}

// network stays until the internet is there: nothing in Autopilot works
// without it. Then it reads the profile.
func network(w *device.Windows) error {
	s := device.Screen{ID: ScreenNetwork, Title: "Let's connect you to a network", Buttons: []string{ButtonConnect}}
	for {
		if _, err := ask(w, s); err != nil {
			return err
		}
		w.Connect()
		if connected(w) {
			setClock(w)
			if err := acquireProfile(w); err != nil {
				return err
			}
			return updatePages(w)
		}
		if err := powerLost(w); err != nil {
			return err
		}
		s.Lines = []device.Line{{Label: "Status", Value: "No internet"}}
	}
}

// workSetup is how a PC that Autopilot does not know joins an organization: its
// user gives a work account, and that account's organization it is
// (learn.microsoft.com, "Join your work device to your work or school network").
func workSetup(w *device.Windows) error {
	s := device.Screen{ID: ScreenSignIn, Title: "Let's set things up for your work or school", Inputs: []string{FieldEmail, FieldPassword}, Buttons: []string{ButtonNext}}
	for {
		in, err := ask(w, s)
		if err != nil {
			return err
		}
		name, password := in.Values[FieldEmail], in.Values[FieldPassword]
		session, err := join.SignIn(w, name, password)
		if cancelled(w, err) {
			return err
		}
		if err == nil {
			_, domain, _ := strings.Cut(name, "@")
			return userFlow(w, ztd.Profile{CloudAssignedTenantID: session.TenantID, CloudAssignedTenantDomain: domain}, session, password)
		}
		code := codeOf(err)
		w.Event("logon.failed", journal.F("name", name), journal.F("code", code.Hex()), journal.F("why", err.Error()))
		s.Lines = []device.Line{{Label: LabelError, Value: code.Hex()}, {Label: LabelReason, Value: err.Error()}}
	}
}

// consumerSetup is what an unmanaged PC does: licence terms and an account of
// its own. A PC that Autopilot should have had ends here when its profile
// could not be read, for instance because the Microsoft account sign-in
// assistant is disabled.
func consumerSetup(w *device.Windows) error {
	w.Registry().SetDWORD(device.KeyAutopilot, "IsAutopilotDisabled", 1)
	if _, err := ask(w, device.Screen{ID: ScreenEULA, Title: "Please review the License Agreement", Buttons: []string{ButtonAccept}}); err != nil {
		return err
	}
	in, err := ask(w, device.Screen{ID: ScreenLocal, Title: "Who's going to use this device?", Inputs: []string{FieldUserName, FieldPassword}, Buttons: []string{ButtonNext, ButtonForWork}})
	if err != nil {
		return err
	}
	if in.Button == ButtonForWork {
		return workSetup(w)
	}
	w.Registry().SetString(device.KeyOOBE, "LocalAccount", in.Values[FieldUserName])
	setStage(w, stageDone)
	return desktop(w)
}
