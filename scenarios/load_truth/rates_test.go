package load_truth

import (
	"math"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/load"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vnet"
)

// shaped is the plan of a scenario's stage.
func shaped(s scenario.Stage) load.Plan {
	l := &scenario.LoadTest{Mix: scenario.Weights{{Name: scenario.ScopeAIK, Weight: 1}}, Arrivals: []scenario.Stage{s}, GracefulStop: time.Minute}
	p, err := load.NewPlan(l)
	ExpectWithOffset(1, err).NotTo(HaveOccurred())
	return p
}

var _ = Describe("rates and series", func() {
	at := func(plan load.Plan) *result {
		return rig{home: vnet.Direct, devices: 50, plan: plan, answer: takes(func(time.Duration, int) time.Duration { return 10 * time.Millisecond })}.do()
	}

	DescribeTable("the recorded rate is the asked one within 1%",
		func(s scenario.Stage, arrivals float64) {
			plan := shaped(s)
			r := at(plan)
			Expect(float64(r.Tally.Came)).To(BeNumerically("~", arrivals, arrivals*0.01))
			Expect(r.Summary.Rate.Asked).To(BeNumerically("~", arrivals/plan.Duration().Seconds(), 1e-6))
			Expect(r.Summary.Rate.Reached).To(BeNumerically("~", r.Summary.Rate.Asked, r.Summary.Rate.Asked*0.01))
			if s.Shape == scenario.PoissonRate {
				return
			}
			// What has come by the end of each second is what was asked for by then; the
			// last arrivals of a second end in the next one.
			var asked, ended float64
			for _, second := range r.seconds {
				asked += second.Target
				ended += float64(second.Steps["aik"].Count)
				Expect(math.Abs(asked-ended)).To(BeNumerically("<=", 1+second.Target*0.010+1), "by second %v", second.At)
			}
		},
		Entry("constant", scenario.Stage{Shape: scenario.ConstantRate, Rate: 75, For: 40 * time.Second}, 3000.),
		Entry("ramp", scenario.Stage{Shape: scenario.RampRate, From: 10, To: 190, For: 30 * time.Second}, 3000.),
		Entry("steps", scenario.Stage{Shape: scenario.StepRate, From: 20, To: 100, Step: 20, Every: 10 * time.Second}, 3000.),
		Entry("poisson", scenario.Stage{Shape: scenario.PoissonRate, Rate: 250, For: 200 * time.Second}, 50000.),
		Entry("spike", scenario.Stage{Shape: scenario.SpikeRate, Rate: 30, Peak: 300, Hold: 5 * time.Second, For: 55 * time.Second}, 3000.),
	)

	It("put together make the whole", func() {
		plan := steady(40, 10*time.Second)
		plan.WarmUp = 2500 * time.Millisecond
		mixed := func(devices int) *result {
			return rig{home: vnet.Direct, devices: devices, plan: plan, answer: tooMany(0)}.do()
		}
		r, other := mixed(20), mixed(1)
		for _, name := range []string{"aik", "target.get"} {
			var count, errors, most int64
			for _, s := range r.seconds {
				step := s.Steps[name]
				count, errors, most = count+int64(step.Count), errors+int64(step.Errors), max(most, step.Max)
			}
			f := r.step(name)
			Expect([]int64{count, errors}).To(Equal([]int64{f.Count, f.Errors}))
			Expect(most).To(Equal(f.Intended.Max))
			Expect(count).To(BeEquivalentTo(400), "without the warm-up's")
			for _, kind := range []figure.Kind{figure.Intended, figure.Real} {
				whole := r.recorder.Histogram(name, kind, "")
				parts := figure.NewHistogram()
				for class := range f.Outcomes {
					Expect(parts.Merge(r.recorder.Histogram(name, kind, class))).To(BeZero(), "none is dropped")
				}
				Expect(parts.Equals(whole)).To(BeTrue(), "classes make the whole")

				both := other.recorder.Histogram(name, kind, "")
				Expect(both.Merge(whole)).To(BeZero())
				Expect(both.TotalCount()).To(Equal(whole.TotalCount() + other.step(name).Count))
				Expect(both.Max()).To(Equal(max(whole.Max(), other.recorder.Histogram(name, kind, "").Max())))
			}
		}
		Expect(r.Summary.Arrivals.WarmUp).To(BeEquivalentTo(100))
		Expect(r.Summary.Rate).To(Equal(figure.Rate{Asked: 40, Reached: 40}))
		Expect(r.Summary.Seconds).To(BeNumerically("~", 10, 1e-9))
	})
})
