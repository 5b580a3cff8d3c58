package load_truth

import (
	"context"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/load/arrival"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

var _ = Describe("figures of a target whose answers are known", func() {
	for _, home := range []vnet.Home{vnet.Direct, vnet.TLS} {
		Context("over "+home.String(), func() { truths(home) })
	}
})

// truths are what has to hold in each home.
func truths(home vnet.Home) {
	It("are those of a fixed service time", func() {
		r := rig{home: home, devices: 20, plan: steady(50, 30*time.Second), answer: takes(func(time.Duration, int) time.Duration { return 200 * time.Millisecond })}.do()
		want := times(1500, 200*time.Millisecond)
		for _, name := range []string{"aik", "target.get"} {
			f := r.step(name)
			Expect(f.Count).To(BeEquivalentTo(1500))
			expectQuantiles(f.Intended, want)
			expectQuantiles(f.Real, want)
		}
		Expect(r.Summary.Rate.Reached).To(BeNumerically("~", 50, 0.001))
		Expect(r.Summary.Self.LimitedBy).To(BeEmpty())
	})

	It("are those of two service times, nine to one", func() {
		service := func(_ time.Duration, n int) time.Duration {
			if n%10 == 9 {
				return 500 * time.Millisecond
			}
			return 20 * time.Millisecond
		}
		r := rig{home: home, devices: 40, plan: steady(50, 30*time.Second), answer: takes(service)}.do()
		want := append(times(1350, 20*time.Millisecond), times(150, 500*time.Millisecond)...)
		expectQuantiles(r.step("aik").Intended, want)
		expectQuantiles(r.step("target.get").Real, want)
	})

	It("show a stall to all that were to come meanwhile, and in a closed loop to one", func() {
		stall := takes(func(since time.Duration, _ int) time.Duration {
			return max(0, stalled(since)-since) + 10*time.Millisecond
		})
		plan := steady(100, 30*time.Second)
		r := rig{home: home, devices: 300, plan: plan, answer: stall}.do()
		var want []time.Duration
		for _, at := range moments(plan) {
			want = append(want, stalled(at)-at+10*time.Millisecond)
		}
		open := r.step("aik").Intended
		expectQuantiles(open, want)
		Expect(open.P999).To(BeNumerically(">", 1_900_000), "the worst had to wait for nearly all of the stall")
		Expect(open.P99).To(BeNumerically(">", 1_500_000), "one in fifteen came during the stall")

		loop := rig{home: home, devices: 1, plan: round(1, 30*time.Second), answer: stall}.do().step("aik")
		Expect(loop.Intended.Max).To(BeNumerically(">", 1_990_000))
		Expect(loop.Intended.P999).To(BeNumerically("~", 10_000, 100), "one device of a closed loop waits once, and asks nothing meanwhile")
		Expect(loop.Count).To(BeNumerically("~", 2800, 2))
	})

	It("are those of a queue at 80% of what a service with one worker holds", func() {
		plan := only(arrival.Segment{From: 80, To: 80, For: time.Minute, Poisson: true})
		r := rig{home: home, devices: 200, plan: plan, answer: worker(10 * time.Millisecond)}.do()
		expectQuantiles(r.step("aik").Intended, queue(moments(plan), 10*time.Millisecond))
		Expect(r.Summary.Self.LimitedBy).To(BeEmpty())
	})

	It("are those of a queue that grows at 120% of it", func() {
		plan := steady(120, 20*time.Second)
		want := queue(moments(plan), 10*time.Millisecond)
		r := rig{home: home, devices: 500, plan: plan, answer: worker(10 * time.Millisecond)}.do()
		expectQuantiles(r.step("aik").Intended, want)
		Expect(r.step("aik").Intended.Max).To(BeNumerically(">", 3_900_000))

		By("with too few devices, which hide the queue from the real start only")
		r = rig{home: home, devices: 10, plan: plan, answer: worker(10 * time.Millisecond)}.do()
		expectQuantiles(r.step("aik").Intended, want)
		Expect(r.step("aik").Real.Max).To(BeNumerically("<=", 101_000))
		Expect(r.Summary.Self.LimitedBy).To(ContainSubstring("waited for a free PC"))
		Expect(r.Summary.Rate.Reached).To(BeNumerically("<", 0.85*r.Summary.Rate.Asked))
	})

	It("count every tenth that is refused with 429", func() {
		r := rig{home: home, devices: 20, plan: steady(50, 20*time.Second), answer: tooMany(0)}.do()
		for _, name := range []string{"aik", "target.get"} {
			f := r.step(name)
			Expect(f.Outcomes).To(Equal(map[string]int64{"ok": 900, "HTTP 429": 100}))
			Expect(f.Errors).To(BeEquivalentTo(100))
		}
		errors := 0
		for _, s := range r.seconds {
			errors += s.Errors["HTTP 429"]
		}
		Expect(errors).To(Equal(100))
	})

	It("count it once more where Retry-After has it come again", func() {
		r := rig{home: home, devices: 100, plan: steady(50, 20*time.Second), answer: tooMany(3)}.do()
		Expect(r.step("target.get").Outcomes).To(Equal(map[string]int64{"ok": 1000, "HTTP 429": 100}))
		Expect(r.step("aik").Outcomes).To(Equal(map[string]int64{"ok": 1000}))
		expectQuantiles(r.step("aik").Intended, append(times(900, 5*time.Millisecond), times(100, 3*time.Second+10*time.Millisecond)...))
	})
}

// stalled is when a request that comes at a moment is looked at: at once, but
// between 10 and 12 seconds not before the end of that.
func stalled(at time.Duration) time.Duration {
	if at >= 10*time.Second && at < 12*time.Second {
		return 12 * time.Second
	}
	return at
}

// worker is a target that serves one after the other.
func worker(service time.Duration) answer {
	var one vclock.Semaphore
	return func(ctx context.Context, clock vclock.Clock, _ time.Duration, _, _ int) (int, int) {
		if one == nil {
			one = clock.NewSemaphore("the worker", 1)
		}
		if one.Acquire(ctx, 1) != nil {
			return http.StatusServiceUnavailable, 0
		}
		defer one.Release(1)
		if clock.Sleep(ctx, service, "service") != nil {
			return http.StatusServiceUnavailable, 0
		}
		return http.StatusOK, 0
	}
}

// tooMany refuses every tenth arrival when it asks for the first time.
func tooMany(retryAfter int) answer {
	return func(ctx context.Context, clock vclock.Clock, _ time.Duration, n, try int) (int, int) {
		if clock.Sleep(ctx, 5*time.Millisecond, "service") != nil {
			return http.StatusServiceUnavailable, 0
		}
		if n%10 == 9 && try == 0 {
			return http.StatusTooManyRequests, retryAfter
		}
		return http.StatusOK, 0
	}
}
