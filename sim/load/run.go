package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
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
	// Tally is about all arrivals, those of the warm-up and those that misbehave
	// included.
	Tally Tally
}

// Tally says where arrivals went. Came is Started and Dropped together; Started
// is Finished and Interrupted together.
type Tally struct {
	Came        int64 // their moment was there
	Started     int64 // got a device
	Dropped     int64 // got none
	Finished    int64 // came to an end, good or bad
	Interrupted int64 // were broken off
}

// Causes of a load's end.
var (
	errAborted = errors.New("a threshold was missed")
	errOver    = errors.New("the load is over")
)

// Run makes a load. In virtual time it is called by an actor. The end of ctx
// ends arrivals; what is under way may end as the plan's graceful stop says, and
// the figures are whole. An error is a plan that can't be run, or a clock that
// was stopped.
func Run(ctx context.Context, o Options) (*Outcome, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	r := &run{o: o, begin: o.Clock.Now(), draws: o.Seed.Stream("load"), over: o.Clock.NewCond("arrivals under way"), recorder: o.Recorder}
	r.counts, r.ends = r.begin.Add(o.Plan.WarmUp), r.begin.Add(o.Plan.WarmUp+o.Plan.Duration())
	r.ticked, r.watch = r.begin, newWatch(o)
	if o.Plan.Closed == nil {
		r.schedule, r.asked = arrival.New(o.Plan.warmUp(), o.Seed), arrival.New(o.Plan.warmUp(), o.Seed)
	}
	coming, stop := o.Clock.WithCancel(ctx)
	defer stop(errOver)
	r.stop = stop
	work, cut := o.Clock.WithCancel(vclock.Detach(ctx))
	defer cut(errOver)
	ticking, still := o.Clock.WithCancel(vclock.Detach(ctx))
	defer still(errOver)
	r.tick(ticking)
	if o.Plan.Closed != nil {
		r.closedLoop(coming, work)
	} else {
		r.openLoop(coming, work)
	}
	cause := context.Cause(coming)
	r.end(cause)
	r.grace(work, cut)
	still(errOver)
	if err := r.over.Await(vclock.Detach(ctx), func() bool { return r.others.Load() == 0 }); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	r.lastSecond()
	return r.outcome(cause), nil
}

func (o *Options) check() error {
	if o.Clock == nil || o.Source == nil || o.Recorder == nil {
		return errors.New("load: clock, source and recorder are needed")
	}
	o.Waiting = cmp.Or(o.Waiting, mostWaiting)
	return o.Plan.check()
}

// run is a load that is going on.
type run struct {
	o        Options
	recorder *figure.Recorder
	schedule *arrival.Schedule // nil: closed loop
	asked    *arrival.Schedule // the same, to be asked for rates
	begin    time.Time
	counts   time.Time // when the warm-up ends
	stop     context.CancelCauseFunc
	over     vclock.Cond // nobody is under way, or one of the others ended

	came, dropped, started, finished, interrupted atomic.Int64

	open    atomic.Int64 // came, and neither ended nor dropped
	working atomic.Int64 // of these, have a device
	others  atomic.Int64 // actors that are no arrivals: of the seconds, of the closed loop
	counted atomic.Int64 // got a device, and are of the part that counts

	watch   *watch    // the ticking actor's, and Run's when that is over
	ticked  time.Time // likewise: what is before it is in a second
	aborted string    // likewise

	mu    sync.Mutex // guards what follows; never held over a clock call
	ends  time.Time  // when nobody comes any more
	draws *rand.Rand // of who does what
	now   moments
}

// moments is what is seen between two ticks.
type moments struct {
	lag     time.Duration // the worst, of beginning to look for a device
	starved int           // had to wait for a device
	full    int           // were dropped since too many wait
	none    error         // there will be no device any more
	ended   int
	peak    int // under way at once
}

// see notes something.
func (r *run) see(what func(m *moments)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	what(&r.now)
}

// end says that nobody comes any more, from now on where that is early.
func (r *run) end(cause error) {
	if cause == nil {
		return
	}
	now := r.o.Clock.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Before(r.ends) {
		r.ends = now
	}
}

// grace waits until nobody is under way any more, at most as long as the plan
// has patience; then the rest is broken off.
func (r *run) grace(work context.Context, cut context.CancelCauseFunc) {
	nobody := func() bool { return r.open.Load() == 0 }
	patient, done := r.o.Clock.WithTimeout(work, cmp.Or(r.o.Plan.Graceful, time.Nanosecond), errOver)
	err := r.over.Await(patient, nobody)
	done()
	if err != nil {
		cut(errOver)
		_ = r.over.Await(vclock.Detach(work), nobody) // all of them hear it
	}
}
