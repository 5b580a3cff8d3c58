package mdm

import (
	"context"
	"time"

	"windtunnel.test/sim/device"
)

// Schedule is the body of the service that opens sessions by itself, and renews
// the certificate for them: sessions come often
// after the enrolment, then every few hours (learn.microsoft.com, Intune
// "policy refresh intervals"). It counts from the enrolment, not from the boot.
func Schedule(w *device.Windows) func(ctx context.Context) {
	return func(ctx context.Context) {
		u := w.Under(ctx)
		resumeMSI(u)
		resumeModern(u)
		resumeOffice(u)
		resumeSCEP(u)
		missedReboots(u)
		startReboots(u)
		u.Service("OMA-DM session at sign-in", func(ctx context.Context) { atSignIn(w.Under(ctx)) })
		for {
			enrolled, err := time.Parse(timeLayout, u.Registry().String(enrollmentKey(u), "Enrolled"))
			if err != nil {
				return // not enrolled: there is nobody to ask
			}
			next := untilNext(u, enrolled)
			if wait, ok := untilRenewal(u); ok && wait <= next {
				if u.Sleep(wait, "MDM certificate renewal") != nil {
					return
				}
				if Renew(u) != nil && context.Cause(ctx) != nil {
					return
				}
				continue
			}
			if u.Sleep(next, "scheduled OMA-DM session") != nil {
				return
			}
			if !scheduled(u) {
				return
			}
		}
	}
}

// scheduled opens the sessions of one moment of the cadence: the device's, in
// which its server orders restarts and resets and changes what all its users
// have, and the user's, where one is signed in. A session that failed is made
// good by the next. false: the boot is over.
func scheduled(w *device.Windows) bool {
	mine, somebody := Session{Origin: OriginScheduled, Login: LoginNone}, false
	if account, on := w.LoggedOn(); on && !account.Default {
		mine.Login, somebody = LoginOthers, true
	}
	_ = Sync(w, mine)
	if somebody && context.Cause(w.Ctx) == nil {
		_ = Sync(w, Session{Origin: OriginScheduled, Login: LoginUser})
	}
	return context.Cause(w.Ctx) == nil
}

// atSignIn opens the sessions of the moment when a user signs in (learn.microsoft.com,
// Intune "policy refresh intervals"). While the status page is up for that user,
// it drives the sessions.
func atSignIn(w *device.Windows) {
	signal := w.Signal("logon")
	for {
		seen := signal.Count()
		account, on := w.LoggedOn()
		if done, _ := w.Registry().DWORD(firstSyncKey(w, account.SID), "IsSyncDone"); on && !account.Default && done != 0 && !scheduled(w) {
			return
		}
		if signal.After(w.Ctx, seen) != nil {
			return
		}
	}
}

// untilNext is the time to the next moment of the cadence.
func untilNext(w *device.Windows, enrolled time.Time) time.Duration {
	now, at := w.Clock.Now(), enrolled
	for n := 0; !at.After(now); n++ {
		at = at.Add(w.Timing.MDM.SyncSchedule.Wait(n))
	}
	return at.Sub(now)
}
