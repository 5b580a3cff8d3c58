package oobe

import (
	"errors"
	"net/http"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/esp"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/ztd"
)

// signInPage is the organisation's branded page. The user signs in with Entra
// credentials, the PC is joined as that user, enrolled unless a technician had
// it enrolled before, and the rest arrives under the enrollment status page.
func signInPage(w *device.Windows) error {
	for {
		profile, ok := cachedProfile(w)
		if !ok {
			return consumerSetup(w)
		}
		s := device.Screen{
			ID: ScreenSignIn, Title: "Welcome to " + profile.CloudAssignedTenantDomain + "!",
			Inputs: []string{FieldEmail, FieldPassword}, Buttons: []string{ButtonNext},
		}
		assigned := profile.CloudAssignedTenantUpn
		if assigned != "" { // filled in already, and not to be changed
			s.Lines = append(s.Lines, device.Line{Label: FieldEmail, Value: assigned})
			s.Inputs = []string{FieldPassword}
		}
		if code := w.Registry().String(device.KeyOOBE, "SignInError"); code != "" {
			s.Lines = append(s.Lines, device.Line{Label: LabelError, Value: code}, device.Line{Label: LabelReason, Value: w.Registry().String(device.KeyOOBE, "SignInReason")})
		}
		in, err := ask(w, s)
		if err != nil {
			return err
		}
		upn := in.Values[FieldEmail]
		if assigned != "" {
			upn = assigned
		}
		session, err := join.SignIn(w, upn, in.Values[FieldPassword])
		switch {
		case cancelled(w, err):
			return err
		case err != nil && unreachable(err):
			if err := identityProvider(w, err); err != nil {
				return err
			}
			continue
		case err != nil:
			code, _ := hresult.CodeOf(err)
			w.Event("logon.failed", journal.F("name", upn), journal.F("code", code.Hex()), journal.F("why", err.Error()))
			w.Registry().SetString(device.KeyOOBE, "SignInError", code.Hex())
			w.Registry().SetString(device.KeyOOBE, "SignInReason", err.Error())
			continue
		case session.TenantID != profile.CloudAssignedTenantID:
			if err := wrongOrganization(w, profile, session); err != nil {
				return err
			}
			continue
		}
		w.Registry().Delete(device.KeyOOBE, "SignInError")
		w.Registry().Delete(device.KeyOOBE, "SignInReason")
		return userFlow(w, profile, session, in.Values[FieldPassword])
	}
}

// userFlow is what follows the sign-in up to the desktop.
func userFlow(w *device.Windows, profile ztd.Profile, session *join.Session, password string) error {
	if hybrid(profile) {
		return enrolForDomain(w, profile, session, password)
	}
	if err := termsOfUse(w, session); err != nil {
		return somethingWentWrong(w, err)
	}
	tenant := join.Tenant{ID: profile.CloudAssignedTenantID, Domain: profile.CloudAssignedTenantDomain}
	if !join.Status(w).Joined || !keptByReset(w) {
		if err := join.JoinAsUser(w, tenant, session); err != nil {
			return somethingWentWrong(w, err)
		}
	}
	if err := join.AcquirePRT(w, session, password); err != nil {
		return somethingWentWrong(w, err)
	}
	if session.EnrollmentURL == "" && !mdm.Enrolled(w) {
		return unmanaged(w, session)
	}
	if !mdm.Enrolled(w) {
		w.RunTask(device.TaskAIK) // an enrolment without its certificate goes on unattested
		if err := powerLost(w); err != nil {
			return err
		}
		token, err := join.TokenFor(w, esp.Resource)
		if err == nil {
			err = mdm.Enroll(w, mdm.Enrollment{Token: token.Raw, UPN: session.UPN, UserDriven: true, ZtdID: profile.ZtdRegistrationID})
		}
		if err != nil {
			return somethingWentWrong(w, err)
		}
	}
	r := w.Registry()
	r.SetString(device.KeyOOBE, "UserSID", session.SID)
	r.SetString(device.KeyOOBE, "UserUPN", session.UPN)
	setStage(w, stageUser)
	return setUp(w)
}

