package vclock_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vclock"
)

func TestCond(t *testing.T) {
	both(t, func(ctx context.Context, g Gomega, c vclock.Clock) {
		cond, ended := c.NewCond("stage"), vclock.NewQueue[int](c, "ended", 0)
		stage := 0
		for i := range 3 {
			c.Go(ctx, "waiter", func(ctx context.Context) {
				g.Expect(cond.Await(ctx, func() bool { return stage > i })).To(Succeed())
				g.Expect(ended.Put(ctx, i)).To(Succeed())
			})
		}
		for i := range 3 {
			cond.Change(func() { stage++ })
			got, err := ended.Get(ctx)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(got).To(Equal(i))
		}
		g.Expect(cond.Await(ctx, func() bool { return true })).To(Succeed())
	})
}

func TestCondSignalsInOrderOfArrival(t *testing.T) {
	l := newLab(t, vclock.Options{Seed: 3})
	cond := l.NewCond("turn")
	for i := range 5 {
		l.Go(t.Context(), "waiter", func(ctx context.Context) {
			_ = l.Sleep(ctx, time.Duration(i+1)*time.Second, "arrive")
			l.Expect(cond.Wait(ctx)).To(Succeed())
			l.say("%d", i)
		})
	}
	l.Go(t.Context(), "main", func(ctx context.Context) {
		_ = l.Sleep(ctx, time.Minute, "wait for all")
		cond.Signal()
		_ = l.Sleep(ctx, time.Minute, "next")
		cond.Signal()
		_ = l.Sleep(ctx, time.Minute, "next")
		cond.Broadcast()
		cond.Signal() // nobody is left
	})
	l.Expect(l.drive()).To(Succeed())
	l.Expect(l.said[:2]).To(Equal([]string{"1m0s 0", "2m0s 1"}))
	l.Expect(l.said[2:]).To(ConsistOf("3m0s 2", "3m0s 3", "3m0s 4"))
}

// A signal and a cancel in one moment: whichever comes first, the signal wakes
// exactly one.
func TestNoSignalIsLostToACancel(t *testing.T) {
	for _, cancelFirst := range []bool{true, false} {
		l := newLab(t, vclock.Options{})
		cond := l.NewCond("turn")
		scope, cancel := l.WithCancel(t.Context())
		woken := 0
		for _, ctx := range []context.Context{scope, t.Context()} {
			l.GoDaemon(ctx, "waiter", func(ctx context.Context) {
				if cond.Wait(ctx) == nil {
					woken++
				}
			})
		}
		l.Go(t.Context(), "main", func(ctx context.Context) {
			_ = l.Sleep(ctx, time.Second, "let them wait")
			if cancelFirst {
				cancel(nil)
				cond.Signal()
			} else {
				cond.Signal()
				cancel(nil)
			}
			_ = l.Sleep(ctx, time.Second, "let them wake")
		})
		l.Expect(l.drive()).To(Succeed())
		l.Expect(woken).To(Equal(1))
	}
}

func TestSemaphoreIsFair(t *testing.T) {
	l := newLab(t, vclock.Options{Seed: 5})
	bench := l.NewSemaphore("bench", 3)
	for i, n := range []int64{2, 3, 1, 1} {
		l.Go(t.Context(), "user", func(ctx context.Context) {
			_ = l.Sleep(ctx, time.Duration(i+1)*time.Second, "arrive")
			l.Expect(bench.Acquire(ctx, n)).To(Succeed())
			l.say("%d of %d", i, n)
			_ = l.Sleep(ctx, time.Minute, "use")
			bench.Release(n)
		})
	}
	l.Go(t.Context(), "impatient", func(ctx context.Context) {
		_ = l.Sleep(ctx, 2500*time.Millisecond, "arrive")
		l.Expect(bench.TryAcquire(1)).To(BeFalse(), "one is free, but somebody waits")
		short, done := l.WithTimeout(ctx, time.Second, errPower)
		defer done()
		l.Expect(bench.Acquire(short, 1)).To(MatchError(errPower))
		l.Expect(bench.Acquire(ctx, 4)).To(MatchError(ContainSubstring("has 3 units, 4 wanted")))
	})
	l.Expect(l.drive()).To(Succeed())
	l.Expect(l.said[:2]).To(Equal([]string{"1s 0 of 2", "1m1s 1 of 3"}))
	l.Expect(l.said[2:]).To(ConsistOf("2m1s 2 of 1", "2m1s 3 of 1"))
	l.Expect(func() { bench.Release(1) }).To(PanicWith(ContainSubstring("1 units released, 0 taken")))
}

