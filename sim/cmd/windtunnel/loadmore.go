package main

import (
	"fmt"
	"io"
	"slices"

	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/load/limit"
	"windtunnel.test/sim/scenario"
)

// writeLimit says what a search has found, before the figures of the load at
// that rate.
func writeLimit(w io.Writer, r limit.Result) {
	fmt.Fprintf(w, "Highest rate that keeps the thresholds: %s\n", r)
	for _, line := range r.Confidence() {
		fmt.Fprintf(w, "  %s\n", line)
	}
	fmt.Fprintf(w, "\n  Trials\n")
	for _, line := range r.Lines() {
		fmt.Fprintf(w, "  %s\n", line)
	}
	fmt.Fprintln(w)
}

// writeSpread says how much repeats differ among themselves.
func writeSpread(w io.Writer, all []figure.Summary) {
	if len(all) < 2 {
		return
	}
	fmt.Fprintf(w, "  %-28s %-6s %9s %9s %9s\n", fmt.Sprintf("Spread of %d repeats", len(all)), "", "least", "median", "most")
	for _, f := range all[0].Steps {
		if !f.Scope || f.Bad != "" {
			continue
		}
		for _, q := range []struct {
			name string
			of   func(figure.Figures) int64
		}{{"p50", func(f figure.Figures) int64 { return f.Intended.P50 }}, {"p99", func(f figure.Figures) int64 { return f.Intended.P99 }}} {
			var values []int64
			for _, s := range all {
				if of, ok := s.Step(f.Name); ok {
					values = append(values, q.of(of))
				}
			}
			slices.Sort(values)
			fmt.Fprintf(w, "  %-28s %-6s %9s %9s %9s\n", f.Name, q.name, figure.Micros(values[0]), figure.Micros(values[len(values)/2]), figure.Micros(values[len(values)-1]))
		}
	}
}

// stepsOf are the rates that a search goes through where the scenario's only
// stage rises by steps; nil: it doubles.
func stepsOf(l *scenario.LoadTest) []float64 {
	if len(l.Arrivals) != 1 || l.Arrivals[0].Shape != scenario.StepRate {
		return nil
	}
	rates := l.Arrivals[0].Rates()
	if !slices.IsSorted(rates) || len(rates) < 2 {
		return nil
	}
	return rates
}
