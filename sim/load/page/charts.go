package page

import (
	"fmt"
	"html/template"
	"maps"
	"math"
	"slices"
	"strings"

	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/report/chart"
)

// group is a heading with its charts.
type group struct {
	Title string
	Note  string
	Items []item
}

// item is a chart, or a sentence in its place.
type item struct {
	Title, Text string
	SVG, Legend template.HTML
	Head        []string // of the table that says the same
	Rows        [][]string
}

// most is how many rows the table of a chart has.
const most = 24

// charts draws everything.
func charts(d Data, scopes []figure.Figures) []group {
	var all []group
	if len(d.Seconds) > 0 {
		latency := group{Title: "Latency over time", Note: "Counted from the moment at which a device was to come, second by second, by the second in which it ended."}
		for i, f := range scopes {
			latency.Items = append(latency.Items, latencies(i, f.Name, d.Seconds))
		}
		all = append(all, latency, group{Title: "Load over time", Items: []item{rates(d.Seconds, scopes), flight(d.Seconds), errorsOver(d.Seconds), lags(d.Seconds), cores(d.Seconds)}})
	}
	if len(d.Curves) > 0 {
		curves := group{Title: "Percentile curves", Note: "The lines part where devices had to wait before they could begin: what the real start hides and the intended one shows."}
		for i, c := range d.Curves {
			curves.Items = append(curves.Items, percentiles(i, c))
		}
		all = append(all, curves)
	}
	return all
}

var timeAxis = chart.Axis{Label: "time since the begin, in s"}

// draw makes an item of a chart over time or of a curve.
func draw(l chart.Lines) item {
	it := item{Title: l.Title, Text: l.Description, SVG: template.HTML(l.SVG()), Legend: template.HTML(l.Legend())} // the chart escapes what it is given
	it.Head = append(it.Head, l.X.Label)
	for _, line := range l.Lines {
		it.Head = append(it.Head, line.Name)
	}
	if len(l.Lines) == 0 {
		return it
	}
	points := l.Lines[0].Points
	rows := min(most, len(points))
	for r := range rows {
		at := r
		if rows > 1 {
			at = r * (len(points) - 1) / (rows - 1)
		}
		row := []string{chart.Number(points[at].X)}
		for _, line := range l.Lines {
			cell := "–"
			if at < len(line.Points) && !math.IsNaN(line.Points[at].Y) {
				cell = chart.Number(three(line.Points[at].Y))
			}
			row = append(row, cell)
		}
		it.Rows = append(it.Rows, row)
	}
	return it
}

// over makes a line of the seconds; ok false is a gap.
func over(name string, tone int, seconds []figure.Second, value func(i int, s figure.Second) (v float64, ok bool)) chart.Line {
	l := chart.Line{Name: name, Tone: tone}
	for i, s := range seconds {
		if v, ok := value(i, s); ok {
			l.Points = append(l.Points, chart.Point{X: s.At, Y: v})
		} else {
			l.Points = append(l.Points, chart.Gap(s.At))
		}
	}
	return l
}

// gauge is a line of something that each second has.
func gauge(name string, tone int, seconds []figure.Second, value func(figure.Second) float64) chart.Line {
	return over(name, tone, seconds, func(_ int, s figure.Second) (float64, bool) { return value(s), true })
}

func latencies(i int, scope string, seconds []figure.Second) item {
	of := func(value func(figure.StepSecond) int64) func(int, figure.Second) (float64, bool) {
		return func(_ int, s figure.Second) (float64, bool) {
			step, ok := s.Steps[scope]
			return float64(value(step)) / 1000, ok
		}
	}
	l := chart.Lines{
		ID: fmt.Sprintf("latency-%d", i), Title: "Latency of " + scope, X: timeAxis,
		Description: "Median, 90th and 99th percentile of each second.",
		Y:           chart.Axis{Label: "latency in ms"},
		Lines: []chart.Line{
			over("p50", 3, seconds, of(func(s figure.StepSecond) int64 { return s.P50 })),
			over("p90", 1, seconds, of(func(s figure.StepSecond) int64 { return s.P90 })),
			over("p99", 0, seconds, of(func(s figure.StepSecond) int64 { return s.P99 })),
		},
	}
	if low, high := ends(l.Lines); high > 30*low {
		l.Y.Scale, l.Y.Label = chart.Log, "latency in ms, logarithmic"
	}
	return draw(l)
}

// ends are the lowest value above 0 and the highest.
func ends(lines []chart.Line) (low, high float64) {
	low = math.Inf(1)
	for _, l := range lines {
		for _, p := range l.Points {
			if p.Y > 0 {
				low, high = min(low, p.Y), max(high, p.Y)
			}
		}
	}
	return low, high
}

