package determinism_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
)

var _ = Describe("the same scenario and seed", Ordered, func() {
	const seed = 7
	var (
		lab   *vtpm.Lab
		first record // two cells side by side on two cores, without a single image in the cache
	)
	BeforeAll(func() {
		cold := open(emptyDir())
		first = run(sim.RunOptions{Scenario: small(seed), Lab: cold, Parallel: 2}, 2)
		Expect(cold.Close()).To(Succeed())
		lab = open(emptyDir())
		DeferCleanup(func() { Expect(lab.Close()).To(Succeed()) })
	})
	again := func(o sim.RunOptions, cores int) record {
		GinkgoHelper()
		o.Scenario, o.Lab = small(seed), lab
		r := run(o, cores)
		Expect(r.TPM.ImagesMade).To(BeZero(), "the cache is warm")
		return r
	}

	It("is a run worth comparing", func() {
		Expect(first.TPM.ImagesMade).To(Equal(12), "the cache was empty")
		Expect(first.Outcomes).To(Equal(map[string]int{sim.Desktop: 11, sim.FailedEnd: 1}), "%v", first.Failures)
		Expect(first.Faults).To(BeNumerically(">", 0))
		Expect(first.TPM.DistinctEKs).To(Equal(12))
		Expect(first.CellHashes).To(HaveLen(3))
		Expect(first.TraceHash).To(MatchRegexp("^[0-9a-f]{64}$"))
	})

	DescribeTable("give the same trace hash",
		func(parallel, cores int) {
			r := again(sim.RunOptions{Parallel: parallel}, cores)
			Expect(r.CellHashes).To(Equal(first.CellHashes))
			Expect(r.TraceHash).To(Equal(first.TraceHash))
			Expect(r.Phases).To(Equal(first.Phases))
			Expect(r.Scheduled).To(Equal(first.Scheduled))
		},
		Entry("one cell at a time, GOMAXPROCS=1", 1, 1),
		Entry("one cell at a time, GOMAXPROCS=2", 1, 2),
		Entry("all cells side by side, GOMAXPROCS=1", 3, 1),
		Entry("all cells side by side, GOMAXPROCS=2", 3, 2),
	)

	It("give each device the same story over real TLS", func() {
		r := again(sim.RunOptions{Home: vnet.TLS, Parallel: 2}, 2)
		Expect(r.Outcomes).To(Equal(first.Outcomes))
		Expect(r.stories()).To(Equal(first.stories()))
		Expect(r.Failures).To(Equal(first.Failures))
	})

	It("give another trace hash with another seed", func() {
		r := run(sim.RunOptions{Scenario: small(seed + 1), Lab: lab, Parallel: 2}, 2)
		Expect(r.TraceHash).NotTo(Equal(first.TraceHash))
		for i, h := range r.CellHashes {
			Expect(h).NotTo(Equal(first.CellHashes[i]))
		}
	})
})
