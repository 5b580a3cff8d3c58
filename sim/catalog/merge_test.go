package catalog

import (
	"testing"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"
)

func TestLay(t *testing.T) {
	for name, c := range map[string]struct{ under, over, want string }{
		"mappings merge":               {"{a: 1, b: {c: 2}}", "{b: {d: 3}}", "{a: 1, b: {c: 2, d: 3}}"},
		"null takes away":              {"{a: 1, b: 2}", "{a: null, x: null}", "{b: 2}"},
		"named items merge":            {"{l: [{name: x, a: 1}, {name: y}]}", "{l: [{name: y, a: 2}, {name: z}]}", "{l: [{name: x, a: 1}, {name: y, a: 2}, {name: z}]}"},
		"by the first name both have":  {"{l: [{userPrincipalName: u, displayName: U}]}", "{l: [{userPrincipalName: u, a: 1}]}", "{l: [{userPrincipalName: u, displayName: U, a: 1}]}"},
		"an item is removed":           {"{l: [{name: x}, {name: y}]}", "{l: [{name: x, remove: true}]}", "{l: [{name: y}]}"},
		"plain lists are replaced":     {"{l: [1, 2]}", "{l: [3]}", "{l: [3]}"},
		"timeline and faults go on":    {"{timeline: [{at: 1h}], faults: [{name: a}]}", "{timeline: [{at: 2h}], faults: [{name: b}]}", "{timeline: [{at: 1h}, {at: 2h}], faults: [{name: a}, {name: b}]}"},
		"an empty list empties":        {"{l: [{name: x}]}", "{l: []}", "{l: []}"},
		"scalars and lists may change": {"{a: 1, b: [1]}", "{a: [x], b: 2}", "{a: [x], b: 2}"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			read := func(s string) (m yaml.MapSlice) {
				g.Expect(yaml.UnmarshalWithOptions([]byte(s), &m, yaml.UseOrderedMap())).To(Succeed())
				return m
			}
			under, over := read(c.under), read(c.over)
			g.Expect(layMap(under, over)).To(Equal(read(c.want)))
			g.Expect(under).To(Equal(read(c.under)), "what is beneath does not change")
		})
	}
}
