package explain

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim"
	"windtunnel.test/sim/report"
)

// titles are the words for kinds of grounds.
var titles = map[string]string{
	"wait": "Wait", "reason": "Windows says", "refusal": "Refused", "fault": "Fault", "request": "Request", "setting": "Scenario", "change": "Changed", "log": "Event log",
}

// lastLines is how much of the story before the end is told.
const lastLines = 12

// Write tells the account to a person.
func (a *Account) Write(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "PC %s (%s, %s", a.Serial, a.Device, a.Model)
	if a.TPM != "" {
		fmt.Fprintf(&b, ", TPM %s", a.TPM)
	}
	fmt.Fprintf(&b, "): %s\n", a.ending())
	if a.Spec != "" {
		fmt.Fprintf(&b, "Spec   %s\n", a.Spec)
	}
	b.WriteString("\nWhat happened\n")
	for _, p := range a.Parts {
		took := report.Duration(time.Duration(p.Seconds * float64(time.Second)))
		if !p.Finished {
			took += ", not finished"
		}
		fmt.Fprintf(&b, "  %-28s %s\n", p.Name, took)
	}
	if !a.Good() {
		if err := a.story(&b); err != nil {
			return err
		}
	}
	if len(a.Why) > 0 {
		b.WriteString("\nWhy\n")
	}
	for _, g := range a.Why {
		at := ""
		if !g.At.IsZero() {
			at = g.At.Format("15:04:05")
		}
		fmt.Fprintf(&b, "  %-8s  %-13s %s\n", at, titles[g.Kind], strings.Join(strings.Fields(g.Text), " "))
	}
	if !a.Good() {
		a.help(&b)
	}
	fmt.Fprintf(&b, "\nAgain  %s\n", a.Again)
	_, err := w.Write(b.Bytes())
	return err
}

// ending is the outcome in words.
func (a *Account) ending() string {
	s := a.Outcome
	if a.Code != "" {
		s += " with " + report.CodeName(a.Code)
	}
	if _, _, stuck := a.stuckAt(); a.Phase != "" && !stuck {
		s += fmt.Sprintf(" in %q", a.Phase)
	}
	if a.Screen != "" && a.Outcome == sim.FailedEnd {
		s += fmt.Sprintf(", on the screen %q", a.Screen)
	}
	return s
}

// story adds the last lines of the timeline.
func (a *Account) story(b *bytes.Buffer) error {
	var all bytes.Buffer
	if err := report.Timeline(&all, a.Last, report.TimelineOptions{Detail: report.Story, Fold: true}); err != nil {
		return err
	}
	lines := slices.Collect(strings.Lines(all.String()))
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.TrimSpace(l) == "" || l[0] == '=' || l[0] == ' ' })
	b.WriteString("\nThe last of it\n")
	for _, l := range lines[max(0, len(lines)-lastLines):] {
		words := strings.SplitN(l, " ", 2) // time of day, then the time since the first that is shown here
		fmt.Fprintf(b, "  %s  %s", words[0], strings.TrimLeft(l[min(len(l)-1, offsetEnd):], " "))
	}
	return nil
}

// offsetEnd is where a timeline's line tells whose doing it was.
const offsetEnd = len("15:04:05 +0:00:00      ")

func (a *Account) help(b *bytes.Buffer) {
	b.WriteString("\nWhat helps\n")
	switch {
	case len(a.Others) > 0:
		like := "with this code in this phase there are"
		if a.Code == "" {
			like = "known to wait on this screen are"
		}
		fmt.Fprintf(b, "  No issue of the catalogue fits as a whole; %s\n", like)
		for _, o := range a.Others {
			fmt.Fprintf(b, "  %s  %s\n", o.ID, o.Title)
		}
		fmt.Fprintf(b, "  windtunnel issues show %s tells more.\n", a.Others[0].ID)
	case len(a.Helps) == 0:
		b.WriteString("  The catalogue of known issues has nothing that looks like it.\n")
	}
	for _, h := range a.Helps {
		fmt.Fprintf(b, "  %s  %s\n", h.ID, h.Title)
		for _, l := range wrap(h.Text, 96) {
			fmt.Fprintf(b, "       %s\n", l)
		}
		for _, s := range h.Sources {
			fmt.Fprintf(b, "       %s\n", s)
		}
	}
	if len(a.Helps) > 0 {
		fmt.Fprintf(b, "  windtunnel issues show %s tells more, windtunnel issues repro %[1]s shows it.\n", a.Helps[0].ID)
	}
}

// wrap breaks a text into lines.
func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
