package oobe

import (
	"errors"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/ztd"
)

// LabelDomain is the line of the logon screen that says whose accounts it takes.
const LabelDomain = "Sign in to"

// domainLogon is the logon screen of a domain's PC: a user name, with or without
// the domain, or a user principal name, and a password. Who signed in last is
// filled in, but during setup.
func domainLogon(w *device.Windows, m device.Membership) error {
	var failed []device.Line
	for {
		prefill := ""
		if stage(w) == stageDone {
			prefill = join.LastUser(w)
		}
		s := device.Screen{ID: ScreenLogon, Title: "Other user", Inputs: []string{FieldUserName, FieldPassword}, Buttons: []string{ButtonNext},
			Lines: []device.Line{{Label: LabelDomain, Value: m.NetBIOS}}}
		if prefill != "" {
			s.Lines = append(s.Lines, device.Line{Label: FieldUserName, Value: prefill})
		}
		s.Lines = append(s.Lines, failed...)
		in, err := w.Ask(s)
		if err != nil {
			return err
		}
		name := in.Values[FieldUserName]
		if name == "" {
			name = prefill
		}
		a, err := domainUser(w, name, in.Values[FieldPassword])
		switch {
		case cancelled(w, err):
			return powerLost(w)
		case err == nil:
			arrived(w, a)
			return w.Sleep(w.Draw(w.Timing.Device.SignIn), "sign-in")
		}
		code, _ := hresult.CodeOf(err)
		w.Event("logon.failed", journal.F("name", name), journal.F("code", code.Hex()), journal.F("why", err.Error()))
		failed = []device.Line{{Label: LabelError, Value: code.Hex()}, {Label: LabelReason, Value: reason(err)}}
	}
}

// reason is what Windows says of a failure, without its number.
func reason(err error) string {
	if e, ok := errors.AsType[*hresult.Error](err); ok && e.Err != nil {
		return e.Err.Error()
	}
	return err.Error()
}

// domainUser checks a user's credentials, and has a password changed that is not
// good for more than that.
func domainUser(w *device.Windows, name, password string) (device.Account, error) {
	if isSet(w, "scforceoption") {
		return device.Account{}, hresult.New("sign in", hresult.STATUSWrongSecret, errSmartCard)
	}
	a, err := join.LogOnDomain(w, name, password)
	if !join.MustChangePassword(err) {
		return a, err
	}
	fresh, changed := changePassword(w, name, password, err)
	if changed != nil || fresh == "" {
		return a, errors.Join(changed, err)
	}
	return join.LogOnDomain(w, name, fresh)
}

// changePassword is the page on which a password that is too old is replaced.
// Who cancels there gets "".
func changePassword(w *device.Windows, name, old string, why error) (string, error) {
	for {
		code, _ := hresult.CodeOf(why)
		in, err := w.Ask(device.Screen{ID: ScreenChangePassword, Title: "Change your password",
			Lines:  []device.Line{{Label: FieldUserName, Value: name}, {Label: LabelError, Value: code.Hex()}, {Label: LabelReason, Value: reason(why)}},
			Inputs: []string{FieldNew, FieldConfirm}, Buttons: []string{ButtonNext, ButtonCancel}})
		if err != nil || in.Button == ButtonCancel {
			return "", err
		}
		fresh := in.Values[FieldNew]
		if fresh != in.Values[FieldConfirm] {
			why = hresult.New("change password", hresult.STATUSPasswordRule, errDifferent)
			continue
		}
		err = join.ChangeDomainPassword(w, name, old, fresh)
		if cancelled(w, err) {
			return "", powerLost(w)
		}
		if err == nil {
			return fresh, nil
		}
		w.Event("password.refused", journal.F("name", name), journal.F("error", err.Error()))
		why = err
	}
}

var errDifferent = errors.New("the passwords do not match")

// arrived notes whose account is set up, and gives the first user the rights
// that the profile means the user to have.
func arrived(w *device.Windows, a device.Account) {
	r := w.Registry()
	if stage(w) != stageUser {
		return
	}
	r.SetString(device.KeyOOBE, "UserSID", a.SID)
	r.SetString(device.KeyOOBE, "UserUPN", a.UPN)
	config, known := r.DWORD(device.KeyAutopilot, "CloudAssignedOobeConfig")
	if known && !ztd.OobeConfig(config).Has(ztd.OobeUserNotLocalAdmin) {
		join.GrantAdministrator(w, a)
	}
}

// workAccount asks a domain's user for Entra credentials, where the logon has
// brought no primary refresh token: without a federation service nothing vouches
// for the user (learn.microsoft.com, tutorial for pre-provisioned hybrid join,
// user flow). Whoever cancels goes on without.
func workAccount(w *device.Windows, sid string) error {
	s := device.Screen{ID: ScreenWorkAccount, Title: "Stay signed in to all your apps", Inputs: []string{FieldEmail, FieldPassword}, Buttons: []string{ButtonNext, ButtonCancel}}
	for {
		in, err := w.Ask(s)
		if err != nil {
			return err
		}
		if in.Button == ButtonCancel {
			w.Event("account.work.cancelled")
			return nil
		}
		err = join.AddWorkAccount(w, sid, in.Values[FieldEmail], in.Values[FieldPassword])
		if cancelled(w, err) {
			return powerLost(w)
		}
		if err == nil {
			w.Event("account.work.added", journal.F("user", in.Values[FieldEmail]))
			return nil
		}
		code, _ := hresult.CodeOf(err)
		w.Event("account.work.failed", journal.F("user", in.Values[FieldEmail]), journal.F("code", code.Hex()), journal.F("error", err.Error()))
		s.Lines = []device.Line{{Label: LabelError, Value: code.Hex()}, {Label: LabelReason, Value: err.Error()}}
	}
}
