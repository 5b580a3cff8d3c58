package limit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"windtunnel.test/sim/load/figure"
)

// Options of a search. Trial is needed.
type Options struct {
	// Trial loads the target at a constant rate, in arrivals a second, and gives
	// what came of it with its thresholds judged.
	Trial func(ctx context.Context, rate float64) (figure.Summary, error)
	// From is the first rate; 0: 1. Where it is missed the search goes downward.
	From float64
	// To is the highest rate that is asked for; 0: [Highest].
	To float64
	// Steps are the rates to go through in place of doubling, rising.
	Steps []float64
	// Tolerance is how near the two rates of the result are to be, as a share of
	// the lower one; 0: 0.05.
	Tolerance float64
	// Confirm is how often each of them is repeated; 0: 5.
	Confirm int
	// Tell is given every trial when it has ended; nil: nobody is.
	Tell func(Trial)
}

// Limits of a search that are not asked for.
const (
	Highest    = 1e6  // arrivals a second
	leastShare = 1024 // the part of From below which it does not look
	moves      = 24   // how often the two rates may be given up for others
)

// Phase is a part of the search.
type Phase string

// Phases of a search.
const (
	Upward       Phase = "upward"
	Downward     Phase = "downward"
	Bisection    Phase = "bisection"
	Confirmation Phase = "confirmation"
)

// Verdict is what a trial, or the trials of a rate, came to.
type Verdict string

// Verdicts.
const (
	Kept      Verdict = "kept"
	Missed    Verdict = "missed"
	Generator Verdict = "generator" // it was at its end, so nothing is known about the target
)

// Trial is one load at one rate.
type Trial struct {
	Phase   Phase
	Rate    float64
	Verdict Verdict
	Why     string // what was missed, or what the generator lacked
	Summary figure.Summary
}

// String is the trial in a line.
func (t Trial) String() string {
	s := fmt.Sprintf("%-12s %8s: ", t.Phase, Rate(t.Rate))
	switch t.Verdict {
	case Kept:
		return s + "kept"
	case Missed:
		return s + "missed " + t.Why
	}
	return s + "does not count, the generator was at its end: " + t.Why
}

// search is one that is under way.
type search struct {
	o      Options
	trials []Trial
	tally  map[float64]*Tally // of the repeats, by rate
}

// Search looks for the limit. Where ctx ends, or a trial fails for a reason of
// its own, what is known so far comes with the error.
func Search(ctx context.Context, o Options) (Result, error) {
	if err := o.fill(); err != nil {
		return Result{}, err
	}
	s := &search{o: o, tally: map[float64]*Tally{}}
	kept, missed, err := s.bracket(ctx)
	if err == nil && kept > 0 && missed > 0 {
		kept, missed, err = s.bisect(ctx, kept, missed)
	}
	if err == nil {
		kept, missed, err = s.confirm(ctx, kept, missed)
	}
	return s.result(kept, missed, err != nil), err
}

func (o *Options) fill() error {
	if o.From == 0 {
		o.From = 1
	}
	if o.To == 0 {
		o.To = Highest
	}
	if o.Tolerance == 0 {
		o.Tolerance = 0.05
	}
	if o.Confirm == 0 {
		o.Confirm = 5
	}
	if len(o.Steps) > 0 {
		o.From, o.To = o.Steps[0], o.Steps[len(o.Steps)-1]
	}
	switch {
	case o.Trial == nil:
		return errors.New("limit: no trial")
	case !(o.From > 0) || !(o.To >= o.From) || o.To > Highest:
		return fmt.Errorf("limit: rates from %g/s to %g/s: want more than 0, rising, at most %g/s", o.From, o.To, float64(Highest))
	case !slices.IsSorted(o.Steps):
		return fmt.Errorf("limit: steps must rise: %v", o.Steps)
	case !(o.Tolerance >= 0.001) || o.Tolerance > 1:
		return fmt.Errorf("limit: a tolerance of %g: want 0.001 to 1", o.Tolerance)
	case o.Confirm < 1:
		return fmt.Errorf("limit: %d repeats: want at least 1", o.Confirm)
	}
	return nil
}

// once does one trial.
func (s *search) once(ctx context.Context, phase Phase, rate float64) (Trial, error) {
	if err := ctx.Err(); err != nil {
		return Trial{}, err
	}
	sum, err := s.o.Trial(ctx, rate)
	if err == nil {
		err = ctx.Err() // it was broken off, so it says nothing
	}
	if err != nil {
		return Trial{}, err
	}
	t := Trial{Phase: phase, Rate: rate, Verdict: Kept, Summary: sum}
	switch {
	case sum.Self.LimitedBy != "":
		t.Verdict, t.Why = Generator, sum.Self.LimitedBy
	case !sum.Met():
		t.Verdict = Missed
		for _, v := range sum.Verdicts {
			if !v.Met {
				t.Why = fmt.Sprintf("%s: have %s", v.Expr, v.Have)
				break
			}
		}
	}
	s.trials = append(s.trials, t)
	if s.o.Tell != nil {
		s.o.Tell(t)
	}
	return t, nil
}

// decided does as many trials as it takes for a verdict: one that is kept; else
// two of three.
func (s *search) decided(ctx context.Context, phase Phase, rate float64) (Verdict, error) {
	kept, not := 0, 0
	for {
		t, err := s.once(ctx, phase, rate)
		if err != nil {
			return "", err
		}
		if t.Verdict == Kept {
			if kept++; not == 0 || kept == 2 {
				return Kept, nil
			}
		} else if not++; not == 2 {
			return t.Verdict, nil
		}
	}
}

// bracket finds a rate that is kept and a higher one that is not. kept is 0
// where none is, missed is 0 where all are.
func (s *search) bracket(ctx context.Context) (kept, missed float64, err error) {
	for rate, i := s.o.From, 0; ; i++ {
		if len(s.o.Steps) > 0 {
			rate = s.o.Steps[i]
		}
		v, err := s.decided(ctx, Upward, rate)
		if err != nil {
			return kept, missed, err
		}
		if v != Kept {
			missed = rate
			break
		}
		kept = rate
		if rate >= s.o.To {
			return kept, 0, nil
		}
		rate = min(2*rate, s.o.To)
	}
	for rate := s.o.From / 2; kept == 0 && rate >= s.o.From/leastShare; rate /= 2 {
		v, err := s.decided(ctx, Downward, rate)
		if err != nil {
			return kept, missed, err
		}
		if v == Kept {
			kept = rate
		} else {
			missed = rate
		}
	}
	return kept, missed, nil
}

// bisect narrows it down. The middle is the geometric one, because the
// tolerance is a share.
func (s *search) bisect(ctx context.Context, kept, missed float64) (float64, float64, error) {
	for missed > kept*(1+s.o.Tolerance) {
		middle := round(math.Sqrt(kept * missed))
		if middle <= kept || middle >= missed {
			break // nearer than rates are written
		}
		v, err := s.decided(ctx, Bisection, middle)
		if err != nil {
			return kept, missed, err
		}
		if v == Kept {
			kept = middle
		} else {
			missed = middle
		}
	}
	return kept, missed, nil
}

// round keeps four digits: more would pretend.
func round(rate float64) float64 {
	if rate <= 0 {
		return 0
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(rate)))
	return math.Round(rate*scale) / scale
}
