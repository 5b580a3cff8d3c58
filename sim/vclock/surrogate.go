package vclock

import (
	"context"
	"runtime"
)

// surrogate carries clock calls of foreign goroutines to the actor for which
// they work.
type surrogate struct {
	calls chan call
	ended chan struct{}
}

type call struct {
	do    func() error
	reply chan answer
}

type answer struct {
	err    error
	unwind bool // the actor is being unwound: the caller's goroutine has to end
}

// Surrogate lets goroutines of a library (those of an HTTP server, of a TLS
// handshake) act for an actor. The actor starts the library's work with sctx,
// then calls run(done): it stays there, and each blocking clock call that is
// made with sctx, or a context derived from it, on whatever goroutine, is
// executed on the actor, until done is closed. run may be called once.
//
// The actor counts as running while it is in run and none of its surrogates
// sleeps, so the scheduler waits for the foreign goroutines: virtual time stands
// still for them. For the order of a run to be fixed they must hand work to each
// other strictly, one at a time. sctx must not be used on the actor itself.
//
// A panic in offloaded work continues on the actor once done is closed; the
// foreign goroutine gets an error. In wall time calls are made where they are.
func Surrogate(ctx context.Context) (sctx context.Context, run func(done <-chan struct{})) {
	s := &surrogate{calls: make(chan call), ended: make(chan struct{})}
	st := *stateOf(ctx)
	st.sur = s
	return withState(ctx, st), s.run
}

func (s *surrogate) run(done <-chan struct{}) {
	var failed any
	defer close(s.ended)
	for {
		select {
		case c := <-s.calls:
			if p := c.execute(); p != nil && failed == nil {
				failed = p
			}
		case <-done:
			if failed != nil {
				panic(failed)
			}
			return
		}
	}
}

// execute runs on the actor and returns what the call panicked with.
func (c call) execute() (failed any) {
	returned := false
	defer func() {
		if returned {
			return
		}
		switch failed = recover(); p := failed.(type) {
		case unwinding:
			c.reply <- answer{ErrStopped, true}
		case *PanicError:
			c.reply <- answer{err: p}
		default:
			failed = newPanicError("surrogate", failed)
			c.reply <- answer{err: failed.(*PanicError)}
		}
	}()
	err := c.do()
	returned = true
	c.reply <- answer{err: err}
	return nil
}

// call has f executed on the actor and waits for it.
func (s *surrogate) call(f func() error) error {
	c := call{f, make(chan answer, 1)}
	select {
	case s.calls <- c:
	case <-s.ended:
		return ErrSurrogateEnded
	}
	a := <-c.reply
	if a.unwind {
		runtime.Goexit()
	}
	return a.err
}
