package catalog

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// tables are what the ids' letters stand for.
var tables = []struct{ letter, title string }{
	{"R", "Registration and profile download"},
	{"P", "TPM and attestation"},
	{"E", "Entra join and MDM enrolment"},
	{"S", "Status page, policies and apps"},
	{"H", "Hybrid join"},
	{"U", "User flow and reporting"},
}

// Page is the catalogue as a page for people, in Markdown. It follows from the
// entries alone.
func (l *List) Page() []byte {
	var b bytes.Buffer
	b.WriteString("# Known issues of Autopilot pre-provisioning\n\n")
	b.WriteString("Generated from the entries beside this file; `go test ./sim/catalog -update` writes it anew.\n\n")
	b.WriteString("`windtunnel issues repro ID` shows an issue and that its remedy helps; `windtunnel issues find CODE` finds one by what was seen.\n\n")
	counts := l.Counts()
	fmt.Fprintf(&b, "%d issues:", len(l.Entries))
	for i, s := range States {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, " %d %s", counts[s], s)
	}
	b.WriteString(".\n\n" + legend)
	for _, t := range tables {
		of := slices.DeleteFunc(slices.Clone(l.Entries), func(e *Entry) bool { return !strings.HasPrefix(e.ID, t.letter) })
		if len(of) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n| Id | Issue | Phase | What must be so | Seen | Remedy | Status | State |\n|---|---|---|---|---|---|---|---|\n", t.title)
		for _, e := range of {
			fmt.Fprintf(&b, "| [%s](%s) | %s | %s | %s | %s | %s | %s | %s |\n", e.ID, e.File, cell(e.Title), strings.Join(e.Phase, ", "), cell(e.Cause),
				cell(e.Seen.String()), cell(e.Remedy), cell(e.Status), cell(stateOf(e)))
		}
	}
	return b.Bytes()
}

const legend = `- **reproduced**: it follows from what the entry's scenario says about tenant, network, TPM, clock, build or people.
- **model-only**: it does, but how Windows or the service gets there is not public, and our guess.
- **report-only**: only a portal's page or the looks of a screen are concerned.
- **out-of-reach**: it cannot be seen here; the entry says why.
`

// Counts are how many entries are in each state.
func (l *List) Counts() map[State]int {
	counts := map[State]int{}
	for _, e := range l.Entries {
		counts[e.State]++
	}
	return counts
}

// String is all of it in one line.
func (s Seen) String() string {
	parts := slices.Clone(s.Codes)
	for _, e := range s.Events {
		parts = append(parts, fmt.Sprintf("event %d", e.ID))
	}
	for _, t := range s.Text {
		parts = append(parts, "\""+t+"\"")
	}
	return strings.Join(append(parts, s.Screens...), ", ")
}

func stateOf(e *Entry) string {
	if e.Reason == "" {
		return string(e.State)
	}
	return string(e.State) + ": " + e.Reason
}

// cell makes one line of a text, in which nothing ends the cell.
func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}
