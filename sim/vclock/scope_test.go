package vclock_test

import (
	"context"
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vclock"
)

func TestCancelWakesEveryKindOfWait(t *testing.T) {
	l := newLab(t, vclock.Options{})
	scope, cut := l.WithCancel(t.Context())
	inner, cancelInner := context.WithCancel(scope)
	defer cancelInner()
	never, taken := l.NewCond("never"), l.NewSemaphore("taken", 1)
	empty := vclock.NewQueue[int](l, "empty", 0)
	full := vclock.NewQueue[int](l, "full", 1)
	l.Expect(taken.TryAcquire(1)).To(BeTrue())
	l.Expect(full.TryPut(1)).To(BeTrue())
	worked := false
	for name, wait := range map[string]func(ctx context.Context) error{
		"sleep":     func(ctx context.Context) error { return l.Sleep(ctx, 9*time.Hour, "nap") },
		"offload":   func(ctx context.Context) error { return l.Offload(ctx, 9*time.Hour, "work", func() { worked = true }) },
		"cond":      never.Wait,
		"await":     func(ctx context.Context) error { return never.Await(ctx, func() bool { return false }) },
		"semaphore": func(ctx context.Context) error { return taken.Acquire(ctx, 1) },
		"get":       func(ctx context.Context) error { _, err := empty.Get(ctx); return err },
		"put":       func(ctx context.Context) error { return full.Put(ctx, 2) },
		"ticker":    func(ctx context.Context) error { return l.NewTicker(ctx, 9*time.Hour, "tick").Wait(ctx) },
	} {
		l.Go(inner, name, func(ctx context.Context) {
			l.Expect(wait(ctx)).To(MatchError(errPower), name)
			l.Expect(l.Sleep(ctx, 1, "after the end")).To(MatchError(errPower))
			l.say("cut")
		})
	}
	l.AfterFunc(inner, 9*time.Hour, "timer", func(context.Context) { l.say("never") })
	l.Go(t.Context(), "plug", func(ctx context.Context) {
		_ = l.Sleep(ctx, time.Hour, "reach for the plug")
		cut(errPower)
		cut(errors.New("second cause"))
		l.AfterFunc(inner, 9*time.Hour, "timer", func(context.Context) { l.say("never") })
	})
	l.Expect(l.drive()).To(Succeed())
	l.Expect(l.said).To(HaveLen(8))
	l.Expect(l.said).To(HaveEach("1h0m0s cut"))
	l.Expect(worked).To(BeTrue(), "offloaded work is done before the actor goes on")
	l.Expect(l.Now().Sub(vclock.DefaultStart)).To(Equal(time.Hour), "the timer is gone with its scope")
}

func TestTimeout(t *testing.T) {
	l := newLab(t, vclock.Options{})
	l.Go(t.Context(), "main", func(ctx context.Context) {
		_, has := vclock.Deadline(ctx)
		l.Expect(has).To(BeFalse())
		outer, cancelOuter := l.WithTimeout(ctx, time.Hour, errPower)
		defer cancelOuter()
		inner, cancelInner := l.WithTimeout(outer, 5*time.Hour, nil)
		defer cancelInner()
		at, has := vclock.Deadline(inner)
		l.Expect(has).To(BeTrue())
		l.Expect(at).To(Equal(vclock.DefaultStart.Add(time.Hour)), "the earlier one counts")
		_, real := inner.Deadline()
		l.Expect(real).To(BeFalse())

		quick, cancelQuick := l.WithTimeout(inner, time.Minute, nil)
		l.Expect(l.Sleep(quick, time.Hour, "nap")).To(MatchError(context.DeadlineExceeded))
		cancelQuick()
		l.Expect(l.Sleep(inner, 59*time.Second, "nap")).To(Succeed())
		freed, free := l.WithTimeout(inner, time.Minute, nil)
		free()
		l.Expect(l.Sleep(freed, 1, "nap")).To(MatchError(context.Canceled))
		l.Expect(l.Sleep(inner, 9*time.Hour, "nap")).To(MatchError(errPower))
		l.say("done")

		ended, end := l.WithTimeout(inner, time.Minute, nil)
		defer end()
		l.Expect(l.Sleep(ended, 1, "nap")).To(MatchError(errPower))
	})
	l.Expect(l.drive()).To(Succeed())
	l.Expect(l.text()).To(Equal("1h0m0s done"))
}

func TestDetachedWorkOutlivesTheScope(t *testing.T) {
	for name, detach := range map[string]func(context.Context) context.Context{
		"Detach": vclock.Detach, "WithoutCancel": context.WithoutCancel,
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, vclock.Options{})
			scope, cut := l.WithTimeout(t.Context(), time.Hour, errPower)
			defer cut()
			free := detach(scope)
			_, has := vclock.Deadline(free)
			l.Expect(has).To(BeFalse())
			sub, cancel := l.WithCancel(free)
			for _, ctx := range []context.Context{free, sub} {
				l.Go(ctx, "job", func(ctx context.Context) {
					l.Expect(l.Sleep(ctx, 2*time.Hour, "job")).To(Succeed())
					l.say("job done")
				})
			}
			l.Expect(l.drive()).To(Succeed())
			l.Expect(l.said).To(Equal([]string{"2h0m0s job done", "2h0m0s job done"}))
			cancel(nil)
		})
	}
}

func TestForeignCancelIsNoticedAtWakeUp(t *testing.T) {
	l := newLab(t, vclock.Options{})
	ctx, cancel := context.WithCancelCause(t.Context())
	l.Go(ctx, "sleeper", func(ctx context.Context) {
		l.Expect(l.Sleep(ctx, 2*time.Hour, "nap")).To(MatchError(errPower))
		l.say("noticed")
	})
	l.AfterFunc(t.Context(), time.Hour, "cancel", func(context.Context) { cancel(errPower) })
	l.AfterFunc(ctx, 90*time.Minute, "in the cancelled context", func(context.Context) { l.say("never") })
	l.Expect(l.drive()).To(Succeed())
	l.Expect(l.text()).To(Equal("2h0m0s noticed"))
}

// The scopes of one world mean nothing in another one.
func TestScopesOfTwoClocks(t *testing.T) {
	a, b := newLab(t, vclock.Options{}), newLab(t, vclock.Options{})
	scope, cut := a.WithCancel(t.Context())
	b.Go(scope, "visitor", func(ctx context.Context) {
		b.Expect(b.Sleep(ctx, time.Hour, "nap")).To(MatchError(errPower))
	})
	b.Go(t.Context(), "cut", func(context.Context) { cut(errPower) })
	b.Expect(b.Run(t.Context(), vclock.DefaultStart.Add(time.Minute))).To(Succeed())
	b.Expect(b.drive()).To(Succeed())
}
