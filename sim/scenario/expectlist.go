package scenario

import "windtunnel.test/sim/wire/problem"

// LoadExpectations reads expectations that stand by themselves, in any form that
// a scenario's `expect` has. file is only for messages.
func LoadExpectations(file string, data []byte) (Expectations, problem.List) {
	d := &decoder{file: file, places: map[string]place{}, dropped: map[string]bool{}, origins: map[string][]string{}}
	var list Expectations
	if root := d.read(data); root != nil {
		list.decodeNode(d, root, "expect")
	}
	if err := d.problems.Err(); err != nil {
		l, _ := problem.From(err)
		return nil, l
	}
	return list, nil
}