// termsOfIntune is where the terms of Intune are; there are none to accept where
// nobody wrote some, and Windows asks for nothing (our model).
const termsOfIntune = "https://portal.manage.microsoft.com/TermsofUse.aspx"

// termsOfUse opens the terms of the user's MDM ([MS-MDE2] leaves them to the
// server; learn.microsoft.com, "Troubleshoot Windows device enrollment errors in
// Intune", MDM terms of use).
func termsOfUse(w *device.Windows, session *join.Session) error {
	if session.TermsURL == "" || session.TermsURL == termsOfIntune || mdm.Enrolled(w) {
		return nil
	}
	resp, err := w.Do(device.Request{Op: "MDM terms of use", Method: http.MethodGet, URL: session.TermsURL})
	switch {
	case err != nil:
		return &hresult.Error{Op: "can't connect to the URL of your organization's MDM terms of use", Phase: "TermsOfUse", Code: codeOf(err), Err: err}
	case resp.Status != http.StatusOK:
		return &hresult.Error{Op: "MDM terms of use", Phase: "TermsOfUse", Code: hresult.FromHTTPStatus(resp.Status)}
	}
	return nil
}

func codeOf(err error) hresult.Code {
	code, ok := hresult.CodeOf(err)
	if !ok {
		return hresult.Fail
	}
	return code
}

// unmanaged is the end of setup for a user who is in no MDM's scope: joined, and
// nothing of the organization comes.
func unmanaged(w *device.Windows, session *join.Session) error {
	r := w.Registry()
	r.SetString(device.KeyOOBE, "UserSID", session.SID)
	r.SetString(device.KeyOOBE, "UserUPN", session.UPN)
	w.Event("user.unmanaged", journal.F("user", session.UPN))
	w.LogOn(join.AccountOf(w))
	if err := w.Sleep(w.Draw(w.Timing.Device.SignIn), "sign-in"); err != nil {
		return err
	}
	return finish(w)
}

// keptByReset tells whether an Autopilot Reset has left the PC joined.
func keptByReset(w *device.Windows) bool {
	reset, _ := w.Registry().DWORD(device.KeyOOBE, afterReset)
	return reset != 0
}

// wrongOrganization is the page for an account of another tenant.
func wrongOrganization(w *device.Windows, profile ztd.Profile, session *join.Session) error {
	w.Registry().SetDWORD(device.KeyAutopilot, "TenantMatched", 0)
	w.Event("user.wrongTenant", journal.F("user", session.UPN), journal.F("tenant", profile.CloudAssignedTenantDomain))
	_, err := w.Ask(device.Screen{ID: ScreenWrongOrg, Title: "Looks like this device belongs to another organization", Buttons: []string{ButtonTryAgain}})
	return err
}

// somethingWentWrong is the error page of joining and enrolling, with the one
// way out that it offers. It gives back what ends the boot.
func somethingWentWrong(w *device.Windows, why error) error {
	if err := powerLost(w); err != nil {
		return err
	}
	if errors.Is(why, device.ErrReboot) {
		return why
	}
	code, _ := hresult.CodeOf(why)
	w.Event("user.failed", journal.F("code", code.Hex()), journal.F("phase", phaseOf(why)), journal.F("error", why.Error()))
	s := device.Screen{ID: ScreenWrong, Title: "Something went wrong", Buttons: []string{ButtonTryAgain},
		Lines: []device.Line{{Label: LabelError, Value: code.Hex()}, {Label: LabelPhase, Value: phaseOf(why)}, {Label: LabelReason, Value: why.Error()}}}
	if _, err := w.Ask(s); err != nil {
		return err
	}
	return signInPage(w)
}
