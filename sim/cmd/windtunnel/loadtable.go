package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/load/limit"
	"windtunnel.test/sim/report"
)

// writeLoad writes what a load came to for the person at the terminal.
func writeLoad(w io.Writer, s figure.Summary) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%q against %s: %s at %s, reached %s\n", s.Name, s.Target, report.Duration(seconds(s.Seconds)), askedWord(s), limit.Rate(s.Rate.Reached))
	if s.Stopped != "" {
		fmt.Fprintf(out, "Ended before its time (%s): the figures are of what was done until then.\n", s.Stopped)
	}
	limited(out, s)
	loadSteps(out, s)
	loadFailures(out, s)
	loadThresholds(out, s)
	loadFacts(out, s)
	return out.Flush()
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func askedWord(s figure.Summary) string {
	if s.Rate.Asked == 0 {
		return "no asked rate (closed loop)"
	}
	return limit.Rate(s.Rate.Asked) + " asked"
}

// limited warns, loudly, of figures that say more of the generator.
func limited(w io.Writer, s figure.Summary) {
	if s.Self.LimitedBy == "" {
		return
	}
	rule := strings.Repeat("!", 78)
	fmt.Fprintf(w, "\n%s\n  LIMITED BY THE GENERATOR, not by the target: %s.\n  The target may do better than these figures. Ask for less, use more --devices,\n  or put the target on a machine of its own.\n%s\n", rule, s.Self.LimitedBy, rule)
}

// loadSteps is the table of scopes and their steps.
func loadSteps(w io.Writer, s figure.Summary) {
	fmt.Fprintf(w, "\n  %-28s %8s %7s %9s %9s %9s %9s %9s\n", "Step, from intended start", "count", "failed", "p50", "p90", "p99", "p99.9", "max")
	for _, f := range s.Steps {
		name := f.Name
		if !f.Scope {
			name = "  " + name
		}
		if f.Bad != "" {
			if !f.Scope {
				continue // what a misbehaving PC did on its way interests nobody
			}
			name += ", " + f.Bad
		}
		q := f.Intended
		fmt.Fprintf(w, "  %-28s %8s %7s %9s %9s %9s %9s %9s\n", name, report.Count(int(f.Count)), report.Count(int(f.Errors)),
			figure.Micros(q.P50), figure.Micros(q.P90), figure.Micros(q.P99), figure.Micros(q.P999), figure.Micros(q.Max))
	}
	if len(s.Steps) == 0 {
		fmt.Fprintf(w, "  nothing was measured\n")
	}
}

// loadFailures lists outcomes of honest PCs that are no success, with the first
// cause of each.
func loadFailures(w io.Writer, s figure.Summary) {
	heading := false
	for _, f := range s.Steps {
		if !f.Scope || f.Bad != "" {
			continue
		}
		for _, class := range slices.Sorted(maps.Keys(f.Outcomes)) {
			if class == "ok" {
				continue
			}
			if !heading {
				fmt.Fprintf(w, "\n  Failures\n")
				heading = true
			}
			fmt.Fprintf(w, "  %-12s %-12s %8s  %s\n", f.Name, class, report.Count(int(f.Outcomes[class])), oneLine(f.Causes[class], 100))
		}
	}
}

// oneLine is a cause as far as a line takes it.
func oneLine(s string, most int) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return string(r)
}

func loadThresholds(w io.Writer, s figure.Summary) {
	if len(s.Verdicts) == 0 {
		return
	}
	fmt.Fprintf(w, "\n  Thresholds\n")
	for _, v := range s.Verdicts {
		word := "met"
		if !v.Met {
			word = "missed"
		}
		have := v.Have
		if !v.Known {
			have += " (it was not measured)"
		}
		fmt.Fprintf(w, "  %-7s %s: have %s\n", word, v.Expr, have)
	}
}

// loadFacts are the lines below the tables.
func loadFacts(w io.Writer, s figure.Summary) {
	fact := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-14s %s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintln(w)
	a := s.Arrivals
	more := ""
	if a.WarmUp > 0 {
		more += fmt.Sprintf("; %s in the warm-up, not counted", report.Count(int(a.WarmUp)))
	}
	if a.Bad > 0 {
		more += fmt.Sprintf("; %s misbehaved, %s of them were refused or did no harm", report.Count(int(a.Bad)), report.Count(int(a.Refused)))
	}
	fact("Arrivals", "%s ended, %s of them failed; %s dropped, %s interrupted%s", report.Count(int(a.Ended)), report.Count(int(a.Failed)), report.Count(int(a.Dropped)), report.Count(int(a.Interrupted)), more)
	fact("Lag", "p50 %s, p99 %s, max %s of real after intended start", figure.Micros(s.Lag.P50), figure.Micros(s.Lag.P99), figure.Micros(s.Lag.Max))
	g := s.Self
	fact("Generator", "%.2f cores, %s of CPU an arrival, TPM engines %.0f%% of it with %s commands; at most %s PCs under way", g.Cores, figure.Micros(int64(g.PerArrival)), g.EngineShare*100, report.Count(int(g.Commands)), report.Count(g.PeakInFlight))
	if p := s.Serving; p != nil {
		fact("Target", "%.1f s of CPU, %d MB at most", p.CPUSeconds, p.RSS>>20)
	}
	fact("Machine", "%s", s.Machine)
	fact("Build", "%s", s.Build)
}
