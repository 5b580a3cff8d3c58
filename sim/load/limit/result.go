package limit

import (
	"fmt"
	"strconv"
	"strings"
)

// Result is what a search has found.
type Result struct {
	// Max is the highest rate at which the thresholds were kept, in arrivals a
	// second; 0: at none.
	Max float64
	// FailsAt is the lowest rate above it at which they were not; 0: they were
	// kept at all that were asked for.
	FailsAt float64
	// AtMax and AtFail count the repeats at the two.
	AtMax, AtFail Tally
	// ByGenerator: it was the generator that was at its end at FailsAt, so the
	// target's limit may lie above.
	ByGenerator bool
	// Unfinished: the search was broken off, and nothing is confirmed.
	Unfinished bool
	Tolerance  float64
	Trials     []Trial
}

func (s *search) result(kept, missed float64, unfinished bool) Result {
	r := Result{Max: kept, FailsAt: missed, Unfinished: unfinished, Tolerance: s.o.Tolerance, Trials: s.trials}
	if kept > 0 {
		r.AtMax = *s.of(kept)
	}
	if missed > 0 {
		r.AtFail = *s.of(missed)
		var of, by int
		for _, t := range s.trials {
			if t.Rate == missed && t.Verdict != Kept {
				if of++; t.Verdict == Generator {
					by++
				}
			}
		}
		r.ByGenerator = 2*by > of
	}
	return r
}

// Sure are the 95 % intervals (Clopper and Pearson, 1934) of how often a load
// keeps its thresholds at the two rates.
func (r Result) Sure() (atMax, atFail [2]float64) {
	atMax[0], atMax[1] = Interval(r.AtMax.Kept, r.AtMax.counted())
	atFail[0], atFail[1] = Interval(r.AtFail.Kept, r.AtFail.counted())
	return atMax, atFail
}

// Confidence says what was found and how sure it is, in sentences of a line
// each.
func (r Result) Confidence() []string {
	switch {
	case r.Unfinished && r.Max == 0 && r.FailsAt == 0:
		return []string{"Broken off before anything was found."}
	case r.Unfinished:
		return []string{"Broken off: " + r.bounds() + " Nothing of it is confirmed by repeats."}
	case r.Max == 0 && r.ByGenerator:
		return []string{fmt.Sprintf("Nothing is known about the target: the generator was at its end at %s already (%s).", Rate(r.FailsAt), r.why())}
	case r.Max == 0:
		return []string{fmt.Sprintf("The thresholds are kept at no rate: they were missed at %s already (%s).", Rate(r.FailsAt), r.why())}
	}
	lines := []string{fmt.Sprintf("At %s they were kept in %s.", Rate(r.Max), r.AtMax)}
	lines = append(lines, chance(r.AtMax.Kept, r.AtMax.counted(), "kept"))
	switch {
	case r.FailsAt == 0:
		lines = append(lines, "No higher rate was asked for: the limit may lie anywhere above.")
	case r.ByGenerator:
		lines = append(lines, fmt.Sprintf("At %s the generator was at its end (%s): this is no limit of the target, which may lie above.", Rate(r.FailsAt), r.why()))
	default:
		lines = append(lines, fmt.Sprintf("At %s they were missed in %d of %d repeats (%s).", Rate(r.FailsAt), r.AtFail.Missed, r.AtFail.counted(), r.why()),
			chance(r.AtFail.Missed, r.AtFail.counted(), "missed"))
		if gap := r.FailsAt/r.Max - 1; gap > r.Tolerance*1.01 {
			lines = append(lines, fmt.Sprintf("Between the two, which are %.0f%% apart, they were kept sometimes: the limit is not sharper than that.", gap*100))
		}
	}
	return lines
}

// chance says what the repeats prove: how likely such a series is at a rate
// that is kept as often as missed, and what share the interval allows.
func chance(k, n int, what string) string {
	lo, hi := Interval(k, n)
	return fmt.Sprintf("  If a run there went either way as often, %d of %d or more would be %s in %s of such series; with 95%% confidence %.0f%% to %.0f%% of runs are %s.",
		k, n, what, percent(atLeast(k, n, 0.5)), lo*100, hi*100, what)
}

func percent(p float64) string { return strconv.FormatFloat(p*100, 'g', 2, 64) + "%" }

func (t Tally) String() string {
	s := fmt.Sprintf("%d of %d repeats", t.Kept, t.counted())
	if t.Generator > 0 {
		s += fmt.Sprintf(" (%d more do not count: the generator was at its end)", t.Generator)
	}
	return s
}

func (r Result) bounds() string {
	switch {
	case r.FailsAt == 0:
		return fmt.Sprintf("kept at %s, no higher rate was missed yet.", Rate(r.Max))
	case r.Max == 0:
		return fmt.Sprintf("missed at %s, kept nowhere yet.", Rate(r.FailsAt))
	}
	return fmt.Sprintf("kept at %s, missed at %s.", Rate(r.Max), Rate(r.FailsAt))
}

// why is the cause at the rate that was not kept.
func (r Result) why() string {
	for i := len(r.Trials) - 1; i >= 0; i-- {
		t := r.Trials[i]
		if t.Rate == r.FailsAt && t.Why != "" && (t.Verdict == Generator) == r.ByGenerator {
			return t.Why
		}
	}
	return "cause unknown"
}

// Lines are the trials, for people.
func (r Result) Lines() []string {
	var lines []string
	for _, t := range r.Trials {
		lines = append(lines, t.String())
	}
	return lines
}

// String is the result in one line.
func (r Result) String() string {
	switch {
	case r.Unfinished:
		return "not known, the search was broken off"
	case r.Max == 0:
		return "no rate is kept"
	case r.FailsAt == 0:
		return fmt.Sprintf("at least %s", Rate(r.Max))
	case r.ByGenerator:
		return fmt.Sprintf("at least %s; the generator ends below %s", Rate(r.Max), Rate(r.FailsAt))
	}
	return fmt.Sprintf("%s, and not %s", Rate(r.Max), Rate(r.FailsAt))
}

// Rate writes a rate for people: "12.5/s".
func Rate(r float64) string {
	s := strconv.FormatFloat(round(r), 'f', -1, 64)
	return strings.TrimSuffix(s, ".0") + "/s"
}
