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

// named finds constants of screens and of event logs, and screens without one.
var named = regexp.MustCompile(`\b(Screen[A-Z]\w*|Log[A-Z]\w*|Screen\{ID:) *=? *"([^"]+)"`)

// TestScreensAndChannelsAreListed does so with sim/journal/screens.txt and
// channels.txt.
func TestScreensAndChannelsAreListed(t *testing.T) {
	var screens, channels []string
	err := filepath.WalkDir(filepath.Join("..", "device"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range named.FindAllSubmatch(text, -1) {
			switch name := string(m[2]); {
			case m[1][0] == 'S':
				screens = append(screens, name)
			case strings.Contains(name, "/"):
				channels = append(channels, name)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for file, lists := range map[string][2][]string{"screens.txt": {screens, journal.Screens()}, "channels.txt": {channels, journal.Channels()}} {
		want := slices.Compact(slices.Sorted(slices.Values(lists[0])))
		if !slices.Equal(want, lists[1]) {
			t.Errorf("%s has %q, the source %q", file, lists[1], want)
		}
	}
}
