package figure

import (
	"math"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// What a histogram holds: microseconds from 1 to one hour's, to three digits.
const (
	lowest  = 1
	highest = int64(time.Hour / time.Microsecond)
	digits  = 3
)

// Kind says what a latency counts from.
type Kind int

const (
	// Intended counts from the moment at which the arrival was to come. What it
	// had to wait because others were slow is in it.
	Intended Kind = iota
	// Real counts from the moment at which it came.
	Real
)

// String is the kind's name in files.
func (k Kind) String() string {
	if k == Real {
		return "real"
	}
	return "intended"
}

// NewHistogram makes an empty histogram with the bounds that all of them have,
// so that any two can be merged without loss.
func NewHistogram() *hdr.Histogram { return hdr.New(lowest, highest, digits) }

// micros is a latency as a histogram takes it, and whether it had to be put
// inside the bounds.
func micros(d time.Duration) (v int64, clamped bool) {
	v = d.Microseconds()
	switch {
	case v > highest:
		return highest, true
	case v < lowest:
		return lowest, d < 0
	}
	return v, false
}

// Quantiles are a histogram's figures, in microseconds.
type Quantiles struct {
	Min   int64   `json:"min"`
	Mean  float64 `json:"mean"`
	P50   int64   `json:"p50"`
	P75   int64   `json:"p75"`
	P90   int64   `json:"p90"`
	P95   int64   `json:"p95"`
	P99   int64   `json:"p99"`
	P999  int64   `json:"p99.9"`
	P9999 int64   `json:"p99.99"`
	Max   int64   `json:"max"`
}

// QuantilesOf reads a histogram; all are zero where it is empty.
func QuantilesOf(h *hdr.Histogram) Quantiles {
	if h == nil || h.TotalCount() == 0 {
		return Quantiles{}
	}
	v := percentiles(h, 50, 75, 90, 95, 99, 99.9, 99.99)
	return Quantiles{Min: h.Min(), Mean: h.Mean(), P50: v[0], P75: v[1], P90: v[2], P95: v[3], P99: v[4], P999: v[5], P9999: v[6], Max: h.Max()}
}

// percentiles are the smallest values that at least so many percent of all do
// not exceed: the nearest rank, rounded up as HdrHistogram for Java does. The
// library's own rounds the rank to either side, so that a few slow ones among
// few are missed.
func percentiles(h *hdr.Histogram, of ...float64) []int64 {
	n := float64(h.TotalCount())
	for i, p := range of {
		rank := math.Ceil(p/100*n - 1e-9*n) // 99.9% of 1000 is 999, not a little more
		of[i] = 100 * rank / n
	}
	return h.ValueAtPercentilesSlice(of)
}

// Point is one point of a percentile curve.
type Point struct {
	Percentile float64 `json:"percentile"` // 0 to 100
	Micros     int64   `json:"us"`
	Count      int64   `json:"count"` // values up to here
}

// Curve is a histogram's percentile curve, with five points for each halving
// of what lies above. It is nil where the histogram is empty.
func Curve(h *hdr.Histogram) []Point {
	if h == nil || h.TotalCount() == 0 {
		return nil
	}
	brackets := h.CumulativeDistributionWithTicks(5)
	curve := make([]Point, len(brackets))
	for i, b := range brackets {
		curve[i] = Point{Percentile: b.Quantile, Micros: b.ValueAt, Count: b.Count}
	}
	return curve
}
