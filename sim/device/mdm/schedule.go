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
			s := Session{Origin: OriginScheduled, Login: "none"}
			if Sync(u, s) != nil && context.Cause(ctx) != nil {
				return
			}
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
