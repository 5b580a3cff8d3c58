package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"windtunnel.test/sim/scenario"
)

// Signs are what the journal of a PC with this issue shows: what the entry's own
// run is expected to, its deciding moment among it, without the names of its
// arrangement (PCs, apps), and without what no journal can tell (the registry,
// Graph, figures). Where PCs are expected to show it differently, there is a list
// for each way. An entry that is not run has none.
func (e *Entry) Signs() ([]scenario.Expectations, error) {
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
	list = slices.DeleteFunc(list, func(x scenario.Expectation) bool {
		return x.Item == nil || x.Item.Ends == nil && x.Item.Event == nil
	})
	var of []string // whom items are about
	for _, x := range list {
		if d := x.Item.Device; d != "" && !slices.Contains(of, d) {
			of = append(of, d)
		}
	}
	if len(of) == 0 {
		of = []string{""}
	}
	var ways []scenario.Expectations
	for _, device := range of {
		ways = append(ways, e.signsOf(list, device))
	}
	return ways, nil
}

// signsOf are those of one PC: what is expected of it, and of all.
func (e *Entry) signsOf(list scenario.Expectations, device string) (signs scenario.Expectations) {
	for _, x := range list {
		if d := x.Item.Device; d != "" && d != device {
			continue
		}
		item := *x.Item
		item.Device = ""
		if !item.Count.Met(0) { // how often depends on the fleet
			item.Count = nil
		}
		for _, p := range []**scenario.EventPattern{&item.Event, &item.After, &item.Before} {
			*p = e.unnamed(*p)
		}
		if !slices.ContainsFunc(signs, func(y scenario.Expectation) bool { return y.Item.String() == item.String() }) {
			signs = append(signs, scenario.Expectation{Item: &item})
		}
	}
	return signs
}

// unnamed is a pattern for apps of any name, unless the issue is about that one.
func (e *Entry) unnamed(p *scenario.EventPattern) *scenario.EventPattern {
	if p == nil {
		return nil
	}
	of := scenario.EventPattern{Event: p.Event, Where: slices.Clone(p.Where)}
	for i := range of.Where {
		if f := &of.Where[i]; (f.Field == "app" || f.Field == "product") && !strings.Contains(e.Cause, f.Is) {
			f.Is = "*"
		}
	}
	return &of
}
