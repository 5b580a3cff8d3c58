package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/load/limit"
	"windtunnel.test/sim/report"
)

// loadShow shows a load while it lasts: a block that is drawn anew each second
// on a terminal, a line every five seconds elsewhere, nothing with --json.
type loadShow struct {
	w      io.Writer  // nil: nothing is shown
	width  func() int // nil: no terminal
	title  string
	scopes []string
	length time.Duration // arrivals come for, warm-up included

	drawn   int       // lines of the block that stands there
	reached []float64 // by second, the last of them
	sums    loadSums
	since   loadSums // at the last line
	last    map[string]figure.StepSecond
}

// loadSums are counts of arrivals.
type loadSums struct {
	ended, failed, dropped int
	asked                  float64 // seconds times rate
	at                     float64
}

// sparks is how many seconds the sparkline shows.
const sparks = 40

func newLoadShow(sh *shell, title string, scopes []string, length time.Duration) *loadShow {
	v := &loadShow{w: sh.err, title: title, scopes: scopes, length: length, last: map[string]figure.StepSecond{}}
	if sh.json {
		v.w = nil
	}
	if f, ok := sh.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		v.width = func() int {
			if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
				return n
			}
			return 80
		}
	}
	return v
}

// second takes a second as it ends.
func (v *loadShow) second(s figure.Second) {
	if v.w == nil {
		return
	}
	ended := 0
	for _, name := range v.scopes {
		if step, ok := s.Steps[name]; ok {
			ended += step.Count
			v.sums.failed += step.Errors
			v.last[name] = step
		}
	}
	v.sums.ended += ended
	v.sums.dropped += s.Dropped
	v.sums.asked += s.Target * (s.At - v.sums.at)
	v.sums.at = s.At
	if v.reached = append(v.reached, float64(ended)); len(v.reached) > sparks {
		v.reached = v.reached[1:]
	}
	switch {
	case v.width != nil:
		v.draw(s, float64(ended))
	case s.At-v.since.at >= between.Seconds()-0.5:
		fmt.Fprintln(v.w, v.line(s))
		v.since = v.sums
	}
}

// draw puts the block in the place of the last one. Lines are cut at the
// terminal's edge: a broken one would be two, and stay.
func (v *loadShow) draw(s figure.Second, reached float64) {
	var b strings.Builder
	if v.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", v.drawn)
	}
	lines, width := v.block(s, reached), v.width()
	for _, l := range lines {
		r := []rune(l)
		fmt.Fprintf(&b, "\r\x1b[2K%s\n", string(r[:min(len(r), width-1)]))
	}
	b.WriteString("\x1b[J") // what a longer block has left
	v.drawn = len(lines)
	_, _ = io.WriteString(v.w, b.String()) // a terminal that is gone shows nothing
}

// block is what a terminal shows.
func (v *loadShow) block(s figure.Second, reached float64) []string {
	lines := []string{
		fmt.Sprintf("%s  %s of %s", v.title, report.Duration(seconds(s.At)), report.Duration(v.length)),
		fmt.Sprintf("  rate       %s asked, %.0f/s through  %s", askedNow(s), reached, sparkline(v.reached)),
		fmt.Sprintf("  PCs        %s under way, %s waiting for a PC, %s free", report.Count(s.InFlight), report.Count(s.Waiting), report.Count(s.Free)),
		fmt.Sprintf("  arrivals   %s through, %s failed, %s dropped; lag %s", report.Count(v.sums.ended), report.Count(v.sums.failed), report.Count(v.sums.dropped), micros(s.Lag)),
	}
	for _, name := range v.scopes {
		step := v.last[name]
		lines = append(lines, fmt.Sprintf("  %-10s p50 %-9s p99 %-9s max %s", name, figure.Micros(step.P50), figure.Micros(step.P99), figure.Micros(step.Max)))
	}
	lines = append(lines, fmt.Sprintf("  machine    %.2f cores, TPM engines %.2f of it, %d commands wait, heap %d MB", s.CPU, s.EngineBusy, s.Queue, s.Heap>>20))
	if len(s.Errors) > 0 {
		lines = append(lines, "  failures   "+classes(s.Errors))
	}
	return lines
}

// line is what everything else shows, with the rates since the last one.
func (v *loadShow) line(s figure.Second) string {
	took := max(1, s.At-v.since.at)
	asked, rate := (v.sums.asked-v.since.asked)/took, float64(v.sums.ended-v.since.ended)/took
	parts := []string{fmt.Sprintf("%5s  %.1f/s asked, %.1f/s through, %d under way", report.Duration(seconds(s.At)), asked, rate, s.InFlight)}
	for _, name := range v.scopes {
		if step, ok := v.last[name]; ok {
			parts = append(parts, fmt.Sprintf("%s p50 %s p99 %s", name, figure.Micros(step.P50), figure.Micros(step.P99)))
		}
	}
	if n := v.sums.failed - v.since.failed; n > 0 {
		parts = append(parts, fmt.Sprintf("%s failed", report.Count(n)))
	}
	if n := v.sums.dropped - v.since.dropped; n > 0 {
		parts = append(parts, fmt.Sprintf("%s dropped", report.Count(n)))
	}
	parts = append(parts, "lag "+micros(s.Lag), fmt.Sprintf("%.2f cores (TPM %.2f)", s.CPU, s.EngineBusy))
	return strings.Join(parts, ", ")
}

// end leaves the last block standing above what comes then.
func (v *loadShow) end() {
	if v.drawn > 0 {
		fmt.Fprintln(v.w)
		v.drawn = 0
	}
}

func askedNow(s figure.Second) string {
	if s.Target == 0 {
		return "nothing"
	}
	return limit.Rate(s.Target)
}

func micros(d time.Duration) string { return figure.Micros(d.Microseconds()) }

// classes lists failures, the most frequent first.
func classes(of map[string]int) string {
	names := slices.SortedFunc(maps.Keys(of), func(a, b string) int { return cmp.Or(of[b]-of[a], strings.Compare(a, b)) })
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%s %d", name, of[name]))
	}
	return strings.Join(parts, ", ")
}

// sparkline draws values, the highest as a full block.
func sparkline(values []float64) string {
	blocks := []rune("▁▂▃▄▅▆▇█")
	if len(values) == 0 {
		return ""
	}
	most := max(slices.Max(values), 1)
	line := make([]rune, len(values))
	for i, v := range values {
		line[i] = blocks[int(v/most*float64(len(blocks)-1)+0.5)]
	}
	return string(line)
}
