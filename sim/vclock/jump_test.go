package vclock_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vclock"
)

// TestJump has everything that waits for business time wait for an hour, and
// jumps over it.
func TestJump(t *testing.T) {
	errPatience := errors.New("out of patience")
	waits := map[string]func(w *vclock.Wall, ctx context.Context) error{
		"sleep": func(w *vclock.Wall, ctx context.Context) error { return w.Sleep(ctx, time.Hour, "nap") },
		"ticker": func(w *vclock.Wall, ctx context.Context) error {
			tick := w.NewTicker(ctx, time.Hour, "tick")
			defer tick.Stop()
			return tick.Wait(ctx)
		},
		"timer": func(w *vclock.Wall, ctx context.Context) error {
			rang := w.NewCond("timer")
			happened := false
			w.AfterFunc(ctx, time.Hour, "timer", func(context.Context) { rang.Change(func() { happened = true }) })
			return rang.Await(ctx, func() bool { return happened })
		},
		"timeout": func(w *vclock.Wall, ctx context.Context) error {
			short, free := w.WithTimeout(ctx, time.Hour, errPatience)
			defer free()
			if err := w.NewCond("never").Wait(short); !errors.Is(err, errPatience) {
				return errors.Join(errors.New("not the cause of the timeout"), err)
			}
			return nil
		},
	}
	for name, wait := range waits {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			w := vclock.NewWall()
			defer w.Stop()
			ended := make(chan error, 1)
			begun := make(chan bool)
			w.Go(t.Context(), "waits", func(ctx context.Context) {
				begun <- true
				ended <- wait(w, ctx)
			})
			<-begun
			begin := w.Now()
			// Whether the wait has begun by the first jump cannot be seen from here: one of them is after it.
			for {
				w.Jump(30 * time.Minute)
				select {
				case err := <-ended:
					g.Expect(err).NotTo(HaveOccurred())
					g.Expect(w.Now().Sub(begin)).To(BeNumerically(">=", time.Hour))
					return
				case <-time.After(time.Millisecond):
				}
			}
		})
	}
}

func TestJumpMovesNoClockBack(t *testing.T) {
	g := NewWithT(t)
	w := vclock.NewWall()
	defer w.Stop()
	w.Jump(-time.Hour)
	w.Jump(0)
	g.Expect(w.Ahead()).To(BeZero())
	g.Expect(w.Now()).To(BeTemporally("~", vclock.RealNow(), time.Minute))
	w.Jump(time.Hour)
	w.Jump(time.Hour)
	g.Expect(w.Ahead()).To(Equal(2 * time.Hour))
	g.Expect(w.Now()).To(BeTemporally("~", vclock.RealNow().Add(2*time.Hour), time.Minute))
}

// TestDeadlineAfterAJump: the library's deadline is real time, the clock's is
// its own.
func TestDeadlineAfterAJump(t *testing.T) {
	g := NewWithT(t)
	w := vclock.NewWall()
	defer w.Stop()
	w.Jump(24 * time.Hour)
	ctx, free := w.WithTimeout(t.Context(), time.Hour, nil)
	defer free()
	real, ok := ctx.Deadline()
	g.Expect(ok).To(BeTrue())
	g.Expect(real).To(BeTemporally("~", vclock.RealNow().Add(time.Hour), time.Minute))
	business, ok := vclock.Deadline(ctx)
	g.Expect(ok).To(BeTrue())
	g.Expect(business).To(BeTemporally("~", w.Now().Add(time.Hour), time.Minute))
	w.Jump(2 * time.Hour)
	<-ctx.Done()
	g.Expect(context.Cause(ctx)).To(MatchError(context.DeadlineExceeded))
}

// TestTimersLetGo: a timer that was stopped, or whose context has ended, does
// not fire at a jump.
func TestTimersLetGo(t *testing.T) {
	w := vclock.NewWall()
	ctx, cancel := context.WithCancel(t.Context())
	fail := func(context.Context) { t.Error("fired") }
	stopped := w.AfterFunc(t.Context(), time.Hour, "stopped", fail)
	w.AfterFunc(ctx, time.Hour, "cut", fail)
	if !stopped.Stop() || stopped.Stop() {
		t.Error("Stop reports whether it kept f from running")
	}
	cancel()
	w.Jump(2 * time.Hour)
	w.AfterFunc(t.Context(), time.Hour, "too late", fail)
	w.Stop()
	w.Jump(2 * time.Hour)
}

// TestJumpsAmongMany jumps while many sleep: each sleep ends, none before its
// time.
func TestJumpsAmongMany(t *testing.T) {
	w := vclock.NewWall()
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			d := time.Duration(i) * time.Minute
			begin := w.Now()
			if err := w.Sleep(t.Context(), d, "nap"); err != nil || w.Now().Sub(begin) < d {
				t.Errorf("slept %s of %s: %v", w.Now().Sub(begin), d, err)
			}
		})
	}
	awake := make(chan bool)
	go func() { all.Wait(); close(awake) }()
	for {
		w.Jump(time.Minute)
		select {
		case <-awake:
			w.Stop()
			return
		case <-time.After(100 * time.Microsecond):
		}
	}
}
