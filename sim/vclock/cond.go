package vclock

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// Cond is something to wait for. In virtual time one actor runs at a time, so
// state needs no lock there; code that also serves wall time reads and changes
// the state inside Await and Change, which a Signal cannot slip past.
type Cond interface {
	// Wait blocks until a later Signal or Broadcast. It returns nil,
	// context.Cause(ctx) or ErrStopped.
	Wait(ctx context.Context) error

	// Await blocks until ready reports true; it returns at once if it does
	// already. ready is called with the Cond's own lock held: it must not call
	// the clock or this Cond. Errors are those of Wait.
	Await(ctx context.Context, ready func() bool) error

	// Change runs f with the Cond's own lock held, then wakes everybody. f must
	// not call the clock or this Cond.
	Change(f func())

	// Signal wakes the one that has waited longest.
	Signal()

	// Broadcast wakes all that wait.
	Broadcast()
}

type cond struct {
	clock   parking
	tag     string
	mu      sync.Mutex
	waiters list.List // of *waiter
}

func (c *cond) Wait(ctx context.Context) error {
	if err := c.clock.enter(ctx); err != nil {
		return err
	}
	w := newWaiter("cond", c.tag)
	c.mu.Lock()
	place := c.waiters.PushBack(w)
	c.mu.Unlock()
	return c.stay(ctx, w, place)
}

func (c *cond) Await(ctx context.Context, ready func() bool) error {
	for {
		if err := c.clock.enter(ctx); err != nil {
			return err
		}
		c.mu.Lock()
		if ready() {
			c.mu.Unlock()
			return nil
		}
		w := newWaiter("cond", c.tag)
		place := c.waiters.PushBack(w)
		c.mu.Unlock()
		if err := c.stay(ctx, w, place); err != nil {
			return err
		}
	}
}

// stay parks; a signal that reached a waiter counts even if its context ended
// in the same moment, so that none is lost.
func (c *cond) stay(ctx context.Context, w *waiter, place *list.Element) error {
	err := c.clock.park(ctx, w, time.Time{})
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.granted {
		return nil
	}
	c.waiters.Remove(place)
	return err
}

func (c *cond) Change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	c.wakeAll()
}

func (c *cond) Signal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wakeFirst()
}

func (c *cond) Broadcast() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wakeAll()
}

func (c *cond) wakeAll() {
	for c.wakeFirst() {
		continue
	}
}

func (c *cond) wakeFirst() bool {
	first := c.waiters.Front()
	if first == nil {
		return false
	}
	w := c.waiters.Remove(first).(*waiter)
	w.granted = true
	c.clock.wake(w)
	return true
}

func newWaiter(what, tag string) *waiter {
	return &waiter{what: what, tag: tag, ch: make(chan struct{})}
}
