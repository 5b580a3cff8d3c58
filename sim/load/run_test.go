package load

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/load/arrival"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/vclock"
)

// pool is a source of devices that take as long as serve says.
type pool struct {
	clock vclock.Clock
	free  *vclock.Queue[*device]
	n     int
	serve func(ctx context.Context, a *figure.Arrival) error
}

type device struct{ p *pool }

func newPool(clock vclock.Clock, n int, serve func(context.Context, *figure.Arrival) error) *pool {
	p := &pool{clock: clock, free: vclock.NewQueue[*device](clock, "free devices", 0), n: n, serve: serve}
	for range n {
		p.free.TryPut(&device{p})
	}
	return p
}

func (p *pool) Take(ctx context.Context, _, _ string) (Subject, error) {
	d, err := p.free.Get(ctx)
	if err != nil {
		return nil, err
	}
	return d, nil
}
func (p *pool) Give(s Subject)  { p.free.TryPut(s.(*device)) }
func (p *pool) Free(string) int { return p.free.Len() }

func (d *device) Do(ctx context.Context, a *figure.Arrival) error { return d.p.serve(ctx, a) }

// takes is a target that needs d for everybody.
func takes(clock vclock.Clock, d func(a *figure.Arrival) time.Duration) func(context.Context, *figure.Arrival) error {
	return func(ctx context.Context, a *figure.Arrival) error {
		begin := clock.Now()
		if err := clock.Sleep(ctx, d(a), "service"); err != nil {
			return err
		}
		a.Steps = append(a.Steps, figure.Step{Name: "step", Begin: begin, End: clock.Now()})
		return nil
	}
}

