package arrival

import (
	"math"
	"math/rand/v2"
	"time"

	"windtunnel.test/sim/vclock"
)

// Segment is a time in which the rate goes in a straight line from one value to
// another, in arrivals a second.
type Segment struct {
	From, To float64
	For      time.Duration
	// Poisson: so many come on the average, each for itself.
	Poisson bool
}

// expected is how many arrivals are due in the first t of a segment.
func (s Segment) expected(t time.Duration) float64 {
	x := t.Seconds()
	slope := (s.To - s.From) / s.For.Seconds()
	return s.From*x + slope*x*x/2
}

// when is the moment at which so many are due: the inverse of expected.
func (s Segment) when(n float64) time.Duration {
	if n <= 0 { // what the segment before left over of the last digit
		return 0
	}
	length := s.For.Seconds()
	slope := (s.To - s.From) / length
	var x float64
	if slope == 0 {
		x = n / s.From
	} else {
		// The root of slope/2 x² + from x - n that does not lose its digits where
		// slope is small.
		x = 2 * n / (s.From + math.Sqrt(max(0, s.From*s.From+2*slope*n)))
	}
	return time.Duration(min(x, length) * float64(time.Second))
}

// rate is the asked rate at a moment of a segment.
func (s Segment) rate(t time.Duration) float64 {
	return s.From + (s.To-s.From)*t.Seconds()/s.For.Seconds()
}

// Schedule gives the arrivals of a load in their order.
type Schedule struct {
	segments []Segment
	draws    *rand.Rand

	at    int           // segment that is gone through
	begun time.Duration // when it began
	due   float64       // expected arrivals since the first one, up to its begin
	n     float64       // expected arrivals at which the next one comes
	next  time.Duration // of a Poisson segment, since its begin
	drawn bool          // next is drawn
}

// New makes a schedule. The seed decides Poisson segments and nothing else.
func New(segments []Segment, seed vclock.Seed) *Schedule {
	s := &Schedule{draws: seed.Stream("arrivals"), n: 0.5}
	for _, g := range segments {
		if g.For > 0 {
			s.segments = append(s.segments, g)
		}
	}
	return s
}

// Next is the moment of the next arrival, since the load's begin; ok is false
// when there is none any more.
func (s *Schedule) Next() (at time.Duration, ok bool) {
	for s.at < len(s.segments) {
		g := s.segments[s.at]
		if g.Poisson {
			if t, ok := s.poisson(g); ok {
				return s.begun + t, true
			}
			s.leave(g)
			continue
		}
		if n := s.n - s.due; n <= g.expected(g.For) && g.From+g.To > 0 {
			s.n++
			return s.begun + g.when(n), true
		}
		s.leave(g)
	}
	return 0, false
}

// poisson draws the next arrival of a Poisson segment. Where its rate changes,
// draws at the highest rate are thinned out (Lewis and Shedler, 1979).
func (s *Schedule) poisson(g Segment) (time.Duration, bool) {
	highest := max(g.From, g.To)
	if !s.drawn {
		s.next, s.drawn = 0, true
	}
	if highest <= 0 {
		return 0, false
	}
	for {
		step := s.draws.ExpFloat64() / highest * float64(time.Second)
		if float64(s.next)+step > float64(g.For) {
			return 0, false
		}
		s.next += time.Duration(step)
		if g.From == g.To || s.draws.Float64()*highest < g.rate(s.next) {
			return s.next, true
		}
	}
}

// leave goes on to the next segment.
func (s *Schedule) leave(g Segment) {
	s.begun += g.For
	if !g.Poisson {
		s.due += g.expected(g.For)
	}
	s.at++
	s.drawn = false
}

// Rate is the asked rate at a moment, in arrivals a second; 0 after the end.
func (s *Schedule) Rate(at time.Duration) float64 {
	for _, g := range s.segments {
		if at < g.For {
			return g.rate(max(0, at))
		}
		at -= g.For
	}
	return 0
}

// Mean is the mean asked rate between two moments.
func (s *Schedule) Mean(from, to time.Duration) float64 {
	if to <= from {
		return s.Rate(from)
	}
	return (s.upTo(to) - s.upTo(from)) / (to - from).Seconds()
}

// upTo is how many arrivals are expected before a moment.
func (s *Schedule) upTo(at time.Duration) (n float64) {
	for _, g := range s.segments {
		if at <= 0 {
			break
		}
		n += g.expected(min(at, g.For))
		at -= g.For
	}
	return n
}

// Total is how many arrivals are expected; where no segment is Poisson, that is
// how many come, but for the last part of one.
func (s *Schedule) Total() float64 { return s.upTo(s.Duration()) }

// Duration is how long the schedule lasts.
func (s *Schedule) Duration() (d time.Duration) {
	for _, g := range s.segments {
		d += g.For
	}
	return d
}

// Most is more than come in nearly every run: the expected number and, for
// Poisson segments, six standard deviations.
func (s *Schedule) Most() int {
	variance := 0.0
	for _, g := range s.segments {
		if g.Poisson {
			variance += g.expected(g.For)
		}
	}
	return int(math.Ceil(s.Total() + 6*math.Sqrt(variance)))
}
