package tenant

import (
	"cmp"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"

	"windtunnel.test/sim/store"
)

// What can stand against a user's name and password.
var (
	ErrPassword        = errors.New("the password is wrong")
	ErrLocked          = errors.New("the account is locked")
	ErrAccountDisabled = errors.New("the account is disabled")
	ErrPasswordExpired = errors.New("the password has expired or must be changed")
)

// Authenticate checks a user's password. Wrong ones are counted, and too many
// in a row lock the account for a while (learn.microsoft.com/entra/identity/authentication/howto-password-smart-lockout);
// a locked account is told before the password is looked at, a disabled one and
// an expired password only after it was right.
func (d *Directory) Authenticate(tenantID, name, password string) (User, error) {
	now := d.Now()
	var u User
	var answer error
	err := d.core.DB.Update(func(tx *store.Tx) error {
		var ok bool
		if u, ok = d.userOf(tx, tenantID, name); !ok {
			return fmt.Errorf("%w: %q", ErrNoUser, name)
		}
		failed := u.Failed
		answer = d.authenticate(&u, password, now)
		if u.Failed != failed || errors.Is(answer, ErrPassword) {
			d.users.Put(tx, u.Resource.ID, u)
		}
		return nil
	})
	if err = cmp.Or(err, answer); err != nil {
		return User{}, err
	}
	return u, nil
}

// authenticate looks at one password and counts it. Guesses that come together
// are looked at one after the other.
func (d *Directory) authenticate(u *User, password string, now time.Time) error {
	right := u.Password != "" && subtle.ConstantTimeCompare([]byte(u.Password), []byte(password)) == 1
	switch {
	case u.Blocked || now.Before(u.LockedUntil):
		return fmt.Errorf("%w: %s", ErrLocked, u.Resource.UserPrincipalName)
	case !right:
		if u.Failed++; u.Failed >= d.core.Timing.Entra.LockoutThreshold {
			u.Failed, u.LockedUntil = 0, now.Add(d.core.Timing.Entra.LockoutDuration)
		}
		return ErrPassword
	case !u.Resource.Enabled():
		return ErrAccountDisabled
	case u.ForceChange || u.Expired:
		return ErrPasswordExpired
	}
	u.Failed = 0
	return nil
}

// UpdateUser changes a user under the store's transaction. The change may
// refuse with an error; then nothing is written.
func (d *Directory) UpdateUser(tenantID, name string, change func(*User) error) (User, error) {
	var out User
	err := d.core.DB.Update(func(tx *store.Tx) error {
		v, ok := d.userOf(tx, tenantID, name)
		if !ok {
			return fmt.Errorf("%w: %q", ErrNoUser, name)
		}
		if err := change(&v); err != nil {
			return err
		}
		for _, other := range find(tx, d.users, byUPN, strings.ToLower(v.Resource.UserPrincipalName)) {
			if other.Resource.ID != v.Resource.ID {
				return fmt.Errorf("user %s: %w", v.Resource.UserPrincipalName, ErrExists)
			}
		}
		out = v
		d.users.Put(tx, v.Resource.ID, v)
		return nil
	})
	return out, err
}

// AcceptTerms notes that a user accepted terms of use.
func (d *Directory) AcceptTerms(tenantID, userID, agreementID string) error {
	_, err := d.UpdateUser(tenantID, userID, func(u *User) error {
		if !containsFold(u.Terms, agreementID) {
			u.Terms = append(append([]string(nil), u.Terms...), agreementID)
		}
		return nil
	})
	return err
}
