package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"windtunnel.test/sim"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/wire/problem"
)

// Part is one of the runs that show an entry.
type Part struct {
	Role     Role
	Text     string             // what is otherwise in it, in words
	YAML     []byte             // the scenario as it was loaded
	Scenario *scenario.Scenario // resolved
}

// Role is what a part shows.
type Role string

// Roles.
const (
	Shown   Role = "shown"   // the issue
	Remedy  Role = "remedy"  // that the documented remedy helps
	Update  Role = "update"  // that a build on the other side does not have it
	Another Role = "another" // that another seed hides it
)

// arrived is what a side expects that does not say it.
var arrived = []any{yaml.MapSlice{{Key: "outcome", Value: yaml.MapSlice{{Key: "desktop", Value: "all"}}}}}

// Parts are the runs that show an entry, none where it has no scenario.
func (l *List) Parts(e *Entry) ([]Part, error) {
	if !e.Runs() {
		return nil, nil
	}
	name, _ := member(e.Scenario, "base").(string)
	base, ok := l.bases[name]
	if !ok {
		return nil, fmt.Errorf("%s: scenario.base %q; there are %s", e.File, name, strings.Join(l.baseNames(), ", "))
	}
	over := slices.DeleteFunc(slices.Clone(e.Scenario), func(m yaml.MapItem) bool { return m.Key == "base" })
	under := layMap(base, over)
	under = layMap(under, yaml.MapSlice{{Key: "name", Value: e.ID}})
	expect := e.Expect
	if e.Moment != nil {
		expect = slices.Concat(expect, []any{e.Moment})
	}
	first := under
	if e.Seeds != nil {
		first = layMap(first, seed(e.Seeds.Shows))
	}
	var parts []Part
	add := func(role Role, text string, s yaml.MapSlice, expect []any) error {
		p := Part{Role: role, Text: text}
		if expect == nil {
			expect = arrived
		}
		var err error
		if p.YAML, p.Scenario, err = e.load(role, layMap(without(s, "expect"), yaml.MapSlice{{Key: "expect", Value: expect}})); err != nil {
			return err
		}
		parts = append(parts, p)
		return nil
	}
	if err := add(Shown, e.Cause, first, expect); err != nil {
		return nil, err
	}
	if h := e.Helped; h != nil && h.None == "" {
		if err := add(Remedy, either(h.Text, e.Remedy), layMap(first, h.Scenario), h.Expect); err != nil {
			return nil, err
		}
	}
	if f := e.Fixed; f != nil {
		if err := add(Update, either(f.Text, e.Versions.Fixed), layMap(first, f.Scenario), f.Expect); err != nil {
			return nil, err
		}
	}
	if s := e.Seeds; s != nil {
		if err := add(Another, fmt.Sprintf("seed %d", s.Hides), layMap(under, seed(s.Hides)), s.Hidden); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

func seed(n uint64) yaml.MapSlice { return yaml.MapSlice{{Key: "seed", Value: n}} }

func without(m yaml.MapSlice, key string) yaml.MapSlice {
	return slices.DeleteFunc(slices.Clone(m), func(i yaml.MapItem) bool { return i.Key == key })
}

func either(text, or string) string {
	if text != "" {
		return text
	}
	return or
}

// load has a merged scenario read as any scenario file is. Its mistakes have
// places in the merged text, so that is shown around each.
func (e *Entry) load(role Role, merged yaml.MapSlice) ([]byte, *scenario.Scenario, error) {
	text, err := yaml.MarshalWithOptions(merged, yaml.IndentSequence(true))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %s: %w", e.File, role, err)
	}
	s, problems := scenario.Load(e.File, text, sim.LoadOptions(true))
	if len(problems) == 0 {
		s, problems = s.Resolve(scenario.Flags{File: e.File})
	}
	if len(problems) == 0 {
		return text, s, nil
	}
	lines := strings.Split(string(text), "\n")
	var told problem.List
	for _, p := range problems {
		of := ""
		if p.Line > 0 && p.Line <= len(lines) {
			of = fmt.Sprintf(" (at %q)", strings.TrimSpace(lines[p.Line-1]))
		}
		told.Addf(e.File, 0, 0, "%s: %s%s", role, p.Message, of)
	}
	return nil, nil, told.Err()
}

func (l *List) baseNames() []string {
	var names []string
	for n := range l.bases {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
