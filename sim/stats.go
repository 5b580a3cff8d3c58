package sim

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// phases collects the virtual durations of named phases, in the order in which
// the phases first came up.
type phases struct {
	names []string
	times map[string][]time.Duration
}

func (p *phases) add(name string, d time.Duration) {
	if p.times == nil {
		p.times = map[string][]time.Duration{}
	}
	if _, known := p.times[name]; !known {
		p.names = append(p.names, name)
	}
	p.times[name] = append(p.times[name], d)
}

func (p *phases) merge(other phases) {
	for _, name := range other.names {
		for _, d := range other.times[name] {
			p.add(name, d)
		}
	}
}

// stats sums up. Percentiles are nearest-rank: a figure that some PC really
// had.
func (p *phases) stats() []PhaseStats {
	out := []PhaseStats{}
	for _, name := range p.names {
		times := slices.Clone(p.times[name])
		slices.Sort(times)
		at := func(share float64) float64 {
			return times[max(0, int(math.Ceil(share*float64(len(times))))-1)].Seconds()
		}
		var sum time.Duration
		for _, t := range times {
			sum += t
		}
		mean := sum.Seconds() / float64(len(times))
		out = append(out, PhaseStats{Name: name, Count: len(times), Min: times[0].Seconds(), Mean: mean, P50: at(0.5), P90: at(0.9), P99: at(0.99), Max: at(1)})
	}
	return out
}

// groupFailures puts PCs that ended alike together, the largest group first.
func groupFailures(ends []End) []FailureGroup {
	groups := []FailureGroup{}
	for _, e := range ends {
		if e.Good() {
			continue
		}
		key := FailureGroup{Outcome: e.Outcome, Code: e.Code, Phase: e.Phase, Check: e.Check}
		i := slices.IndexFunc(groups, func(g FailureGroup) bool {
			return g.Outcome == key.Outcome && g.Code == key.Code && g.Phase == key.Phase && g.Check == key.Check
		})
		if i < 0 {
			key.Sample, key.Reason = e.Serial, e.Reason
			groups = append(groups, key)
			i = len(groups) - 1
		}
		groups[i].Count++
	}
	slices.SortStableFunc(groups, func(a, b FailureGroup) int { return cmp.Compare(b.Count, a.Count) })
	return groups
}
