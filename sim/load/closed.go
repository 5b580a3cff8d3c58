package load

import (
	"context"
	"errors"
)

// closedLoop keeps so many devices under way until the time is over. An arrival
// was to begin when it began: where the target is slow they come later, and
// nothing of that is in latencies that count from there.
func (r *run) closedLoop(coming, work context.Context) {
	until, stop := r.o.Clock.WithTimeout(coming, r.ends.Sub(r.begin), errOver)
	defer stop()
	for range r.o.Plan.Closed.Devices {
		r.others.Add(1)
		r.o.Clock.Go(work, "device of the closed loop", func(ctx context.Context) {
			defer func() {
				r.others.Add(-1)
				r.over.Broadcast()
			}()
			for until.Err() == nil && r.again(until, ctx) && r.think(until) {
			}
		})
	}
	_ = r.o.Clock.Sleep(until, r.ends.Sub(r.begin), "load: closed loop") // its end is what is waited for
}

// again is one round of one device, and tells whether there is another one. Who
// still waits for a device at the end did not come.
func (r *run) again(until, ctx context.Context) bool {
	r.open.Add(1)
	defer r.close()
	a := r.next(r.o.Clock.Now())
	subject, err := r.take(until, a.Scope, a.Bad)
	if err != nil {
		if until.Err() == nil || errors.Is(err, ErrNone) {
			r.drop(a)
		} else {
			r.came.Add(-1)
		}
		return false
	}
	a.Intended = r.o.Clock.Now()
	a.Started, a.Warm = a.Intended, a.Intended.Before(r.counts)
	r.do(ctx, subject, a)
	return true
}

// think is the pause before the next round.
func (r *run) think(until context.Context) bool {
	pause := r.o.Plan.Closed.Think
	return pause <= 0 || r.o.Clock.Sleep(until, pause, "load: think") == nil
}
