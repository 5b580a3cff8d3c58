package vclock

import (
	"context"
	"errors"
	"time"
)

// Clock is the one way in which anything in the simulation reads time, waits,
// starts concurrent work or moves heavy work to another core. Two kinds exist,
// Virtual and Wall; code that takes a Clock works with both.
//
// Tags name a wait ("esp.poll", "tpm.create") in deadlock and watchdog reports.
// The interface is closed: a type that wants to change one method (a service
// whose own time is off, say) embeds a Clock and overrides Now.
type Clock interface {
	// Now is the present moment. It does not move while an actor runs in
	// virtual time.
	Now() time.Time

	// Sleep blocks the calling actor for d. It returns nil when d is over,
	// context.Cause(ctx) when ctx ended, ErrStopped when the clock was stopped.
	// A d of zero or less lets everything else that is due now go first.
	Sleep(ctx context.Context, d time.Duration, tag string) error

	// AfterFunc runs f in an actor of its own once d is over. When ctx ends
	// before that, f is not run.
	AfterFunc(ctx context.Context, d time.Duration, tag string, f func(ctx context.Context)) Timer

	// NewTicker makes a ticker whose first tick is d from now. It panics when d
	// is not positive, as time.NewTicker does.
	NewTicker(ctx context.Context, d time.Duration, tag string) Ticker

	// Go starts an actor. f gets ctx, so what cancels ctx cancels the actor's
	// waits. Names appear in reports and need not be unique. An actor that is
	// started with a Daemon context is itself a daemon.
	Go(ctx context.Context, name string, f func(ctx context.Context))

	// GoDaemon is Go(Daemon(ctx), name, f).
	GoDaemon(ctx context.Context, name string, f func(ctx context.Context))

	// Offload runs f beside the actors, on one of a bounded number of workers,
	// and returns when d is over and f is done. In virtual time f starts at
	// once, the actor wakes at now+d whatever f really took, and others run
	// meanwhile; so f may touch only what its caller owns until then, must not
	// call the clock, and always runs to its end, even when ctx ends or power
	// is cut. In wall time Offload returns when f is done, and d is ignored
	// unless the clock was made with ModelledLatency.
	// A panic in f continues in the actor. Errors are those of Sleep; f was not
	// run only if ctx had ended, or the clock was stopped, before the call.
	Offload(ctx context.Context, d time.Duration, tag string, f func()) error

	// WithCancel makes a scope: cancel wakes every actor that waits with this
	// context or one derived from it, at the present moment, in an order that
	// depends on the seed only. The first cancel's cause counts.
	WithCancel(ctx context.Context) (context.Context, context.CancelCauseFunc)

	// WithTimeout is a scope that ends by itself after d with the given cause
	// (nil: context.DeadlineExceeded). In virtual time the context has no
	// Deadline of its own, because libraries would take it for real time: ask
	// vclock.Deadline. The cancel function frees the timer.
	WithTimeout(ctx context.Context, d time.Duration, cause error) (context.Context, context.CancelFunc)

	// NewCond makes a condition to wait for.
	NewCond(tag string) Cond

	// NewSemaphore makes a semaphore of n units.
	NewSemaphore(tag string, n int64) Semaphore

	// IsVirtual tells virtual from wall time.
	IsVirtual() bool

	parking
}

// Timer is a pending AfterFunc.
type Timer interface {
	// Stop keeps f from starting and reports whether it did.
	Stop() bool
}

// Ticker ticks at start+d, start+2d, and so on. Ticks that nobody waited for
// are dropped but one, as with time.Ticker.
type Ticker interface {
	// Wait blocks until the next tick. It returns nil, context.Cause(ctx),
	// ErrTickerStopped or ErrStopped. The end of the context that the ticker was
	// made with is noticed at the next tick.
	Wait(ctx context.Context) error

	// Stop ends the ticker and wakes who waits for it.
	Stop()
}

// Errors of clock calls.
var (
	// ErrStopped is returned by every clock call after Stop. An actor that gets
	// it should return.
	ErrStopped = errors.New("vclock: the clock was stopped")

	// ErrClosed is returned by a Queue after Close.
	ErrClosed = errors.New("vclock: the queue was closed")

	// ErrTickerStopped is returned by Ticker.Wait after Ticker.Stop.
	ErrTickerStopped = errors.New("vclock: the ticker was stopped")

	// ErrNoActor is returned when something that is no actor (the goroutine that
	// calls Run, say) makes a call that would block in virtual time.
	ErrNoActor = errors.New("vclock: blocking clock call outside of an actor")

	// ErrSurrogateEnded is returned by a clock call with a Surrogate context
	// whose run function has returned.
	ErrSurrogateEnded = errors.New("vclock: the actor behind this context has gone on")
)

// parking is what Cond, Semaphore, Queue and Ticker are built on in both homes.
type parking interface {
	// enter is asked first by every call that could block.
	enter(ctx context.Context) error
	// park blocks until w is woken, until is reached (zero: never) or ctx ends.
	park(ctx context.Context, w *waiter, until time.Time) error
	// wake ends w's park, or the one that w is about to enter.
	wake(w *waiter)
}

// waiter is one actor's stay in a waiting list.
type waiter struct {
	what, tag string
	granted   bool          // what was waited for is given; guarded by the list's owner
	woken     bool          // virtual: wake came; guarded by Virtual.mu
	actor     *actor        // virtual: who is parked; guarded by Virtual.mu
	ch        chan struct{} // wall: closed by wake
}