// Who gives up at the head of the line lets the next ones in.
func TestSemaphoreGoesOnAfterAGiveUp(t *testing.T) {
	both(t, func(ctx context.Context, g Gomega, c vclock.Clock) {
		s := c.NewSemaphore("s", 2)
		g.Expect(s.TryAcquire(1)).To(BeTrue())
		scope, cancel := c.WithCancel(ctx)
		ended := vclock.NewQueue[error](c, "ended", 0)
		c.Go(ctx, "big", func(ctx context.Context) { g.Expect(ended.Put(ctx, s.Acquire(scope, 2))).To(Succeed()) })
		for s.TryAcquire(1) { // until big waits in line
			s.Release(1)
			_ = c.Sleep(ctx, 1, "poll")
		}
		c.Go(ctx, "small", func(ctx context.Context) { g.Expect(ended.Put(ctx, s.Acquire(ctx, 1))).To(Succeed()) })
		cancel(errPower)
		results := []error{}
		for range 2 {
			err, failed := ended.Get(ctx)
			g.Expect(failed).NotTo(HaveOccurred())
			results = append(results, err)
		}
		g.Expect(results).To(ConsistOf(MatchError(errPower), BeNil()))
	})
}

func TestQueueIsFairAndOrdered(t *testing.T) {
	l := newLab(t, vclock.Options{Seed: 7})
	q := vclock.NewQueue[string](l, "mail", 2)
	for i := range 5 {
		l.Go(t.Context(), "putter", func(ctx context.Context) {
			_ = l.Sleep(ctx, time.Duration(i+1)*time.Second, "arrive")
			l.Expect(q.Put(ctx, fmt.Sprint(i))).To(Succeed())
			l.say("put %d", i)
		})
	}
	l.Go(t.Context(), "getter", func(ctx context.Context) {
		_ = l.Sleep(ctx, time.Minute, "let it fill")
		l.Expect(q.Len()).To(Equal(2))
		l.Expect(q.TryPut("6")).To(BeFalse())
		for i := range 5 {
			v, err := q.Get(ctx)
			l.Expect(err).NotTo(HaveOccurred())
			l.Expect(v).To(Equal(fmt.Sprint(i)))
			_ = l.Sleep(ctx, time.Second, "read")
		}
	})
	l.Expect(l.drive()).To(Succeed())
	l.Expect(l.said).To(Equal([]string{"1s put 0", "2s put 1", "1m0s put 2", "1m1s put 3", "1m2s put 4"}))
}

func TestQueueClose(t *testing.T) {
	both(t, func(ctx context.Context, g Gomega, c vclock.Clock) {
		q, done := vclock.NewQueue[error](c, "q", 1), vclock.NewQueue[error](c, "done", 0)
		g.Expect(q.Put(ctx, nil)).To(Succeed())
		c.Go(ctx, "putter", func(ctx context.Context) { _ = done.Put(ctx, q.Put(ctx, errPower)) })
		_ = c.Sleep(ctx, time.Millisecond, "let it wait")
		q.Close()
		q.Close()
		err, failed := done.Get(ctx)
		g.Expect(failed).NotTo(HaveOccurred())
		g.Expect(err).To(MatchError(vclock.ErrClosed))
		g.Expect(q.TryPut(nil)).To(BeFalse())
		_, err = q.Get(ctx)
		g.Expect(err).NotTo(HaveOccurred(), "what was in it comes out")
		_, err = q.Get(ctx)
		g.Expect(err).To(MatchError(vclock.ErrClosed))
	})
}
