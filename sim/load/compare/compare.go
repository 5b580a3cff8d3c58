package compare

import (
	"math"
	"slices"
)

// Options of a comparison.
type Options struct {
	// Anyway compares loads of different scenarios, builds and machines as well.
	Anyway bool
}

// Side is one of the two.
type Side struct {
	Dirs   []string `json:"folders"` // of its repeats
	Target string   `json:"target"`
	Build  string   `json:"build"`
}

// Comparison is how B differs from A.
type Comparison struct {
	A        Side     `json:"a"`
	B        Side     `json:"b"`
	Rows     []Row    `json:"rows"`
	Differ   []string `json:"differ,omitempty"`  // what should be the same and is not
	Doubts   []string `json:"doubts,omitempty"`  // about single repeats
	Missing  []string `json:"missing,omitempty"` // steps that only one side has
	Interval bool     `json:"interval"`          // both sides have repeats
	Outside  int      `json:"outside"`           // rows whose interval does not hold "the same"
}

// Unit is what a figure is measured in.
type Unit string

// Units.
const (
	Micros Unit = "us"
	Rate   Unit = "/s"
	Share  Unit = "share" // 0 to 1
)

// Row is one figure of a step, or of the whole load where Step is "".
type Row struct {
	Step   string  `json:"step,omitempty"`
	Figure string  `json:"figure"`
	Unit   Unit    `json:"unit"`
	A      float64 `json:"a"` // the mean of the repeats; of ratios, the geometric one
	B      float64 `json:"b"`
	// Ratio: Difference, Low and High are B/A - 1. Otherwise they are B - A.
	Ratio      bool     `json:"ratio"`
	Difference float64  `json:"difference"`
	Low        *float64 `json:"low,omitempty"` // of the 95 % interval; missing: there is none
	High       *float64 `json:"high,omitempty"`
}

// Outside tells whether "no difference" lies outside the interval.
func (r Row) Outside() bool { return r.Low != nil && (*r.Low > 0 || *r.High < 0) }

// Dirs compares the loads in two sets of folders. What should be the same and
// is not comes as a [*Mismatch].
func Dirs(a, b []string, o Options) (*Comparison, error) {
	ra, err := read(a)
	if err != nil {
		return nil, err
	}
	rb, err := read(b)
	if err != nil {
		return nil, err
	}
	all := slices.Concat(ra, rb)
	c := &Comparison{A: side(ra), B: side(rb), Differ: mismatches(all), Doubts: doubts(all), Interval: len(ra) > 1 && len(rb) > 1}
	if len(c.Differ) > 0 && !o.Anyway {
		return nil, &Mismatch{c.Differ}
	}
	c.whole(ra, rb)
	c.steps(ra, rb)
	for _, r := range c.Rows {
		if r.Outside() {
			c.Outside++
		}
	}
	return c, nil
}

func side(runs []run) Side {
	s := Side{Target: runs[0].Target, Build: runs[0].Build}
	for _, r := range runs {
		s.Dirs = append(s.Dirs, r.dir)
	}
	return s
}

// whole has the rows of the whole load.
func (c *Comparison) whole(a, b []run) {
	for _, k := range []struct {
		figure string
		unit   Unit
		of     func(run) float64
	}{
		{"rate reached", Rate, func(r run) float64 { return r.Rate.Reached }},
		{"errors", Share, func(r run) float64 { return share(r.Arrivals.Failed, r.Arrivals.Ended) }},
		{"lag p99", Micros, func(r run) float64 { return float64(r.Lag.P99) }},
		{"CPU per arrival", Micros, func(r run) float64 { return r.Self.PerArrival }},
	} {
		c.row("", k.figure, k.unit, collect(a, k.of), collect(b, k.of))
	}
}

func collect(runs []run, of func(run) float64) (values []float64) {
	for _, r := range runs {
		values = append(values, of(r))
	}
	return values
}

func share(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// steps has the rows of each step that both sides have in every repeat, in the
// order of the summaries.
func (c *Comparison) steps(a, b []run) {
	var names []string
	for _, r := range slices.Concat(a, b) {
		for _, f := range r.Steps {
			if f.Bad == "" && !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		}
	}
	for _, name := range names {
		lacks := func(r run) bool { f, ok := r.Step(name); return !ok || f.Count == 0 }
		if slices.ContainsFunc(a, lacks) || slices.ContainsFunc(b, lacks) {
			c.Missing = append(c.Missing, name)
			continue
		}
		for _, k := range []struct {
			figure string
			unit   Unit
			of     func(run) float64
		}{
			{"p50", Micros, func(r run) float64 { f, _ := r.Step(name); return float64(f.Intended.P50) }},
			{"p99", Micros, func(r run) float64 { f, _ := r.Step(name); return float64(f.Intended.P99) }},
			{"rate", Rate, func(r run) float64 { f, _ := r.Step(name); return f.PerSec }},
			{"errors", Share, func(r run) float64 { f, _ := r.Step(name); return share(f.Errors, f.Count) }},
		} {
			c.row(name, k.figure, k.unit, collect(a, k.of), collect(b, k.of))
		}
	}
}

// row compares one figure. A ratio needs values above 0; where one is not, the
// difference itself is taken.
func (c *Comparison) row(step, figure string, unit Unit, a, b []float64) {
	r := Row{Step: step, Figure: figure, Unit: unit}
	r.Ratio = unit != Share && slices.Min(a) > 0 && slices.Min(b) > 0
	if r.Ratio {
		a, b = logs(a), logs(b)
	}
	diff, half, ok := welch(a, b)
	r.A, _ = moments(a)
	r.B, _ = moments(b)
	low, high := diff-half, diff+half
	if r.Ratio {
		r.A, r.B = math.Exp(r.A), math.Exp(r.B)
		diff, low, high = math.Expm1(diff), math.Expm1(low), math.Expm1(high)
	}
	r.Difference = diff
	if ok {
		r.Low, r.High = &low, &high
	}
	c.Rows = append(c.Rows, r)
}

func logs(x []float64) []float64 {
	l := make([]float64, len(x))
	for i, v := range x {
		l[i] = math.Log(v)
	}
	return l
}
