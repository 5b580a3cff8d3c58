package explain

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"windtunnel.test/sim"
	"windtunnel.test/sim/catalog"
	"windtunnel.test/sim/journal"
)

// codeForm is an HRESULT in a text.
var codeForm = regexp.MustCompile(`0x[0-9A-Fa-f]{8}`)

// mostRemedies is how many entries of the catalogue are told.
const mostRemedies = 3

// remedies looks the end up in the catalogue: the issues whose own runs show what
// this one does and, where there is none, those that have the code on the page,
// by what else was seen.
func remedies(issues *catalog.List, c *collector, a *Account) ([]Remedy, error) {
	out := []Remedy{}
	if issues == nil || a.Good() || a.Outcome == sim.Unfinished {
		return out, nil
	}
	hits, err := c.bySigns(issues, a)
	if err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	if len(hits) == 0 {
		hits = c.bySearch(issues, a)
	}
	for _, h := range hits[:min(len(hits), mostRemedies)] {
		out = append(out, Remedy{ID: h.Entry.ID, Title: h.Entry.Title, Cause: h.Entry.Cause, Text: h.Entry.Remedy, Sources: h.Entry.Sources, By: h.By})
	}
	return out, nil
}

// bySearch are the issues that a person would find by the code, the refusal, the
// reason and the event logs.
func (c *collector) bySearch(issues *catalog.List, a *Account) []catalog.Hit {
	code := a.Code
	var seen strings.Builder
	seen.WriteString(code + " " + a.Outcome + " ")
	if c.ended != nil {
		seen.WriteString(c.ended.Text("check") + " ")
	}
	for _, g := range c.reason() {
		seen.WriteString(strings.Join(codeForm.FindAllString(g.Text, -1), " ") + " " + g.Text + " ")
	}
	for _, e := range lastOf(c, "eventlog") {
		seen.WriteString("event " + e.Text("id") + " " + e.Text("message") + " ")
	}
	hits := issues.Search(seen.String())
	if code != "" { // what does not show this code is another issue
		exact := slices.DeleteFunc(slices.Clone(hits), func(h catalog.Hit) bool {
			return !slices.ContainsFunc(h.Entry.Seen.Codes, func(x string) bool { return strings.EqualFold(x, code) })
		})
		hits = exact
	}
	if c.walled { // a wall or a fault on the way is nearer than what the same code may also come from
		slices.SortStableFunc(hits, func(a, b catalog.Hit) int { return cmp.Compare(ofNetwork(b), ofNetwork(a)) })
	}
	return a.ofWaits(issues, hits)
}

func ofNetwork(h catalog.Hit) int {
	if slices.Contains(h.Entry.Class, "NET") {
		return 1
	}
	return 0
}

// lastOf are the last few events of a kind with a level that says that something
// is wrong.
func lastOf(c *collector, kind string) (list []journal.Event) {
	for _, e := range c.events {
		if level := e.Text("level"); e.Kind == kind && !c.after(e) && (level == "Error" || level == "Warning" || level == "Critical") {
			list = append(list, e)
		}
	}
	return list[max(0, len(list)-2*some):]
}
