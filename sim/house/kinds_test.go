package house

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"windtunnel.test/sim/journal"
)

// recorded finds the kind in a call that records an event: the first text of its
// arguments.
var recorded = regexp.MustCompile(`\b(?:Event|Record|event|record|note|journal|Journal)\((?:(?:[A-Za-z.]+|[a-z]+\([a-z.]*\)), ?)*"([a-z]+(?:\.[a-zA-Z]+)+)"`)

// TestKindsOfEventsAreListed keeps sim/journal/kinds.txt true: what is recorded is
// in it, in order, and what is in it stands somewhere in the source.
func TestKindsOfEventsAreListed(t *testing.T) {
	kinds := journal.Kinds()
	if !slices.IsSorted(kinds) || len(slices.Compact(slices.Clone(kinds))) != len(kinds) {
		t.Error("kinds.txt is not sorted, or has a kind twice")
	}
	var source strings.Builder
	for _, room := range []string{"sim", "fakeintune", "fakeentra", "fakead"} {
		err := filepath.WalkDir(filepath.Join("..", "..", room), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "sim/report/") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, m := range recorded.FindAllSubmatch(text, -1) {
				if !slices.Contains(kinds, string(m[1])) {
					t.Errorf("%s records %q, which kinds.txt has not", path, m[1])
				}
			}
			source.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range kinds {
		if !strings.Contains(source.String(), `"`+k+`"`) {
			t.Errorf("nothing records %q", k)
		}
	}
}
