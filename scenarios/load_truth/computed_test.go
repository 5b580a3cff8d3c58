package load_truth

import (
	"fmt"
	"math"
	"slices"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/load"
	"windtunnel.test/sim/load/arrival"
	"windtunnel.test/sim/load/figure"
)

// steady is a load of one scope at one rate.
func steady(rate float64, d time.Duration) load.Plan {
	return only(arrival.Segment{From: rate, To: rate, For: d})
}

func only(s ...arrival.Segment) load.Plan {
	return load.Plan{Scopes: []string{"aik"}, Shares: []float64{1}, Segments: s, Graceful: 10 * time.Minute}
}

// round is a closed loop.
func round(devices int, d time.Duration) load.Plan {
	return load.Plan{Scopes: []string{"aik"}, Shares: []float64{1}, Closed: &load.Closed{Devices: devices, For: d}, Graceful: 10 * time.Minute}
}

// moments are those at which the arrivals of a plan are to come.
func moments(p load.Plan) (all []time.Duration) {
	s := arrival.New(p.Segments, seed)
	for at, ok := s.Next(); ok; at, ok = s.Next() {
		all = append(all, at)
	}
	return all
}

// queue computes what arrivals have to wait for at a service that serves one
// after the other, in the order of their coming (Lindley's recursion).
func queue(moments []time.Duration, service time.Duration) (latencies []time.Duration) {
	var free time.Duration
	for _, at := range moments {
		free = max(free, at) + service
		latencies = append(latencies, free-at)
	}
	return latencies
}

// quantile is the one by nearest rank, as histograms have it.
func quantile(sorted []time.Duration, percent float64) time.Duration {
	rank := int(math.Ceil(percent/100*float64(len(sorted)) - 1e-9))
	return sorted[max(rank, 1)-1]
}

// expectQuantiles compares figures with computed latencies: all percentiles
// within 1%.
func expectQuantiles(got figure.Quantiles, latencies []time.Duration) {
	sorted := slices.Sorted(slices.Values(latencies))
	var sum time.Duration
	for _, d := range sorted {
		sum += d
	}
	within := func(name string, got float64, want time.Duration) {
		micros := float64(want.Microseconds())
		ExpectWithOffset(2, got).To(BeNumerically("~", micros, micros*0.01+1), fmt.Sprintf("%s of %d latencies", name, len(sorted)))
	}
	within("min", float64(got.Min), sorted[0])
	within("mean", got.Mean, sum/time.Duration(len(sorted)))
	for _, q := range []struct {
		percent float64
		got     int64
	}{{50, got.P50}, {75, got.P75}, {90, got.P90}, {95, got.P95}, {99, got.P99}, {99.9, got.P999}, {99.99, got.P9999}} {
		within(fmt.Sprintf("p%v", q.percent), float64(q.got), quantile(sorted, q.percent))
	}
	within("max", float64(got.Max), sorted[len(sorted)-1])
}

// step is the figures of one.
func (r *result) step(name string) figure.Figures {
	f, ok := r.Summary.Step(name)
	ExpectWithOffset(1, ok).To(BeTrue(), "there is a step "+name)
	return f
}

// times makes n of them.
func times(n int, d time.Duration) []time.Duration { return slices.Repeat([]time.Duration{d}, n) }
