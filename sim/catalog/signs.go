package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"windtunnel.test/sim"
	"windtunnel.test/sim/scenario"
)

// Signs are what the journal of a PC with this issue shows: what the entry's own
// run is expected to, its deciding moment among it, without the names of its
// arrangement (PCs, apps), and without what no journal can tell (the registry,
// Graph, figures). An entry that is not run has none.
func (e *Entry) Signs() (scenario.Expectations, error) {
	if !e.Runs() {
		return nil, nil
	}
	expect := e.Expect
	if e.Moment != nil {
		expect = slices.Concat(expect, []any{e.Moment})
	}
	text, err := yaml.Marshal(expect)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.File, err)
	}
	list, problems := scenario.LoadExpectations(e.File, text)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	var signs scenario.Expectations
	for _, x := range list {
		if x.Item == nil || x.Item.Ends == nil && x.Item.Event == nil {
			continue
		}
		x.Item.Device = ""
		if !x.Item.Count.Met(0) { // how often depends on the fleet
			x.Item.Count = nil
		}
		for _, p := range []*scenario.EventPattern{x.Item.Event, x.Item.After, x.Item.Before} {
			e.unname(p)
		}
		if !slices.ContainsFunc(signs, func(y scenario.Expectation) bool { return y.Item.String() == x.Item.String() }) {
			signs = append(signs, x)
		}
	}
	ends := func(good bool) func(scenario.Expectation) bool {
		return func(x scenario.Expectation) bool {
			return x.Item.Ends != nil && good == slices.Contains([]string{sim.Desktop, sim.Resealed}, x.Item.Ends.Outcome)
		}
	}
	if slices.ContainsFunc(signs, ends(false)) { // of several PCs it is about those that fail
		signs = slices.DeleteFunc(signs, ends(true))
	}
	return signs, nil
}

// unname lets a pattern fit apps of any name, unless the issue is about that one.
func (e *Entry) unname(p *scenario.EventPattern) {
	if p == nil {
		return
	}
	for i := range p.Where {
		if f := &p.Where[i]; (f.Field == "app" || f.Field == "product") && !strings.Contains(e.Cause, f.Is) {
			f.Is = "*"
		}
	}
}
