package figure_test

import (
	"fmt"
	"time"

	"windtunnel.test/sim/load/figure"
)

// Ten devices ask for a certificate; the last one has to wait.
func Example() {
	begin := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	r := figure.New(figure.Options{Begin: begin})
	for n := range 10 {
		intended := begin.Add(time.Duration(n) * 100 * time.Millisecond)
		started := intended
		if n == 9 {
			started = intended.Add(300 * time.Millisecond)
		}
		r.Add(figure.Arrival{N: n, Scope: "aik", Intended: intended, Started: started, Ended: started.Add(50 * time.Millisecond)})
	}
	r.Tick(begin.Add(time.Second), figure.Gauges{Target: 10}, true, time.Second)
	s := r.Summary([]string{"aik"})
	for _, expr := range []string{"aik.p99 < 200ms", "aik.real.p99 < 200ms", "rate >= 0.99 * target", "join.p99 < 1s"} {
		t, err := figure.ParseThreshold(expr)
		if err != nil {
			fmt.Println(err)
			return
		}
		v := t.Judge(s)
		fmt.Printf("%-22s %-8s met: %v, known: %v\n", v.Expr, v.Have, v.Met, v.Known)
	}
	_, err := figure.ParseThreshold("aik.p98 < 200ms")
	fmt.Println(err.Error()[:92])
	// Output:
	// aik.p99 < 200ms        350.2ms  met: false, known: true
	// aik.real.p99 < 200ms   50ms     met: true, known: true
	// rate >= 0.99 * target  10 of 10 met: true, known: true
	// join.p99 < 1s          nothing  met: false, known: false
	// threshold "aik.p98 < 200ms", column 1: there is no figure "aik.p98"; did you mean "aik.p99"?
}
