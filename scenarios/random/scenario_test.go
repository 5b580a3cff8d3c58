// Package random draws scenarios that nobody has thought of and lives through
// them: whatever is drawn can be read back, comes to one trace hash however often
// and on however many cores it runs, breaks no invariant, and ends as a PC with
// Windows can end.
package random_test

import (
	"encoding/json"
	"fmt"

	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"

	"windtunnel.test/sim"
	"windtunnel.test/sim/scenario"
)

// obj and list are a scenario file before it is written. Members are sorted when
// it is, so that one draw is one file.
type (
	obj  = map[string]any
	list = []any
)

// pick draws one of the values.
func pick[T any](t *rapid.T, what string, among ...T) T {
	return rapid.SampledFrom(among).Draw(t, what)
}

// often draws true in so many of a hundred cases. Nothing is what a drawn case
// shrinks to.
func often(t *rapid.T, what string, percent int) bool {
	return rapid.IntRange(0, 99).Draw(t, what) >= 100-percent
}

// number draws a whole number with a unit.
func number(t *rapid.T, what string, least, most int, unit string) string {
	return fmt.Sprintf("%d%s", rapid.IntRange(least, most).Draw(t, what), unit)
}

const (
	entra  = "Entra join"
	hybrid = "hybrid join"
)

// drawn is a small scenario: two to four PCs that join Entra ID or a domain.
func drawn() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		join := pick(t, "join", entra, entra, hybrid)
		s := obj{
			"name": "drawn, " + join, "start": "2026-09-01T08:00:00Z", "until": "3 months",
			"seed":   rapid.IntRange(1, 1<<20).Draw(t, "seed"),
			"cells":  1,
			"tenant": tenant(t, join), "sites": sites(t, join), "people": people(t), "fleet": fleet(t, join),
		}
		if join == entra {
			s["cells"] = rapid.IntRange(1, 2).Draw(t, "cells")
		} else {
			s["domain"] = obj{"name": "corp.contoso.com", "netbios": "CORP", "controllers": controllers(t), "organizationalUnits": list{"OU=Autopilot"}}
			s["connectors"] = list{obj{"name": "odj1", "organizationalUnits": list{"OU=Autopilot"}}}
			s["entraConnect"] = obj{"organizationalUnits": list{"OU=Autopilot"}, "cycle": pick(t, "cycle", "30m", "30m", "3h")}
		}
		if f := faults(t); len(f) > 0 {
			s["faults"] = f
		}
		if c := changes(t); len(c) > 0 {
			s["timeline"] = c
		}
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		text, err := yaml.JSONToYAML(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	})
}

func controllers(t *rapid.T) list {
	c := list{obj{"name": "dc1"}}
	if often(t, "second controller", 25) {
		c = append(c, obj{"name": "dc2"})
	}
	return c
}

// read is the scenario in a drawn file, as strict as files are read.
func read(text string) (*scenario.Scenario, error) {
	s, problems := scenario.Load("drawn.yaml", []byte(text), sim.LoadOptions(true))
	if err := problems.Err(); err != nil {
		return nil, err
	}
	s, problems = s.Resolve(scenario.Flags{})
	return s, problems.Err()
}
