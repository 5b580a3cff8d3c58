package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/report/chart"
)

// Data is what a page shows. Only Summary must be there.
type Data struct {
	Summary figure.Summary
	Seconds []figure.Second
	Curves  []Curve
}

// Curve is the percentile curve of a scope or a step.
type Curve struct {
	Step           string
	Intended, Real []figure.Point
}

// Curves reads the percentile curves of scopes, or of steps, from a recorder.
func Curves(r *figure.Recorder, steps []string) []Curve {
	var all []Curve
	for _, step := range steps {
		c := Curve{Step: step, Intended: figure.Curve(r.Histogram(step, figure.Intended, "")), Real: figure.Curve(r.Histogram(step, figure.Real, ""))}
		if len(c.Intended) > 0 {
			all = append(all, c)
		}
	}
	return all
}

//go:embed page.gohtml
var text string

var layout = template.Must(template.New("page").Funcs(template.FuncMap{
	"micros": micros, "count": count, "rate": rate, "bytes": size, "percent": percent, "class": className, "span": span,
}).Parse(text))

// view is what the template sees.
type view struct {
	figure.Summary
	Style     template.CSS
	Heading   string
	Verdict   string
	Bad       bool // the verdict is no good one
	Warnings  []warning
	Missed    int
	Scopes    []figure.Figures
	Charts    []group
	Waterfall []fall
	Failures  []failure
	Began     string
	HasBad    bool
}

// Write writes the page.
func Write(w io.Writer, d Data) error {
	v := view{Summary: d.Summary, Style: template.CSS(chart.Style + chart.Page), Warnings: warnings(d.Summary), Failures: failures(d.Summary), Waterfall: falls(d.Summary)}
	for _, f := range d.Summary.Steps {
		if f.Scope && f.Bad == "" {
			v.Scopes = append(v.Scopes, f)
		}
		v.HasBad = v.HasBad || f.Bad != ""
	}
	v.Heading = d.Summary.Name
	if v.Heading == "" {
		v.Heading = "Load"
	}
	if !d.Summary.Began.IsZero() {
		v.Began = d.Summary.Began.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	v.Verdict, v.Missed, v.Bad = verdict(d.Summary)
	v.Charts = charts(d, v.Scopes)
	if err := layout.Execute(w, v); err != nil {
		return fmt.Errorf("load report: %w", err)
	}
	return nil
}

// verdict is the result in a sentence.
func verdict(s figure.Summary) (text string, missed int, bad bool) {
	for _, v := range s.Verdicts {
		if !v.Met {
			missed++
		}
	}
	n := len(s.Verdicts)
	switch {
	case n == 0:
		return "No thresholds were set", 0, false
	case missed == 0 && n == 1:
		return "The threshold was met", 0, false
	case missed == 0:
		return fmt.Sprintf("All %d thresholds were met", n), 0, false
	case n == 1:
		return "The threshold was missed", 1, true
	}
	return fmt.Sprintf("%d of %d thresholds missed", missed, n), missed, true
}

// warning takes away from the result.
type warning struct{ Title, Text string }

func warnings(s figure.Summary) []warning {
	var all []warning
	if s.Self.LimitedBy != "" {
		all = append(all, warning{"Limited by the generator", sentence(s.Self.LimitedBy) + ". These figures say more of the machine that made the load than of the target."})
	}
	if s.Stopped != "" {
		all = append(all, warning{"Ended early", sentence(s.Stopped) + ". The figures are of what came before."})
	}
	if n := s.Arrivals.Dropped; n > 0 {
		all = append(all, warning{"Arrivals dropped", plural(n, "arrival") + " could not begin because no device was free in time."})
	}
	if n := s.Arrivals.Interrupted; n > 0 {
		all = append(all, warning{"Arrivals broken off", plural(n, "arrival") + " had not ended when the time for a graceful stop was over; their latencies are not in the figures."})
	}
	if bad := s.Arrivals.Bad - s.Arrivals.Refused; bad > 0 {
		all = append(all, warning{"Misbehaviour not refused", plural(bad, "misbehaving device") + " of " + count(s.Arrivals.Bad) + " got through, or did not reach a refusal."})
	}
	if s.Clamped > 0 {
		all = append(all, warning{"Outside what can be measured", plural(s.Clamped, "latency value") + " lay outside 1 µs to 1 h and counted as the nearest of these."})
	}
	return all
}
