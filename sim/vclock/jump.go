package vclock

import (
	"context"
	"time"
)

// RealNow is the time of the machine, whatever any clock shows. It is for what
// real clients check by their own time: certificates of listeners, and the TLS
// that they stand in.
func RealNow() time.Time { return time.Now() }

// Jump sets business time forward by d at once. Whatever is due by then happens
// now: sleeps end, timers and tickers fire, deadlines pass; several ticks that a
// jump leaps over are one. What is due later comes by so much sooner. Time does
// not go back: a d of zero or less changes nothing.
//
// Offloaded work takes what it takes, and TLS reads RealNow.
func (w *Wall) Jump(d time.Duration) {
	if d <= 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ahead.Add(int64(d))
	close(w.jumped)
	w.jumped = make(chan struct{})
	for a := range w.alarms {
		if a.timer.Stop() { // otherwise it is going off
			a.timer.Reset(w.left(a.due))
		}
	}
}

// Ahead is how far business time is ahead of real time: the sum of all jumps.
func (w *Wall) Ahead() time.Duration { return time.Duration(w.ahead.Load()) }

// moment is a moment of business time, kept as one of the monotonic clock, so
// that setting the machine's clock moves no wait.
type moment struct {
	real  time.Time     // without any jump
	ahead time.Duration // that real was reckoned with
}

// in is the moment d from now.
func (w *Wall) in(d time.Duration) moment { return moment{time.Now().Add(d), w.Ahead()} }

// left is how much real time there is until a moment, not positive where it has
// passed.
func (w *Wall) left(m moment) time.Duration { return time.Until(m.real) - (w.Ahead() - m.ahead) }

func (w *Wall) nextJump() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.jumped
}

// alarm is a timer in business time.
type alarm struct {
	w      *Wall
	due    moment
	timer  *time.Timer
	forget func() bool // takes it off its context
}

// alarm runs f after d, unless ctx has ended or the clock was stopped before.
func (w *Wall) alarm(ctx context.Context, d time.Duration, f func()) *alarm {
	a := &alarm{w: w, due: w.in(d)}
	w.mu.Lock()
	defer w.mu.Unlock()
	a.timer = time.AfterFunc(w.left(a.due), func() {
		a.Stop()
		f()
	})
	a.forget = context.AfterFunc(ctx, func() { a.Stop() })
	select {
	case <-w.stopped:
		a.timer.Stop()
		a.forget()
	default:
		w.alarms[a] = struct{}{}
	}
	return a
}

// Stop keeps f from starting and reports whether it did.
func (a *alarm) Stop() bool {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	delete(a.w.alarms, a)
	a.forget()
	return a.timer.Stop()
}
