package load

import (
	"cmp"
	"context"
	"errors"
	"time"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/load/figure"
)

// badScope is the scope in which devices misbehave.
const badScope = "aik"

// next is the next arrival, as the seed wants it. There are two draws in any
// case, so that who misbehaves does not shift who does what.
func (r *run) next(intended time.Time) figure.Arrival {
	a := figure.Arrival{N: int(r.came.Add(1)) - 1, Intended: intended, Warm: intended.Before(r.counts)}
	r.mu.Lock()
	what, bad := r.draws.Float64(), r.draws.Float64()
	r.mu.Unlock()
	p := &r.o.Plan
	a.Scope = cmp.Or(pick(p.Scopes, p.Shares, what), p.Scopes[len(p.Scopes)-1]) // shares may sum up to a little less than 1
	if a.Scope == badScope {
		a.Bad = pick(p.Bad, p.BadShares, bad)
	}
	return a
}

// arrive is one arrival.
func (r *run) arrive(ctx context.Context, a figure.Arrival) {
	defer r.close()
	r.late(r.o.Clock.Now().Sub(a.Intended))
	subject, err := r.take(ctx, a.Scope, a.Bad)
	if err != nil {
		r.drop(a)
		return
	}
	a.Started = r.o.Clock.Now()
	r.do(ctx, subject, a)
}

// late keeps the worst lateness of the second: of the generator itself, before
// any wait for a device.
func (r *run) late(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now.lag = max(r.now.lag, d)
}

// take waits for a device.
func (r *run) take(ctx context.Context, scope, bad string) (Subject, error) {
	starved := r.o.Source.Free(scope) <= 0
	subject, err := r.o.Source.Take(ctx, scope, bad)
	if err == nil && ctx.Err() != nil { // it came in the moment in which nobody was to begin any more
		r.o.Source.Give(subject)
		err = context.Cause(ctx)
	}
	if starved || errors.Is(err, ErrNone) {
		r.see(func(m *moments) {
			if starved {
				m.starved++
			}
			if errors.Is(err, ErrNone) {
				m.none = err
			}
		})
	}
	return subject, err
}

// do has a device do its scope, and counts what came of it.
func (r *run) do(ctx context.Context, subject Subject, a figure.Arrival) {
	r.started.Add(1)
	working := int(r.working.Add(1))
	r.see(func(m *moments) { m.peak = max(m.peak, working) })
	if !a.Warm && r.within(a.Started) {
		r.counted.Add(1)
	}
	err := subject.Do(ctx, &a)
	a.Ended = r.o.Clock.Now()
	r.working.Add(-1)
	r.o.Source.Give(subject)
	if err != nil && ctx.Err() != nil {
		r.interrupted.Add(1)
		r.recorder.Interrupted(a)
		return
	}
	if err != nil && a.Outcome.OK() { // the device itself is broken
		a.Outcome = figure.Outcome{HRESULT: hresult.Fail.Hex(), Error: err.Error()}
	}
	r.finished.Add(1)
	r.recorder.Add(a)
	r.see(func(m *moments) { m.ended++ })
	if r.o.Arrivals != nil {
		r.o.Arrivals(a)
	}
}

// within tells whether arrivals come at a moment.
func (r *run) within(at time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !at.After(r.ends)
}

// drop counts an arrival that got no device.
func (r *run) drop(a figure.Arrival) {
	r.dropped.Add(1)
	if !a.Warm {
		r.recorder.Dropped(1)
	}
	r.see(func(m *moments) { m.ended++ })
}

// close ends an arrival's being open, and tells whoever waits for the last one.
func (r *run) close() {
	if r.open.Add(-1) == 0 {
		r.over.Broadcast()
	}
}
