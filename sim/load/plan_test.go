package load

import (
	"context"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/load/arrival"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
)

func TestPlanOfAScenario(t *testing.T) {
	g := gomega.NewWithT(t)
	l := &scenario.LoadTest{
		Mix:  scenario.Weights{{Name: scenario.ScopeAIK, Weight: 1}, {Name: scenario.ScopeJoin, Weight: 3}},
		Unit: scenario.PerAttestation,
		Arrivals: []scenario.Stage{
			{Shape: scenario.ConstantRate, Rate: 5, For: 10 * time.Second},
			{Shape: scenario.RampRate, From: 5, To: 10, For: 20 * time.Second},
			{Shape: scenario.SpikeRate, Rate: 10, Peak: 50, Hold: 4 * time.Second, For: 10 * time.Second},
			{Shape: scenario.PoissonRate, Rate: 2, For: time.Second},
		},
		WarmUp: 3 * time.Second, GracefulStop: 7 * time.Second, Misbehaving: scenario.Misbehaving{Replay: 0.25},
		Thresholds: scenario.LoadThresholds{{Expr: "aik.p99 < 200ms", Abort: true, After: time.Second}},
	}
	p, err := NewPlan(l)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	// One in four brings an attestation: four times as many have to come.
	g.Expect(p.Segments).To(gomega.Equal([]arrival.Segment{
		{From: 20, To: 20, For: 10 * time.Second},
		{From: 20, To: 40, For: 20 * time.Second},
		{From: 40, To: 40, For: 3 * time.Second}, {From: 200, To: 200, For: 4 * time.Second}, {From: 40, To: 40, For: 3 * time.Second},
		{From: 8, To: 8, For: time.Second, Poisson: true},
	}))
	g.Expect(p.Duration()).To(gomega.Equal(41 * time.Second))
	g.Expect(p.warmUp()[0]).To(gomega.Equal(arrival.Segment{From: 20, To: 20, For: 3 * time.Second}))
	g.Expect([]any{p.Scopes, p.Shares, p.Bad, p.BadShares}).To(gomega.Equal([]any{[]string{"aik", "join"}, []float64{0.25, 0.75}, []string{"replay"}, []float64{0.25}}))
	g.Expect(p.Thresholds[0].Abort).To(gomega.BeTrue())

	l.Thresholds[0].Expr = "technician.p99 < 1s"
	_, err = NewPlan(l)
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("technician")))
}

func TestPlansThatNoLoadCanBeMadeFrom(t *testing.T) {
	one := func(change func(*Plan)) Plan {
		p := constant(10, time.Second)
		change(&p)
		return p
	}
	for text, p := range map[string]Plan{
		"nothing of what":    one(func(p *Plan) { p.Scopes, p.Shares = nil, nil }),
		"no time in which":   one(func(p *Plan) { p.Segments = nil }),
		"below zero":         one(func(p *Plan) { p.Graceful = -1 }),
		"a closed loop":      one(func(p *Plan) { p.Closed = &Closed{} }),
		"shares of 1.5":      one(func(p *Plan) { p.Bad, p.BadShares = []string{"replay", "dropped"}, []float64{1, 0.5} }),
		"are needed":         {},
		"shares of 0 misbeh": one(func(p *Plan) { p.Bad = []string{"replay"} }),
	} {
		t.Run(text, func(t *testing.T) {
			g := gomega.NewWithT(t)
			clock := vclock.NewVirtual(vclock.Options{})
			defer clock.Stop()
			o := Options{Clock: clock, Plan: p, Source: newPool(clock, 1, nil), Recorder: figure.New(figure.Options{})}
			if len(p.Scopes) == 0 && p.Segments == nil {
				o.Recorder = nil
			}
			_, err := Run(context.Background(), o)
			g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring(text)))
		})
	}
}

func TestMeterReadsThisProcess(t *testing.T) {
	g := gomega.NewWithT(t)
	m := NewMeter(nil)
	first := m.Read()
	g.Expect(first.Heap).To(gomega.BeNumerically(">", 0))
	g.Expect(first.Cores).To(gomega.BeNumerically(">", 0))
	g.Eventually(func() time.Duration { return m.Read().CPU }).Should(gomega.BeNumerically(">", first.CPU))
	g.Expect(childCPU(-1)).To(gomega.BeZero())
}
