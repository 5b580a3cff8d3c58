package vclock

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"
)

// Semaphore hands out units, first come first served: a request for many units
// is not overtaken by later ones for few.
type Semaphore interface {
	// Acquire blocks until n units are free. It returns nil, context.Cause(ctx)
	// or ErrStopped, or an error at once if the semaphore has never n units.
	Acquire(ctx context.Context, n int64) error

	// TryAcquire takes n units if they are free and nobody waits.
	TryAcquire(n int64) bool

	// Release gives n units back. It panics if more are given than were taken.
	Release(n int64)
}

type semaphore struct {
	clock   parking
	tag     string
	size    int64
	mu      sync.Mutex
	taken   int64
	waiters list.List // of *semWaiter
}

type semWaiter struct {
	*waiter
	n int64
}

func (s *semaphore) Acquire(ctx context.Context, n int64) error {
	if n > s.size || n < 0 {
		return fmt.Errorf("vclock: semaphore %q has %d units, %d wanted", s.tag, s.size, n)
	}
	if err := s.clock.enter(ctx); err != nil {
		return err
	}
	if s.TryAcquire(n) {
		return nil
	}
	s.mu.Lock()
	w := &semWaiter{newWaiter("semaphore", s.tag), n}
	place := s.waiters.PushBack(w)
	s.grant()
	s.mu.Unlock()

	err := s.clock.park(ctx, w.waiter, time.Time{})
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.granted {
		return nil
	}
	s.waiters.Remove(place)
	s.grant() // who stood behind a big request may go now
	return err
}

func (s *semaphore) TryAcquire(n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < 0 || n > s.size-s.taken || s.waiters.Len() > 0 {
		return false
	}
	s.taken += n
	return true
}

func (s *semaphore) Release(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < 0 || n > s.taken {
		panic(fmt.Sprintf("vclock: semaphore %q: %d units released, %d taken", s.tag, n, s.taken))
	}
	s.taken -= n
	s.grant()
}

func (s *semaphore) grant() {
	for e := s.waiters.Front(); e != nil; e = s.waiters.Front() {
		w := e.Value.(*semWaiter)
		if w.n > s.size-s.taken {
			return
		}
		s.taken += w.n
		w.granted = true
		s.waiters.Remove(e)
		s.clock.wake(w.waiter)
	}
}
