package catalog

import "testing"

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		text, part string
		want       bool
	}{
		{"commercialoobe_espprogress_failed", "esp", false},
		{"esp", "esp", true}, {"stuck on esp, 40 min", "esp", true}, {"espresso, then esp", "esp", true},
		{"it says lpexitcode 1618.", "lpexitcode 1618", true}, {"lpexitcode 16180", "lpexitcode 1618", false},
		{"üesp", "esp", false}, {"", "esp", false},
	} {
		if within(c.text, c.part) != c.want {
			t.Errorf("%q in %q: want %v", c.part, c.text, c.want)
		}
	}
}
