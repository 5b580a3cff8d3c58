package oobe

import (
	"context"
	"errors"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/hresult"
)

var (
	errSmartCard = errors.New("you must use Windows Hello or a smart card to sign in")
	errSetUp     = errors.New("the account is set up")
)

// lockWhenIdle locks the PC of a user who waits in account setup and touches
// nothing; what goes on behind the lock goes on. stop has it lock no more. It
// unlocks nothing.
func lockWhenIdle(w *device.Windows) (stop func()) {
	over, cancel := w.Clock.WithCancel(w.Ctx)
	w.Service("idle lock", func(context.Context) {
		for over.Err() == nil {
			if wait := w.Timing.Device.IdleLock - w.Idle(); wait > 0 {
				if w.Clock.Sleep(over, wait, "nobody touches "+w.Name) != nil {
					return
				}
				continue
			}
			if lock(w) != nil {
				return
			}
		}
	})
	return func() { cancel(errSetUp) }
}

// lock covers the screen until the one who is signed in gives the password.
func lock(w *device.Windows) error {
	account, _ := w.LoggedOn()
	s := device.Screen{ID: ScreenLock, Title: account.UPN, Inputs: []string{FieldPassword}, Buttons: []string{ButtonSignIn}}
	cover := w.Cover(s)
	for {
		in, err := cover.Ask()
		if err != nil {
			return err
		}
		if _, member := w.Domain(); member {
			err = join.UnlockDomain(w, account, in.Values[FieldPassword])
		} else {
			err = join.Unlock(w, account.UPN, in.Values[FieldPassword])
		}
		if err == nil {
			if err := w.Sleep(w.Timing.Device.Unlock, "unlock"); err != nil {
				return err
			}
			cover.Remove()
			return nil
		}
		code, _ := hresult.CodeOf(err)
		s.Lines = []device.Line{{Label: LabelError, Value: code.Hex()}, {Label: LabelReason, Value: err.Error()}}
		cover.Change(s)
	}
}
