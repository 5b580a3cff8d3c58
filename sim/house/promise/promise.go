// Package promise is one table for all that the README promises about speed: a
// figure, what it has to be, and whether it is. Benchmarks that know their own
// limits fill it themselves; command benchtable fills it from the output of
// several packages' benchmarks.
package promise

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Promise is one line of the table: a figure and what it may be at most or,
// with Least, has to be at least.
type Promise struct {
	Text     string
	Unit     string
	Measured float64
	Limit    float64
	Least    bool
	Stated   bool // a figure without a limit
	Missing  bool // nobody measured it
}

// Kept tells whether the figure is within its limit. One that nobody measured
// is not; one without a limit always is.
func (p Promise) Kept() bool {
	switch {
	case p.Stated:
		return true
	case p.Missing:
		return false
	case p.Least:
		return p.Measured >= p.Limit
	}
	return p.Measured <= p.Limit
}

// Bound is the limit as text, "" when there is none.
func (p Promise) Bound() string {
	switch {
	case p.Stated:
		return ""
	case p.Least:
		return fmt.Sprintf("≥ %g %s", p.Limit, p.Unit)
	}
	return fmt.Sprintf("≤ %g %s", p.Limit, p.Unit)
}

func (p Promise) measured() string {
	if p.Missing {
		return "not measured"
	}
	if p.Measured >= 1000 {
		return fmt.Sprintf("%.0f %s", p.Measured, p.Unit)
	}
	return fmt.Sprintf("%.3g %s", p.Measured, p.Unit)
}

func (p Promise) verdict() string {
	switch {
	case p.Stated:
		return ""
	case p.Kept():
		return "yes"
	}
	return "NO"
}

// Table prints the promises below each other.
func Table(w io.Writer, promises []Promise) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "\nwhat\tmeasured\tmust be\tok")
	for _, p := range promises {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", p.Text, p.measured(), p.Bound(), p.verdict())
	}
	return t.Flush()
}
