package join

import (
	"errors"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/oauth"
)

// keyCache has the users of the domain who have signed in here, by their
// security identifiers, with what proves a password without a controller
// (cached credentials; the form is our model).
const keyCache = device.KeySecurity + `\Cache`

// cacheAccount keeps who has just proved a password to a controller.
func cacheAccount(w *device.Windows, a device.Account, password string) {
	r, key := w.Registry(), keyCache+`\`+a.SID
	if v := verifier(a.SID, password); r.String(key, "Verifier") != v {
		r.SetString(key, "Name", a.Name)
		r.SetString(key, "UPN", a.UPN)
		r.SetString(key, "Verifier", v)
	}
}

// cachedAccount finds a user by account name or user principal name.
func cachedAccount(w *device.Windows, principal string) (device.Account, bool) {
	r := w.Registry()
	for _, sid := range r.Subkeys(keyCache) {
		key := keyCache + `\` + sid
		a := device.Account{SID: sid, Name: r.String(key, "Name"), UPN: r.String(key, "UPN")}
		whole := r.String(key, "Verifier") != "" // it is written last
		if whole && (strings.EqualFold(a.Name, principal) || strings.EqualFold(a.UPN, principal)) {
			return a, true
		}
	}
	return device.Account{}, false
}

// cachedLogon is a logon without a controller.
func cachedLogon(w *device.Windows, principal, password string) (device.Account, error) {
	a, known := cachedAccount(w, principal)
	if !known {
		return device.Account{}, hresult.New(opLogon, hresult.STATUSNoLogonServers, errNoServers)
	}
	if !cachedPassword(w, a.SID, password) {
		return device.Account{}, hresult.New(opLogon, hresult.STATUSWrongSecret, errWrongSecret)
	}
	return a, nil
}

func cachedPassword(w *device.Windows, sid, password string) bool {
	return w.Registry().String(keyCache+`\`+sid, "Verifier") == verifier(sid, password)
}

// UnlockDomain unlocks the PC for the user of the domain who is signed in.
func UnlockDomain(w *device.Windows, a device.Account, password string) error {
	if !cachedPassword(w, a.SID, password) {
		return hresult.New(opLogon, hresult.STATUSWrongSecret, errWrongSecret)
	}
	return nil
}

// tokenAtLogon gets the primary refresh token with the credentials of a logon,
// where Entra ID knows the PC (learn.microsoft.com, "What is a primary refresh
// token?"): the one that is kept, or a new one.
func tokenAtLogon(w *device.Windows, a device.Account, password string) {
	r := w.Registry()
	if r.String(keyPRT, "UserSID") == a.SID && r.String(keyPRT, "Verifier") == verifier(a.SID, password) {
		unlock(w)
		return
	}
	if !Status(w).Joined {
		return
	}
	if err := AddWorkAccount(w, a.SID, a.UPN, password); err != nil && gone(w) == nil {
		code, _ := hresult.CodeOf(err)
		w.Event("prt.failed", journal.F("user", a.UPN), journal.F("code", code.Hex()), journal.F("error", err.Error()))
		w.Log(device.LogAAD, 1081, "Error", "Primary refresh token: "+err.Error())
	}
}

// AddWorkAccount gets a primary refresh token for the session of the user with
// this identifier, by Entra credentials. Sessions that took place meanwhile had
// the broker get tokens for the device; who adds an account is asked for anew.
func AddWorkAccount(w *device.Windows, sid, upn, password string) error {
	const op = "add work account"
	if !Status(w).Joined {
		return hresult.New(op, hresult.JoinServerNotAuthorized, errNotKnown)
	}
	found, err := userRealm(w, upn)
	if err != nil {
		return err
	}
	if found.AccountType == oauth.RealmFederated {
		return hresult.New(op, hresult.WAMNoEndpoint, errFederated)
	}
	if found.AccountType != oauth.RealmManaged {
		return hresult.New(op, hresult.STATUSWrongSecret, errWrongSecret)
	}
	if err := AcquirePRT(w, &Session{UPN: upn, TenantID: Status(w).TenantID, SID: sid}, password); err != nil {
		return err
	}
	dropDeviceTokens(w)
	return nil
}

var (
	errNotKnown  = errors.New("the device is not known to Entra ID")
	errFederated = errors.New("sign-in by a federation service (WS-Trust) is not modelled")
)
