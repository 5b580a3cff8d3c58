package pcs_test

import (
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/load/pcs"
)

var arrivalOf figure.Arrival

// TestMisbehaviours are refused, or do no harm; after each the same PCs are
// honest again.
func TestMisbehaviours(t *testing.T) {
	b := &bench{WithT: gomega.NewWithT(t), t: t}
	var err error
	b.pool, err = pcs.New(t.Context(), pcs.Options{Scenario: office(t, 2), Lab: lab, Scopes: map[string]float64{pcs.AIK: 1}, SlowPause: time.Nanosecond})
	b.Expect(err).NotTo(gomega.HaveOccurred())
	defer func() { b.Expect(b.pool.Close()).To(gomega.Succeed()) }()
	want := map[string]struct {
		steps []string // after the first three
		ok    bool
	}{
		pcs.WrongEK:    {steps: []string{"aik.request", "tpm.activate 0x80290407", "aik.answer"}},
		pcs.Replay:     {steps: []string{"aik.request", "tpm.activate", "aik.answer", "aik.answer"}},
		pcs.SlowReader: {steps: []string{"aik.request", "tpm.activate", "aik.answer"}, ok: true},
		pcs.Dropped:    {steps: []string{"aik.request", "tpm.activate", "aik.answer 0x80072EE7"}},
	}
	for _, kind := range pcs.Misbehaviours() {
		for range 2 {
			a := b.arrive(t.Context(), pcs.AIK, kind)
			b.Expect(a.Refused).To(gomega.BeTrue(), "%s: %+v", kind, a.Outcome)
			b.Expect(a.Outcome.OK()).To(gomega.Equal(want[kind].ok), kind)
			b.Expect(names(a)[3:]).To(gomega.Equal(want[kind].steps), kind)
		}
		for range 2 {
			b.Expect(b.arrive(t.Context(), pcs.AIK, "").Outcome.OK()).To(gomega.BeTrue(), "after %s", kind)
		}
	}
}

func TestNeeds(t *testing.T) {
	g := gomega.NewWithT(t)
	n, err := pcs.Needs(pcs.Options{Scenario: office(t, 50), Lab: lab, Scopes: map[string]float64{pcs.AIK: 1}})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(n.PCs).To(gomega.Equal(50))
	g.Expect(n.Images).To(gomega.BeNumerically(">", 30), "the others were made for other tests")
	g.Expect(n.Shortage()).To(gomega.Succeed())
	n.DiskBytes, n.DiskFree = 2<<20, 1<<20
	n.Memory, n.MemoryAll = 2<<20, 1<<20
	g.Expect(n.Shortage()).To(gomega.MatchError(gomega.And(gomega.ContainSubstring("--tpm-cache"), gomega.ContainSubstring("fewer devices"))))
}
