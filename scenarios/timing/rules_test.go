package timing_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// rule is a row of rules.yaml. Reason says why no spec shows it.
type rule struct{ Rule, Text, Reason string }

var ruleLabel = regexp.MustCompile(`"(T\d\d)"`)

// TestEachRuleHasASpecOrAReason keeps rules.yaml true: all rules from T01 to T43,
// each with a label in some suite or with a reason, and not with both.
func TestEachRuleHasASpecOrAReason(t *testing.T) {
	text, err := os.ReadFile("rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var table []rule
	if err := yaml.UnmarshalWithOptions(text, &table, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	shown := labels(t, "..")
	for n, r := range table {
		if want := fmt.Sprintf("T%02d", n+1); r.Rule != want || r.Text == "" {
			t.Errorf("row %d is %q %q, wanted is %s", n+1, r.Rule, r.Text, want)
		}
		if shown[r.Rule] == (r.Reason != "") {
			t.Errorf("%s (%s): labelled by a spec: %v; reason for none: %q", r.Rule, r.Text, shown[r.Rule], r.Reason)
		}
	}
	if len(table) != 43 {
		t.Errorf("%d rules, there are 43", len(table))
	}
}

// labels are the rules that specs below dir carry.
func labels(t *testing.T, dir string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		for line := range strings.Lines(string(src)) {
			if strings.Contains(line, "Label(") {
				for _, m := range ruleLabel.FindAllStringSubmatch(line, -1) {
					found[m[1]] = true
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