// virtually runs a load on virtual time.
func virtually(t testing.TB, o Options, pool func(clock vclock.Clock) Source, stopAfter time.Duration) (r *figure.Summary, seconds []figure.Second) {
	t.Helper()
	clock := vclock.NewVirtual(vclock.Options{Seed: o.Seed})
	defer clock.Stop()
	o.Clock, o.Source = clock, pool(clock)
	o.Seconds = func(s figure.Second) { seconds = append(seconds, s) }
	o.Recorder = figure.New(figure.Options{Begin: clock.Now()})
	var out *Outcome
	var err error
	clock.Go(t.Context(), "load", func(ctx context.Context) {
		if stopAfter > 0 {
			timed, cancel := clock.WithTimeout(ctx, stopAfter, context.Canceled)
			defer cancel()
			ctx = timed
		}
		out, err = Run(ctx, o)
	})
	if e := clock.Run(t.Context(), clock.Now().Add(100*time.Hour)); e != nil {
		t.Fatal(e)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &out.Summary, seconds
}

func constant(rate float64, d time.Duration) Plan {
	return Plan{Scopes: []string{"aik"}, Shares: []float64{1}, Segments: []arrival.Segment{{From: rate, To: rate, For: d}}, Graceful: 30 * time.Second}
}

func TestFixedServiceTimeComesOutAsItIs(t *testing.T) {
	g := gomega.NewWithT(t)
	r, seconds := virtually(t, Options{Plan: constant(50, 20*time.Second), Seed: 1}, func(c vclock.Clock) Source {
		return newPool(c, 100, takes(c, func(*figure.Arrival) time.Duration { return 200 * time.Millisecond }))
	}, 0)
	g.Expect(r.Arrivals).To(gomega.Equal(figure.Arrivals{Ended: 1000}))
	g.Expect(r.Rate).To(gomega.Equal(figure.Rate{Asked: 50, Reached: 50}))
	for _, name := range []string{"aik", "step"} {
		f, ok := r.Step(name)
		g.Expect(ok).To(gomega.BeTrue())
		for _, q := range []figure.Quantiles{f.Intended, f.Real} {
			for _, v := range []int64{q.Min, q.P50, q.P99, q.P9999, q.Max, int64(q.Mean)} {
				g.Expect(v).To(gomega.BeNumerically("~", 200000, 200))
			}
		}
	}
	g.Expect(r.Lag.Max).To(gomega.BeNumerically("<=", 1))
	g.Expect(r.Self.LimitedBy).To(gomega.BeEmpty())
	n := 0
	for _, s := range seconds {
		n += s.Steps["aik"].Count
	}
	g.Expect(n).To(gomega.Equal(1000))
	g.Expect(seconds[5].Gauges.Target).To(gomega.BeNumerically("~", 50, 1e-9))
	g.Expect(seconds[5].InFlight).To(gomega.Equal(10))
}

// A target that stands still for 2 of 30 seconds shows what that did to those
// who were to come in the meantime; a closed loop of one hides it.
func TestStallIsNotHidden(t *testing.T) {
	g := gomega.NewWithT(t)
	stalled := func(c vclock.Clock) Source {
		begin := c.Now()
		from, to := begin.Add(10*time.Second), begin.Add(12*time.Second)
		return newPool(c, 1000, takes(c, func(*figure.Arrival) time.Duration {
			now := c.Now()
			if !now.Before(from) && now.Before(to) {
				return to.Sub(now) + 10*time.Millisecond
			}
			return 10 * time.Millisecond
		}))
	}
	open, _ := virtually(t, Options{Plan: constant(100, 30*time.Second), Seed: 1}, stalled, 0)
	f, _ := open.Step("aik")
	// 200 of 3,000 came during the stall; the nth of them waited 2 s less n/100 s.
	// So p99 is that of the 170th longest wait.
	g.Expect(f.Count).To(gomega.Equal(int64(3000)))
	wait := func(p float64) float64 { // of the computed distribution, in µs
		n := int(math.Ceil(3000 * (1 - p/100)))
		return (2 - (float64(n)-0.5)/100 + 0.010) * 1e6
	}
	g.Expect(float64(f.Intended.P99)).To(gomega.BeNumerically("~", wait(99), wait(99)*0.01))
	g.Expect(float64(f.Intended.P999)).To(gomega.BeNumerically("~", wait(99.9), wait(99.9)*0.01))
	g.Expect(f.Intended.P50).To(gomega.BeNumerically("~", 10000, 20))

	closed := Plan{Scopes: []string{"aik"}, Shares: []float64{1}, Closed: &Closed{Devices: 1, For: 30 * time.Second}, Graceful: time.Minute}
	one, _ := virtually(t, Options{Plan: closed, Seed: 1}, stalled, 0)
	f, _ = one.Step("aik")
	g.Expect(f.Intended.P999).To(gomega.BeNumerically("~", 10000, 20))
	g.Expect(f.Intended.Max).To(gomega.BeNumerically("~", 2010000, 20000))
}

func TestTooFewDevicesAreSaidAndCounted(t *testing.T) {
	g := gomega.NewWithT(t)
	r, _ := virtually(t, Options{Plan: constant(50, 20*time.Second), Seed: 1}, func(c vclock.Clock) Source {
		return newPool(c, 5, takes(c, func(*figure.Arrival) time.Duration { return 200 * time.Millisecond })) // 25 a second
	}, 0)
	f, _ := r.Step("aik")
	g.Expect(r.Self.LimitedBy).To(gomega.ContainSubstring("waited for a free PC"))
	g.Expect(f.Real.Max).To(gomega.BeNumerically("~", 200000, 200))
	g.Expect(float64(f.Intended.P50)).To(gomega.BeNumerically("~", 10e6, 0.3e6), "half of the arrivals wait for 10 s")
	g.Expect(r.Arrivals.Ended + r.Arrivals.Dropped + r.Arrivals.Interrupted).To(gomega.Equal(int64(1000)))
}

func TestWarmUpIsNotCounted(t *testing.T) {
	g := gomega.NewWithT(t)
	p := constant(20, 10*time.Second)
	p.WarmUp = 5 * time.Second
	r, _ := virtually(t, Options{Plan: p, Seed: 1}, func(c vclock.Clock) Source {
		begin := c.Now()
		return newPool(c, 100, takes(c, func(*figure.Arrival) time.Duration {
			if c.Now().Before(begin.Add(5 * time.Second)) {
				return time.Second
			}
			return 10 * time.Millisecond
		}))
	}, 0)
	f, _ := r.Step("aik")
	g.Expect(r.Arrivals).To(gomega.Equal(figure.Arrivals{Ended: 200, WarmUp: 100}))
	g.Expect(f.Intended.Max).To(gomega.BeNumerically("<", 11000))
	g.Expect(r.Rate).To(gomega.Equal(figure.Rate{Asked: 20, Reached: 20}))
}

func TestEndlessOnesAreBrokenOff(t *testing.T) {
	g := gomega.NewWithT(t)
	p := constant(10, 10*time.Second)
	p.Graceful = 3 * time.Second
	r, _ := virtually(t, Options{Plan: p, Seed: 1}, func(c vclock.Clock) Source {
		return newPool(c, 100, takes(c, func(a *figure.Arrival) time.Duration {
			if a.N%10 == 9 {
				return time.Hour
			}
			return 10 * time.Millisecond
		}))
	}, 0)
	g.Expect(r.Arrivals).To(gomega.Equal(figure.Arrivals{Ended: 90, Interrupted: 10}))
	g.Expect(r.Stopped).To(gomega.BeEmpty())
}

func TestNothingIsLostWhenInterrupted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Duration(rapid.IntRange(1, 12000).Draw(t, "interrupted after ms")) * time.Millisecond
		devices := rapid.IntRange(1, 40).Draw(t, "devices")
		began := 0
		p := constant(40, 10*time.Second)
		p.Graceful = time.Duration(rapid.IntRange(0, 1000).Draw(t, "graceful ms")) * time.Millisecond
		clock := vclock.NewVirtual(vclock.Options{Seed: 1})
		defer clock.Stop()
		pool := newPool(clock, devices, takes(clock, func(*figure.Arrival) time.Duration { began++; return 300 * time.Millisecond }))
		var r figure.Summary
		seconds := 0
		var err error
		clock.Go(context.Background(), "load", func(ctx context.Context) {
			timed, cancel := clock.WithTimeout(ctx, at, context.Canceled)
			defer cancel()
			var out *Outcome
			if out, err = Run(timed, Options{Clock: clock, Plan: p, Source: pool, Seed: 1, Recorder: figure.New(figure.Options{Begin: clock.Now()}), Seconds: func(s figure.Second) { seconds += s.Steps["aik"].Count }}); err == nil {
				r = out.Summary
			}
		})
		if e := clock.Run(context.Background(), clock.Now().Add(time.Hour)); e != nil || err != nil {
			t.Fatal(e, err)
		}
		if int(r.Arrivals.Ended+r.Arrivals.Interrupted) != began {
			t.Fatalf("%d began, %+v", began, r.Arrivals)
		}
		if int(r.Arrivals.Ended) != seconds {
			t.Fatalf("%d ended, %d in the seconds", r.Arrivals.Ended, seconds)
		}
		if pool.Free("") != devices {
			t.Fatalf("%d of %d devices came back", pool.Free(""), devices)
		}
		expected := min(at, 10*time.Second).Seconds() * 40
		if came := float64(r.Arrivals.Ended + r.Arrivals.Interrupted + r.Arrivals.Dropped); math.Abs(came-expected) > 1 {
			t.Fatalf("%v came where %v were to", came, expected)
		}
		if (at < 10*time.Second) != (r.Stopped != "") {
			t.Fatalf("interrupted at %v: %q", at, r.Stopped)
		}
	})
}

