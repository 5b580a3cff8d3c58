package random_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/ending"
	"windtunnel.test/sim/invariant"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
)

// open opens the lab for a test.
func open(t *testing.T) *vtpm.Lab {
	t.Helper()
	lab, err := vtpm.Open(vtpm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.Close(); err != nil {
			t.Error(err)
		}
	})
	return lab
}

// kept writes a drawn file down and says how to see it again. A smaller file with
// the same mistake takes the place of the larger one.
func kept(what, text string) string {
	name := filepath.Join(os.TempDir(), "windtunnel-drawn-"+what+".yaml")
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		return fmt.Sprintf("%v\n%s", err, text)
	}
	return fmt.Sprintf("the scenario is in %s\nreplay: windtunnel run %s -v", name, name)
}

// Whatever is drawn is a scenario file: it is read as strictly as files are, and
// written and read again it says the same.
func TestDrawnScenariosAreFiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := drawn().Draw(t, "scenario")
		s, err := read(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, kept("file", text))
		}
		one, err := scenario.Marshal(s, "")
		if err != nil {
			t.Fatalf("%v\n%s", err, kept("file", text))
		}
		again, err := read(string(one))
		if err != nil {
			t.Fatalf("written and read again: %v\n%s", err, kept("file", text))
		}
		two, err := scenario.Marshal(again, "")
		if err != nil || !bytes.Equal(one, two) {
			t.Fatalf("written and read again it is another: %v\n%s", err, kept("file", text))
		}
	})
}

// lived is what a run of a drawn scenario came to.
type lived struct {
	hash     string
	outcomes map[string]int
}

// live lives through a scenario and looks at all of it.
func live(s *scenario.Scenario, lab *vtpm.Lab) (lived, error) {
	var (
		x     invariant.Watcher
		mu    sync.Mutex
		wrong []string
		ended int
	)
	r, err := sim.Run(context.Background(), sim.RunOptions{Scenario: s, Lab: lab, Hear: x.Hear, Ended: func(ctx context.Context, w *sim.World, pc *device.PC, e sim.End) {
		v := ending.Judge(ctx, w, pc, e, "")
		mu.Lock()
		defer mu.Unlock()
		ended++
		if v.Outcome == ending.Failure {
			wrong = append(wrong, fmt.Sprintf("%s: %s (%s, %s %s)", pc.Name, v.Why, e.Outcome, v.Screen, v.Code))
		}
	}})
	if err != nil {
		return lived{}, err
	}
	sum := 0
	for _, n := range r.Outcomes {
		sum += n
	}
	switch {
	case x.Err() != nil:
		return lived{}, x.Err()
	case len(wrong) > 0:
		return lived{}, errors.New(strings.Join(wrong, "\n"))
	case sum != s.Fleet.Count() || ended != sum:
		return lived{}, fmt.Errorf("%d PCs, %d stories ended, and these are the outcomes: %v", s.Fleet.Count(), ended, r.Outcomes)
	}
	return lived{r.TraceHash, r.Outcomes}, nil
}

// A hundred worlds that nobody has thought of come to an end: none deadlocks,
// panics or breaks an invariant, and each PC ends as one with Windows can end.
func TestDrawnScenariosEndAsWindowsCan(t *testing.T) {
	lab := open(t)
	outcomes := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		text := drawn().Draw(t, "scenario")
		s, err := read(text)
		if err != nil {
			t.Fatal(err)
		}
		l, err := live(s, lab)
		if err != nil {
			t.Fatalf("%v\n%s", err, kept("end", text))
		}
		for o, n := range l.outcomes {
			outcomes[o] += n
		}
	})
	t.Logf("outcomes: %v", outcomes)
	if outcomes[sim.Desktop] == 0 || outcomes[sim.FailedEnd] == 0 {
		t.Errorf("these are no interesting worlds: %v", outcomes)
	}
}
