package invariant

import (
	"context"
	"os"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
)

func TestInvariantsAreNamed(t *testing.T) {
	g := gomega.NewWithT(t)
	seen := map[string]bool{}
	for _, i := range All() {
		g.Expect(i.Name).To(gomega.MatchRegexp(`^[a-z]+(-[a-z]+)+$`))
		g.Expect(i.Says).NotTo(gomega.BeEmpty())
		g.Expect(seen[i.Name]).To(gomega.BeFalse(), i.Name)
		seen[i.Name] = true
	}
	g.Expect(len(seen)).To(gomega.BeNumerically(">=", 20))
}

// Worlds in which much goes wrong break no invariant, and that somebody looks
// changes nothing.
func TestWorldsThatAreWatched(t *testing.T) {
	lab, err := vtpm.Open(vtpm.Options{})
	gomega.NewWithT(t).Expect(err).NotTo(gomega.HaveOccurred())
	t.Cleanup(func() { gomega.NewWithT(t).Expect(lab.Close()).To(gomega.Succeed()) })
	hybrid, err := os.ReadFile("../../scenarios/hybrid/hybrid.yaml")
	gomega.NewWithT(t).Expect(err).NotTo(gomega.HaveOccurred())
	rich, err := os.ReadFile("../../scenarios/rich/rich.yaml")
	gomega.NewWithT(t).Expect(err).NotTo(gomega.HaveOccurred())
	for name, file := range map[string][]byte{"quickstart": quickstart.YAML, "hybrid": hybrid, "rich": rich} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			s, problems := scenario.Load(name, file, sim.LoadOptions(false))
			g.Expect(problems).To(gomega.BeEmpty())
			s.Faults = append(s.Faults,
				fault.Rule{Name: "cut", When: fault.When{Event: "*", Device: "PC-*", Share: 0.002}, Do: fault.Action{CutPower: true}},
				fault.Rule{Name: "busy", When: fault.When{Device: "PC-*", Share: 0.03}, Do: fault.Action{Status: 503}})
			s, problems = s.Resolve(scenario.Flags{Devices: 6, Cells: 2})
			g.Expect(problems).To(gomega.BeEmpty())
			var x Watcher
			watched, err := sim.Run(context.Background(), sim.RunOptions{Scenario: s, Lab: lab, Hear: x.Hear})
			g.Expect(err).NotTo(gomega.HaveOccurred())
			g.Expect(x.Err()).NotTo(gomega.HaveOccurred())
			g.Expect(x.Events()).To(gomega.BeEquivalentTo(watched.Events))
			unwatched, err := sim.Run(context.Background(), sim.RunOptions{Scenario: s, Lab: lab})
			g.Expect(err).NotTo(gomega.HaveOccurred())
			g.Expect(watched.TraceHash).To(gomega.Equal(unwatched.TraceHash))
		})
	}
}
