package compare

import (
	"testing"

	"github.com/onsi/gomega"
)

// The tables of Student's distribution have these.
func TestQuantiles(t *testing.T) {
	g := gomega.NewWithT(t)
	for freedom, want := range map[float64]float64{1: 12.706, 2: 4.303, 4: 2.776, 10: 2.228, 30: 2.042, 1e6: 1.960} {
		g.Expect(quantile(0.975, freedom)).To(gomega.BeNumerically("~", want, 6e-4), "%g degrees", freedom)
	}
	g.Expect(beta(0.5, 2, 3)).To(gomega.BeNumerically("~", 0.6875, 1e-12))
	g.Expect(beta(0.9, 2, 3)).To(gomega.BeNumerically("~", 0.9963, 1e-12))
}

// An example of Welch's test that can be done by hand: variances 1 and 4, 3
// values each.
func TestWelch(t *testing.T) {
	g := gomega.NewWithT(t)
	diff, half, ok := welch([]float64{1, 2, 3}, []float64{3, 5, 7})
	g.Expect(ok).To(gomega.BeTrue())
	g.Expect(diff).To(gomega.Equal(3.0))
	// (5/3)²/((1/3)²/2+(4/3)²/2) = 50/17 degrees of freedom.
	g.Expect(half).To(gomega.BeNumerically("~", quantile(0.975, 50./17)*1.290994, 1e-5))
	_, half, ok = welch([]float64{2, 2}, []float64{3, 3})
	g.Expect(ok).To(gomega.BeTrue())
	g.Expect(half).To(gomega.BeZero())
}
