// Package engines is about the processes that do the TPMs' work: how many there
// are, and whether they live, is nothing that a run can tell.
package engines_test

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
)

func TestEngines(t *testing.T) { spec.Run(t, "engines") }

// images is a directory for images that is there for the whole suite.
var images = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "windtunnel-engines-")
	Expect(err).NotTo(HaveOccurred())
	return dir
})

var _ = AfterSuite(func() { Expect(os.RemoveAll(images())).To(Succeed()) })

// small is the built-in scenario with six PCs in two cells.
func small() *scenario.Scenario {
	GinkgoHelper()
	s, problems := scenario.Load(quickstart.Name, quickstart.YAML, scenario.Options{})
	Expect(problems).To(BeEmpty())
	s.Cells = 2
	seed := vclock.Seed(11)
	s, problems = s.Resolve(scenario.Flags{Devices: 6, Seed: &seed})
	Expect(problems).To(BeEmpty())
	return s
}

// run lives through it with so many engines. after, if not nil, is called with
// each event, when it is journaled, from the cells' own goroutines.
func run(dir string, engines int, after func(lab *vtpm.Lab, event uint64)) (*sim.Result, vtpm.Stats) {
	GinkgoHelper()
	o := vtpm.Options{CacheDir: dir, Engines: engines}
	if after != nil {
		o.EngineLimit = 5 * time.Second // somebody may hang
	}
	lab, err := vtpm.Open(o)
	Expect(err).NotTo(HaveOccurred())
	var events atomic.Uint64
	r, err := sim.Run(context.Background(), sim.RunOptions{
		Scenario: small(), Lab: lab, Parallel: 2,
		Journal: journal.SinkFunc(func(journal.Event) {
			if n := events.Add(1); after != nil {
				after(lab, n)
			}
		}),
	})
	Expect(err).NotTo(HaveOccurred())
	stats := lab.Stats()
	Expect(lab.Close()).To(Succeed())
	Expect(r.Outcomes).To(Equal(map[string]int{sim.Desktop: 6}), "%v", r.Failures)
	return r, stats
}
