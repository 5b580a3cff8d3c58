package journal_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

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

// TestATimelineThatIsReadAgainIsWhole: what is read on from the last reading is
// what somebody sees who reads for the first time.
func TestATimelineThatIsReadAgainIsWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keep := rapid.SampledFrom([]int{0, 1, 5, 64, 100}).Draw(t, "keep")
		m := journal.NewMemory(keep)
		var written []journal.Event
		for i := range rapid.IntRange(1, 60).Draw(t, "steps") {
			device := rapid.SampledFrom([]string{"PC-1", "PC-2"}).Draw(t, "device")
			for range rapid.IntRange(0, 90).Draw(t, "events") {
				e := journal.Event{Seq: uint64(len(written)), Time: time.Unix(int64(i), 0).UTC(), Device: device, Kind: "device.made", Fields: []journal.Field{journal.F("serial", device)}}
				written = append(written, e)
				if err := m.Write(e); err != nil {
					t.Fatal(err)
				}
			}
			of := rapid.SampledFrom([]string{"PC-1", "PC-1", "PC-1", "PC-2"}).Draw(t, "of")
			fresh := journal.NewMemory(keep)
			for _, e := range written {
				_ = fresh.Write(e)
			}
			have, want := m.Timeline(of), fresh.Timeline(of)
			if fmt.Sprint(have) != fmt.Sprint(want) {
				t.Fatalf("%d events, want %d", len(have), len(want))
			}
			for i := range have {
				have[i] = journal.Event{} // theirs to change
			}
		}
	})
}
