package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report"
	"windtunnel.test/sim/report/chart"
)

// Data is what a page shows. Summary must be there, or Matrix.
type Data struct {
	Summary  *sim.Summary
	Stories  []Story // of PCs that are worth a look, those that failed first
	Faults   []Fault
	Matrix   *Matrix
	Commands []Command
}

// Story is one PC's life.
type Story struct {
	Serial string
	Events []journal.Event // oldest first
}

// Command is something to type, and why.
type Command struct{ Why, Line string }

// Matrix is a table of what came of each of several things at each of several
// places: a walk's faults at its exchanges.
type Matrix struct {
	Title, Text   string
	Columns, Rows []string
	Cells         [][]Cell // by row; the zero one is empty
}

// Cell is one of them.
type Cell struct {
	Short string // a word
	Long  string // a sentence, for who looks closer
	Mark  Mark
}

// Mark is whether a cell is as it should be.
type Mark string

// Marks.
const (
	Good   Mark = "good"   // it went well
	Told   Mark = "told"   // it failed as it should: it says what failed
	Waits  Mark = "waits"  // a wait without end that is documented
	Broken Mark = "broken" // a mistake
)

//go:embed page.gohtml
var text string

//go:embed page.css
var style string

var layout = template.Must(template.New("page").Funcs(template.FuncMap{"count": report.Count[int], "join": strings.Join}).Parse(text))

// view is what the template sees.
type view struct {
	Data
	Style    template.CSS
	Heading  string
	Verdict  string
	Bad      bool
	Outcomes []outcome
	Phases   phases
	Lanes    []lanes
	Groups   []sim.FailureGroup
	Virtual  string
	Keys     []Mark
	MarkText map[Mark]string
}

// Write writes the page.
func Write(w io.Writer, d Data) error {
	v := view{Data: d, Style: template.CSS(chart.Style + chart.Page + style), Keys: []Mark{Good, Told, Waits, Broken}, MarkText: markText}
	if s := d.Summary; s != nil {
		v.Heading = s.Scenario
		v.Verdict, v.Bad = verdict(s)
		v.Outcomes = outcomes(s)
		v.Phases = phasesOf(s.Phases)
		v.Groups = s.Failures
		v.Virtual = report.Duration(time.Duration(s.VirtualSeconds * float64(time.Second)))
	} else {
		v.Heading = d.Matrix.Title
		v.Verdict, v.Bad = d.Matrix.verdict()
	}
	for i, s := range d.Stories {
		v.Lanes = append(v.Lanes, lanesOf(i, s))
	}
	if err := layout.Execute(w, v); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

var markText = map[Mark]string{
	Good: "it went well in the end", Told: "it failed on a page that says so, with a code and a log", Waits: "a wait without end that is documented", Broken: "a mistake",
}

// verdict is the result in a sentence.
func verdict(s *sim.Summary) (text string, bad bool) {
	missed := 0
	for _, x := range s.Expectations {
		if !x.Met {
			missed++
		}
	}
	switch n := len(s.Expectations); {
	case s.Interrupted:
		return "Interrupted: nothing is judged", true
	case n == 0:
		return "Nothing was expected", false
	case missed == 0 && n == 1:
		return "The expectation was met", false
	case missed == 0:
		return fmt.Sprintf("All %d expectations were met", n), false
	default:
		return fmt.Sprintf("%d of %d expectations missed", missed, n), true
	}
}

func (m *Matrix) verdict() (text string, bad bool) {
	all, broken := 0, 0
	for _, row := range m.Cells {
		for _, c := range row {
			if c.Mark != "" {
				all++
			}
			if c.Mark == Broken {
				broken++
			}
		}
	}
	if broken > 0 {
		return fmt.Sprintf("%d of %s cells are mistakes", broken, report.Count(all)), true
	}
	return fmt.Sprintf("%s cells, and all end as they may", report.Count(all)), false
}

// outcome is how some PCs ended.
type outcome struct {
	Name  string
	Count int
	Share float64 // of 1000
	Text  string
	Good  bool
}

func outcomes(s *sim.Summary) (list []outcome) {
	names := slices.SortedFunc(maps.Keys(s.Outcomes), func(a, b string) int {
		if d := s.Outcomes[b] - s.Outcomes[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, n := range names {
		part := float64(s.Outcomes[n]) / float64(max(1, s.Devices))
		list = append(list, outcome{n, s.Outcomes[n], 1000 * part, fmt.Sprintf("%.1f%%", 100*part), n == sim.Desktop || n == sim.Resealed})
	}
	return list
}
