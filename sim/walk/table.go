package walk

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Cell is how to have this life alone lived through again, for [Options.Only]:
// "26/corrupt".
func (l Life) Cell() string { return fmt.Sprintf("%d/%s", l.Exchange.N, l.Fault) }

// How is what a person sees at the end of a life: code, screen, and what the
// outcome says beside them.
func (l Life) How() string {
	what := strings.TrimSpace(l.Code + " " + l.Screen)
	switch l.Outcome {
	case Success:
		return ""
	case Failure:
		return what + ": " + line(l.Why)
	case Endless:
		return what + ", rows " + l.Why
	}
	return what
}

// group is the faults of an exchange that come to the same.
type group struct {
	outcome, how string
	faults       []string
}

// grouped are an exchange's lives, in the order of the outcomes.
func grouped(lives []Life) (groups []group) {
	for _, outcome := range Outcomes() {
		at := map[string]int{}
		for _, l := range lives {
			if l.Outcome != outcome {
				continue
			}
			i, known := at[l.How()]
			if !known {
				i = len(groups)
				at[l.How()], groups = i, append(groups, group{outcome: outcome, how: l.How()})
			}
			groups[i].faults = append(groups[i].faults, l.Fault)
		}
	}
	return groups
}

// wide is how much room a line gives to what a person sees.
const wide = 34

// Grouped writes the table for people: an exchange a paragraph, and in it a line
// for each way in which such lives ended, with the faults that led there.
func (r *Result) Grouped(to io.Writer) error {
	lives := map[int][]Life{}
	for _, l := range r.Lives {
		lives[l.Exchange.N] = append(lives[l.Exchange.N], l)
	}
	b := bufio.NewWriter(to)
	for _, x := range r.Exchanges {
		groups := grouped(lives[x.N])
		if len(groups) == 0 {
			continue
		}
		fmt.Fprintf(b, "%3d  %s\n", x.N, x)
		for _, g := range groups {
			after := strings.Join(g.faults, ", ")
			if len(groups) == 1 && len(g.faults) > 1 {
				after = fmt.Sprintf("whatever fails (%d faults)", len(g.faults))
			}
			fmt.Fprintf(b, "       %-10s  %-*s  %s\n", g.outcome, wide, g.how, after)
		}
	}
	fmt.Fprintf(b, "\n%s\n", r.Line())
	if err := b.Flush(); err != nil {
		return fmt.Errorf("walk: %w", err)
	}
	return nil
}
