package vclock

import (
	"context"
	"fmt"
	"runtime/debug"
)

// actor is straight-line code that blocks only in the clock: a coroutine of the
// scheduler's loop.
type actor struct {
	v      *Virtual
	ctx    context.Context
	name   string
	f      func(ctx context.Context)
	daemon bool
	timer  bool // an AfterFunc
	ev     event
	alive  link[actor]

	// The coroutine; touched by the loop and the actor only.
	begun   bool
	co      *coroutine
	yield   func(struct{}) bool
	off     *offload
	refused int // clock calls since the clock was stopped
	failed  *PanicError

	// What it waits for; guarded by v.mu while parked.
	parked    bool
	roused    bool // its going on is decided and queued
	cancelled bool // and this is why
	what, tag string
	since     int64
	waitCtx   context.Context
	waiter    *waiter
	scoped    link[actor] // in the list of its scope
}

// PanicError is how a panic of an actor comes out of Run.
type PanicError struct {
	Actor string // who panicked
	Value any    // with what
	Stack []byte // where
}

func newPanicError(who string, value any) *PanicError {
	return &PanicError{who, value, debug.Stack()}
}

// Error includes the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("vclock: actor %q panicked: %v\n\n%s", e.Actor, e.Value, e.Stack)
}

// Unwrap is the panic's value, if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// unwinding is the panic that ends an actor which ignores ErrStopped.
type unwinding struct{}

func (unwinding) String() string { return "vclock: the actor ignores that the clock was stopped" }

// patience is how many refused calls an actor gets before it is unwound.
const patience = 100

// resume lets the actor run until it blocks again, and reports whether it will
// go on some day. What runtime.Goexit does in an actor (a failed test does)
// goes on in the caller.
func (a *actor) resume() bool {
	if !a.begun {
		a.begun = true
		a.v.lend(a)
	}
	a.co.next()
	if a.co.actor != nil {
		return true
	}
	a.v.reclaim(a.co)
	a.co = nil
	return false
}

// run is the actor's life.
func (a *actor) run(yield func(struct{}) bool) {
	a.yield = yield
	returned := false
	defer func() {
		if returned {
			return
		}
		switch p := recover().(type) {
		case nil, unwinding: // nil: runtime.Goexit
		case *PanicError:
			a.failed = p
		default:
			a.failed = newPanicError(a.name, p)
		}
	}()
	a.f(a.ctx)
	returned = true
}

// stay parks the actor. v.mu is held, and released meanwhile and at the end.
func (a *actor) stay(ctx context.Context, in *scope, what, tag string) {
	v := a.v
	a.parked, a.roused, a.cancelled = true, false, false
	a.what, a.tag, a.since, a.waitCtx = what, tag, v.now.Load(), ctx
	if in != nil {
		in.waiting.push(&a.scoped, a)
	}
	v.stats.Parked++
	v.stats.MaxParked = max(v.stats.MaxParked, v.stats.Parked)
	v.mu.Unlock()
	a.yield(struct{}{})
}

// unpark clears the wait state before the actor goes on. v.mu is held.
func (a *actor) unpark() {
	if !a.parked {
		return
	}
	a.parked = false
	a.v.stats.Parked--
	a.scoped.remove()
	a.waitCtx = nil
	if a.waiter != nil {
		a.waiter.actor, a.waiter = nil, nil
	}
}

// rouse queues a parked actor for the present moment. v.mu is held.
func (a *actor) rouse(cancelled bool) {
	if !a.parked || a.roused {
		return
	}
	a.roused, a.cancelled = true, cancelled
	a.scoped.remove()
	a.v.schedule(&a.ev, a.v.now.Load(), a.v.round)
}

// leave says how the wait that is just over ended.
func (a *actor) leave(ctx context.Context) error {
	switch {
	case a.v.stopped.Load():
		return a.v.refuse()
	case a.cancelled, !a.roused && ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return nil
}

// refuse answers a clock call after Stop, and unwinds an actor that goes on and
// on.
func (v *Virtual) refuse() error {
	if a := v.cur; a != nil {
		if a.refused++; a.refused > patience {
			panic(unwinding{})
		}
	}
	return ErrStopped
}