func TestMissedThresholdEndsTheLoad(t *testing.T) {
	g := gomega.NewWithT(t)
	p := constant(50, time.Minute)
	for _, expr := range []string{"aik.p99 < 100ms", "errors == 0", "rate >= 0.99 * target"} {
		parsed, err := figure.ParseThreshold(expr)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		p.Thresholds = append(p.Thresholds, Threshold{Threshold: parsed, Abort: expr == "aik.p99 < 100ms", After: 5 * time.Second})
	}
	r, seconds := virtually(t, Options{Plan: p, Seed: 1}, func(c vclock.Clock) Source {
		return newPool(c, 100, takes(c, func(*figure.Arrival) time.Duration { return 150 * time.Millisecond }))
	}, 0)
	g.Expect(r.Stopped).To(gomega.Equal("threshold missed: aik.p99 < 100ms"))
	g.Expect(len(seconds)).To(gomega.BeNumerically("<=", 7))
	g.Expect(r.Met()).To(gomega.BeFalse())
	g.Expect(r.Verdicts[0]).To(gomega.Equal(figure.Verdict{Expr: "aik.p99 < 100ms", Have: "150ms", Known: true}))
	g.Expect(r.Verdicts[1].Met).To(gomega.BeTrue())
}

func TestMixAndMisbehaviourAreTheSeeds(t *testing.T) {
	g := gomega.NewWithT(t)
	p := Plan{Scopes: []string{"aik", "join"}, Shares: []float64{0.75, 0.25}, Segments: constant(200, 20*time.Second).Segments, Graceful: time.Second, Bad: []string{"wrongEK", "replay"}, BadShares: []float64{0.1, 0.05}}
	count := func(seed vclock.Seed) (n [4]int) {
		var list []string
		r, _ := virtually(t, Options{Plan: p, Seed: seed, Arrivals: func(a figure.Arrival) { list = append(list, a.Scope+a.Bad) }}, func(c vclock.Clock) Source {
			return newPool(c, 100, takes(c, func(*figure.Arrival) time.Duration { return time.Millisecond }))
		}, 0)
		g.Expect(r.Arrivals.Bad + r.Arrivals.Ended).To(gomega.Equal(int64(4000)))
		for i, what := range []string{"aik", "join", "aikwrongEK", "aikreplay"} {
			n[i] = len(slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s != what }))
		}
		return n
	}
	n := count(1)
	g.Expect(n[1]).To(gomega.BeNumerically("~", 1000, 120))
	g.Expect(n[2]).To(gomega.BeNumerically("~", 300, 80))
	g.Expect(n[3]).To(gomega.BeNumerically("~", 150, 60))
	g.Expect(count(1)).To(gomega.Equal(n))
	g.Expect(fmt.Sprint(count(2))).NotTo(gomega.Equal(fmt.Sprint(n)))
}
