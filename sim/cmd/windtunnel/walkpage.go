package main

import (
	"bytes"
	"fmt"

	"windtunnel.test/sim/report/page"
	"windtunnel.test/sim/walk"
)

// marks are what outcomes look like on the page.
var marks = map[string]page.Mark{walk.Success: page.Good, walk.Documented: page.Told, walk.Endless: page.Waits, walk.Failure: page.Broken}

// walkPage is a walk as a page: its exchanges by its kinds of faults.
func (f *walkFlags) walkPage(r *walk.Result) ([]byte, error) {
	m := &page.Matrix{Title: r.Scenario + ", walked", Text: fmt.Sprintf("%s, seed %d, home %s: %s", r.Device, r.Seed, r.Home, r.Line())}
	column := map[string]int{}
	for _, k := range walk.Kinds() {
		column[k.Name] = len(m.Columns)
		m.Columns = append(m.Columns, k.Name)
	}
	row := map[int]int{}
	for _, x := range r.Exchanges {
		row[x.N] = len(m.Rows)
		m.Rows = append(m.Rows, fmt.Sprintf("%d %s", x.N, x))
		m.Cells = append(m.Cells, make([]page.Cell, len(m.Columns)))
	}
	for _, l := range r.Lives {
		m.Cells[row[l.Exchange.N]][column[l.Fault]] = page.Cell{
			Short: l.Outcome, Mark: marks[l.Outcome], Long: fmt.Sprintf("%s, %s: %s. %s", l.Exchange, l.Fault, l.How(), f.again(r, l)),
		}
	}
	var b bytes.Buffer
	var commands []page.Command
	for _, l := range r.Failures() {
		commands = append(commands, page.Command{Why: fmt.Sprintf("%s, %s", l.Exchange, l.Fault), Line: f.again(r, l)})
	}
	if err := page.Write(&b, page.Data{Matrix: m, Commands: commands}); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
