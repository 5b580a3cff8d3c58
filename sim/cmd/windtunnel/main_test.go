package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/onsi/gomega"
	"github.com/rogpeppe/go-internal/testscript"

	"windtunnel.test/sim/scenario"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"windtunnel": main})
}

// TestScript runs a script for each verb.
func TestScript(t *testing.T) {
	tiny := tinyScenario(t)
	images := t.TempDir() // TPM images, made once for all scripts
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("XDG_CACHE_HOME", images)
			return os.WriteFile(filepath.Join(e.WorkDir, "tiny.yaml"), tiny, 0o644)
		},
	})
}

// tinyScenario is the built-in one with two PCs.
func tinyScenario(t *testing.T) []byte {
	t.Helper()
	s, err := load("", false)
	if err != nil {
		t.Fatal(err)
	}
	s.Name, s.Cells, s.Expect = "tiny", 1, nil
	s, problems := s.Resolve(scenario.Flags{Devices: 2})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	text, err := scenario.Marshal(s, "")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestDistance(t *testing.T) {
	g := gomega.NewWithT(t)
	for words, want := range map[[2]string]int{
		{"run", "run"}: 0, {"rnu", "run"}: 1, {"rum", "run"}: 1, {"", "run"}: 3, {"devcies", "devices"}: 1, {"x", "version"}: 7,
	} {
		g.Expect(distance(words[0], words[1])).To(gomega.Equal(want), "%q", words)
	}
}
