package load

import (
	"fmt"
	"slices"
	"time"

	"windtunnel.test/sim/load/arrival"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/scenario"
)

// Plan is what is to happen.
type Plan struct {
	// Scopes are what arrivals do, with the Shares of them that do it.
	Scopes []string
	Shares []float64
	// Bad are the ways in which arrivals of scope aik misbehave, with the
	// BadShares of them that do; the rest is honest.
	Bad       []string
	BadShares []float64

	// Segments make an open loop. The warm-up is not among them.
	Segments []arrival.Segment
	// Closed makes a closed loop in place of them.
	Closed *Closed

	// WarmUp comes first, at the first rate of an open loop, and is not counted.
	WarmUp time.Duration
	// Graceful is how long what is due may take once nobody comes any more. Then
	// arrivals that have a device are broken off, and those that have none are
	// dropped.
	Graceful time.Duration

	Thresholds []Threshold
}

// Closed is a closed loop: so many devices are under way at any time, each of
// which comes again after a pause.
type Closed struct {
	Devices int
	For     time.Duration
	Think   time.Duration
}

// Threshold is what a load must keep.
type Threshold struct {
	figure.Threshold
	// Abort ends the load as soon as it is missed, but not before so much After the
	// warm-up.
	Abort bool
	After time.Duration
}

// NewPlan is the plan of a scenario's load. Its errors are those of thresholds;
// everything else was checked as the file was read.
func NewPlan(l *scenario.LoadTest) (Plan, error) {
	p := Plan{WarmUp: l.WarmUp, Graceful: l.GracefulStop}
	p.Scopes, p.Shares = l.Shares()
	p.Bad, p.BadShares = l.Misbehaving.Shares()
	if c := l.Closed; c != nil {
		p.Closed = &Closed{Devices: c.Devices, For: c.For, Think: c.Think}
	} else {
		factor := arrivalsPer(l)
		for _, s := range l.Arrivals {
			p.Segments = append(p.Segments, segments(s, factor)...)
		}
	}
	for _, t := range l.Thresholds {
		parsed, err := figure.CheckThreshold(t.Expr, p.Scopes)
		if err != nil {
			return Plan{}, err
		}
		p.Thresholds = append(p.Thresholds, Threshold{Threshold: parsed, Abort: t.Abort, After: t.After})
	}
	return p, nil
}

// arrivalsPer is how many PCs have to arrive for one of the rates' unit.
func arrivalsPer(l *scenario.LoadTest) float64 {
	if l.Unit != scenario.PerAttestation {
		return 1
	}
	attesting := 0.0
	scopes, shares := l.Shares()
	for i, name := range scopes {
		if scenario.Attests(name) {
			attesting += shares[i]
		}
	}
	return 1 / attesting
}

// segments are the straight lines that a stage is made of.
func segments(s scenario.Stage, factor float64) []arrival.Segment {
	line := func(from, to scenario.ArrivalRate, d time.Duration) arrival.Segment {
		return arrival.Segment{From: float64(from) * factor, To: float64(to) * factor, For: d}
	}
	switch s.Shape {
	case scenario.RampRate:
		return []arrival.Segment{line(s.From, s.To, s.For)}
	case scenario.StepRate:
		var all []arrival.Segment
		for _, rate := range s.Rates() {
			all = append(all, line(scenario.ArrivalRate(rate), scenario.ArrivalRate(rate), s.Every))
		}
		return all
	case scenario.SpikeRate:
		before := (s.For - s.Hold) / 2
		return []arrival.Segment{line(s.Rate, s.Rate, before), line(s.Peak, s.Peak, s.Hold), line(s.Rate, s.Rate, s.For-s.Hold-before)}
	case scenario.PoissonRate:
		g := line(s.Rate, s.Rate, s.For)
		g.Poisson = true
		return []arrival.Segment{g}
	}
	return []arrival.Segment{line(s.Rate, s.Rate, s.For)}
}

// Duration is how long devices come, without the warm-up.
func (p Plan) Duration() (d time.Duration) {
	if p.Closed != nil {
		return p.Closed.For
	}
	for _, s := range p.Segments {
		d += s.For
	}
	return d
}

// warmUp is the segments, with the warm-up before them.
func (p Plan) warmUp() []arrival.Segment {
	if p.WarmUp <= 0 || len(p.Segments) == 0 {
		return p.Segments
	}
	first := p.Segments[0]
	return slices.Insert(slices.Clone(p.Segments), 0, arrival.Segment{From: first.From, To: first.From, For: p.WarmUp, Poisson: first.Poisson})
}

// pick finds what a draw between 0 and 1 means; "" where it is beyond all shares.
func pick(names []string, shares []float64, draw float64) string {
	for i, share := range shares {
		if draw -= share; draw < 0 {
			return names[i]
		}
	}
	return ""
}

// check tells what of a plan no load can be made from.
func (p Plan) check() error {
	bad := 0.0
	for _, share := range p.BadShares {
		bad += share
	}
	switch {
	case len(p.Scopes) == 0 || len(p.Scopes) != len(p.Shares):
		return fmt.Errorf("load: the plan says nothing of what arrivals do")
	case len(p.Bad) != len(p.BadShares) || bad > 1+1e-9:
		return fmt.Errorf("load: shares of %v misbehave", bad)
	case p.WarmUp < 0 || p.Graceful < 0:
		return fmt.Errorf("load: a time is below zero")
	case p.Closed == nil && p.Duration() <= 0:
		return fmt.Errorf("load: the plan has no time in which anybody arrives")
	case p.Closed != nil && (p.Closed.Devices <= 0 || p.Closed.For <= 0 || p.Closed.Think < 0):
		return fmt.Errorf("load: a closed loop needs devices and a time")
	}
	return nil
}
