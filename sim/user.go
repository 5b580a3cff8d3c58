package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
)

// User is the person a PC is for.
type User struct {
	person
	UPN, Password string
	Language      string
	// Patience is how long the user watches a screen on which there is nothing
	// to do; 0 is the timing profile's.
	Patience time.Duration
	// Stays is how long the user works before the PC is shut down for the day.
	Stays time.Duration
	// OnFailure is what the user does about a page that says what failed: give up
	// ("" or "leave"), or press "Try again" ("retry"), "Reset" ("reset") once, or
	// "Continue anyway" ("continue") as often as it takes.
	OnFailure string
	// ForWork has the user set a PC that Autopilot does not know up for work or
	// school; who does not gives it up.
	ForWork bool
	// EntraName and EntraPassword are the account that the user gives on the
	// organization's sign-in page; empty: UPN and Password.
	EntraName, EntraPassword string
	// LogonName and LogonPassword are those of the user's account in the domain,
	// "CORP\\anna" for one; empty: as in Entra ID.
	LogonName, LogonPassword string
	// NewPassword is what the user thinks of where the domain wants another
	// password; empty: nothing, so that the user cannot go on.
	NewPassword string

	mind    *mind
	desktop func() // told once the desktop is there; nil for nobody
}

// NewUser gives somebody who owns an account of the tenant hands and eyes.
func (w *World) NewUser(u User) *User {
	u.person = person{name: u.UPN, clock: w.Clock, rand: &draws{rand: w.Seed.Stream("user", u.UPN, fmt.Sprint(w.count()))}, pace: w.options.Pace.User.Action, patience: u.Patience}
	u.mind = w.mind(u.UPN)
	if u.patience == 0 {
		u.patience = w.options.Pace.User.Patience
	}
	return &u
}

// AtDesktop has somebody told when the user sees the desktop.
func (u *User) AtDesktop(f func()) { u.desktop = f }

// count is how many stories there are.
func (w *World) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.stories)
}

// usersOnFailure are the buttons for users' habits.
var usersOnFailure = map[string]string{"retry": oobe.ButtonTryAgain, "reset": oobe.ButtonReset, "continue": oobe.ButtonAnyway}

// secondThoughts is how often a user types a password again that was refused.
const secondThoughts = 2

// signIn is what the user types at a logon screen or a locked PC: the domain's
// credentials where it is a domain's, else Entra ID's; so many of which were
// refused before.
func (u *User) signIn(pc *device.PC, s device.Screen, refused int) act {
	name, password := u.UPN, u.Password
	if _, member := pc.Domain(); member {
		if u.LogonName != "" {
			name = u.LogonName
		}
		password = u.mind.known(cmp.Or(u.LogonPassword, password), refused)
	}
	field := oobe.FieldEmail
	if slices.Contains(s.Inputs, oobe.FieldUserName) {
		field = oobe.FieldUserName
	}
	return fill(s.Buttons[0], map[string]string{field: name, oobe.FieldPassword: password})
}

// Unpack takes a PC that is off to the desktop, works on it for a while and
// shuts it down. The error of a PC that did not get there is a *Failed or a
// *Stuck.
func (u *User) Unpack(ctx context.Context, pc *device.PC) error {
	if err := pc.PowerOn(ctx); err != nil {
		return err
	}
	look, desktop, tries, wrong := u.look(pc), false, 0, 0
	changed := "" // the new password last typed
	for {
		s, err := look.next(ctx)
		if err != nil {
			return err
		}
		if s.ID == device.Off.ID {
			if desktop {
				return nil
			}
			if err := look.restart(ctx); err != nil {
				return err
			}
			continue
		}
		if changed != "" && s.ID != oobe.ScreenChangePassword {
			u.mind.learn(changed)
			changed, wrong = "", 0
		}
		var a act
		switch s.ID {
		case oobe.ScreenLanguage:
			a = fill(oobe.ButtonYes, map[string]string{oobe.FieldLanguage: u.Language})
		case oobe.ScreenRegion, oobe.ScreenKeyboard:
			a = press(oobe.ButtonYes)
		case oobe.ScreenNetwork:
			a = press(oobe.ButtonConnect)
		case oobe.ScreenSignIn:
			if s.Line(oobe.LabelError) != "" {
				return failed(s)
			}
			a = fill(oobe.ButtonNext, map[string]string{oobe.FieldEmail: cmp.Or(u.EntraName, u.UPN), oobe.FieldPassword: cmp.Or(u.EntraPassword, u.Password)})
		case oobe.ScreenLogon, oobe.ScreenLock:
			if s.Line(oobe.LabelError) != "" {
				if wrong++; wrong > secondThoughts {
					continue // nobody tries for ever
				}
			}
			a = u.signIn(pc, s, wrong)
		case oobe.ScreenChangePassword:
			if s.Line(oobe.LabelError) != "" {
				wrong++
			}
			if u.NewPassword == "" || wrong > secondThoughts {
				continue // knows of no other
			}
			changed = u.mind.think(u.NewPassword)
			a = fill(oobe.ButtonNext, map[string]string{oobe.FieldNew: changed, oobe.FieldConfirm: changed})
		case oobe.ScreenWorkAccount:
			if a = fill(oobe.ButtonNext, map[string]string{oobe.FieldEmail: u.UPN, oobe.FieldPassword: u.Password}); s.Line(oobe.LabelError) != "" {
				if wrong++; wrong > secondThoughts {
					a = press(oobe.ButtonCancel)
				}
			}
		case oobe.ScreenSignOut:
			a = press(oobe.ButtonSignOut)
		case oobe.ScreenNotice:
			a = press(oobe.ButtonOK)
		case oobe.ScreenEULA, oobe.ScreenLocal:
			if !u.ForWork {
				return failed(s)
			}
			a = press(s.Buttons[len(s.Buttons)-1])
		case oobe.ScreenConsent:
			if len(s.Inputs) > 0 {
				continue // asks for what a user does not have
			}
			a = press(oobe.ButtonYes)
		case oobe.ScreenWrong:
			button := usersOnFailure[u.OnFailure]
			if button == "" || !s.Has(button) || (tries > 0 && button != oobe.ButtonAnyway) {
				return failed(s)
			}
			tries++
			a = press(button)
		case oobe.ScreenDesktop:
			if !desktop && u.desktop != nil {
				u.desktop()
			}
			desktop = true
			if err := u.clock.Sleep(ctx, u.Stays, u.name+" works"); err != nil {
				return err
			}
			a = press(oobe.ButtonShutDown)
		default:
			return failed(s)
		}
		if err := a.do(ctx, pc); err != nil {
			if errors.Is(err, device.ErrNoSuchButton) || errors.Is(err, device.ErrOff) {
				continue // the screen changed under the hand
			}
			return err
		}
	}
}
