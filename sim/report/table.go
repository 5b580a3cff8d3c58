package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"windtunnel.test/sim"
)

// Table writes what a run came to for the person at the terminal. replay is
// the command that does the same run again.
func Table(w io.Writer, s *sim.Summary, replay string) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s of %q: seed %d, %s, home %s\n", plural(s.Devices, "PC", "PCs"), s.Scenario, s.Seed, plural(s.Cells, "cell", "cells"), s.Home)
	if s.Interrupted {
		fmt.Fprintf(out, "Interrupted: the figures are of what was done until then.\n")
	}
	outcomes(out, s)
	phases(out, s.Phases)
	failures(out, judged(s))
	problems(out, s.Problems)
	if !s.Interrupted {
		expectations(out, s.Expectations)
	}
	figures(out, s, replay)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("table: %w", err)
	}
	return nil
}

// grid writes rows of tab-separated cells with a heading, indented by two.
// The first column is text, the others are figures.
func grid(w io.Writer, heading string, rows []string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(w)
	cells := [][]string{strings.Split(heading, "\t")}
	for _, r := range rows {
		cells = append(cells, strings.Split(r, "\t"))
	}
	width := make([]int, len(cells[0]))
	for _, r := range cells {
		for i, c := range r {
			width[i] = max(width[i], len([]rune(c)))
		}
	}
	for _, r := range cells {
		line := fmt.Sprintf("  %-*s", max(width[0], 20), r[0])
		for i, c := range r[1:] {
			line += fmt.Sprintf("  %*s", max(width[i+1], 8), c)
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

// outcomes lists how the PCs ended, the most frequent first.
func outcomes(w io.Writer, s *sim.Summary) {
	names := slices.SortedFunc(maps.Keys(s.Outcomes), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.Outcomes[b], s.Outcomes[a]), cmp.Compare(a, b))
	})
	var rows []string
	for _, name := range names {
		share := 0.0
		if s.Devices > 0 {
			share = 100 * float64(s.Outcomes[name]) / float64(s.Devices)
		}
		rows = append(rows, fmt.Sprintf("%s\t%s\t%.1f%%", name, Count(s.Outcomes[name]), share))
	}
	grid(w, "Outcome\tPCs\tshare", rows)
}

func phases(w io.Writer, list []sim.PhaseStats) {
	var rows []string
	for _, p := range list {
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", phaseName(p.Name), Count(p.Count), seconds(p.P50), seconds(p.P90), seconds(p.P99), seconds(p.Max)))
	}
	grid(w, "Phase (virtual time)\tPCs\tp50\tp90\tp99\tmax", rows)
}

// judged are the groups that say something: that an interrupted run has PCs
// left over says nothing.
func judged(s *sim.Summary) []sim.FailureGroup {
	if !s.Interrupted {
		return s.Failures
	}
	return slices.DeleteFunc(slices.Clone(s.Failures), func(g sim.FailureGroup) bool { return g.Outcome == sim.Unfinished })
}

// failures lists the PCs that ended alike, with a sample and the command that
// shows it again.
func failures(w io.Writer, groups []sim.FailureGroup) {
	if len(groups) == 0 {
		return
	}
	total := 0
	for _, g := range groups {
		total += g.Count
	}
	fmt.Fprintf(w, "\nFailures: %s in %s\n", plural(total, "PC", "PCs"), plural(len(groups), "group", "groups"))
	for _, g := range groups {
		fmt.Fprintf(w, "\n  %s  %s\n", plural(g.Count, "PC", "PCs"), failure(g))
		tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, l := range [][2]string{{"decided by", g.Check}, {"reason", g.Reason}, {"sample", g.Sample}, {"replay", g.Replay}} {
			if l[1] != "" {
				fmt.Fprintf(tab, "    %s\t%s\n", l[0], strings.ReplaceAll(l[1], "\n", " "))
			}
		}
		_ = tab.Flush() // w is a bufio.Writer, which keeps its error
	}
}

// problems lists what went wrong around the PCs: an import, an action of the
// timeline.
func problems(w io.Writer, list []string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\nProblems\n")
	for _, p := range list {
		fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(p, "\n", "; "))
	}
}

// byModel says of several models how many images were of each.
func byModel(t sim.TPMStats) string {
	if len(t.Images) < 2 {
		return ""
	}
	var parts []string
	for _, m := range t.Images {
		part := Count(m.Made + m.Found)
		if t.ImagesMade > 0 && t.ImagesFound > 0 {
			part = fmt.Sprintf("%s+%s", Count(m.Made), Count(m.Found))
		}
		parts = append(parts, m.Model+" "+part)
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// failure is a group's heading: how, with which code, in which phase.
func failure(g sim.FailureGroup) string {
	s := g.Outcome
	if g.Code != "" {
		s += "  " + codeName(g.Code)
	}
	if g.Phase != "" {
		s += fmt.Sprintf("  in %q", g.Phase)
	}
	return s
}

func expectations(w io.Writer, list []sim.Expectation) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n  Expected\n")
	for _, e := range list {
		if e.Met {
			fmt.Fprintf(w, "  met     %s\n", e.Text)
		} else {
			fmt.Fprintf(w, "  MISSED  %s\n", e.Text)
		}
	}
}

// figures are the run's own: how long it took and how to do it again.
func figures(w io.Writer, s *sim.Summary, replay string) {
	fmt.Fprintln(w)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-14s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("Virtual time", "%s, %s to %s", seconds(s.VirtualSeconds), moment(s.Start), moment(s.End))
	wall := seconds(s.WallSeconds)
	if s.WallSeconds > 0 && s.VirtualSeconds > s.WallSeconds {
		wall += fmt.Sprintf(", %s times as fast", Count(int(s.VirtualSeconds/s.WallSeconds)))
	}
	line("Wall time", "%s; %s scheduled, %s journaled", wall, plural(int(s.Scheduled), "event", "events"), Count(s.Events))
	line("TPM", "%s in %s of engine time; %s", plural(int(s.TPM.Commands), "command", "commands"), seconds(s.TPM.EngineSeconds), plural(s.TPM.DistinctEKs, "distinct EK", "distinct EKs"))
	line("TPM images", "%s made, %s found in the cache%s", Count(s.TPM.ImagesMade), Count(s.TPM.ImagesFound), byModel(s.TPM))
	if s.TPM.EnginesLost > 0 {
		line("TPM engines", "%s lost and replaced", Count(s.TPM.EnginesLost))
	}
	if s.Refusals+s.Faults > 0 {
		line("Services", "%s refused; %s fired", plural(s.Refusals, "request", "requests"), plural(s.Faults, "fault", "faults"))
	}
	if len(s.IdleFaults) > 0 {
		line("Idle faults", "%s: nothing that they wait for has happened", strings.Join(s.IdleFaults, ", "))
	}
	if len(s.NotModelled) > 0 {
		line("Not modelled", "%s of tenant objects: nothing reads them", plural(len(s.NotModelled), "member", "members"))
	}
	for _, l := range [][2]string{{"Trace hash", s.TraceHash}, {"Build", s.Build}, {"Again", replay}} {
		if l[1] != "" {
			line(l[0], "%s", l[1])
		}
	}
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }
