package vclock

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The heap gives out what a sorted list gives out, whatever is taken from its
// middle meanwhile.
func TestHeapAgainstSortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h eventHeap
		var model []*event
		small := rapid.IntRange(0, 3)
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				e := &event{
					at:    int64(small.Draw(t, "at")),
					round: uint32(small.Draw(t, "round")),
					rank:  uint64(small.Draw(t, "rank")),
					seq:   rapid.Uint64().Draw(t, "seq"),
				}
				h.push(e)
				model = append(model, e)
			},
			"pop": func(t *rapid.T) {
				if len(model) == 0 {
					return
				}
				first := slices.MinFunc(model, func(a, b *event) int {
					if a.before(b) {
						return -1
					}
					return 1
				})
				got := h.pop()
				if got.before(first) || first.before(got) {
					t.Fatalf("popped %+v, want %+v", got, first)
				}
				model = slices.DeleteFunc(model, func(e *event) bool { return e == got })
			},
			"remove": func(t *rapid.T) {
				if len(model) == 0 {
					return
				}
				e := rapid.SampledFrom(model).Draw(t, "entry")
				h.remove(e)
				h.remove(e)
				model = slices.DeleteFunc(model, func(o *event) bool { return e == o })
			},
			"": func(t *rapid.T) {
				for i, e := range h {
					if int(e.pos) != i+1 {
						t.Fatalf("entry %d believes to be at %d", i, e.pos-1)
					}
				}
				if len(h) != len(model) {
					t.Fatalf("%d entries, want %d", len(h), len(model))
				}
			},
		})
	})
}

func TestRankIsAPermutation(t *testing.T) {
	seen := map[uint64]bool{}
	for n := range uint64(100_000) {
		seen[Seed(7).rank(n)] = true
	}
	if len(seen) != 100_000 {
		t.Fatalf("%d places for 100000 actors", len(seen))
	}
}
