package limit_test

import (
	"context"
	"errors"
	"testing"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/load/limit"
	"windtunnel.test/sim/vclock"
)

// wall is a target that keeps every rate up to its capacity.
func wall(capacity float64) func(context.Context, float64) (figure.Summary, error) {
	return func(_ context.Context, rate float64) (figure.Summary, error) { return verdict(rate <= capacity), nil }
}

func verdict(met bool) figure.Summary {
	return figure.Summary{Verdicts: []figure.Verdict{{Expr: "aik.p99 < 200ms", Have: "231ms", Met: met, Known: true}}}
}

func TestFindsAnyCapacity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := gomega.NewWithT(t)
		capacity := rapid.Float64Range(0.01, 9000).Draw(t, "capacity")
		from := rapid.Float64Range(0.5, 5).Draw(t, "from")
		tolerance := rapid.Float64Range(0.01, 0.5).Draw(t, "tolerance")
		r, err := limit.Search(t.Context(), limit.Options{Trial: wall(capacity), From: from, Tolerance: tolerance, Confirm: 3})
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(r.Max).To(gomega.BeNumerically("<=", capacity))
		g.Expect(r.FailsAt).To(gomega.BeNumerically(">", capacity))
		g.Expect(r.FailsAt / r.Max).To(gomega.BeNumerically("<=", 1+tolerance+1e-9))
		g.Expect(r.AtMax).To(gomega.Equal(limit.Tally{Kept: 3}))
		g.Expect(r.AtFail).To(gomega.Equal(limit.Tally{Missed: 3}))
		g.Expect(r.ByGenerator).To(gomega.BeFalse())
	})
}

// Steps are gone through as they stand; what lies between is halved.
func TestSteps(t *testing.T) {
	g := gomega.NewWithT(t)
	var told []float64
	r, err := limit.Search(t.Context(), limit.Options{Trial: wall(33), Steps: []float64{10, 20, 30, 40, 50}, Tell: func(x limit.Trial) {
		if x.Phase == limit.Upward {
			told = append(told, x.Rate)
		}
	}})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(told).To(gomega.Equal([]float64{10, 20, 30, 40, 40})) // a miss is done again
	g.Expect(r.Max).To(gomega.And(gomega.BeNumerically(">=", 30), gomega.BeNumerically("<=", 33)))

	r, err = limit.Search(t.Context(), limit.Options{Trial: wall(70), Steps: []float64{10, 20, 50}})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(r.String()).To(gomega.Equal("at least 50/s"))
	g.Expect(r.Confidence()).To(gomega.ContainElement(gomega.ContainSubstring("may lie anywhere above")))
}

// Where 1 trial of 12 goes wrong for no reason, the limit is found nevertheless.
func TestNoise(t *testing.T) {
	g := gomega.NewWithT(t)
	const runs, capacity = 300, 137
	near := 0
	for seed := range vclock.Seed(runs) {
		draw := seed.Stream("noise")
		r, err := limit.Search(t.Context(), limit.Options{Trial: func(_ context.Context, rate float64) (figure.Summary, error) {
			return verdict(rate <= capacity && draw.IntN(12) > 0), nil
		}})
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(r.Max).To(gomega.BeNumerically("<=", capacity))
		if r.Max > capacity/1.12 && r.FailsAt < capacity*1.12 {
			near++
		}
	}
	g.Expect(near).To(gomega.BeNumerically(">=", runs*85/100))
}

// What the generator cannot do is no limit of the target.
func TestGeneratorAtItsEnd(t *testing.T) {
	g := gomega.NewWithT(t)
	r, err := limit.Search(t.Context(), limit.Options{Trial: func(_ context.Context, rate float64) (figure.Summary, error) {
		s := verdict(rate <= 80)
		if rate > 50 {
			s.Self.LimitedBy = "all 2 cores were in use"
		}
		return s, nil
	}})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(r.Max).To(gomega.BeNumerically("<=", 50))
	g.Expect(r.ByGenerator).To(gomega.BeTrue())
	g.Expect(r.AtFail.Missed).To(gomega.BeZero())
	g.Expect(r.String()).To(gomega.MatchRegexp(`^at least .*; the generator ends below `))
	g.Expect(r.Confidence()).To(gomega.ContainElement(gomega.ContainSubstring("(all 2 cores were in use): this is no limit of the target")))

	r, err = limit.Search(t.Context(), limit.Options{Trial: func(context.Context, float64) (figure.Summary, error) {
		return figure.Summary{Self: figure.Generator{LimitedBy: "no PC was free"}}, nil
	}})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(r.Max).To(gomega.BeZero())
	g.Expect(r.Confidence()).To(gomega.ConsistOf(gomega.HavePrefix("Nothing is known about the target")))
}

func TestNoRateIsKept(t *testing.T) {
	g := gomega.NewWithT(t)
	r, err := limit.Search(t.Context(), limit.Options{Trial: wall(0)})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(r.String()).To(gomega.Equal("no rate is kept"))
	g.Expect(r.Confidence()).To(gomega.ConsistOf(gomega.ContainSubstring("aik.p99 < 200ms: have 231ms")))
}

// A search that is broken off tells what it knows.
func TestBrokenOff(t *testing.T) {
	g := gomega.NewWithT(t)
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	r, err := limit.Search(ctx, limit.Options{Trial: func(ctx context.Context, rate float64) (figure.Summary, error) {
		if n++; n == 9 {
			cancel()
		}
		return wall(20)(ctx, rate)
	}})
	g.Expect(err).To(gomega.MatchError(context.Canceled))
	g.Expect(r.Unfinished).To(gomega.BeTrue())
	g.Expect(r.Trials).To(gomega.HaveLen(8))
	g.Expect(r.String()).To(gomega.HavePrefix("not known"))
	g.Expect(r.Confidence()).To(gomega.ConsistOf(gomega.MatchRegexp(`^Broken off: kept at .*, missed at .* Nothing of it is confirmed`)))

	broken := errors.New("no connection")
	_, err = limit.Search(t.Context(), limit.Options{Trial: func(context.Context, float64) (figure.Summary, error) { return figure.Summary{}, broken }})
	g.Expect(err).To(gomega.MatchError(broken))
}

func TestOptions(t *testing.T) {
	for _, o := range []limit.Options{{}, {Trial: wall(1), From: -1}, {Trial: wall(1), From: 5, To: 2}, {Trial: wall(1), Steps: []float64{2, 1, 3}}, {Trial: wall(1), Tolerance: 2}, {Trial: wall(1), Confirm: -1}} {
		if _, err := limit.Search(t.Context(), o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}
