package figure

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Judge compares a figure of a summary with the threshold. A figure that was
// not measured is not kept.
func (t Threshold) Judge(s Summary) Verdict {
	v := Verdict{Expr: t.Expr, Have: "nothing"}
	got, ok := t.have(s)
	if !ok {
		return v
	}
	want := t.Value
	if t.OfTarget {
		want *= s.Rate.Asked
	}
	v.Known, v.Met, v.Have = true, t.holds(got, want), t.show(got)
	if t.OfTarget {
		v.Have += " of " + t.show(s.Rate.Asked)
	}
	return v
}

func (t Threshold) holds(got, want float64) bool {
	switch t.Operator {
	case "<":
		return got < want
	case "<=":
		return got <= want
	case ">":
		return got > want
	case ">=":
		return got >= want
	case "==":
		return got == want
	}
	return got != want
}

// show writes a figure for people.
func (t Threshold) show(v float64) string {
	switch t.unit {
	case micro:
		return Micros(int64(v))
	case share:
		return strconv.FormatFloat(math.Round(v*1e5)/1e3, 'f', -1, 64) + "%"
	}
	return strconv.FormatFloat(float64(int64(v*100+0.5))/100, 'f', -1, 64)
}

// Micros writes microseconds for people: "1.24ms".
func Micros(us int64) string {
	d := time.Duration(us) * time.Microsecond
	switch {
	case d >= 10*time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Second:
		return d.Round(time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}

// have finds the figure.
func (t Threshold) have(s Summary) (float64, bool) {
	if t.step == "" {
		return t.global(s)
	}
	f, ok := s.Step(t.step)
	if t.stat == "refused" || t.stat == "refused.rate" {
		f, ok = s.bad(t.step)
	}
	if !ok || f.Count == 0 {
		return 0, false
	}
	switch t.stat {
	case "count":
		return float64(f.Count), true
	case "rate":
		return f.PerSec, true
	case "errors":
		return float64(f.Errors), true
	case "errors.rate":
		return float64(f.Errors) / float64(f.Count), true
	case "refused":
		return float64(f.Refused), true
	case "refused.rate":
		return float64(f.Refused) / float64(f.Count), true
	}
	if name, real := strings.CutPrefix(t.stat, "real."); real {
		return f.Real.by(name), true
	}
	return f.Intended.by(t.stat), true
}

// bad puts the misbehaving devices of a scope together.
func (s Summary) bad(scope string) (all Figures, ok bool) {
	for _, f := range s.Steps {
		if f.Name == scope && f.Bad != "" {
			all.Count, all.Refused, ok = all.Count+f.Count, all.Refused+f.Refused, true
		}
	}
	return all, ok
}

func (t Threshold) global(s Summary) (float64, bool) {
	a := s.Arrivals
	switch t.stat {
	case "rate":
		return s.Rate.Reached, s.Seconds > 0
	case "count":
		return float64(a.Ended), true
	case "errors":
		return float64(a.Failed), true
	case "errors.rate":
		if a.Ended == 0 {
			return 0, false
		}
		return float64(a.Failed) / float64(a.Ended), true
	case "dropped":
		return float64(a.Dropped), true
	case "interrupted":
		return float64(a.Interrupted), true
	case "target":
		return s.Rate.Asked, s.Seconds > 0
	case "generator.cores", "generator.cpu":
		return s.Self.Cores, true
	case "engine.share":
		return s.Self.EngineShare, true
	}
	name, ok := strings.CutPrefix(t.stat, "lag.")
	return s.Lag.by(name), ok && a.Ended > 0
}

// by is a quantile by its name.
func (q Quantiles) by(name string) float64 {
	switch name {
	case "min":
		return float64(q.Min)
	case "mean":
		return q.Mean
	case "p50":
		return float64(q.P50)
	case "p75":
		return float64(q.P75)
	case "p90":
		return float64(q.P90)
	case "p95":
		return float64(q.P95)
	case "p99":
		return float64(q.P99)
	case "p99.9":
		return float64(q.P999)
	case "p99.99":
		return float64(q.P9999)
	case "max":
		return float64(q.Max)
	}
	panic(fmt.Sprintf("figure: no quantile %q", name)) // the parser let nothing else through
}
