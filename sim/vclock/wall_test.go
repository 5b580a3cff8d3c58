package vclock_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vclock"
)

func TestWall(t *testing.T) {
	g := NewWithT(t)
	w := vclock.NewWall(vclock.ModelledLatency())
	ctx, cancel := w.WithCancel(t.Context())
	begin := w.Now()
	g.Expect(w.IsVirtual()).To(BeFalse())
	g.Expect(w.Sleep(ctx, 2*time.Millisecond, "nap")).To(Succeed())
	worked := false
	g.Expect(w.Offload(ctx, 2*time.Millisecond, "work", func() { worked = true })).To(Succeed())
	g.Expect(worked).To(BeTrue())
	g.Expect(w.Now().Sub(begin)).To(BeNumerically(">=", 4*time.Millisecond))

	fired := make(chan bool)
	w.AfterFunc(ctx, time.Millisecond, "timer", func(context.Context) { fired <- true })
	<-fired
	never := w.AfterFunc(ctx, time.Hour, "timer", func(context.Context) { fired <- true })
	g.Expect(never.Stop()).To(BeTrue())
	w.AfterFunc(ctx, time.Hour, "timer", func(context.Context) { fired <- true })

	short, free := w.WithTimeout(ctx, time.Hour, nil)
	defer free()
	at, ok := vclock.Deadline(short)
	g.Expect(ok).To(BeTrue())
	g.Expect(at).To(BeTemporally("~", begin.Add(time.Hour), time.Minute))

	tick := w.NewTicker(ctx, time.Millisecond, "tick")
	g.Expect(tick.Wait(ctx)).To(Succeed())
	tick.Stop()
	tick.Stop()
	g.Expect(tick.Wait(ctx)).To(MatchError(vclock.ErrTickerStopped))

	waits := []func(ctx context.Context) error{
		w.NewCond("never").Wait,
		func(ctx context.Context) error { return w.Sleep(ctx, time.Hour, "nap") },
		w.NewTicker(ctx, time.Hour, "tick").Wait,
	}
	for _, wait := range waits {
		scope, cut := w.WithCancel(ctx)
		w.AfterFunc(t.Context(), time.Millisecond, "cut", func(context.Context) { cut(errPower) })
		g.Expect(wait(scope)).To(MatchError(errPower))
	}
	ended := make(chan error, len(waits))
	for _, wait := range waits {
		w.GoDaemon(ctx, "sleeper", func(ctx context.Context) { ended <- wait(ctx) })
	}
	w.Stop()
	w.Stop()
	for range waits {
		g.Expect(<-ended).To(MatchError(vclock.ErrStopped))
	}
	w.Go(ctx, "too late", func(context.Context) { t.Error("began after Stop") })
	g.Expect(w.Sleep(ctx, 1, "late")).To(MatchError(vclock.ErrStopped))
	g.Expect(w.Offload(ctx, 1, "late", func() {})).To(MatchError(vclock.ErrStopped))
	cancel(nil)
}
