package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"windtunnel.test/sim/load/arrival"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/vclock"
)

// Options of a run. Clock, Plan, Source and Recorder are needed.
type Options struct {
	Clock    vclock.Clock
	Plan     Plan
	Source   Source
	Recorder *figure.Recorder
	Seed     vclock.Seed // of Poisson arrivals, of the mix and of who misbehaves
	Meter    Meter       // nil: nothing is known of the process
	// Seconds takes each second as it ends, one after the other, and Arrivals each
	// arrival that came to an end, from many actors at once; nil: nobody. They must
	// not wait.
	Seconds  func(figure.Second)
	Arrivals func(figure.Arrival)
	// Waiting is how many arrivals may wait for a device at once; what comes on top
	// is dropped, so that memory is bounded where nothing is answered. 0: 100,000.
	Waiting int
}

// mostWaiting is Options.Waiting where nothing else is said.
const mostWaiting = 100_000

// Outcome is what a load came to.
type Outcome struct {
	// Summary has what the load knows. Names, machine and build are for the caller
	// to fill in.
	Summary figure.Summary
	// Aborted is the threshold that ended the load before its time; Stopped says
	// that its context did.
	Aborted string
	Stopped bool
}

// Causes of a load's end.
var (
	errAborted = errors.New("a threshold was missed")
	errOver    = errors.New("the load is over")
)

// Run makes a load. In virtual time it is called by an actor. The end of ctx
// ends arrivals; what is under way may end as the plan's graceful stop says, and
// the figures are whole. An error is a plan that can't be run.
func Run(ctx context.Context, o Options) (*Outcome, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	r := &run{
		o: o, begin: o.Clock.Now(), draws: o.Seed.Stream("load"), over: o.Clock.NewCond("arrivals under way"),
		recorder: o.Recorder, watch: newWatch(o),
	}
	if o.Plan.Closed == nil {
		r.schedule = arrival.New(o.Plan.warmUp(), o.Seed)
		r.asked = arrival.New(o.Plan.warmUp(), o.Seed)
	}
	r.counts, r.ends = r.begin.Add(o.Plan.WarmUp), r.begin.Add(o.Plan.WarmUp+o.Plan.Duration())
	coming, stop := o.Clock.WithCancel(ctx)
	defer stop(errOver)
	r.stop = stop
	work, cut := o.Clock.WithCancel(vclock.Detach(ctx))
	defer cut(errOver)
	ticking, still := o.Clock.WithCancel(work)
	r.tick(ticking)
	if o.Plan.Closed != nil {
		r.closedLoop(coming, work)
	} else {
		r.openLoop(coming, work)
	}
	cause := context.Cause(coming)
	r.grace(work, cut)
	still(errOver)
	if err := r.over.Await(vclock.Detach(ctx), func() bool { return r.count(&r.others) == 0 }); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	return r.outcome(cause), nil
}

func (o *Options) check() error {
	if o.Clock == nil || o.Source == nil || o.Recorder == nil {
		return errors.New("load: clock, source and recorder are needed")
	}
	if err := o.Plan.check(); err != nil {
		return err
	}
	o.Waiting = cmp.Or(o.Waiting, mostWaiting)
	return nil
}

// run is a load that is going on.
type run struct {
	o        Options
	recorder *figure.Recorder
	schedule *arrival.Schedule // nil: closed loop
	asked    *arrival.Schedule // the same, to be asked for rates
	begin    time.Time
	counts   time.Time // when the warm-up ends
	ends     time.Time // when nobody comes any more
	stop     context.CancelCauseFunc
	over     vclock.Cond // fewer are under way, or a ticker ended
	watch    *watch

	mu      sync.Mutex // guards what follows; never held over a clock call
	draws   *rand.Rand // of who does what
	came    int
	started int // have a device
	waiting int // for a device
	others  int // actors that are no arrivals: of the seconds, of the closed loop
	peak    int
	lag     time.Duration // worst of this second
	aborted string
}

// next is the next arrival, as the seed wants it.
func (r *run) next(intended time.Time) figure.Arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := figure.Arrival{N: r.came, Intended: intended, Warm: intended.Before(r.counts)}
	r.came++
	p := r.o.Plan
	a.Scope = pick(p.Scopes, p.Shares, r.draws.Float64())
	if bad := r.draws.Float64(); len(p.Bad) > 0 && a.Scope == badScope {
		a.Bad = pick(p.Bad, p.BadShares, bad)
	}
	r.waiting++
	return a
}

// count reads one of the counters.
func (r *run) count(n *int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return *n
}

// badScope is the scope in which devices misbehave.
const badScope = "aik"

