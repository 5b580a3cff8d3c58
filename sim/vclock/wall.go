package vclock

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Wall is the clock of the real world: actors are goroutines and really run at
// once. It is for load tests, for serving real clients, and wherever else real
// time is wanted. Panics of its actors end the process, as those of goroutines
// do. What it shows is business time: real time and all jumps so far. See Jump.
type Wall struct {
	modelled bool
	stopped  chan struct{}
	actors   sync.WaitGroup
	mu       sync.Mutex    // orders Add and Wait of actors
	ahead    atomic.Int64  // of real time, in nanoseconds; changed under mu
	jumped   chan struct{} // closed at the next jump; guarded by mu
	alarms   map[*alarm]struct{}
}

var _ Clock = (*Wall)(nil)

// WallOption changes a Wall clock.
type WallOption func(*Wall)

// ModelledLatency makes Offload last d at least, as if the real part did the
// work.
func ModelledLatency() WallOption { return func(w *Wall) { w.modelled = true } }

// NewWall makes a clock that shows real time.
func NewWall(opts ...WallOption) *Wall {
	w := &Wall{stopped: make(chan struct{}), jumped: make(chan struct{}), alarms: map[*alarm]struct{}{}}
	for _, o := range opts {
		o(w)
	}
	return w
}

// IsVirtual reports false.
func (w *Wall) IsVirtual() bool { return false }

// Now is business time, without a monotonic reading.
func (w *Wall) Now() time.Time { return time.Now().Round(0).Add(w.Ahead()) }

// Sleep blocks for d of business time.
func (w *Wall) Sleep(ctx context.Context, d time.Duration, _ string) error {
	if err := w.enter(ctx); err != nil || d <= 0 {
		return err
	}
	due := w.in(d)
	for {
		jumped := w.nextJump()
		t := time.NewTimer(w.left(due))
		select {
		case <-t.C:
			return nil
		case <-jumped:
			t.Stop()
		case <-ctx.Done():
			t.Stop()
			return context.Cause(ctx)
		case <-w.stopped:
			t.Stop()
			return ErrStopped
		}
	}
}

// Go starts a goroutine.
func (w *Wall) Go(ctx context.Context, _ string, f func(ctx context.Context)) {
	if w.add() {
		go func() {
			defer w.actors.Done()
			f(ctx)
		}()
	}
}

// GoDaemon is Go: in real time a run has no end of its own.
func (w *Wall) GoDaemon(ctx context.Context, name string, f func(ctx context.Context)) {
	w.Go(Daemon(ctx), name, f)
}

// add counts one more actor, unless the clock was stopped.
func (w *Wall) add() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.stopped:
		return false
	default:
		w.actors.Add(1)
		return true
	}
}

// AfterFunc starts f in a goroutine of its own after d.
func (w *Wall) AfterFunc(ctx context.Context, d time.Duration, _ string, f func(ctx context.Context)) Timer {
	return w.alarm(ctx, d, func() {
		if ctx.Err() != nil || !w.add() {
			return
		}
		defer w.actors.Done()
		f(ctx)
	})
}

// NewTicker makes a ticker for the use of one actor at a time.
func (w *Wall) NewTicker(ctx context.Context, d time.Duration, tag string) Ticker {
	return newTicker(ctx, w, d, tag)
}

// Offload runs f here.
func (w *Wall) Offload(ctx context.Context, d time.Duration, tag string, f func()) error {
	if err := w.enter(ctx); err != nil {
		return err
	}
	begin := time.Now()
	f()
	if w.modelled {
		return w.Sleep(ctx, d-time.Since(begin), tag)
	}
	return nil
}

// WithCancel is context.WithCancelCause.
func (w *Wall) WithCancel(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	return context.WithCancelCause(ctx)
}

// WithTimeout is a context that ends after d of business time. It has a Deadline,
// which is the real time at which it ends if the clock does not jump before.
func (w *Wall) WithTimeout(ctx context.Context, d time.Duration, cause error) (context.Context, context.CancelFunc) {
	if cause == nil {
		cause = context.DeadlineExceeded
	}
	st := *stateOf(ctx)
	st.wall = w
	scope, end := context.WithCancelCause(withState(ctx, st))
	timed, cancel := context.WithTimeoutCause(scope, d, cause)
	before := w.Ahead()
	early := w.alarm(ctx, d, func() { // where no jump has brought it nearer the library's own timer is as good
		if w.Ahead() != before {
			end(cause)
		}
	})
	return timed, func() {
		early.Stop()
		cancel()
		end(context.Canceled)
	}
}

// NewCond makes a condition.
func (w *Wall) NewCond(tag string) Cond { return &cond{clock: w, tag: tag} }

// NewSemaphore makes a semaphore of n units.
func (w *Wall) NewSemaphore(tag string, n int64) Semaphore {
	return &semaphore{clock: w, tag: tag, size: n}
}

// Stop makes all clock calls return ErrStopped, keeps timers from starting, and
// waits until the actors have ended. It must not be called by an actor.
func (w *Wall) Stop() {
	w.mu.Lock()
	select {
	case <-w.stopped:
	default:
		close(w.stopped)
	}
	for a := range w.alarms {
		a.timer.Stop()
		a.forget()
	}
	clear(w.alarms)
	w.mu.Unlock()
	w.actors.Wait()
}

func (w *Wall) enter(ctx context.Context) error {
	select {
	case <-w.stopped:
		return ErrStopped
	default:
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

func (w *Wall) park(ctx context.Context, p *waiter, until time.Time) error {
	for {
		jumped := w.nextJump()
		var due <-chan time.Time
		var t *time.Timer
		if !until.IsZero() {
			t = time.NewTimer(until.Sub(w.Now()))
			due = t.C
		}
		err, again := w.parked(ctx, p, due, jumped)
		if t != nil {
			t.Stop()
		}
		if !again {
			return err
		}
	}
}

// parked waits once; again says that the clock has jumped.
func (w *Wall) parked(ctx context.Context, p *waiter, due <-chan time.Time, jumped <-chan struct{}) (err error, again bool) {
	select {
	case <-p.ch:
		return nil, false
	case <-due:
		return nil, false
	case <-jumped:
		return nil, true
	case <-ctx.Done():
		return context.Cause(ctx), false
	case <-w.stopped:
		return ErrStopped, false
	}
}

// wake is called once a waiter by Cond, Semaphore and Queue; a ticker may be
// stopped more than once.
func (w *Wall) wake(p *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-p.ch:
	default:
		close(p.ch)
	}
}
