package vclock_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vclock"
)

var errPower = errors.New("power lost")

func TestSleepersWakeInTime(t *testing.T) {
	l := newLab(t, vclock.Options{})
	for _, d := range []time.Duration{3, 1, 2} {
		l.Go(t.Context(), "actor", func(ctx context.Context) {
			l.Expect(l.Sleep(ctx, d*time.Hour, "nap")).To(Succeed())
			l.say("up")
		})
	}
	l.AfterFunc(t.Context(), 90*time.Minute, "timer", func(context.Context) { l.say("timer") })
	stopped := l.AfterFunc(t.Context(), 91*time.Minute, "timer", func(context.Context) { l.say("never") })
	l.Expect(stopped.Stop()).To(BeTrue())
	l.Expect(stopped.Stop()).To(BeFalse())
	l.Expect(l.IsVirtual()).To(BeTrue())
	l.Expect(l.drive()).To(Succeed())
	l.Expect(l.text()).To(Equal("1h0m0s up\n1h30m0s timer\n2h0m0s up\n3h0m0s up"))
	l.Expect(l.Stats()).To(Equal(vclock.Stats{Events: 7, Actors: 5, MaxParked: 3}))
}

func TestSleepOfZeroYields(t *testing.T) {
	for seed := range vclock.Seed(20) {
		l := newLab(t, vclock.Options{Seed: seed})
		ready, polls := false, 0
		l.Go(t.Context(), "poller", func(ctx context.Context) {
			for !ready {
				polls++
				l.Expect(l.Sleep(ctx, 0, "poll")).To(Succeed())
			}
		})
		l.Go(t.Context(), "worker", func(ctx context.Context) {
			for range 3 {
				l.Expect(l.Sleep(ctx, -time.Second, "work")).To(Succeed())
			}
			ready = true
		})
		l.Expect(l.drive()).To(Succeed())
		l.Expect(polls).To(BeNumerically("~", 3, 1), "seed %d", seed)
		l.Expect(l.Now()).To(Equal(vclock.DefaultStart))
	}
}

func TestRunUntil(t *testing.T) {
	l := newLab(t, vclock.Options{})
	hour := func(n int) time.Time { return vclock.DefaultStart.Add(time.Duration(n) * time.Hour) }
	l.Go(t.Context(), "main", func(ctx context.Context) {
		for range 4 {
			_ = l.Sleep(ctx, time.Hour, "step")
			l.say("step")
		}
	})
	l.Expect(l.Run(t.Context(), hour(1).Add(time.Minute))).To(Succeed())
	l.Expect(l.Now()).To(Equal(hour(1).Add(time.Minute)))
	l.Expect(l.Run(t.Context(), hour(2))).To(Succeed(), "what is due at the end is done")
	l.Expect(l.said).To(HaveLen(2))
	l.Expect(l.Run(t.Context(), hour(9))).To(Succeed())
	l.Expect(l.Now()).To(Equal(hour(4)), "the end of all actors ends the run")
	l.Expect(l.Run(t.Context(), hour(9))).To(Succeed())
	l.Expect(l.Now()).To(Equal(hour(9)), "nothing at all moves on to the end")
}

func TestDaemonsDoNotKeepARunAlive(t *testing.T) {
	l := newLab(t, vclock.Options{})
	l.GoDaemon(t.Context(), "sync", func(ctx context.Context) {
		l.Go(ctx, "its child", func(ctx context.Context) { _ = l.NewCond("never").Wait(ctx) })
		every := l.NewTicker(ctx, time.Hour, "sync")
		for every.Wait(ctx) == nil {
			l.say("sync")
		}
	})
	l.AfterFunc(vclock.Daemon(t.Context()), 1000*time.Hour, "cleanup", func(context.Context) { l.say("never") })
	l.Go(t.Context(), "device", func(ctx context.Context) { _ = l.Sleep(ctx, 150*time.Minute, "life") })
	l.Expect(l.drive()).To(Succeed())
	l.Expect(l.text()).To(Equal("1h0m0s sync\n2h0m0s sync"))
	l.Expect(l.Now().Sub(vclock.DefaultStart)).To(Equal(150 * time.Minute))

	l.Expect(l.Run(t.Context(), vclock.DefaultStart.Add(5*time.Hour))).To(Succeed())
	l.Expect(l.said).To(HaveLen(5), "daemons alone are driven to a given end")
	l.Expect(l.drive()).To(Succeed(), "and not without one")
}

func TestTicker(t *testing.T) {
	l := newLab(t, vclock.Options{})
	tick := l.NewTicker(t.Context(), time.Hour, "tick")
	l.Go(t.Context(), "main", func(ctx context.Context) {
		l.Expect(tick.Wait(ctx)).To(Succeed())
		l.say("first")
		_ = l.Sleep(ctx, 150*time.Minute, "late")
		l.Expect(tick.Wait(ctx)).To(Succeed())
		l.say("missed one at once")
		l.Expect(tick.Wait(ctx)).To(Succeed())
		l.say("back in step")
		l.Expect(tick.Wait(ctx)).To(MatchError(vclock.ErrTickerStopped))
		l.say("stopped")
		l.Expect(tick.Wait(ctx)).To(MatchError(vclock.ErrTickerStopped))
	})
	l.AfterFunc(t.Context(), 250*time.Minute, "stop", func(context.Context) { tick.Stop() })
	l.Expect(l.drive()).To(Succeed())
	l.Expect(l.text()).To(Equal("1h0m0s first\n3h30m0s missed one at once\n4h0m0s back in step\n4h10m0s stopped"))
	l.Expect(func() { l.NewTicker(t.Context(), 0, "bad") }).To(Panic())
}

