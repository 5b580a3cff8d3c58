package vclock

import (
	"context"
	"sync"
	"time"
)

type ticker struct {
	clock  Clock
	ctx    context.Context // ends the ticker
	period time.Duration
	tag    string

	mu      sync.Mutex
	next    time.Time
	stopped bool
	waiting *waiter
}

func newTicker(ctx context.Context, c Clock, d time.Duration, tag string) *ticker {
	if d <= 0 {
		panic("vclock: ticker " + tag + ": the period must be positive")
	}
	return &ticker{clock: c, ctx: ctx, period: d, tag: tag, next: c.Now().Add(d)}
}

func (t *ticker) Wait(ctx context.Context) error {
	if err := t.clock.enter(ctx); err != nil {
		return err
	}
	t.mu.Lock()
	due, w := t.next, newWaiter("ticker", t.tag)
	t.waiting = w
	stopped := t.stopped
	t.mu.Unlock()
	if stopped {
		return ErrTickerStopped
	}
	if due.After(t.clock.Now()) {
		if err := t.clock.park(ctx, w, due); err != nil {
			return err
		}
	}
	return t.ticked()
}

// ticked sets the next tick, which is never in the past.
func (t *ticker) ticked() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = nil
	if t.stopped {
		return ErrTickerStopped
	}
	if t.ctx.Err() != nil {
		return context.Cause(t.ctx)
	}
	late := max(t.clock.Now().Sub(t.next), 0)
	t.next = t.next.Add((late/t.period + 1) * t.period)
	return nil
}

func (t *ticker) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
	if t.waiting != nil {
		t.clock.wake(t.waiting)
	}
}
