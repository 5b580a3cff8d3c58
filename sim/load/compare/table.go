package compare

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"windtunnel.test/sim/load/figure"
)

// WriteTable writes the comparison for people.
func (c *Comparison) WriteTable(w io.Writer) error {
	var b strings.Builder
	for _, s := range []struct {
		name string
		Side
	}{{"A", c.A}, {"B", c.B}} {
		fmt.Fprintf(&b, "%s  %s: %s against %s, build %s\n", s.name, s.Dirs[0], repeats(len(s.Dirs)), s.Target, s.Build)
	}
	for _, d := range c.Differ {
		fmt.Fprintf(&b, "!  not the same: %s\n", d)
	}
	for _, d := range c.Doubts {
		fmt.Fprintf(&b, "!  %s\n", d)
	}
	heading := "95% interval"
	if !c.Interval {
		heading = ""
	}
	fmt.Fprintf(&b, "\n  %-26s %-15s %10s %10s %11s  %s\n", "Step", "Figure", "A", "B", "Difference", heading)
	last := ""
	for _, r := range c.Rows {
		step := r.Step
		if step == last && step != "" {
			step = ""
		}
		last = r.Step
		line := fmt.Sprintf("  %-26s %-15s %10s %10s %11s", step, r.Figure, r.show(r.A), r.show(r.B), r.change(r.Difference))
		if r.Low != nil {
			line += fmt.Sprintf("  %s to %s", r.change(*r.Low), r.change(*r.High))
			if r.Outside() {
				line += "  *"
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	if len(c.Missing) > 0 {
		fmt.Fprintf(&b, "\n  Not in every repeat of both: %s\n", strings.Join(c.Missing, ", "))
	}
	b.WriteString("\n")
	switch {
	case !c.Interval:
		fmt.Fprintf(&b, "  %s of A and %s of B: there is no interval, so nobody can tell a difference from noise.\n  --repeat 5 on both sides gives one.\n", repeats(len(c.A.Dirs)), repeats(len(c.B.Dirs)))
	case c.Outside == 0:
		b.WriteString("  No figure differs by more than the repeats differ among themselves.\n")
	default:
		fmt.Fprintf(&b, "  * differs by more than the repeats do among themselves: %d of %d figures; by chance alone it would be about %.0f.\n", c.Outside, len(c.Rows), float64(len(c.Rows))/20)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func repeats(n int) string {
	if n == 1 {
		return "1 repeat"
	}
	return strconv.Itoa(n) + " repeats"
}

// show writes a value with its unit.
func (r Row) show(v float64) string {
	switch r.Unit {
	case Micros:
		return figure.Micros(int64(v + 0.5))
	case Rate:
		return strconv.FormatFloat(v, 'f', 2, 64) + "/s"
	}
	return strconv.FormatFloat(v*100, 'f', 2, 64) + "%"
}

// change writes a difference with its sign.
func (r Row) change(v float64) string {
	switch {
	case r.Ratio:
		return fmt.Sprintf("%+.1f%%", v*100)
	case r.Unit == Share:
		return fmt.Sprintf("%+.2f pt", v*100)
	case v < 0:
		return "-" + r.show(-v)
	}
	return "+" + r.show(v)
}
