package engines_test

import (
	"os"
	"slices"
	"sync"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/vtpm"
)

var _ = Describe("a fleet's run", Ordered, func() {
	var one *sim.Result
	BeforeAll(func() {
		var stats vtpm.Stats
		one, stats = run(images(), 1, nil)
		Expect(stats.Engines).To(Equal(1))
	})

	DescribeTable("has the same trace hash with more engines, and while it makes its images with them",
		func(engines int) {
			dir, err := os.MkdirTemp("", "windtunnel-engines-cold-")
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(os.RemoveAll, dir)
			r, stats := run(dir, engines, nil)
			Expect(r.TraceHash).To(Equal(one.TraceHash))
			Expect(r.CellHashes).To(Equal(one.CellHashes))
			Expect(r.TPM.ImagesMade).To(Equal(6))
			Expect(stats.Engines).To(BeNumerically(">", 1), "making images is work for more than one")
			Expect(stats.Engines).To(BeNumerically("<=", engines))
			Expect(stats.EnginesLost).To(BeZero())
		},
		Entry("2 engines", 2),
		Entry("4 engines", 4),
	)

	It("has the same trace hash when engines are killed in mid-run, and one hangs", func() {
		dir, err := os.MkdirTemp("", "windtunnel-engines-killed-")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(os.RemoveAll, dir)
		var (
			mu     sync.Mutex
			killed []int
			paused int
		)
		strike := func(lab *vtpm.Lab, event uint64) {
			mu.Lock()
			defer mu.Unlock()
			pids := lab.EnginePIDs()
			if len(pids) == 0 || pids[0] == paused || slices.Contains(killed, pids[0]) {
				return
			}
			switch {
			case event > 150 && paused == 0:
				Expect(syscall.Kill(pids[0], syscall.SIGSTOP)).To(Succeed())
				paused = pids[0]
			case event%50 == 0 && len(killed) < 6:
				Expect(syscall.Kill(pids[0], syscall.SIGKILL)).To(Succeed())
				killed = append(killed, pids[0])
			}
		}
		r, stats := run(dir, 2, strike)
		Expect(len(killed)).To(BeNumerically(">", 2), "it was worth looking at")
		Expect(paused).NotTo(BeZero())
		Expect(stats.EnginesLost).To(BeNumerically(">=", len(killed)))
		GinkgoWriter.Println(len(killed), "killed,", stats.EnginesLost, "lost")
		Expect(r.TPM.EnginesLost).To(Equal(stats.EnginesLost))
		Expect(r.TraceHash).To(Equal(one.TraceHash))
		Expect(r.CellHashes).To(Equal(one.CellHashes))
	})
})
