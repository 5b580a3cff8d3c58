package vclock

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// Run drives the actors, on the calling goroutine. It returns
//
//   - nil, at until, when nothing is left to do up to and including that moment
//     (zero: no end);
//   - nil, at the moment of the last event, when all actors ended but daemons. If
//     there were only daemons to begin with, these are driven up to until;
//   - *DeadlockError when actors wait and no event is left;
//   - *PanicError when an actor, or work that it offloaded, panicked;
//   - ErrStopped when Stop was called, all actors being ended by then;
//   - context.Cause(ctx) when ctx, which lives in real time, ended.
//
// In all cases but ErrStopped it can be called again. A clock that is not needed
// any more must be stopped, or its parked actors stay in memory.
func (v *Virtual) Run(ctx context.Context, until time.Time) error {
	if err := v.begin(); err != nil {
		return err
	}
	defer v.watch()()
	defer v.end()

	limit := int64(math.MaxInt64)
	if !until.IsZero() {
		limit = int64(until.Sub(v.start))
	}
	v.mu.Lock()
	daemonsOnly := v.working == 0 && !until.IsZero()
	v.mu.Unlock()
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if v.stopped.Load() {
			v.unwind()
			return v.lastWords()
		}
		e, err := v.take(limit, daemonsOnly)
		if e == nil {
			return err
		}
		if err := v.handle(ctx, e); err != nil {
			return err
		}
	}
}

func (v *Virtual) begin() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.active {
		return errActive
	}
	if v.stopped.Load() {
		return ErrStopped
	}
	v.active = true
	return nil
}

// end also unwinds, for the case that Stop came when Run was about to return.
func (v *Virtual) end() {
	for {
		v.dismiss()
		v.mu.Lock()
		if v.live.next.owner == nil || !v.stopped.Load() {
			v.active = false
			v.mu.Unlock()
			return
		}
		v.mu.Unlock()
		v.unwind()
	}
}

// take moves time to the next event and takes it out of the queue. Without an
// event the run ends as the error says.
func (v *Virtual) take(limit int64, daemonsOnly bool) (*event, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.working == 0 && !daemonsOnly {
		return nil, nil
	}
	if len(v.queue) == 0 && v.working > 0 {
		return nil, v.deadlock()
	}
	if len(v.queue) == 0 || v.queue[0].at > limit {
		if limit != math.MaxInt64 && limit > v.now.Load() {
			v.now.Store(limit)
			v.round = 0
		}
		return nil, nil
	}
	e := v.queue.pop()
	if e.at > v.now.Load() {
		v.now.Store(e.at)
	}
	v.round = e.round
	v.stats.Events++
	return e, nil
}

func (v *Virtual) handle(ctx context.Context, e *event) error {
	if e.scope != nil {
		e.scope.end(e.scope.cause)
		return nil
	}
	a := e.actor
	if a.timer && !a.begun && a.ctx.Err() != nil {
		v.mu.Lock()
		v.drop(a)
		v.mu.Unlock()
		return nil
	}
	v.steps.Add(1)
	v.running.Store(a)
	if a.off != nil {
		select {
		case <-a.off.done:
		default:
			if err := v.await(ctx, a); err != nil {
				return err
			}
		}
	}
	return v.step(a)
}

// await waits, really, for what a has offloaded. When ctx ends first the event
// goes back into the queue, so that another Run can go on.
func (v *Virtual) await(ctx context.Context, a *actor) error {
	v.awaiting.Store(true)
	defer v.awaiting.Store(false)
	select {
	case <-a.off.done:
		v.steps.Add(1)
		return nil
	case <-ctx.Done():
		v.running.Store(nil)
		v.mu.Lock()
		defer v.mu.Unlock()
		v.queue.push(&a.ev)
		return context.Cause(ctx)
	}
}

// step lets a run until it blocks again.
func (v *Virtual) step(a *actor) error {
	v.mu.Lock()
	a.unpark()
	if !a.begun {
		a.scoped.remove()
	}
	v.mu.Unlock()
	more := true
	defer func() {
		v.cur = nil
		v.running.Store(nil)
		if !more {
			v.mu.Lock()
			v.forget(a)
			v.mu.Unlock()
		}
	}()
	v.cur = a
	more = false // holds if the actor calls runtime.Goexit
	more = a.resume()
	if !more && a.failed != nil {
		return a.failed
	}
	return nil
}

// Stop ends every actor: the clock call in which it waits, and all later ones,
// return ErrStopped, and one that carries on for a hundred calls more is unwound
// by a panic. Offloaded work is waited for. Actors and timers that have not
// begun never do. Stop returns when nothing is left; while Run is at work it only
// asks, and it is Run that returns then. It may be called more than once.
func (v *Virtual) Stop() {
	v.mu.Lock()
	v.stopped.Store(true)
	if v.active {
		v.mu.Unlock()
		return
	}
	v.active = true
	v.mu.Unlock()
	defer v.watch()()
	v.end()
}

// unwind ends the actors in the order in which they were made. What they panic
// with now is reported, since the caller of Stop has no error to look at.
func (v *Virtual) unwind() {
	complete := false
	defer func() {
		if !complete { // an actor called runtime.Goexit, which goes on here
			v.unwind()
		}
	}()
	for {
		v.mu.Lock()
		a := v.live.next.owner
		if a != nil {
			v.queue.remove(&a.ev)
			v.drop(a)
		}
		v.mu.Unlock()
		if a == nil {
			break
		}
		if !a.begun {
			continue
		}
		if a.off != nil {
			<-a.off.done
		}
		v.steps.Add(1)
		v.running.Store(a)
		if err := v.step(a); err != nil {
			v.failure = errors.Join(v.failure, err)
			_, _ = fmt.Fprintln(v.log, err)
		}
	}
	v.dismiss()
	complete = true
}

// lastWords is what Run returns after Stop.
func (v *Virtual) lastWords() error {
	if v.failure != nil {
		return v.failure
	}
	return ErrStopped
}
