package device

import (
	"context"
	"sync/atomic"

	"windtunnel.test/sim/vclock"
)

// Signal is a notification by which parts of Windows that share a registry key
// or a CSP node wake each other. It counts, so that who looks at the registry
// first and waits then misses nothing that happened in between:
//
//	seen := s.Count()
//	... look at the registry ...
//	err := s.After(ctx, seen)
type Signal struct {
	cond vclock.Cond
	n    atomic.Uint64
}

// Signal gives the boot's notification of that name.
func (w *Windows) Signal(name string) *Signal {
	w.session.mu.Lock()
	defer w.session.mu.Unlock()
	s := w.signals[name]
	if s == nil {
		s = &Signal{cond: w.Clock.NewCond(name + " on " + w.Name)}
		w.signals[name] = s
	}
	return s
}

// Broadcast wakes all that wait.
func (s *Signal) Broadcast() { s.cond.Change(func() { s.n.Add(1) }) }

// Count says how often it was broadcast in this boot.
func (s *Signal) Count() uint64 { return s.n.Load() }

// After waits for a broadcast after the first seen ones. It returns nil,
// context.Cause(ctx) or vclock.ErrStopped.
func (s *Signal) After(ctx context.Context, seen uint64) error {
	return s.cond.Await(ctx, func() bool { return s.n.Load() != seen })
}

// Wait waits for the next broadcast.
func (s *Signal) Wait(ctx context.Context) error { return s.After(ctx, s.Count()) }
