package report_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report"
)

// twoCells are two cells' events, one after the other.
func twoCells() []journal.Event {
	var list []journal.Event
	for _, e := range life() {
		for cell := range 2 {
			c := e
			c.Fields = append(slices.Clone(e.Fields), journal.Loose("cell", cell), journal.Loose("wall", cell))
			list = append(list, c)
		}
	}
	return list
}

func differences(t *testing.T, recorded, now []journal.Event) []report.Difference {
	t.Helper()
	g := gomega.NewWithT(t)
	path := filepath.Join(t.TempDir(), "out")
	run(t, path, recorded, true)
	p, err := report.Open(path)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	r, err := p.Recording()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(r.Events()).To(gomega.Equal(len(recorded)))
	for _, e := range now {
		g.Expect(r.Write(e)).To(gomega.Succeed())
	}
	list, err := r.Differences()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	return list
}

func TestTheSameRunHasNoDifferences(t *testing.T) {
	g := gomega.NewWithT(t)
	now := twoCells()
	slices.SortStableFunc(now, func(a, b journal.Event) int { return cellNumber(a) - cellNumber(b) }) // cells ran in another order
	for i := range now {
		f := &now[i].Fields[len(now[i].Fields)-1]
		f.Value = 99 // loose: real time, say
	}
	g.Expect(differences(t, twoCells(), now)).To(gomega.BeEmpty())
}

func cellNumber(e journal.Event) int {
	v, _ := e.Get("cell")
	return v.(int)
}

func TestTheFirstDifferenceOfEachCell(t *testing.T) {
	g := gomega.NewWithT(t)
	now := twoCells()
	now[5].Time = now[5].Time.Add(time.Nanosecond) // cell 1, third event
	now[7].Kind = "later"
	list := differences(t, twoCells(), now)
	g.Expect(list).To(gomega.HaveLen(1))
	g.Expect(list[0].Cell).To(gomega.Equal(1))
	g.Expect(list[0].N).To(gomega.Equal(3))
	g.Expect(list[0].Recorded.Text("phase")).To(gomega.Equal("queue"))
	g.Expect(list[0].Now.Time).To(gomega.Equal(list[0].Recorded.Time.Add(time.Nanosecond)))
	g.Expect(list[0].String()).To(gomega.ContainSubstring("Cell 1 goes another way at event 3"))
}

func TestARunThatEndsEarlierOrLater(t *testing.T) {
	g := gomega.NewWithT(t)
	all := twoCells()
	list := differences(t, all, all[:len(all)-1])
	g.Expect(list).To(gomega.HaveLen(1))
	g.Expect(list[0].Now).To(gomega.BeNil())
	g.Expect(list[0].Recorded.Kind).To(gomega.Equal("story.ended"))
	list = differences(t, all[:len(all)-2], all)
	g.Expect(list).To(gomega.HaveLen(2))
	g.Expect(list[1].Recorded).To(gomega.BeNil())
	g.Expect(list[1].String()).To(gomega.ContainSubstring("then  (the run had ended)"))
}

// An interrupt switches everything off in one moment, which no replay has.
func TestAnInterruptedRunIsComparedUpToItsLastMoment(t *testing.T) {
	g := gomega.NewWithT(t)
	all := life()
	recorded := slices.Clone(all[:20])
	stopped := recorded[19]
	stopped.Kind = "device.power.off"
	recorded = append(recorded, stopped)
	path := filepath.Join(t.TempDir(), "out")
	run(t, path, recorded, false) // no summary
	p, err := report.Open(path)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	r, err := p.Recording()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(r.Cut()).To(gomega.BeTrue())
	for _, e := range all {
		g.Expect(r.Write(e)).To(gomega.Succeed())
	}
	list, err := r.Differences()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(list).To(gomega.BeEmpty())
}
