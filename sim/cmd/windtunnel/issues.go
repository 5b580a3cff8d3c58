package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"windtunnel.test/sim/catalog"
	"windtunnel.test/sim/report"
)

var issuesVerb = &verb{
	name: "issues", args: "VERB", short: "known issues of pre-provisioning: find one, see it happen, see what helps",
	long: `
A catalogue of what goes wrong with Autopilot pre-provisioning: what must be so,
what is seen then, and the documented remedy. Most issues can be reproduced: they
follow from the state of a tenant, a network, a TPM, a clock or a build.

  windtunnel issues find 0x80180014      which issues show this code
  windtunnel issues repro E02            one of them, happening, and its remedy`,
}

var issuesListVerb = &verb{
	name: "issues list", short: "the catalogue, one line an issue",
	long: `
  windtunnel issues list
  windtunnel issues list --phase T-PREP --class TPM
  windtunnel issues list --code 0x81039001
  windtunnel issues list --state out-of-reach`,
}

var issuesShowVerb = &verb{
	name: "issues show", args: "ID", short: "one issue whole, with the scenario that shows it",
	long: `
  windtunnel issues show P04
  windtunnel issues show P04 --scenario > p04.yaml     the scenario file alone, for "windtunnel run"`,
}

var issuesFindVerb = &verb{
	name: "issues find", args: "TEXT", short: "the issues that show a code, an event, a screen, or a text from a log",
	long: `
Best first. A code may be written in any way; several words are one text.

  windtunnel issues find 0x80180014
  windtunnel issues find "event 171"
  windtunnel issues find "Another installation is in progress"`,
}

func init() {
	issuesVerb.verbs = []*verb{issuesListVerb, issuesShowVerb, issuesFindVerb, issuesReproVerb}
	issuesVerb.run = runGroup
	issuesListVerb.run, issuesShowVerb.run, issuesFindVerb.run = runIssuesList, runIssuesShow, runIssuesFind
}

// catalogFlag is --dir.
func catalogFlag(fs *flag.FlagSet, to *string) {
	fs.StringVar(to, "dir", "", "`DIR`: read the entries of this folder (default: the built-in ones)")
}

// openCatalog reads the entries of a folder, or the built-in ones.
func openCatalog(dir string) (*catalog.List, error) {
	if dir == "" {
		return catalog.Embedded()
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, inputErrorf("--dir: %s is no folder", dir)
	}
	return catalog.Load(os.DirFS(dir))
}

// entryIn finds an entry, or says what there is.
func entryIn(l *catalog.List, id string) (*catalog.Entry, error) {
	if e, ok := l.Find(id); ok {
		return e, nil
	}
	var ids []string
	for _, e := range l.Entries {
		ids = append(ids, e.ID)
	}
	return nil, inputErrorf("there is no issue %q%s; `windtunnel issues list` lists them", id, suggestion(strings.ToUpper(id), ids, ""))
}

// issueLine is an entry as --json prints it.
type issueLine struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Phase      []string `json:"phase"`
	Class      []string `json:"class"`
	State      string   `json:"state"`
	Reason     string   `json:"reason,omitempty"`
	Status     string   `json:"status"`
	Cause      string   `json:"cause"`
	Remedy     string   `json:"remedy"`
	Codes      []string `json:"codes"`
	Seen       string   `json:"seen"`
	Affected   string   `json:"affected,omitempty"`
	Fixed      string   `json:"fixed,omitempty"`
	Disputed   string   `json:"disputed,omitempty"`
	Provenance string   `json:"provenance"`
	Sources    []string `json:"sources"`
	FoundBy    []string `json:"foundBy,omitempty"`
}

func issueAsLine(e *catalog.Entry) issueLine {
	codes := e.Seen.Codes
	if codes == nil {
		codes = []string{}
	}
	return issueLine{
		ID: e.ID, Title: e.Title, Phase: e.Phase, Class: e.Class, State: string(e.State), Reason: e.Reason, Status: e.Status, Cause: e.Cause, Remedy: e.Remedy,
		Codes: codes, Seen: e.Seen.String(), Affected: e.Versions.Affected, Fixed: e.Versions.Fixed, Disputed: e.Disputed, Provenance: e.Provenance, Sources: e.Sources,
	}
}

