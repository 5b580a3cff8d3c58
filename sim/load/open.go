package load

import (
	"context"

	"windtunnel.test/sim/load/figure"
)

// openLoop lets each arrival go at its moment, however many are under way; it
// waits for nothing but these moments. A sleep may last longer than it was asked
// for, on the wall by up to about a millisecond: then all that are due by now go
// at once. Figures count from the moments at which they were to go.
func (r *run) openLoop(coming, work context.Context) {
	clock := r.o.Clock
	at, more := r.schedule.Next()
	for now := r.begin; more; at, more = r.schedule.Next() {
		intended := r.begin.Add(at)
		if intended.After(now) { // else it is late as it is: no need to look at the clock
			now = clock.Now()
		}
		if wait := intended.Sub(now); wait > 0 {
			if clock.Sleep(coming, wait, "load: next arrival") != nil {
				break
			}
			now = clock.Now()
		}
		if coming.Err() != nil {
			break
		}
		r.letGo(work, r.next(intended))
	}
	if coming.Err() != nil {
		// What was due and had not gone yet came, nevertheless.
		for now := clock.Now(); more && r.begin.Add(at).Before(now); at, more = r.schedule.Next() {
			r.drop(r.next(r.begin.Add(at)))
		}
		return
	}
	// The last moments of the plan belong to it, although nobody comes.
	if wait := r.ends.Sub(clock.Now()); wait > 0 {
		_ = clock.Sleep(coming, wait, "load: end of the plan") // an end before that is seen by its cause
	}
}

// letGo begins an arrival.
func (r *run) letGo(work context.Context, a figure.Arrival) {
	if r.open.Load()-r.working.Load() >= int64(r.o.Waiting) {
		r.see(func(m *moments) { m.full++ })
		r.drop(a)
		return
	}
	r.open.Add(1)
	r.o.Clock.Go(work, "arrival", func(ctx context.Context) { r.arrive(ctx, a) })
}
