package scenario_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	. "github.com/onsi/gomega"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim/scenario"
)

// shown notes which keys of the schema documents have, as "Site.kind".
type shown struct {
	root *jsonschema.Schema
	keys map[string]bool
}

// look goes through a value by what the schema says of it; where there are
// several forms, through each that could be meant.
func (s shown) look(name string, schema *jsonschema.Schema, v any) {
	if at, ok := strings.CutPrefix(schema.Ref, "#/$defs/"); ok {
		s.look(at, s.root.Defs[at], v)
	}
	for _, form := range slices.Concat(schema.AnyOf, schema.OneOf, schema.AllOf) {
		s.look(name, form, v)
	}
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if p := schema.Properties[key]; p != nil {
				s.keys[name+"."+key] = true
				s.look(name, p, value)
			} else if schema.AdditionalProperties != nil {
				s.look(name, schema.AdditionalProperties, value)
			}
		}
	case []any:
		for _, item := range v {
			if schema.Items != nil {
				s.look(name, schema.Items, item)
			}
		}
	}
}

// TestEveryKeyIsShown: whoever looks for how a key is written finds it in a
// document that loads. Those of Graph's resources are Graph's.
func TestEveryKeyIsShown(t *testing.T) {
	g := NewWithT(t)
	schema := scenario.Schema()
	s := shown{root: schema, keys: map[string]bool{}}
	s.look("Scenario", schema, document(t, quickstart.YAML))
	files, err := filepath.Glob("testdata/good/*.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(len(files)).To(BeNumerically(">", 4))
	for _, file := range files {
		text, err := os.ReadFile(file)
		g.Expect(err).NotTo(HaveOccurred())
		load(t, file)
		s.look("Scenario", schema, document(t, text))
	}
	defs := maps.Clone(schema.Defs)
	defs["Scenario"] = schema
	var missing []string
	for name, def := range defs {
		for key, p := range def.Properties {
			if strings.HasPrefix(p.Description, "Not yet: ") {
				continue
			}
			if !strings.HasPrefix(name, "graph.") && !s.keys[name+"."+key] {
				missing = append(missing, name+"."+key)
			}
		}
	}
	slices.Sort(missing)
	g.Expect(missing).To(BeEmpty(), "in none of testdata/good")
}