func runIssuesList(sh *shell) (int, error) {
	var dir, state string
	var f catalog.Filter
	fs := sh.flags()
	catalogFlag(fs, &dir)
	fs.StringVar(&f.Phase, "phase", "", "`PHASE`: only those of this phase: "+strings.Join(catalog.Phases, ", ")+"; T is all of T-...")
	fs.StringVar(&f.Class, "class", "", "`CLASS`: only those that follow from this: "+strings.Join(catalog.Classes, ", "))
	fs.StringVar(&f.Code, "code", "", "`HRESULT`: only those that show this code")
	fs.StringVar(&state, "state", "", "`STATE`: only those in this state: reproduced, model-only, report-only, out-of-reach")
	if _, err := sh.parse(fs, 0); err != nil {
		return helped(err)
	}
	f.State = catalog.State(state)
	if err := f.Check(); err != nil {
		return 0, inputErrorf("issues list: %w", err)
	}
	l, err := openCatalog(dir)
	if err != nil {
		return 0, err
	}
	chosen := l.Where(f)
	if sh.json {
		lines := []issueLine{}
		for _, e := range chosen {
			lines = append(lines, issueAsLine(e))
		}
		return exitMet, sh.printJSON(map[string]any{"issues": lines})
	}
	w := tabwriter.NewWriter(sh.out, 0, 0, 2, ' ', 0)
	for _, e := range chosen {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", e.ID, e.State, strings.Join(e.Phase, ","), strings.Join(e.Seen.Codes, " "), e.Title)
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	counts := map[catalog.State]int{}
	for _, e := range chosen {
		counts[e.State]++
	}
	_, err = fmt.Fprintf(sh.out, "\n%s of %d: %s\n", issuesOf(len(chosen)), len(l.Entries), stateCounts(counts))
	return exitMet, err
}

func issuesOf(n int) string {
	if n == 1 {
		return "1 issue"
	}
	return fmt.Sprintf("%d issues", n)
}

func stateCounts(counts map[catalog.State]int) string {
	var parts []string
	for _, s := range catalog.States {
		parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
	}
	return strings.Join(parts, ", ")
}

func runIssuesShow(sh *shell) (int, error) {
	var dir string
	var only bool
	fs := sh.flags()
	catalogFlag(fs, &dir)
	fs.BoolVar(&only, "scenario", false, "print the scenario file and nothing else")
	names, err := sh.parse(fs, 1)
	switch {
	case err != nil:
		return helped(err)
	case len(names) == 0:
		return 0, inputErrorf("issues show: which issue? usage: %s", usage(sh.verb))
	}
	l, err := openCatalog(dir)
	if err != nil {
		return 0, err
	}
	e, err := entryIn(l, names[0])
	if err != nil {
		return 0, err
	}
	parts, err := l.Parts(e)
	if err != nil {
		return 0, err
	}
	switch {
	case only && len(parts) == 0:
		return 0, inputErrorf("%s has no scenario: %s", e.ID, e.Reason)
	case only:
		_, err = sh.out.Write(parts[0].YAML)
		return exitMet, err
	case sh.json:
		return exitMet, sh.printJSON(issueAsLine(e))
	}
	return exitMet, sh.showIssue(e, parts)
}

// showIssue is an entry for reading.
func (sh *shell) showIssue(e *catalog.Entry, parts []catalog.Part) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n\n", e.ID, e.Title)
	row := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "  %-11s %s\n", name, strings.Join(strings.Fields(text), " "))
		}
	}
	row("Phase", strings.Join(e.Phase, ", "))
	row("Class", strings.Join(e.Class, ", "))
	row("Status", e.Status)
	row("Affected", e.Versions.Affected)
	row("Fixed", e.Versions.Fixed)
	row("Cause", e.Cause)
	row("Seen", e.Seen.String())
	row("Remedy", e.Remedy)
	if e.Helped != nil {
		row("", e.Helped.None)
	}
	row("Disputed", e.Disputed)
	row("State", string(e.State))
	row("Reason", e.Reason)
	row("Provenance", e.Provenance)
	for _, s := range e.Sources {
		row("Source", s)
	}
	for _, p := range parts {
		fmt.Fprintf(&b, "\nShows %s: %s\n", roles[p.Role], strings.Join(strings.Fields(p.Text), " "))
		for _, x := range p.Scenario.Expect {
			fmt.Fprintf(&b, "  - %s\n", x)
		}
	}
	if len(parts) > 0 {
		fmt.Fprintf(&b, "\nwindtunnel issues repro %s\n", e.ID)
	}
	_, err := fmt.Fprint(sh.out, b.String())
	return err
}

func runIssuesFind(sh *shell) (int, error) {
	var dir string
	const most = 100 // words
	fs := sh.flags()
	catalogFlag(fs, &dir)
	words, err := sh.parse(fs, most)
	switch {
	case err != nil:
		return helped(err)
	case len(words) == 0:
		return 0, inputErrorf("issues find: what was seen? usage: %s", usage(sh.verb))
	}
	l, err := openCatalog(dir)
	if err != nil {
		return 0, err
	}
	text := strings.Join(words, " ")
	hits := l.Search(text)
	if sh.json {
		lines := []issueLine{}
		for _, h := range hits {
			line := issueAsLine(h.Entry)
			line.FoundBy = h.By
			lines = append(lines, line)
		}
		return exitIf(len(hits) > 0), sh.printJSON(map[string]any{"issues": lines})
	}
	if len(hits) == 0 {
		_, err := fmt.Fprintf(sh.out, "No issue in the catalogue shows %s.\n", report.Quote(text))
		return exitMissed, err
	}
	var b strings.Builder
	for _, h := range hits {
		fmt.Fprintf(&b, "%s  %s (%s)\n     by %s\n     Cause   %s\n     Remedy  %s\n     %s\n\n", h.Entry.ID, h.Entry.Title, strings.Join(h.Entry.Phase, ", "), strings.Join(h.By, ", "),
			strings.Join(strings.Fields(h.Entry.Cause), " "), strings.Join(strings.Fields(h.Entry.Remedy), " "), h.Entry.Sources[0])
	}
	_, err = fmt.Fprint(sh.out, b.String())
	return exitMet, err
}

func exitIf(good bool) int {
	if good {
		return exitMet
	}
	return exitMissed
}
