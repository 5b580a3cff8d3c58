// Package determinism is about runs as a whole: what a run comes to follows
// from its scenario and its seed, and from nothing else. Not from the number of
// cores, not from how many cells live side by side, not from what is in the
// image cache, and not from whether bytes really went through TLS.
package determinism_test

import (
	"context"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
)

func TestDeterminism(t *testing.T) { spec.Run(t, "determinism") }

// open opens a lab over a directory of images ("" is the user's own) for the
// running spec. There can be one at a time in a process.
func open(dir string) *vtpm.Lab {
	GinkgoHelper()
	lab, err := vtpm.Open(vtpm.Options{CacheDir: dir})
	Expect(err).NotTo(HaveOccurred())
	return lab
}

// small is the built-in scenario with 12 PCs in 3 cells, one of them with an
// edition of Windows that cannot be managed, and with services that are busy
// now and then.
func small(seed vclock.Seed) *scenario.Scenario {
	GinkgoHelper()
	s, problems := scenario.Load(quickstart.Name, quickstart.YAML, scenario.Options{})
	Expect(problems).To(BeEmpty())
	s.Cells = 3
	home := scenario.Edition("Home")
	s.Fleet.Devices = append(s.Fleet.Devices, scenario.Override{Index: 5, Edition: &home})
	s.Faults = append(s.Faults, fault.Rule{Name: "busy", When: fault.When{Host: "*.manage.microsoft.com", Share: 0.05}, Do: fault.Action{Status: 503}})
	resolved, problems := s.Resolve(scenario.Flags{Devices: 12, Seed: &seed})
	Expect(problems).To(BeEmpty())
	Expect(resolved.Cells).To(Equal(3))
	return resolved
}

// record is a run and all that happened in it.
type record struct {
	*sim.Result
	events []journal.Event
}

// run lives through a scenario, with so many cores.
func run(o sim.RunOptions, cores int) record {
	GinkgoHelper()
	before := runtime.GOMAXPROCS(cores)
	defer runtime.GOMAXPROCS(before)
	var r record
	var mu sync.Mutex
	o.Journal = journal.SinkFunc(func(e journal.Event) {
		mu.Lock()
		defer mu.Unlock()
		r.events = append(r.events, e)
	})
	var err error
	r.Result, err = sim.Run(context.Background(), o)
	Expect(err).NotTo(HaveOccurred())
	return r
}

// stories are what each PC went through as somebody who stands before it sees
// it: the screens, one after the other, and how it ended.
func (r record) stories() map[string][]string {
	all := map[string][]string{}
	for _, e := range r.events {
		switch e.Kind {
		case "screen.shown":
			all[e.Device] = append(all[e.Device], e.Text("screen"))
		case "story.ended":
			all[e.Device] = append(all[e.Device], e.Text("outcome")+" "+e.Text("code")+" "+e.Text("phase")+" "+e.Text("check"))
		}
	}
	for name, s := range all {
		all[name] = slices.Compact(s) // a page whose rows change is shown anew
	}
	return all
}

// emptyDir is a directory for images that is there for the whole suite.
var emptyDir = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "windtunnel-determinism-")
	Expect(err).NotTo(HaveOccurred())
	return dir
})

var _ = AfterSuite(func() { Expect(os.RemoveAll(emptyDir())).To(Succeed()) })
