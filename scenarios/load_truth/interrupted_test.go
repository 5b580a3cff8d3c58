package load_truth

import (
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/vnet"
)

// TestNothingIsLostWhenInterrupted stops loads at any moment, with more or fewer
// devices than it takes, and with more or less patience.
func TestNothingIsLostWhenInterrupted(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, home := range []vnet.Home{vnet.Direct, vnet.TLS} {
		t.Run(home.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				served, told := 0, 0
				plan := steady(float64(rapid.IntRange(5, 60).Draw(t, "rate")), 4*time.Second)
				if rapid.Bool().Draw(t, "closed") {
					plan = round(rapid.IntRange(1, 6).Draw(t, "at once"), 4*time.Second)
					plan.Closed.Think = time.Duration(rapid.IntRange(0, 300).Draw(t, "think ms")) * time.Millisecond
				}
				plan.Graceful = time.Duration(rapid.IntRange(0, 800).Draw(t, "graceful ms")) * time.Millisecond
				plan.WarmUp = time.Duration(rapid.IntRange(0, 1500).Draw(t, "warm-up ms")) * time.Millisecond
				whole := plan.WarmUp + plan.Duration()
				r := rig{
					home: home, devices: rapid.IntRange(1, 12).Draw(t, "devices"), plan: plan,
					stop: time.Duration(rapid.IntRange(1, 6000).Draw(t, "stopped after ms")) * time.Millisecond,
					each: func(figure.Arrival) { told++ },
					answer: takes(func(_ time.Duration, n int) time.Duration {
						served++
						return time.Duration(20+n%5*100) * time.Millisecond
					}),
				}
				out, err := r.run()
				if err != nil {
					t.Fatal(err)
				}
				tally, a := out.Tally, out.Summary.Arrivals
				ended, dropped := 0, 0
				for _, s := range out.seconds {
					ended, dropped = ended+s.Steps["aik"].Count, dropped+s.Dropped
				}
				switch {
				case tally.Came != tally.Started+tally.Dropped || tally.Started != tally.Finished+tally.Interrupted:
					t.Fatalf("some are lost: %+v", tally)
				case int64(served) != tally.Started || int64(told) != tally.Finished:
					t.Fatalf("%d asked and %d were told of, %+v", served, told, tally)
				case a.Ended+a.Interrupted+a.WarmUp < tally.Started || a.Dropped > tally.Dropped:
					t.Fatalf("the summary has lost some: %+v of %+v", a, tally)
				case int64(ended) != a.Ended || int64(dropped) != a.Dropped:
					t.Fatalf("the seconds have %d ended and %d dropped, the summary %+v", ended, dropped, a)
				case out.free != r.devices:
					t.Fatalf("%d of %d devices are back", out.free, r.devices)
				case out.Stopped != (r.stop < whole) && r.stop != whole:
					t.Fatalf("stopped %v, at %v of %v", out.Stopped, r.stop, whole)
				}
			})
		})
	}
}
