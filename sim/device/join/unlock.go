package join

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
)

// A primary refresh token is of use to nobody but its user's session: what
// Windows has on the disk opens when that user signs in, and is closed again
// when the PC starts the next time (learn.microsoft.com, "What is a primary
// refresh token?").

type unlockKey struct{}

func unlocked(w *device.Windows) bool {
	return *device.Once(w, unlockKey{}, func() *bool { return new(bool) })
}

// Unlocked tells whether the user of the primary refresh token has signed in in
// this boot.
func Unlocked(w *device.Windows) bool { return unlocked(w) }

func unlock(w *device.Windows) {
	*device.Once(w, unlockKey{}, func() *bool { return new(bool) }) = true
}

// verifier is what Windows keeps of a password to sign its user in without a
// network (cached logon; the form is our model).
func verifier(sid, password string) string {
	sum := sha256.Sum256([]byte(sid + "\x00" + password))
	return hex.EncodeToString(sum[:])
}

// Unlock signs a user in whom this PC knows, as the logon screen does. The
// password is compared with what was kept of it when it was last good; no
// network is needed. Somebody whom the PC does not know has to be signed in by
// SignIn and AcquirePRT.
func Unlock(w *device.Windows, upn, password string) error {
	r := w.Registry()
	sid := r.String(keyPRT, "UserSID")
	if !strings.EqualFold(r.String(keyPRT, "UserUPN"), upn) || r.String(keyPRT, "Verifier") != verifier(sid, password) {
		return hresult.New("sign in", hresult.STATUSWrongSecret, fmt.Errorf("%s, with that password, is not known here", upn))
	}
	unlock(w)
	return nil
}

// LogOn signs somebody in at the logon screen: with what the PC keeps where it
// knows them, else with Entra ID, which gives a new primary refresh token. The
// PC has to be joined.
func LogOn(w *device.Windows, upn, password string) (device.Account, error) {
	if err := Unlock(w, upn, password); err != nil {
		s, err := SignIn(w, upn, password)
		if err != nil {
			return device.Account{}, err
		}
		if tenant := Status(w).TenantID; s.TenantID != tenant {
			return device.Account{}, hresult.New("sign in", hresult.STATUSWrongSecret, fmt.Errorf("%s is of another organization than this PC", s.UPN))
		}
		if err := AcquirePRT(w, s, password); err != nil {
			return device.Account{}, err
		}
	}
	if cause := context.Cause(w.Ctx); cause != nil {
		return device.Account{}, cause
	}
	a := AccountOf(w)
	w.LogOn(a)
	return a, nil
}

// AccountOf is the user whose primary refresh token this PC has; empty where it
// has none.
func AccountOf(w *device.Windows) device.Account {
	r := w.Registry()
	upn := r.String(keyPRT, "UserUPN")
	name, _, _ := strings.Cut(upn, "@")
	return device.Account{SID: r.String(keyPRT, "UserSID"), Name: name, UPN: upn}
}
