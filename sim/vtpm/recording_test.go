package vtpm

import (
	"testing"

	. "github.com/onsi/gomega"
)

func TestReplayAnswersAsTheRunDid(t *testing.T) {
	g := NewWithT(t)
	r := &Recording{}
	l, err := Open(Options{CacheDir: shared.cache.dir, Recording: r, Engines: 1})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(l.Close()).To(Succeed()) })
	before := l.Stats().Commands
	_ = lifeIn(t, l, ChipID{infineon, 1})
	asked := l.Stats().Commands - before
	alone := lifeIn(t, shared, ChipID{infineon, 1})

	again, err := l.Replay(r)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again.Commands).To(BeNumerically(">", 10))
	g.Expect(again.Commands).To(BeNumerically("<=", int(asked)), "without those of making the image")
	g.Expect(again.Differed).To(BeZero())
	g.Expect(again.CPU).To(BeNumerically(">", 0))

	none, err := l.Replay(r)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(none).To(Equal(Replayed{}), "what was replayed is forgotten")
	g.Expect(lifeIn(t, l, ChipID{infineon, 1})).To(Equal(alone), "a replay leaves no trace")
}
