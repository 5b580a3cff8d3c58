package limit

import (
	"testing"

	"github.com/onsi/gomega"
)

// The tables have these.
func TestInterval(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, c := range []struct {
		k, n   int
		lo, hi float64
	}{{5, 5, 0.4782, 1}, {0, 5, 0, 0.5218}, {3, 3, 0.2924, 1}, {4, 5, 0.2836, 0.9949}, {5, 10, 0.1871, 0.8129}, {1, 20, 0.0013, 0.2487}, {0, 0, 0, 1}} {
		lo, hi := Interval(c.k, c.n)
		g.Expect(lo).To(gomega.BeNumerically("~", c.lo, 1e-4), "%d of %d", c.k, c.n)
		g.Expect(hi).To(gomega.BeNumerically("~", c.hi, 1e-4), "%d of %d", c.k, c.n)
	}
	g.Expect(atLeast(5, 5, 0.5)).To(gomega.BeNumerically("~", 1./32, 1e-9))
}

func TestWords(t *testing.T) {
	g := gomega.NewWithT(t)
	r := Result{Max: 12.41, FailsAt: 13.02, AtMax: Tally{Kept: 5}, AtFail: Tally{Missed: 5, Kept: 1}, Tolerance: 0.05,
		Trials: []Trial{{Phase: Confirmation, Rate: 13.02, Verdict: Missed, Why: "aik.p99 < 200ms: have 231ms"}}}
	g.Expect(r.String()).To(gomega.Equal("12.41/s, and not 13.02/s"))
	g.Expect(r.Confidence()).To(gomega.Equal([]string{
		"At 12.41/s they were kept in 5 of 5 repeats.",
		"  If a run there went either way as often, 5 of 5 or more would be kept in 3.1% of such series; with 95% confidence 48% to 100% of runs are kept.",
		"At 13.02/s they were missed in 5 of 6 repeats (aik.p99 < 200ms: have 231ms).",
		"  If a run there went either way as often, 5 of 6 or more would be missed in 11% of such series; with 95% confidence 36% to 100% of runs are missed.",
	}))
	g.Expect(r.Lines()).To(gomega.Equal([]string{"confirmation  13.02/s: missed aik.p99 < 200ms: have 231ms"}))
	g.Expect(Rate(0.123456)).To(gomega.Equal("0.1235/s"))
	g.Expect(Rate(40)).To(gomega.Equal("40/s"))
}
