package chart

import (
	"math"
	"strconv"
)

// Scale is how an axis places its values.
type Scale int

const (
	// Linear begins at 0 unless there are values below.
	Linear Scale = iota
	// Log has a decade as its unit. Values of 0 and below are at its lower end.
	Log
	// Percentile gives each further nine the same length: 50, 90, 99, 99.9. 100
	// is where its last point is.
	Percentile
)

// Axis is one of a chart's two axes.
type Axis struct {
	Label string // with the unit: "latency in ms"
	Scale Scale
	// Format writes the value of a tick; nil writes the plain number.
	Format func(float64) string
	// Max is the least upper end; 0: what the values need.
	Max float64
}

// axis is an axis that knows its values.
type axis struct {
	Axis
	low, high float64 // as placed
	ticks     []float64
}

// fit finds the ends of an axis and its ticks.
func (a Axis) fit(values []float64) axis {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) || a.Scale == Log && v <= 0 || a.Scale == Percentile && v >= 100 {
			continue
		}
		low, high = min(low, v), max(high, v)
	}
	if math.IsInf(low, 1) {
		low, high = 1, 1
	}
	high = max(high, a.Max)
	switch a.Scale {
	case Log:
		return a.log(low, high)
	case Percentile:
		return a.percentile(high)
	}
	return a.linear(min(low, 0), high)
}

func (a Axis) linear(low, high float64) axis {
	if high <= low {
		high = low + 1
	}
	step := niceStep((high - low) / 4)
	low, high = math.Floor(low/step+1e-9)*step, math.Ceil(high/step-1e-9)*step
	x := axis{Axis: a, low: low, high: high}
	for i := 0; i <= int(math.Round((high-low)/step)); i++ {
		x.ticks = append(x.ticks, low+float64(i)*step)
	}
	return x
}

// niceStep is the next of 1, 2, 5 and their tenfolds that is not below v.
func niceStep(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if v <= m*unit*(1+1e-9) {
			return m * unit
		}
	}
	return 10 * unit
}

func (a Axis) log(low, high float64) axis {
	from, to := math.Floor(math.Log10(low)+1e-9), math.Ceil(math.Log10(high)-1e-9)
	if to <= from {
		to = from + 1
	}
	x := axis{Axis: a, low: from, high: to}
	for e := from; e <= to; e++ {
		x.ticks = append(x.ticks, math.Pow(10, e))
		if to-from <= 2 && e < to { // few decades: their thirds
			x.ticks = append(x.ticks, 2*math.Pow(10, e), 5*math.Pow(10, e))
		}
	}
	return x
}

func (a Axis) percentile(high float64) axis {
	x := axis{Axis: a, high: max(2, nines(high))}
	for _, t := range []float64{0, 50, 90, 99, 99.9, 99.99, 99.999} {
		if nines(t) <= x.high+1e-9 {
			x.ticks = append(x.ticks, t)
		}
	}
	return x
}

// nines is 1 for 90, 2 for 99.
func nines(p float64) float64 { return -math.Log10(1 - p/100) }

// at places a value between 0 and 1.
func (x axis) at(v float64) float64 {
	switch {
	case x.Scale == Log && v <= 0:
		v = x.low
	case x.Scale == Log:
		v = math.Log10(v)
	case x.Scale == Percentile && v >= 100:
		v = x.high
	case x.Scale == Percentile:
		v = nines(v)
	}
	return min(1, max(0, (v-x.low)/(x.high-x.low)))
}

// write is a tick's text.
func (x axis) write(v float64) string {
	if x.Format != nil {
		return x.Format(v)
	}
	return Number(v)
}

// Number writes a number with at most four digits that count: "0.25", "1200".
func Number(v float64) string {
	if math.Abs(v) >= 1000 {
		return strconv.FormatFloat(math.Round(v), 'f', -1, 64)
	}
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64)
	return strconv.FormatFloat(r, 'f', -1, 64)
}
