package scenario_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/jsonschema-go/jsonschema"
	. "github.com/onsi/gomega"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim/scenario"
)

// validator is the schema as an editor gets it: printed and read again.
func validator(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	g := NewWithT(t)
	text, err := json.Marshal(scenario.Schema())
	g.Expect(err).NotTo(HaveOccurred())
	var s jsonschema.Schema
	g.Expect(json.Unmarshal(text, &s)).To(Succeed())
	r, err := s.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
	g.Expect(err).NotTo(HaveOccurred())
	return r
}

func document(t *testing.T, text []byte) map[string]any {
	t.Helper()
	g := NewWithT(t)
	j, err := yaml.YAMLToJSON(text)
	g.Expect(err).NotTo(HaveOccurred())
	var v map[string]any
	g.Expect(json.Unmarshal(j, &v)).To(Succeed())
	return v
}

func TestSchemaTakesWhatLoadTakes(t *testing.T) {
	r := validator(t)
	for _, file := range []string{"testdata/good/export.yaml", "testdata/good/everything.yaml", "testdata/good/load.yaml"} {
		text, err := os.ReadFile(file)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(r.Validate(document(t, text))).To(Succeed(), file)
	}
	NewWithT(t).Expect(r.Validate(document(t, quickstart.YAML))).To(Succeed())
	resolved, err := scenario.Marshal(builtIn(t), "")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	NewWithT(t).Expect(r.Validate(document(t, resolved))).To(Succeed())
}

func TestSchemaRefuses(t *testing.T) {
	r := validator(t)
	for name, change := range map[string]func(map[string]any){
		"an unknown key":      func(v map[string]any) { v["sead"] = 7 },
		"an unknown key deep": func(v map[string]any) { v["people"].(map[string]any)["users"].(map[string]any)["langauge"] = "de" },
		"a key of later":      func(v map[string]any) { v["tenants"] = []any{} },
		"a wrong type":        func(v map[string]any) { v["cells"] = "two" },
		"a number too small":  func(v map[string]any) { v["cells"] = 0 },
		"a missing key":       func(v map[string]any) { delete(v, "tenant") },
		"an unknown choice":   func(v map[string]any) { v["sites"].([]any)[0].(map[string]any)["kind"] = "cellar" },
		"a threshold of nothing": func(v map[string]any) {
			v["load"] = map[string]any{"mix": "aik", "thresholds": []any{map[string]any{"abortOnFail": true}}}
		},
		"a rate that is none": func(v map[string]any) {
			v["load"] = map[string]any{"mix": "aik", "arrivals": []any{map[string]any{"rate": "fast", "for": "1m"}}}
		},
		"two actions": func(v map[string]any) {
			v["timeline"] = []any{map[string]any{"at": "1h", "do": map[string]any{"unassignUser": map[string]any{"device": "*"}, "deleteManagedDevice": map[string]any{"device": "*"}}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := document(t, quickstart.YAML)
			change(v)
			NewWithT(t).Expect(r.Validate(v)).NotTo(Succeed())
		})
	}
}

func TestSchemaSaysWhatEveryKeyMeans(t *testing.T) {
	s := scenario.Schema()
	s.Defs["Scenario"] = s
	for name, def := range s.Defs {
		if strings.HasPrefix(name, "graph.") {
			continue // Graph's reference says it
		}
		for key, p := range def.Properties {
			if p.Description == "" {
				t.Errorf("%s.%s has no description", name, key)
			}
		}
	}
}
