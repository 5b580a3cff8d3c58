package vclock_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vclock"
)

func TestStopEndsEverything(t *testing.T) {
	l := newLab(t, vclock.Options{Workers: 1})
	never := l.NewCond("never")
	began, worked := make(chan bool), false
	l.Go(t.Context(), "polite", func(ctx context.Context) {
		defer l.say("polite gone")
		l.Expect(l.Sleep(ctx, time.Hour, "nap")).To(MatchError(vclock.ErrStopped))
		l.Expect(never.Wait(ctx)).To(MatchError(vclock.ErrStopped))
		l.Go(ctx, "too late", func(context.Context) { l.say("never") })
		l.Expect(l.AfterFunc(ctx, 0, "too late", func(context.Context) { l.say("never") }).Stop()).To(BeFalse())
	})
	l.Go(t.Context(), "deaf", func(ctx context.Context) {
		defer l.say("deaf gone")
		calls := 0
		defer func() { l.Expect(calls).To(Equal(100)) }()
		for {
			_ = l.Sleep(ctx, time.Hour, "nap")
			calls++
		}
	})
	l.Go(t.Context(), "busy", func(ctx context.Context) {
		err := l.Offload(ctx, time.Hour, "work", func() {
			close(began)
			runtime.Gosched()
			worked = true
		})
		l.Expect(err).To(MatchError(vclock.ErrStopped))
		l.Expect(worked).To(BeTrue())
		l.say("busy gone")
	})
	l.AfterFunc(t.Context(), time.Hour, "timer", func(context.Context) { l.say("never") })
	l.Expect(l.Run(t.Context(), vclock.DefaultStart.Add(time.Minute))).To(Succeed())
	<-began
	l.Go(t.Context(), "never begun", func(context.Context) { l.say("never") })
	l.Stop()
	l.Stop()
	l.Expect(l.text()).To(Equal("1m0s polite gone\n1m0s deaf gone\n1m0s busy gone"))
	l.Expect(l.Stats().Live).To(BeZero())
	l.Expect(l.drive()).To(MatchError(vclock.ErrStopped))
	l.Expect(l.Sleep(t.Context(), 1, "late")).To(MatchError(vclock.ErrStopped))
}

func TestStopFromAnActorEndsRun(t *testing.T) {
	l := newLab(t, vclock.Options{})
	l.Go(t.Context(), "sleeper", func(ctx context.Context) {
		defer l.say("sleeper gone")
		_ = l.Sleep(ctx, time.Hour, "nap")
	})
	l.Go(t.Context(), "main", func(ctx context.Context) {
		_ = l.Sleep(ctx, time.Minute, "nap")
		l.Stop()
	})
	l.Expect(l.drive()).To(MatchError(vclock.ErrStopped))
	l.Expect(l.text()).To(Equal("1m0s sleeper gone"))
}

func TestPanicAndGoexitWhileStopping(t *testing.T) {
	var log bytes.Buffer
	l := newLab(t, vclock.Options{Log: &log})
	for _, f := range []func(){func() { panic("at the end") }, runtime.Goexit, func() { l.say("last") }} {
		l.Go(t.Context(), "actor", func(ctx context.Context) {
			defer f()
			_ = l.Sleep(ctx, time.Hour, "nap")
		})
	}
	l.Expect(l.Run(t.Context(), vclock.DefaultStart.Add(time.Minute))).To(Succeed())
	ended := make(chan bool)
	go func() {
		defer close(ended)
		l.Stop()
	}()
	<-ended
	l.Expect(l.text()).To(Equal("1m0s last"))
	l.Expect(l.Stats().Live).To(BeZero())
	l.Expect(log.String()).To(ContainSubstring(`actor "actor" panicked: at the end`))
}

// An interrupt ends Run though an actor is never done, and though work is still
// under way on a worker.
func TestInterrupt(t *testing.T) {
	errInterrupt := errors.New("interrupted")
	for name, busy := range map[string]bool{"between events": false, "in offloaded work": true} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, vclock.Options{})
			ctx, interrupt := context.WithCancelCause(t.Context())
			release := make(chan struct{})
			var events atomic.Int64
			l.Go(t.Context(), "endless", func(ctx context.Context) {
				for busy || l.Sleep(ctx, time.Second, "spin") == nil {
					events.Add(1)
					if busy && l.Offload(ctx, time.Second, "long", func() { interrupt(errInterrupt); <-release }) != nil {
						return
					}
					if events.Load() == 1000 {
						interrupt(errInterrupt)
					}
				}
			})
			l.Expect(l.Run(ctx, time.Time{})).To(MatchError(errInterrupt))
			close(release)
			if busy {
				l.Go(t.Context(), "other", func(context.Context) { l.say("goes on"); l.Stop() })
				l.Expect(l.drive()).To(MatchError(vclock.ErrStopped))
				l.Expect(l.said).To(HaveLen(1))
			}
			l.Stop()
			l.Expect(l.Stats().Live).To(BeZero())
		})
	}
}

func TestWatchdogNamesWhoBlocks(t *testing.T) {
	for name, test := range map[string]struct {
		hang func(ctx context.Context, v *vclock.Virtual, until <-chan bool)
		says []string
	}{
		"actor": {
			func(_ context.Context, _ *vclock.Virtual, until <-chan bool) { <-until },
			[]string{`actor "stuck" has been blocking outside the clock for 20ms, at 2026-09-01T09:00:00Z`, "[chan receive", "TestWatchdogNamesWhoBlocks"},
		},
		"offload": {
			func(ctx context.Context, v *vclock.Virtual, until <-chan bool) {
				_ = v.Offload(ctx, 0, "work", func() { <-until })
			},
			[]string{`actor "stuck" has been waiting for offloaded work`, "offload).run", "TestWatchdogNamesWhoBlocks"},
		},
		"surrogate": {
			func(ctx context.Context, _ *vclock.Virtual, until <-chan bool) {
				_, run := vclock.Surrogate(ctx)
				done := make(chan struct{})
				go func() { defer close(done); foreignHang(until) }()
				run(done)
			},
			[]string{`actor "stuck" has been blocking`, "surrogate).run", "foreignHang"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			until := make(chan bool)
			log := &firstWrite{then: until}
			l := newLab(t, vclock.Options{Watchdog: 20 * time.Millisecond, Log: log})
			l.Go(t.Context(), "parked", func(ctx context.Context) { _ = l.Sleep(ctx, 3*time.Hour, "nap") })
			l.Go(t.Context(), "stuck", func(ctx context.Context) {
				_ = l.Sleep(ctx, time.Hour, "nap")
				test.hang(ctx, l.Virtual, until)
			})
			l.Expect(l.drive()).To(Succeed())
			for _, s := range test.says {
				l.Expect(log.text).To(ContainSubstring(s))
			}
			l.Expect(log.text).NotTo(ContainSubstring("[coroutine"))
		})
	}
}

func foreignHang(until <-chan bool) { <-until }

// firstWrite keeps what is written first, and lets the test go on then.
type firstWrite struct {
	text string
	then chan bool
}

func (w *firstWrite) Write(b []byte) (int, error) {
	w.text = string(b)
	close(w.then) // a second report of one stall would panic here
	return len(b), nil
}
