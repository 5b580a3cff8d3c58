package scenario

import (
	"slices"

	"windtunnel.test/sim/wire/problem"
)

// Options of Load.
type Options struct {
	// Strict makes mistakes of what is not modelled.
	Strict bool
	// TPMModels and Makes are the names that a fleet may use; nil: any.
	TPMModels, Makes []string
	// TPMVendors are the ids by which sections may name vendors.
	TPMVendors []string
	// TPMCan tells whether chips of a model can be in a state; nil: all can.
	TPMCan func(model string, state TPMState) bool
	// Threshold reads a threshold of a load of these scopes; nil: any text is one.
	Threshold func(expr string, scopes []string) error
}

// Load reads a scenario. file is only for messages. When there are mistakes
// all of them are returned, sorted by place, and no scenario.
func Load(file string, data []byte, o Options) (*Scenario, problem.List) {
	d := &decoder{file: file, options: o, places: map[string]place{}, dropped: map[string]bool{}, origins: map[string][]string{}}
	s := &Scenario{}
	if root := d.read(data); root != nil {
		if d.value(root, addressed(s), ""); root.kind == kindMap {
			c := &checker{decoder: d, s: s}
			c.all()
		}
	}
	if o.Strict {
		for _, path := range d.notModelled {
			d.wrong(path, "is not modelled")
		}
	}
	if len(d.problems) > 0 {
		l, _ := problem.From(d.problems.Err())
		return nil, slices.Compact(l)
	}
	s.NotModelled, s.ExpectLines = d.notModelled, d.expectLines
	return s, nil
}
