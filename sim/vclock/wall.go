package vclock

import (
	"context"
	"sync"
	"time"
)

// Wall is the clock of the real world: actors are goroutines and really run at
// once. It is for load tests, for serving real clients, and wherever else real
// time is wanted. Panics of its actors end the process, as those of goroutines
// do.
type Wall struct {
	modelled bool
	stopped  chan struct{}
	actors   sync.WaitGroup
	mu       sync.Mutex // orders Add and Wait of actors
}

var _ Clock = (*Wall)(nil)

// WallOption changes a Wall clock.
type WallOption func(*Wall)

// ModelledLatency makes Offload last d at least, as if the real part did the
// work.
func ModelledLatency() WallOption { return func(w *Wall) { w.modelled = true } }

// NewWall makes a clock that shows real time.
func NewWall(opts ...WallOption) *Wall {
	w := &Wall{stopped: make(chan struct{})}
	for _, o := range opts {
		o(w)
	}
	return w
}

// IsVirtual reports false.
func (w *Wall) IsVirtual() bool { return false }

// Now is real time, without the monotonic reading.
func (w *Wall) Now() time.Time { return time.Now().Round(0) }

// Sleep blocks for d of real time.
func (w *Wall) Sleep(ctx context.Context, d time.Duration, _ string) error {
	if err := w.enter(ctx); err != nil || d <= 0 {
		return err
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-w.stopped:
		return ErrStopped
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
	t := time.AfterFunc(d, func() {
		if ctx.Err() != nil || !w.add() {
			return
		}
		defer w.actors.Done()
		f(ctx)
	})
	return &wallTimer{t, context.AfterFunc(ctx, func() { t.Stop() })}
}

type wallTimer struct {
	timer  *time.Timer
	forget func() bool
}

func (t *wallTimer) Stop() bool {
	t.forget()
	return t.timer.Stop()
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

// WithTimeout is context.WithTimeoutCause; this context has a Deadline.
func (w *Wall) WithTimeout(ctx context.Context, d time.Duration, cause error) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, cause)
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
	var due <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-p.ch:
		return nil
	case <-due:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-w.stopped:
		return ErrStopped
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
