package page

import (
	"fmt"
	"math"
	"time"

	"windtunnel.test/sim"
	"windtunnel.test/sim/report"
)

// phases are the parts of PCs' lives on one axis of time, whose decades have the
// same length.
type phases struct {
	Rows  []phase
	Ticks []tick
}

// phase is one of them, in thousandths of the axis.
type phase struct {
	Name                    string
	Count                   int
	Min, P50, P90, P99, Max float64
	Texts                   [5]string
	Said                    string
}

type tick struct {
	X    float64
	Text string
}

var marks = []struct {
	at   time.Duration
	text string
}{
	{time.Second, "1 s"}, {10 * time.Second, "10 s"}, {time.Minute, "1 min"}, {10 * time.Minute, "10 min"}, {time.Hour, "1 h"}, {10 * time.Hour, "10 h"},
	{24 * time.Hour, "1 d"}, {7 * 24 * time.Hour, "1 wk"}, {30 * 24 * time.Hour, "30 d"}, {180 * 24 * time.Hour, "180 d"}, {365 * 24 * time.Hour, "1 yr"},
}

func phasesOf(list []sim.PhaseStats) (p phases) {
	most := 60.0
	for _, s := range list {
		most = max(most, s.Max)
	}
	place := func(seconds float64) float64 { return 1000 * math.Log10(max(1, seconds)) / math.Log10(most*1.05) }
	for _, s := range list {
		row := phase{Name: report.PhaseName(s.Name), Count: s.Count, Min: place(s.Min), P50: place(s.P50), P90: place(s.P90), P99: place(s.P99), Max: place(s.Max)}
		for i, v := range []float64{s.Min, s.P50, s.P90, s.P99, s.Max} {
			row.Texts[i] = report.Duration(time.Duration(v * float64(time.Second)))
		}
		row.Said = fmt.Sprintf("%s: from %s to %s, half of the PCs within %s, nine of ten within %s", row.Name, row.Texts[0], row.Texts[4], row.Texts[1], row.Texts[2])
		p.Rows = append(p.Rows, row)
	}
	last := -200.0
	for _, m := range marks {
		if x := place(m.at.Seconds()); x <= 960 && x-last >= 90 {
			p.Ticks = append(p.Ticks, tick{x, m.text})
			last = x
		}
	}
	return p
}

// Width is a bar's.
func (p phase) Width() float64 { return max(3, p.P90-p.P50) }