func rates(seconds []figure.Second, scopes []figure.Figures) item {
	asked := gauge("asked", 1, seconds, func(s figure.Second) float64 { return s.Target })
	reached := over("ended", 0, seconds, func(i int, s figure.Second) (float64, bool) {
		took := s.At
		if i > 0 {
			took -= seconds[i-1].At
		}
		n := 0
		for _, f := range scopes {
			n += s.Steps[f.Name].Count
		}
		return float64(n) / took, took > 0.1 // less is no time to count in
	})
	return draw(chart.Lines{ID: "rate", Title: "Asked rate and what ended", Description: "Arrivals a second: asked for, and ended.", X: timeAxis, Y: chart.Axis{Label: "arrivals a second"}, Lines: []chart.Line{asked, reached}})
}

func flight(seconds []figure.Second) item {
	return draw(chart.Lines{ID: "flight", Title: "Under way", Description: "Arrivals under way, and those that wait for a device.", X: timeAxis, Y: chart.Axis{Label: "arrivals", Max: 4}, Lines: []chart.Line{
		gauge("under way", 0, seconds, func(s figure.Second) float64 { return float64(s.InFlight) }),
		gauge("waiting", 1, seconds, func(s figure.Second) float64 { return float64(s.Waiting) }),
	}})
}

// errorsOver draws failed arrivals by class, the most frequent six and the rest.
func errorsOver(seconds []figure.Second) item {
	total := map[string]int{}
	for _, s := range seconds {
		for class, n := range s.Errors {
			total[class] += n
		}
	}
	const title = "Failed arrivals"
	if len(total) == 0 {
		return item{Title: title, Text: "None failed."}
	}
	classes := slices.SortedFunc(maps.Keys(total), func(a, b string) int {
		if total[a] != total[b] {
			return total[b] - total[a]
		}
		return strings.Compare(a, b)
	})
	alone := classes[:min(len(classes), chart.Tones-1)]
	l := chart.Lines{ID: "errors", Title: title, Description: "Arrivals that failed in each second, by HRESULT or HTTP status.", X: timeAxis, Y: chart.Axis{Label: "failed in the second", Max: 4}}
	for i, class := range alone {
		l.Lines = append(l.Lines, gauge(className(class), (i+4)%chart.Tones, seconds, func(s figure.Second) float64 { return float64(s.Errors[class]) }))
	}
	if rest := classes[len(alone):]; len(rest) > 0 {
		l.Lines = append(l.Lines, gauge("others", 3, seconds, func(s figure.Second) float64 {
			n := 0
			for _, class := range rest {
				n += s.Errors[class]
			}
			return float64(n)
		}))
	}
	return draw(l)
}

func lags(seconds []figure.Second) item {
	return draw(chart.Lines{ID: "lag", Title: "Lag of the generator", Description: "The worst delay of a real start after the intended one in each second.", X: timeAxis, Y: chart.Axis{Label: "lag in ms", Max: 1}, Lines: []chart.Line{
		gauge("worst lag", 2, seconds, func(s figure.Second) float64 { return s.Lag.Seconds() * 1000 }),
	}})
}

func cores(seconds []figure.Second) item {
	return draw(chart.Lines{ID: "cores", Title: "CPU of the generator", Description: "Cores that this process used, and of these the TPM engines.", X: timeAxis, Y: chart.Axis{Label: "cores"}, Lines: []chart.Line{
		gauge("process", 5, seconds, func(s figure.Second) float64 { return s.CPU }),
		gauge("TPM engines", 2, seconds, func(s figure.Second) float64 { return s.EngineBusy }),
	}})
}

func percentiles(i int, c Curve) item {
	l := chart.Lines{
		ID: fmt.Sprintf("curve-%d", i), Title: "Percentiles of " + c.Step,
		Description: "Latency that this share of arrivals kept below, from the intended and from the real start.",
		X:           chart.Axis{Label: "percentile", Scale: chart.Percentile}, Y: chart.Axis{Label: "latency in ms"},
		Lines: []chart.Line{curve("from the intended start", 0, c.Intended), curve("from the real start", 1, c.Real)},
	}
	if low, high := ends(l.Lines); high > 30*low {
		l.Y.Scale, l.Y.Label = chart.Log, "latency in ms, logarithmic"
	}
	it := draw(l)
	it.Head, it.Rows = []string{"percentile", "from the intended start, ms", "from the real start, ms"}, nil
	for _, p := range []float64{0, 50, 75, 90, 95, 99, 99.9, 99.99, 100} {
		it.Rows = append(it.Rows, []string{chart.Number(p), at(c.Intended, p), at(c.Real, p)})
	}
	return it
}

func curve(name string, tone int, points []figure.Point) chart.Line {
	l := chart.Line{Name: name, Tone: tone}
	for _, p := range points {
		l.Points = append(l.Points, chart.Point{X: p.Percentile, Y: float64(p.Micros) / 1000})
	}
	return l
}

// at reads a curve at a percentile.
func at(points []figure.Point, percentile float64) string {
	for _, p := range points {
		if p.Percentile >= percentile {
			return chart.Number(three(float64(p.Micros) / 1000))
		}
	}
	return "–"
}
