package scenario

import (
	"reflect"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/wire/problem"
)

// LoadFaults reads fault rules that stand by themselves, in the shape that a
// scenario's `faults` have, as YAML or JSON: one rule, a list of them, or a
// mapping with the key faults. file is only for messages.
func LoadFaults(file string, data []byte) ([]fault.Rule, problem.List) {
	d := &decoder{file: file, places: map[string]place{}, dropped: map[string]bool{}, origins: map[string][]string{}}
	s := &Scenario{}
	root := d.read(data)
	switch {
	case root == nil:
	case root.kind == kindList:
		d.value(root, reflect.ValueOf(&s.Faults).Elem(), "faults")
	case root.kind == kindMap && root.get("faults") == nil:
		s.Faults = make([]fault.Rule, 1)
		d.value(root, reflect.ValueOf(&s.Faults[0]).Elem(), "faults[0]")
	default:
		var list struct {
			Faults []fault.Rule `yaml:"faults" need:"yes" doc:"Fault rules."`
		}
		d.value(root, addressed(&list), "")
		s.Faults = list.Faults
	}
	(&checker{decoder: d, s: s}).faults()
	if err := d.problems.Err(); err != nil {
		l, _ := problem.From(err)
		return nil, l
	}
	return s.Faults, nil
}
