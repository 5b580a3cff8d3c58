package limit

import "context"

// Tally is how often a rate was kept and missed when it was repeated.
type Tally struct {
	Kept      int `json:"kept"`
	Missed    int `json:"missed"`
	Generator int `json:"generator"` // trials that do not count
}

// counted is how many say something about the target.
func (t Tally) counted() int { return t.Kept + t.Missed }

// not is how many were not kept, for whatever reason.
func (t Tally) not() int { return t.Missed + t.Generator }

// confirm repeats both rates by turns. A rate holds when it was kept as often
// as asked, with at most one trial that was not; the one above, the other way
// round.
func (s *search) confirm(ctx context.Context, kept, missed float64) (float64, float64, error) {
	n := s.o.Confirm
	for moved := 0; moved < moves; {
		low, high := s.of(kept), s.of(missed)
		if kept == 0 {
			return 0, missed, nil // there is nothing to be sure of
		}
		lowDone, highDone := low.Kept >= n, missed == 0 || high.not() >= n
		switch {
		case low.not() > 1:
			// It does not hold; missed stays where it reliably is.
			kept = s.below(kept)
			moved++
			continue
		case missed > 0 && high.Kept > 1:
			if high.not() <= 1 { // the search did it wrong
				kept = missed
			}
			missed = s.above(missed)
			moved++
			continue
		case lowDone && highDone:
			return kept, missed, nil
		}
		rate := kept
		if lowDone || !highDone && high.counted()+high.Generator < low.counted()+low.Generator {
			rate = missed
		}
		t, err := s.once(ctx, Confirmation, rate)
		if err != nil {
			return kept, missed, err
		}
		tally := s.of(rate)
		switch t.Verdict {
		case Kept:
			tally.Kept++
		case Missed:
			tally.Missed++
		default:
			tally.Generator++
		}
	}
	return kept, missed, nil
}

// of is a rate's tally.
func (s *search) of(rate float64) *Tally {
	if s.tally[rate] == nil {
		s.tally[rate] = &Tally{}
	}
	return s.tally[rate]
}

// below is the next lower rate, 0 where there is none to try.
func (s *search) below(rate float64) float64 {
	if rate = round(rate / (1 + s.o.Tolerance)); rate < s.o.From/leastShare {
		return 0
	}
	return rate
}

// above is the next higher rate, 0 where there is none to ask for.
func (s *search) above(rate float64) float64 {
	if rate = round(rate * (1 + s.o.Tolerance)); rate > s.o.To {
		return 0
	}
	return rate
}