func TestTickerEndsWithItsContext(t *testing.T) {
	l := newLab(t, vclock.Options{})
	l.Go(t.Context(), "main", func(ctx context.Context) {
		scope, cancel := l.WithCancel(ctx)
		tick := l.NewTicker(scope, time.Hour, "tick")
		cancel(errPower)
		l.Expect(tick.Wait(ctx)).To(MatchError(errPower))
	})
	l.Expect(l.drive()).To(Succeed())
}

func TestPanicSurfacesInRun(t *testing.T) {
	boom := errors.New("boom")
	for name, body := range map[string]func(l *lab, ctx context.Context){
		"actor":  func(*lab, context.Context) { panic(boom) },
		"asleep": func(l *lab, ctx context.Context) { _ = l.Sleep(ctx, time.Hour, "nap"); panic(boom) },
		"offload": func(l *lab, ctx context.Context) {
			_ = l.Offload(ctx, time.Hour, "work", func() { panic(boom) })
		},
		"timer": func(l *lab, ctx context.Context) {
			l.AfterFunc(ctx, time.Hour, "bad", func(context.Context) { panic(boom) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, vclock.Options{})
			l.Go(t.Context(), "bad", func(ctx context.Context) { body(l, ctx) })
			l.Go(t.Context(), "other", func(ctx context.Context) { _ = l.Sleep(ctx, 2*time.Hour, "nap") })
			err := l.drive()
			var p *vclock.PanicError
			l.Expect(errors.As(err, &p)).To(BeTrue())
			l.Expect(p.Actor).To(Equal("bad"))
			l.Expect(err).To(MatchError(boom))
			l.Expect(err.Error()).To(And(ContainSubstring(`actor "bad" panicked: boom`), ContainSubstring("virtual_test.go")))
			l.Expect(l.drive()).To(Succeed(), "the others can go on")
		})
	}
}

func TestPanicOfOffloadedWorkCanBeRecovered(t *testing.T) {
	l := newLab(t, vclock.Options{})
	l.Go(t.Context(), "careful", func(ctx context.Context) {
		defer func() { l.Expect(recover()).To(HaveField("Value", "boom")) }()
		_ = l.Offload(ctx, time.Second, "work", func() { panic("boom") })
	})
	l.Expect(l.drive()).To(Succeed())

	l.Go(t.Context(), "exits", func(ctx context.Context) {
		_ = l.Offload(ctx, time.Second, "work", func() { runtime.Goexit() })
	})
	l.Expect(l.drive()).To(MatchError(ContainSubstring("Goexit in offloaded work work")))
}

func TestGoexitOfAnActorEndsTheCallerOfRun(t *testing.T) {
	l := newLab(t, vclock.Options{})
	l.Go(t.Context(), "failed test", func(context.Context) { runtime.Goexit() })
	ended := make(chan bool)
	go func() {
		defer close(ended)
		_ = l.drive()
		ended <- true
	}()
	l.Expect(<-ended).To(BeFalse())
	l.Expect(l.Stats().Live).To(BeZero())
	l.Expect(l.drive()).To(Succeed())
}

func TestDeadlockNamesWhoWaits(t *testing.T) {
	l := newLab(t, vclock.Options{})
	c, s, q := l.NewCond("screen changed"), l.NewSemaphore("bench", 1), vclock.NewQueue[int](l, "mail", 1)
	l.GoDaemon(t.Context(), "connector", func(ctx context.Context) { _, _ = q.Get(ctx) })
	l.Go(t.Context(), "technician", func(ctx context.Context) {
		_ = l.Sleep(ctx, time.Minute, "walk")
		_ = c.Wait(ctx)
	})
	l.Go(t.Context(), "device-1", func(ctx context.Context) { _ = s.Acquire(ctx, 1); _ = s.Acquire(ctx, 1) })
	err := l.drive()
	l.Expect(err).To(MatchError(`vclock: deadlock at 2026-09-01T08:01:00Z: no event is left and these wait:
  connector (daemon) waits for value in queue "mail" since 2026-09-01T08:00:00Z
  technician waits for cond "screen changed" since 2026-09-01T08:01:00Z
  device-1 waits for semaphore "bench" since 2026-09-01T08:00:00Z`))

	for range 30 {
		l.Go(t.Context(), "more", func(ctx context.Context) { _ = c.Wait(ctx) })
	}
	var d *vclock.DeadlockError
	l.Expect(errors.As(l.drive(), &d)).To(BeTrue())
	l.Expect(d.Waiting).To(HaveLen(33))
	l.Expect(d.Error()).To(HaveSuffix("\n  and 13 more"))
}

func TestMisuse(t *testing.T) {
	l := newLab(t, vclock.Options{})
	l.Expect(l.Sleep(t.Context(), 1, "here")).To(MatchError(vclock.ErrNoActor))
	l.Expect(l.Offload(t.Context(), 1, "here", func() {})).To(MatchError(vclock.ErrNoActor))
	l.Go(t.Context(), "nested", func(ctx context.Context) {
		l.Expect(l.Run(ctx, time.Time{})).To(MatchError(ContainSubstring("already")))
		l.Expect(l.Sleep(ctx, 1<<62, "for ever")).To(Succeed())
		l.Expect(l.Sleep(ctx, 1<<62, "for ever")).To(Succeed(), "the end of time is not passed")
	})
	l.Expect(l.drive()).To(Succeed())
}
