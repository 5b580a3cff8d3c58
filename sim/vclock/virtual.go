package vclock

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	xsemaphore "golang.org/x/sync/semaphore"
)

// DefaultStart is where virtual time starts unless told otherwise.
var DefaultStart = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

// Options of a Virtual clock; the zero value is usable.
type Options struct {
	Start    time.Time     // zero: DefaultStart
	Seed     Seed          // draws the permutation of the actors
	Workers  int           // how many offloaded functions run at once; below 1: GOMAXPROCS
	Watchdog time.Duration // real time after which a stuck actor is reported; 0: 10 s, negative: never
	Log      io.Writer     // where the watchdog reports; nil: standard error
}

// Stats counts what a Virtual clock did so far.
type Stats struct {
	Events    uint64 // times that an actor went on or a timeout struck
	Actors    uint64 // actors ever made, pending AfterFuncs included
	Live      int    // actors that have not ended
	Parked    int    // of these, the ones that wait in a clock call
	MaxParked int
	Offloads  uint64
}

// Virtual is a clock whose time moves only when all actors wait. Its actors are
// coroutines of the goroutine that calls Run. Now, Stats, Stop and everything
// that cannot block may be called from any goroutine; what blocks may be called
// by actors, and by others through Surrogate.
type Virtual struct {
	start    time.Time
	seed     Seed
	watchdog time.Duration
	log      io.Writer
	workers  *xsemaphore.Weighted

	now      atomic.Int64 // nanoseconds since start
	stopped  atomic.Bool
	steps    atomic.Uint64         // for the watchdog
	running  atomic.Pointer[actor] // for the watchdog: who runs, or whose offload is awaited
	awaiting atomic.Bool           // for the watchdog: which of the two

	cur     *actor       // who runs; touched by the loop and the actor only
	spare   []*coroutine // touched by the loop only
	failure error        // panics of actors while they were unwound; touched by the loop only

	mu      sync.Mutex // guards what follows, and the wait state of actors and scopes
	active  bool       // Run or Stop is at work
	queue   eventHeap
	seq     uint64
	round   uint32
	ids     uint64
	live    link[actor] // in order of creation
	working int         // live actors that are no daemons
	stats   Stats
}

var _ Clock = (*Virtual)(nil)

// NewVirtual makes a clock that stands at its start.
func NewVirtual(o Options) *Virtual {
	if o.Start.IsZero() {
		o.Start = DefaultStart
	}
	if o.Workers < 1 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Watchdog == 0 {
		o.Watchdog = 10 * time.Second
	}
	if o.Log == nil {
		o.Log = os.Stderr
	}
	v := &Virtual{
		start:    o.Start.Round(0), // no monotonic reading
		seed:     o.Seed.Derive("vclock", "permutation"),
		watchdog: o.Watchdog,
		log:      o.Log,
		workers:  xsemaphore.NewWeighted(int64(o.Workers)),
	}
	v.live.init()
	return v
}

// IsVirtual reports true.
func (v *Virtual) IsVirtual() bool { return true }

// Now is the present virtual moment.
func (v *Virtual) Now() time.Time { return v.start.Add(time.Duration(v.now.Load())) }

// Stats may be called at any time.
func (v *Virtual) Stats() Stats {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.stats
}

// Go starts an actor: it runs for the first time when the scheduler comes to
// it, at the present moment. After Stop it does nothing.
func (v *Virtual) Go(ctx context.Context, name string, f func(ctx context.Context)) {
	v.spawn(ctx, &actor{name: name, f: f}, 0)
}

// GoDaemon starts an actor that does not keep a run alive.
func (v *Virtual) GoDaemon(ctx context.Context, name string, f func(ctx context.Context)) {
	v.Go(Daemon(ctx), name, f)
}

// AfterFunc makes an actor that starts at now+d. Until then it counts as alive,
// unless ctx is that of a daemon; it is gone as soon as ctx's scope ends.
func (v *Virtual) AfterFunc(ctx context.Context, d time.Duration, tag string, f func(ctx context.Context)) Timer {
	a := &actor{name: tag, f: f, timer: true}
	v.spawn(ctx, a, d)
	return (*virtualTimer)(a)
}

type virtualTimer actor

func (t *virtualTimer) Stop() bool {
	a := (*actor)(t)
	a.v.mu.Lock()
	defer a.v.mu.Unlock()
	return a.v.drop(a)
}

