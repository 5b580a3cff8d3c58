package vclock

import (
	"context"
	"time"
)

// state is what this package keeps in a context, in one value, because each
// blocking call has to look it up.
type state struct {
	scope  *scope
	sur    *surrogate
	wall   *Wall // that a timeout was made by
	daemon bool
}

type stateKey struct{}

var noState = new(state)

func stateOf(ctx context.Context) *state {
	if st, ok := ctx.Value(stateKey{}).(*state); ok {
		return st
	}
	return noState
}

func withState(ctx context.Context, st state) context.Context {
	return context.WithValue(ctx, stateKey{}, &st)
}

// Daemon marks a context: actors and timers that are started with it don't keep
// a run alive, and their waiting alone is no deadlock. It is for services with
// a life of their own, such as a connector that polls for ever.
func Daemon(ctx context.Context) context.Context {
	st := *stateOf(ctx)
	if st.daemon {
		return ctx
	}
	st.daemon = true
	return withState(ctx, st)
}

// Detach gives a context that keeps ctx's values and ends with none of its
// scopes: for work that outlives the request that asked for it.
func Detach(ctx context.Context) context.Context {
	st := *stateOf(ctx)
	st.scope = nil
	return withState(context.WithoutCancel(ctx), st)
}

// Deadline is when the innermost timeouts of ctx end, in the time of the clock
// that made them.
func Deadline(ctx context.Context) (time.Time, bool) {
	at, ok := ctx.Deadline()
	if w := stateOf(ctx).wall; w != nil && ok {
		at = at.Round(0).Add(w.Ahead())
	}
	if s := stateOf(ctx).scope; s != nil && s.hasDeadline && ctx.Done() != nil {
		if !ok || s.deadline.Before(at) {
			return s.deadline, true
		}
	}
	return at, ok
}
