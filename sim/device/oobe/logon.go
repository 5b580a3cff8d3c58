package oobe

import (
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
)

// setupAccount is defaultuser0, under which setup runs until a person has an
// account of their own. The identifier is our model's.
var setupAccount = device.Account{SID: "S-1-5-21-1000-1000-1000-1000", Name: "defaultuser0", Default: true}

// Values of the registry that stand in the way of an automatic sign-in.
const (
	keyAuthentication = device.KeyPolicyManager + `\device\Authentication`
	consentDefault    = 5 // ConsentPromptBehaviorAdmin, no prompt before what Windows brings with it
)

// autologon signs setup's own account in after a restart, where Windows can.
// What an organization changed in Windows can keep it from that
// (learn.microsoft.com, "Windows Autopilot troubleshooting FAQ", policies that
// conflict); it reads nothing but the values that Winlogon reads. Prompts that
// come before are asked of whoever is there.
func autologon(w *device.Windows) (bool, error) {
	if _, on := w.LoggedOn(); on {
		return true, nil
	}
	noticed, err := notice(w)
	if err != nil {
		return false, err
	}
	forgetKiosk(w)
	why := ""
	switch r := w.Registry(); {
	case noticed:
		why = "somebody had to confirm a message"
	case r.String(device.KeyWinlogon, "AutoAdminLogon") == "0":
		why = "AutoAdminLogon is 0"
	case len(r.ValueNames(device.KeyEAS)) > 0:
		why = "there are rules about passwords"
	case r.String(keyAuthentication, "PreferredAadTenantDomainName") != "":
		why = "there is no " + setupAccount.Name + "@" + r.String(keyAuthentication, "PreferredAadTenantDomainName")
	case isSet(w, "scforceoption"):
		why = "a smart card is required"
	case fixedLanguage(w) != "":
		why = "setup may not give its account a language and a keyboard (" + fixedLanguage(w) + ")"
	}
	if why != "" {
		w.Event("logon.failed", journal.F("name", setupAccount.Name), journal.F("why", why))
		return false, nil
	}
	w.LogOn(setupAccount)
	return true, consent(w)
}

func isSet(w *device.Windows, name string) bool {
	v, _ := w.Registry().DWORD(device.KeyPoliciesSystem, name)
	return v != 0
}

// passwordRules tells whether rules about passwords keep setup's account out.
func passwordRules(w *device.Windows) bool { return len(w.Registry().ValueNames(device.KeyEAS)) > 0 }

// notice shows the organization's message before a sign-in, where it has one.
func notice(w *device.Windows) (shown bool, err error) {
	r := w.Registry()
	title, text := r.String(device.KeyPoliciesSystem, "legalnoticecaption"), r.String(device.KeyPoliciesSystem, "legalnoticetext")
	if title == "" && text == "" {
		return false, nil
	}
	_, err = w.Ask(device.Screen{ID: ScreenNotice, Title: title, Lines: []device.Line{{Label: "Message", Value: text}}, Buttons: []string{ButtonOK}})
	return true, err
}

// consent is the prompt of User Account Control that setup meets where it asks
// even for what Windows brings with it, on the secure desktop or off it
// (learn.microsoft.com, ConsentPromptBehaviorAdmin). One that asks for an
// administrator's credentials is asked in vain: setup's account has none.
func consent(w *device.Windows) error {
	behaviour, set := w.Registry().DWORD(device.KeyPoliciesSystem, "ConsentPromptBehaviorAdmin")
	if lua, is := w.Registry().DWORD(device.KeyPoliciesSystem, "EnableLUA"); is && lua == 0 {
		return nil
	}
	if !set || behaviour == 0 || behaviour >= consentDefault {
		return nil
	}
	s := device.Screen{ID: ScreenConsent, Title: "Do you want to allow this app to make changes to your device?", Buttons: []string{ButtonYes, ButtonNo}}
	if behaviour%2 == 1 { // 1 and 3: credentials
		s.Inputs = []string{FieldUserName, FieldPassword}
	}
	for {
		in, err := w.Ask(s)
		if err != nil {
			return err
		}
		if in.Button == ButtonYes && len(s.Inputs) == 0 {
			return nil
		}
		s.Lines = []device.Line{{Label: LabelReason, Value: "an administrator has to allow this"}}
	}
}

// nobody is the logon screen in front of a technician: setup's account was not
// signed in, and nobody else has an account yet. It stays.
func nobody(w *device.Windows) error {
	s := device.Screen{ID: ScreenLogon, Title: "Other user", Inputs: []string{FieldEmail, FieldPassword}, Buttons: []string{ButtonNext}}
	for {
		if _, err := w.Ask(s); err != nil {
			return err
		}
		s.Lines = []device.Line{
			{Label: LabelError, Value: hresult.STATUSWrongSecret.Hex()},
			{Label: LabelReason, Value: "The user name or password is incorrect."},
		}
	}
}

// logonScreen has somebody sign in to Windows. After a restart in device setup
// the credentials that were given before it are gone, and no name is filled in;
// on later days the one who was last there is.
func logonScreen(w *device.Windows, prefill string) error {
	if _, err := notice(w); err != nil {
		return err
	}
	if m, member := w.Domain(); member {
		return domainLogon(w, m)
	}
	var failed []device.Line
	for {
		s := device.Screen{ID: ScreenLogon, Title: "Other user", Inputs: []string{FieldEmail, FieldPassword}, Buttons: []string{ButtonNext}}
		if prefill != "" {
			s.Lines = append(s.Lines, device.Line{Label: FieldEmail, Value: prefill})
		}
		s.Lines = append(s.Lines, failed...)
		in, err := w.Ask(s)
		if err != nil {
			return err
		}
		upn := in.Values[FieldEmail]
		if upn == "" {
			upn = prefill
		}
		if isSet(w, "scforceoption") {
			err = hresult.New("sign in", hresult.STATUSWrongSecret, errSmartCard)
		} else {
			_, err = join.LogOn(w, upn, in.Values[FieldPassword])
		}
		switch {
		case cancelled(w, err):
			return powerLost(w)
		case err == nil:
			return w.Sleep(w.Draw(w.Timing.Device.SignIn), "sign-in")
		}
		code, _ := hresult.CodeOf(err)
		w.Event("logon.failed", journal.F("name", upn), journal.F("why", err.Error()))
		failed = []device.Line{{Label: LabelError, Value: code.Hex()}, {Label: LabelReason, Value: err.Error()}}
	}
}
