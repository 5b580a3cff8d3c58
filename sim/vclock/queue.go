package vclock

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// Queue passes values between actors in order. Both getters and putters are
// served first come first served.
type Queue[T any] struct {
	clock    parking
	tag      string
	capacity int

	mu      sync.Mutex
	closed  bool
	items   list.List // of T
	getters list.List // of *queueWaiter[T]: empty unless items is
	putters list.List // of *queueWaiter[T]: empty unless items is full
}

type queueWaiter[T any] struct {
	*waiter
	value T
	err   error
}

// NewQueue makes a queue of the given capacity; without one (zero or less) it
// has no bound and Put never blocks.
func NewQueue[T any](c Clock, tag string, capacity int) *Queue[T] {
	return &Queue[T]{clock: c, tag: tag, capacity: capacity}
}

// Put appends v, and blocks while the queue is full. It returns nil,
// context.Cause(ctx), ErrClosed or ErrStopped.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	if err := q.clock.enter(ctx); err != nil {
		return err
	}
	q.mu.Lock()
	if q.closed || q.offer(v) {
		defer q.mu.Unlock()
		return q.closedErr()
	}
	w := &queueWaiter[T]{waiter: newWaiter("space in queue", q.tag), value: v}
	place := q.putters.PushBack(w)
	q.mu.Unlock()
	return q.stay(ctx, w, &q.putters, place)
}

// TryPut appends v if there is room and the queue is open.
func (q *Queue[T]) TryPut(v T) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.closed && q.offer(v)
}

// Get takes the oldest value, and blocks while there is none. It returns
// context.Cause(ctx), ErrStopped, or, once the queue is closed and empty,
// ErrClosed.
func (q *Queue[T]) Get(ctx context.Context) (T, error) {
	var zero T
	if err := q.clock.enter(ctx); err != nil {
		return zero, err
	}
	q.mu.Lock()
	if first := q.items.Front(); first != nil {
		defer q.mu.Unlock()
		v := q.items.Remove(first).(box[T]).value
		q.refill()
		return v, nil
	}
	if q.closed {
		defer q.mu.Unlock()
		return zero, ErrClosed
	}
	w := &queueWaiter[T]{waiter: newWaiter("value in queue", q.tag)}
	place := q.getters.PushBack(w)
	q.mu.Unlock()
	err := q.stay(ctx, w, &q.getters, place)
	return w.value, err
}

// Len is the number of values that can be taken without waiting.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.items.Len()
}

// Close ends the queue: Put fails from now on, for those that wait too; Get
// hands out what is left first. It may be called again.
func (q *Queue[T]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, waiting := range []*list.List{&q.getters, &q.putters} {
		for e := waiting.Front(); e != nil; e = waiting.Front() {
			q.finish(waiting.Remove(e).(*queueWaiter[T]), ErrClosed)
		}
	}
}

// box keeps a T that is a nil interface storable in a list.
type box[T any] struct{ value T }

func (q *Queue[T]) closedErr() error {
	if q.closed {
		return ErrClosed
	}
	return nil
}

// offer gives v to a getter or stores it, if there is room.
func (q *Queue[T]) offer(v T) bool {
	if e := q.getters.Front(); e != nil {
		w := q.getters.Remove(e).(*queueWaiter[T])
		w.value = v
		q.finish(w, nil)
		return true
	}
	if q.capacity > 0 && q.items.Len() >= q.capacity {
		return false
	}
	q.items.PushBack(box[T]{v})
	return true
}

// refill lets the putter that has waited longest in.
func (q *Queue[T]) refill() {
	if e := q.putters.Front(); e != nil {
		w := q.putters.Remove(e).(*queueWaiter[T])
		q.items.PushBack(box[T]{w.value})
		q.finish(w, nil)
	}
}

func (q *Queue[T]) finish(w *queueWaiter[T], err error) {
	w.granted, w.err = true, err
	q.clock.wake(w.waiter)
}

// stay parks; what was given counts even if the context ended in the same
// moment, so that no value is lost.
func (q *Queue[T]) stay(ctx context.Context, w *queueWaiter[T], in *list.List, place *list.Element) error {
	err := q.clock.park(ctx, w.waiter, time.Time{})
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.granted {
		return w.err
	}
	in.Remove(place)
	return err
}
