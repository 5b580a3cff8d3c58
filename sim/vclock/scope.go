package vclock

import (
	"context"
	"time"
)

// scope is a context that can end, together with who waits in it. The context
// itself is one of the standard library, so that its descendants, libraries'
// among them, end with it; the scope adds that sleepers wake, and in what order.
type scope struct {
	v      *Virtual
	ctx    context.Context
	cancel context.CancelCauseFunc

	deadline    time.Time // the earliest of its own and its ancestors'
	hasDeadline bool
	cause       error // of its own timeout
	ev          event // its own timeout

	// Guarded by v.mu.
	sibling link[scope] // in the list of its parent
	kids    link[scope]
	waiting link[actor]
}

func (v *Virtual) scopeOf(st *state) *scope {
	if st.scope != nil && st.scope.v == v {
		return st.scope
	}
	return nil
}

// WithCancel makes a scope.
func (v *Virtual) WithCancel(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	s, sctx := v.newScope(ctx)
	v.adopt(s, ctx)
	return sctx, s.end
}

// WithTimeout makes a scope that ends at now+d.
func (v *Virtual) WithTimeout(ctx context.Context, d time.Duration, cause error) (context.Context, context.CancelFunc) {
	if cause == nil {
		cause = context.DeadlineExceeded
	}
	s, sctx := v.newScope(ctx)
	s.cause = cause
	if at := v.Now().Add(max(d, 0)); !s.hasDeadline || at.Before(s.deadline) {
		s.deadline, s.hasDeadline = at, true
	}
	v.adopt(s, ctx)
	v.mu.Lock()
	if s.ctx.Err() == nil && !v.stopped.Load() {
		v.ids++
		s.ev.scope, s.ev.rank = s, v.seed.rank(v.ids)
		v.schedule(&s.ev, v.after(d), v.round)
	}
	v.mu.Unlock()
	return sctx, func() { s.end(context.Canceled) }
}

func (v *Virtual) newScope(ctx context.Context) (*scope, context.Context) {
	st := *stateOf(ctx)
	s := &scope{v: v}
	s.kids.init()
	s.waiting.init()
	if parent := v.scopeOf(&st); parent != nil && ctx.Done() != nil {
		s.deadline, s.hasDeadline = parent.deadline, parent.hasDeadline
	}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	st.scope = s
	return s, withState(s.ctx, st)
}

// adopt hangs s below the scope of ctx, unless that has ended.
func (v *Virtual) adopt(s *scope, ctx context.Context) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if parent := v.scopeOf(stateOf(ctx)); parent != nil && s.ctx.Err() == nil {
		parent.kids.push(&s.sibling, s)
	}
}

// end ends the scope and wakes its sleepers.
func (s *scope) end(cause error) {
	s.cancel(cause)
	s.v.mu.Lock()
	defer s.v.mu.Unlock()
	s.ended()
}

// ended goes through the tree of scopes in the order in which they were made,
// and wakes those whose context has really ended: one made by
// context.WithoutCancel carries its ancestor's scope but does not end with it.
func (s *scope) ended() {
	s.v.queue.remove(&s.ev)
	s.sibling.remove()
	for n := s.waiting.next; n.owner != nil; {
		a := n.owner
		n = n.next
		switch {
		case !a.begun && a.ctx.Err() != nil:
			s.v.drop(a)
		case a.begun && a.waitCtx.Err() != nil:
			a.rouse(true)
		}
	}
	for n := s.kids.next; n.owner != nil; {
		kid := n.owner
		n = n.next
		if kid.ctx.Err() != nil {
			kid.ended()
		}
	}
}
