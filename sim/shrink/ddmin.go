package shrink

import (
	"context"
	"slices"

	"windtunnel.test/sim/scenario"
)

// part is a kind of part that a scenario has some of.
type part struct {
	name  string
	count func(s *scenario.Scenario) int
	// keep gives the scenario with those parts only, by their indexes in ascending
	// order. It must not change s.
	keep func(s *scenario.Scenario, kept []int) *scenario.Scenario
	size func(s *scenario.Scenario) int // for people; nil: count
}

func (p part) sizeOf(s *scenario.Scenario) int {
	if p.size != nil {
		return p.size(s)
	}
	return p.count(s)
}

// reduce takes parts of a kind away: all, then halves, quarters, ... and what is
// left without them, as delta debugging does.
func (h *hunt) reduce(ctx context.Context, p part) error {
	from := h.best
	of := p.count(from)
	if of == 0 {
		return nil
	}
	kept := make([]int, of)
	for i := range kept {
		kept[i] = i
	}
	h.part, h.left, h.of = p.name, of, of
	defer func() {
		if len(kept) < of {
			h.gone = append(h.gone, Gone{p.name, p.sizeOf(from), p.sizeOf(h.best)})
		}
	}()
	sets, n := [][]int{{}}, 1
	for {
		candidates := make([]*scenario.Scenario, len(sets))
		for i, set := range sets {
			candidates[i] = p.keep(from, set)
		}
		i, err := h.try(ctx, candidates)
		switch {
		case err != nil:
			return err
		case i >= 0:
			kept, h.best, h.left = sets[i], candidates[i], len(sets[i])
			if i < n {
				n = 2 // one of the chunks is enough
			} else {
				n-- // one of them is not needed
			}
		case n >= len(kept):
			return nil
		default:
			n *= 2
		}
		if len(kept) < 2 {
			return nil
		}
		n = min(max(n, 2), len(kept))
		sets = split(kept, n)
	}
}

// split gives n parts of a set, and then what is left without each of them. Of
// two parts each is what is left without the other.
func split(set []int, n int) (sets [][]int) {
	var chunks [][]int
	for i := range n {
		chunks = append(chunks, set[i*len(set)/n:(i+1)*len(set)/n])
	}
	sets = append(sets, chunks...)
	if n == 2 {
		return sets
	}
	for i := range chunks {
		sets = append(sets, slices.Concat(slices.Concat(chunks[:i]...), slices.Concat(chunks[i+1:]...)))
	}
	return sets
}