// spawn makes a known to the scheduler.
func (v *Virtual) spawn(ctx context.Context, a *actor, d time.Duration) {
	st := stateOf(ctx)
	scope := v.scopeOf(st)
	if st.sur != nil { // the new actor acts for itself
		own := *st
		own.sur = nil
		ctx = withState(ctx, own)
	}
	a.v, a.ctx, a.daemon = v, ctx, st.daemon
	a.ev.actor = a
	if v.stopped.Load() {
		if st.sur == nil {
			v.refuse()
		}
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if a.timer && ctx.Err() != nil {
		return
	}
	v.ids++
	a.ev.rank = v.seed.rank(v.ids)
	v.live.push(&a.alive, a)
	v.stats.Actors++
	v.stats.Live++
	if !a.daemon {
		v.working++
	}
	if a.timer && scope != nil {
		scope.waiting.push(&a.scoped, a)
	}
	v.schedule(&a.ev, v.after(d), v.round)
}

// drop forgets an actor that has not begun.
func (v *Virtual) drop(a *actor) bool {
	if a.begun || !a.alive.linked() {
		return false
	}
	v.queue.remove(&a.ev)
	v.forget(a)
	return true
}

// forget takes an actor that has ended, or never begins, off the books.
func (v *Virtual) forget(a *actor) {
	a.alive.remove()
	a.scoped.remove()
	a.f = nil
	v.stats.Live--
	if !a.daemon {
		v.working--
	}
}

// Sleep blocks the calling actor. The end of a context that was cancelled by
// other means than a scope of this clock is noticed when d is over.
func (v *Virtual) Sleep(ctx context.Context, d time.Duration, tag string) error {
	st := stateOf(ctx)
	if st.sur != nil {
		return st.sur.call(func() error { return v.sleep(ctx, st, d, tag) })
	}
	return v.sleep(ctx, st, d, tag)
}

func (v *Virtual) sleep(ctx context.Context, st *state, d time.Duration, tag string) error {
	a, err := v.admit(ctx)
	if err != nil {
		return err
	}
	v.mu.Lock()
	round := v.round
	if d <= 0 {
		round++
	}
	v.schedule(&a.ev, v.after(d), round)
	a.stay(ctx, v.scopeOf(st), "sleep", tag)
	return a.leave(ctx)
}

// NewTicker makes a ticker for the use of one actor at a time.
func (v *Virtual) NewTicker(ctx context.Context, d time.Duration, tag string) Ticker {
	return newTicker(ctx, v, d, tag)
}

// NewCond makes a condition.
func (v *Virtual) NewCond(tag string) Cond { return &cond{clock: v, tag: tag} }

// NewSemaphore makes a semaphore of n units.
func (v *Virtual) NewSemaphore(tag string, n int64) Semaphore {
	return &semaphore{clock: v, tag: tag, size: n}
}

func (v *Virtual) enter(ctx context.Context) error {
	st := stateOf(ctx)
	if st.sur != nil && v.stopped.Load() {
		return st.sur.call(v.refuse)
	}
	if v.stopped.Load() {
		return v.refuse()
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

func (v *Virtual) park(ctx context.Context, w *waiter, until time.Time) error {
	st := stateOf(ctx)
	if st.sur != nil {
		return st.sur.call(func() error { return v.parkHere(ctx, st, w, until) })
	}
	return v.parkHere(ctx, st, w, until)
}

func (v *Virtual) parkHere(ctx context.Context, st *state, w *waiter, until time.Time) error {
	a, err := v.admit(ctx)
	if err != nil {
		return err
	}
	v.mu.Lock()
	if w.woken {
		v.mu.Unlock()
		return nil
	}
	if !until.IsZero() {
		v.schedule(&a.ev, max(int64(until.Sub(v.start)), v.now.Load()), v.round)
	}
	w.actor, a.waiter = a, w
	a.stay(ctx, v.scopeOf(st), w.what, w.tag)
	return a.leave(ctx)
}

func (v *Virtual) wake(w *waiter) {
	v.mu.Lock()
	defer v.mu.Unlock()
	w.woken = true
	if w.actor != nil {
		w.actor.rouse(false)
	}
}

// admit is asked before a call may block.
func (v *Virtual) admit(ctx context.Context) (*actor, error) {
	switch {
	case v.stopped.Load():
		return nil, v.refuse()
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case v.cur == nil:
		return nil, ErrNoActor
	}
	return v.cur, nil
}

// after is the moment d from now, or the end of time.
func (v *Virtual) after(d time.Duration) int64 {
	now := v.now.Load()
	if int64(d) > math.MaxInt64-now {
		return math.MaxInt64
	}
	return now + max(int64(d), 0)
}

// schedule puts e into the queue, or moves it there. v.mu is held.
func (v *Virtual) schedule(e *event, at int64, round uint32) {
	v.queue.remove(e)
	if at > v.now.Load() {
		round = 0
	}
	v.seq++
	e.at, e.round, e.seq = at, round, v.seq
	v.queue.push(e)
}

var errActive = errors.New("vclock: Run is already at work")
