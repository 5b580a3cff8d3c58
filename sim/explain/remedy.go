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
	"windtunnel.test/sim/scenario"
)

// codeForm is an HRESULT in a text.
var codeForm = regexp.MustCompile(`0x[0-9A-Fa-f]{8}`)

// How many entries of the catalogue are told.
const (
	mostRemedies = 3
	mostOthers   = 5
)

// remedies looks the end up in the catalogue: the issues whose own runs show what
// this one does and, where there is none, others by what was seen.
func (c *collector) remedies(issues *catalog.List, a *Account) error {
	if issues == nil || a.Good() || a.Outcome == sim.Unfinished {
		return nil
	}
	signs := map[*catalog.Entry][]scenario.Expectations{}
	for _, e := range issues.Entries {
		var err error
		if signs[e], err = e.Signs(); err != nil {
			return fmt.Errorf("explain: %w", err)
		}
	}
	hits := c.bySigns(issues, signs, a)
	for _, h := range hits[:min(len(hits), mostRemedies)] {
		a.Helps = append(a.Helps, Remedy{ID: h.Entry.ID, Title: h.Entry.Title, Cause: h.Entry.Cause, Text: h.Entry.Remedy, Sources: h.Entry.Sources, By: h.By})
	}
	if len(hits) > 0 {
		return nil
	}
	for _, e := range c.bySearch(issues, signs, a) {
		a.Others = append(a.Others, Other{e.ID, e.Title})
	}
	a.Others = a.Others[:min(len(a.Others), mostOthers)]
	return nil
}

// bySearch are the issues with the code on the page, in this phase where they say
// one, those first that a person would find by the refusal, the reason and the
// event logs; without a code, those that are known to wait on this screen.
func (c *collector) bySearch(issues *catalog.List, signs map[*catalog.Entry][]scenario.Expectations, a *Account) (list []*catalog.Entry) {
	if a.Code == "" {
		return a.waiting(issues)
	}
	var seen strings.Builder
	seen.WriteString(a.Code + " " + a.Outcome + " ")
	if c.ended != nil {
		seen.WriteString(c.ended.Text("check") + " ")
	}
	for _, g := range c.reason() {
		seen.WriteString(strings.Join(codeForm.FindAllString(g.Text, -1), " ") + " " + g.Text + " ")
	}
	for _, e := range lastOf(c, "eventlog") {
		seen.WriteString("event " + e.Text("id") + " " + e.Text("message") + " ")
	}
	hits := slices.DeleteFunc(issues.Search(seen.String()), func(h catalog.Hit) bool {
		shows := slices.ContainsFunc(h.Entry.Seen.Codes, func(x string) bool { return strings.EqualFold(x, a.Code) })
		return !shows || !c.endsLike(signs[h.Entry], a)
	})
	if c.walled { // a wall or a fault on the way is nearer than what the same code may also come from
		slices.SortStableFunc(hits, func(a, b catalog.Hit) int { return cmp.Compare(ofNetwork(b), ofNetwork(a)) })
	}
	for _, h := range hits {
		list = append(list, h.Entry)
	}
	return list
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
