package journal_test

import (
	"strconv"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/journal"
)

// What is packed comes back as it was, values with their types, and of a
// device that has seen much the last of it.
func TestMemoryOverManyEvents(t *testing.T) {
	g := NewWithT(t)
	const written, keep = 1000, 100
	some, all := journal.NewMemory(keep), journal.NewMemory(0)
	var want []journal.Event
	for i := range written {
		e := journal.Event{Seq: uint64(i + 1), Time: time.Date(2026, 9, 1, 8, 0, i, 5, time.UTC), Device: "PC-1", Kind: "test.event", Fields: []journal.Field{
			journal.F("text", "line\n"+strconv.Itoa(i)), journal.F("n", i), journal.F("took", time.Duration(i)), journal.F("ok", i%2 == 0),
			journal.F("list", []string{"a", "b"}), journal.Loose("bytes", -i),
		}}
		want = append(want, e)
		g.Expect(some.Write(e)).To(Succeed())
		g.Expect(all.Write(e)).To(Succeed())
	}
	g.Expect(all.Timeline("PC-1")).To(Equal(want))
	g.Expect(some.Timeline("PC-1")).To(Equal(want[written-keep:]))
	g.Expect(some.Find(func(e journal.Event) bool { return e.Seq%2 == 0 })).To(HaveLen(keep / 2))
	g.Expect(some.Timeline("PC-2")).To(BeEmpty())
}
