package determinism_test

import (
	"bytes"
	"context"
	"errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/journal"
)

var _ = Describe("a run that does not come to its end", Ordered, func() {
	const seed = 7
	var whole record
	BeforeAll(func() {
		lab := open("")
		whole = run(sim.RunOptions{Scenario: small(seed), Lab: lab, Parallel: 1}, 2)
		Expect(lab.Close()).To(Succeed())
	})

	// expectBeginning expects that events are the beginning of the whole run's.
	expectBeginning := func(events []journal.Event) {
		GinkgoHelper()
		Expect(len(events)).To(BeNumerically("<", len(whole.events)))
		for i, e := range events {
			Expect(e.String()).To(Equal(whole.events[i].String()), "event %d", i)
		}
	}

	It("keeps what it had when it is interrupted, and sums that up", func() {
		lab := open("")
		defer func() { Expect(lab.Close()).To(Succeed()) }()
		ctx, interrupt := context.WithCancel(context.Background())
		defer interrupt()
		var kept []journal.Event
		result, err := sim.Run(ctx, sim.RunOptions{Scenario: small(seed), Lab: lab, Parallel: 1, Journal: journal.SinkFunc(func(e journal.Event) {
			if kept = append(kept, e); len(kept) == 2*len(whole.events)/3 {
				interrupt()
			}
		})})
		Expect(err).NotTo(HaveOccurred())
		Expect(result.Interrupted).To(BeTrue())
		Expect(len(kept)).To(BeNumerically(">=", 2*len(whole.events)/3))
		Expect(result.Events).To(Equal(uint64(len(kept))))
		expectBeginning(kept)
		Expect(result.Outcomes[sim.Desktop]).To(BeNumerically(">", 0), "the first cell was through")
		Expect(result.Outcomes[sim.Unfinished]).To(BeNumerically(">", 0), "the last cell was not")
		Expect(result.Outcomes[sim.FailedEnd]).To(BeNumerically("<=", 1), "an interrupt is nobody's failure: %v", result.Failures)
		total := 0
		for _, n := range result.Outcomes {
			total += n
		}
		Expect(total).To(Equal(result.Devices))
		Expect(result.CellHashes[0]).To(Equal(whole.CellHashes[0]))
	})

	It("leaves whole lines in its journal when it is killed", func() {
		var disk bytes.Buffer
		file, err := journal.NewFileSink(&disk)
		Expect(err).NotTo(HaveOccurred())
		var cut []byte // the disk when the process died
		lab := open("")
		defer func() { Expect(lab.Close()).To(Succeed()) }()
		written := 0
		_, err = sim.Run(context.Background(), sim.RunOptions{Scenario: small(seed), Lab: lab, Parallel: 1, Journal: journal.SinkFunc(func(e journal.Event) {
			Expect(file.Write(e)).To(Succeed())
			if written++; written == len(whole.events)/2 {
				cut = bytes.Clone(disk.Bytes())
			}
		})})
		Expect(err).NotTo(HaveOccurred())
		var kept []journal.Event
		for e, err := range journal.ReadFile(bytes.NewReader(cut)) {
			if errors.Is(err, journal.ErrCut) {
				break
			}
			Expect(err).NotTo(HaveOccurred())
			kept = append(kept, e)
		}
		Expect(len(kept)).To(BeNumerically(">", written/4), "most of what had happened is there")
		expectBeginning(kept)
	})
})