// openLoop starts each arrival at its moment, however many are under way.
func (r *run) openLoop(coming, work context.Context) {
	for {
		at, ok := r.schedule.Next()
		if !ok {
			break
		}
		intended := r.begin.Add(at)
		if wait := intended.Sub(r.o.Clock.Now()); wait > 0 {
			if r.o.Clock.Sleep(coming, wait, "load: next arrival") != nil {
				return
			}
		} else if context.Cause(coming) != nil {
			return
		}
		if r.count(&r.waiting) >= r.o.Waiting {
			r.recorder.Dropped(1)
			continue
		}
		a := r.next(intended)
		r.o.Clock.Go(work, "arrival", func(ctx context.Context) { r.arrive(coming, ctx, a) })
	}
	// The last moments of the plan belong to it, although nobody comes.
	if wait := r.ends.Sub(r.o.Clock.Now()); wait > 0 {
		_ = r.o.Clock.Sleep(coming, wait, "load: end of the plan") // an end before that is seen by its cause
	}
}

// arrive is one arrival.
func (r *run) arrive(coming, ctx context.Context, a figure.Arrival) {
	late := r.o.Clock.Now().Sub(a.Intended) // in coming, whatever it waits for then
	r.notice(late)
	subject, err := r.take(coming, ctx, a)
	if err != nil {
		r.ended(func() { r.waiting-- })
		r.recorder.Dropped(1)
		return
	}
	r.do(ctx, subject, a)
}

// take waits for a device: as long as arrivals come, and for as long after that
// as what is under way may take.
func (r *run) take(coming, ctx context.Context, a figure.Arrival) (Subject, error) {
	if context.Cause(coming) != nil {
		return nil, context.Cause(coming)
	}
	return r.o.Source.Take(ctx, a.Scope, a.Bad)
}

// do has a device do its scope, and counts what came of it.
func (r *run) do(ctx context.Context, subject Subject, a figure.Arrival) {
	r.mu.Lock()
	r.waiting--
	r.started++
	r.peak = max(r.peak, r.started)
	r.mu.Unlock()
	a.Started = r.o.Clock.Now()
	err := subject.Do(ctx, &a)
	a.Ended = r.o.Clock.Now()
	r.o.Source.Give(subject)
	if err != nil && context.Cause(ctx) != nil {
		r.recorder.Interrupted(a)
	} else {
		r.recorder.Add(a)
		if r.o.Arrivals != nil {
			r.o.Arrivals(a)
		}
	}
	r.ended(func() { r.started-- })
}

// notice keeps the worst lateness of the second.
func (r *run) notice(late time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lag = max(r.lag, late)
}

// ended tells whoever waits that one less is under way.
func (r *run) ended(count func()) {
	r.over.Change(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		count()
	})
}

// closedLoop keeps so many devices under way.
func (r *run) closedLoop(coming, work context.Context) {
	c := r.o.Plan.Closed
	until, stop := r.o.Clock.WithTimeout(coming, r.ends.Sub(r.begin), errOver)
	defer stop()
	for range c.Devices {
		r.ended(func() { r.others++ })
		r.o.Clock.Go(work, "device of the closed loop", func(ctx context.Context) {
			defer r.ended(func() { r.others-- })
			for context.Cause(until) == nil {
				a := r.next(r.o.Clock.Now())
				subject, err := r.o.Source.Take(until, a.Scope, a.Bad)
				if err != nil {
					r.ended(func() { r.waiting-- })
					if !errors.Is(err, errOver) && context.Cause(until) == nil {
						r.recorder.Dropped(1)
					}
					return
				}
				a.Intended = r.o.Clock.Now() // nobody was to come before
				a.Warm = a.Intended.Before(r.counts)
				r.do(ctx, subject, a)
				if c.Think > 0 && r.o.Clock.Sleep(until, c.Think, "load: think") != nil {
					return
				}
			}
		})
	}
	_ = r.o.Clock.Sleep(until, r.ends.Sub(r.begin), "load: closed loop") // its end is what is waited for
}

// grace waits until nobody is under way any more, at most as long as the plan
// has patience; then the rest is broken off.
func (r *run) grace(work context.Context, cut context.CancelCauseFunc) {
	nobody := func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.started+r.waiting == 0
	}
	patient, done := r.o.Clock.WithTimeout(work, cmp.Or(r.o.Plan.Graceful, time.Nanosecond), errOver)
	err := r.over.Await(patient, nobody)
	done()
	if err != nil {
		cut(errOver)
		_ = r.over.Await(vclock.Detach(work), nobody) // all of them hear it
	}
}
