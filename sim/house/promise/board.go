package promise

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Board collects what the benchmarks of a package find, and prints it as one
// table at the end. The zero value is ready.
type Board struct {
	table []Promise
	notes []string
}

// Hold puts a promise into the table, and fails the benchmark if it is broken.
func (o *Board) Hold(b *testing.B, p Promise) {
	b.Helper()
	o.table = append(o.table, p)
	b.ReportMetric(p.Measured, strings.ReplaceAll(p.Text, " ", "-")+"("+p.Unit+")")
	if !p.Kept() {
		b.Errorf("%s: %.3g %s, promised is %s", p.Text, p.Measured, p.Unit, p.Bound())
	}
}

// State puts a figure into the table that has no limit.
func (o *Board) State(b *testing.B, text, unit string, measured float64) {
	b.Helper()
	o.Hold(b, Promise{Text: text, Unit: unit, Measured: measured, Stated: true})
}

// Note adds a line below the table.
func (o *Board) Note(format string, args ...any) {
	o.notes = append(o.notes, fmt.Sprintf(format, args...))
}

// Main runs the package's tests, then prints. It gives the exit code.
func (o *Board) Main(m *testing.M) int {
	code := m.Run()
	if len(o.table) == 0 {
		return code
	}
	if err := Table(os.Stdout, o.table); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	for _, n := range o.notes {
		fmt.Println(" ", n)
	}
	return code
}
