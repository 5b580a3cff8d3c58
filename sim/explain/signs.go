package explain

import (
	"cmp"
	"slices"
	"strings"

	"windtunnel.test/sim/catalog"
	"windtunnel.test/sim/outcome"
	"windtunnel.test/sim/scenario"
)

// pageCode is how many conditions the code on the page is worth.
const pageCode = 3

// bySigns are the issues whose own runs show what this PC's journal has: all that
// the catalogue expects of them, first those that expect most. An issue whose
// run ends otherwise, or whose deciding moment did not come, is another one.
func (c *collector) bySigns(issues *catalog.List, signs map[*catalog.Entry][]scenario.Expectations, a *Account) (hits []catalog.Hit) {
	weights := map[*catalog.Entry]int{}
	for _, e := range issues.Entries {
		weight := 0
		for _, way := range signs[e] {
			weight = max(weight, c.shows(way, a))
		}
		if weight > 0 {
			if a.Code != "" && slices.ContainsFunc(e.Seen.Codes, func(x string) bool { return strings.EqualFold(x, a.Code) }) {
				weight += pageCode
			}
			weights[e] = weight
			hits = append(hits, catalog.Hit{Entry: e, By: []string{"what its own run shows"}})
		}
	}
	slices.SortStableFunc(hits, func(x, y catalog.Hit) int { return cmp.Compare(weights[y.Entry], weights[x.Entry]) })
	return hits
}

// endsLike tells whether one of those signs that are about how a PC ends is met,
// or whether none is.
func (c *collector) endsLike(signs []scenario.Expectations, a *Account) bool {
	ends := slices.DeleteFunc(slices.Concat(signs...), func(x scenario.Expectation) bool { return x.Item.Ends == nil })
	j := c.judge(ends, a)
	return len(ends) == 0 || slices.ContainsFunc(outcome.Verdicts(ends, j), func(v outcome.Verdict) bool { return v.Met })
}

// shows counts the conditions of signs, 0 where one is not met, or where none is
// that something went wrong: how a PC ends, or what did not come.
func (c *collector) shows(signs scenario.Expectations, a *Account) (weight int) {
	if !slices.ContainsFunc(signs, func(x scenario.Expectation) bool { return x.Item.Ends != nil || x.Item.Count.Met(0) }) {
		return 0
	}
	for i, v := range outcome.Verdicts(signs, c.judge(signs, a)) {
		if !v.Met {
			return 0
		}
		weight += conditions(signs[i].Item)
	}
	return weight
}

// judge has heard what happened to the PC, and how it ended.
func (c *collector) judge(signs scenario.Expectations, a *Account) *outcome.Judge {
	j := outcome.New(signs)
	for _, e := range c.whole {
		j.Event(e)
	}
	end := outcome.End{Device: a.Device, Serial: a.Serial, Outcome: a.Outcome, Code: a.Code, Phase: a.Phase}
	if c.ended != nil {
		end.Check = c.ended.Text("check")
	}
	for _, g := range c.reason() {
		end.Reason = g.Text
	}
	j.End(end)
	return j
}

// conditions is how much an item says.
func conditions(x *scenario.ExpectItem) int {
	if p := x.Ends; p != nil {
		n := 1
		for _, s := range []string{p.Code, p.Phase, p.Check, p.Reason, p.Screen, p.Row} {
			if s != "" {
				n++
			}
		}
		return n
	}
	n := 1 + len(x.Event.Where)
	for _, p := range []*scenario.EventPattern{x.After, x.Before} {
		if p != nil {
			n += 1 + len(p.Where)
		}
	}
	return n
}
