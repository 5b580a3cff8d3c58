package random_test

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"

	"windtunnel.test/sim"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
)

// firstSeed is where the seeds of the scenarios begin that are run again and
// again: the same ones each time, but for a soak.
func firstSeed(t *testing.T) int {
	t.Helper()
	if !soak() {
		return 1
	}
	var b [4]byte
	if _, err := rand.Read(b[:]); err != nil {
		t.Fatal(err)
	}
	n := int(binary.BigEndian.Uint32(b[:]))
	t.Logf("seeds from %d on", n)
	return n
}

// hash is the trace hash of a run, with its cells side by side where there are
// some.
func hash(s *scenario.Scenario, lab *vtpm.Lab, sink journal.Sink) (string, error) {
	r, err := sim.Run(context.Background(), sim.RunOptions{Scenario: s, Lab: lab, Journal: sink})
	if err != nil {
		return "", err
	}
	return r.TraceHash, nil
}

// Twenty scenarios have one trace hash each, run after run, on one core, on two,
// and where Go is told of more cores than there are.
func TestDrawnScenariosAreDeterministic(t *testing.T) {
	scenarios, runs := 20, 5
	if soak() {
		runs = 100
	}
	lab := open(t)
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	first, generator := firstSeed(t), drawn()
	for n := range scenarios {
		seed := first + n
		text := generator.Example(seed)
		s, err := read(text)
		if err != nil {
			t.Fatalf("drawn with seed %d: %v\n%s", seed, err, kept(fmt.Sprint(seed), text))
		}
		want := ""
		for _, cores := range []int{1, 2, 8} {
			runtime.GOMAXPROCS(cores)
			for run := range runs {
				got, err := hash(s, lab, nil)
				if err != nil {
					t.Fatalf("drawn with seed %d: %v\n%s", seed, err, kept(fmt.Sprint(seed), text))
				}
				if want == "" {
					want = got
				}
				if got != want {
					t.Errorf("drawn with seed %d, run %d at GOMAXPROCS=%d: trace hash %s, and it was %s%s\n%s", seed, run+1, cores, got, want, firstDifference(s, lab), kept(fmt.Sprint(seed), text))
					break
				}
			}
		}
	}
}

// firstDifference runs a scenario until two runs differ and says where.
func firstDifference(s *scenario.Scenario, lab *vtpm.Lab) string {
	record := func() (events []string) {
		_, err := hash(s, lab, journal.SinkFunc(func(e journal.Event) {
			if cell, _ := e.Get("cell"); cell == 0 {
				events = append(events, e.String())
			}
		}))
		if err != nil {
			return []string{err.Error()}
		}
		return events
	}
	one := record()
	for range 10 {
		other := record()
		for i := range min(len(one), len(other)) {
			if one[i] != other[i] {
				return fmt.Sprintf("\nevent %d of cell 0 is once  %s\n                and once %s", i+1, one[i], other[i])
			}
		}
	}
	return ""
}
