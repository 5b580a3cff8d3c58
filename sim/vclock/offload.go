package vclock

import (
	"context"
	"time"
)

// offload is a function that runs beside the actors.
type offload struct {
	tag    string
	done   chan struct{}
	failed *PanicError
}

// Offload starts f at once and wakes the actor at now+d; the loop really waits
// for f before it lets the actor go on.
func (v *Virtual) Offload(ctx context.Context, d time.Duration, tag string, f func()) error {
	st := stateOf(ctx)
	if st.sur != nil {
		return st.sur.call(func() error { return v.offload(ctx, st, d, tag, f) })
	}
	return v.offload(ctx, st, d, tag, f)
}

func (v *Virtual) offload(ctx context.Context, st *state, d time.Duration, tag string, f func()) error {
	a, err := v.admit(ctx)
	if err != nil {
		return err
	}
	off := &offload{tag: tag, done: make(chan struct{})}
	go off.run(v, a.name, f)
	a.off = off
	v.mu.Lock()
	v.stats.Offloads++
	v.schedule(&a.ev, v.after(d), v.round)
	a.stay(ctx, v.scopeOf(st), "offloaded work", tag)
	a.off = nil
	if off.failed != nil {
		panic(off.failed)
	}
	return a.leave(ctx)
}

// run is the worker's side. Work that has not begun when the clock is stopped
// is left out: its actor gets ErrStopped in any case.
func (o *offload) run(v *Virtual, name string, f func()) {
	defer close(o.done)
	_ = v.workers.Acquire(context.Background(), 1) // cannot fail
	defer v.workers.Release(1)
	if v.stopped.Load() {
		return
	}
	returned := false
	defer func() {
		if returned {
			return
		}
		p := recover()
		if p == nil {
			p = "runtime.Goexit in offloaded work " + o.tag
		}
		o.failed = newPanicError(name, p)
	}()
	f()
	returned = true
}
