package load_test

import (
	"io/fs"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/scenarios/load"
	"windtunnel.test/sim"
	engine "windtunnel.test/sim/load"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/scenario"
)

// Each file says what it means: it is read without a complaint, survives being
// written, and gives a plan.
func TestFiles(t *testing.T) {
	g := gomega.NewWithT(t)
	names, err := fs.Glob(load.Files, "*.yaml")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	scopes, shapes := map[string]bool{}, map[scenario.Shape]bool{}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			text, err := load.Files.ReadFile(name)
			g.Expect(err).NotTo(gomega.HaveOccurred())
			o := sim.LoadOptions(true)
			o.Threshold = func(expr string, of []string) error { _, err := figure.CheckThreshold(expr, of); return err }
			s, problems := scenario.Load(name, text, o)
			g.Expect(problems).To(gomega.BeEmpty())
			written, err := scenario.Marshal(s, "")
			g.Expect(err).NotTo(gomega.HaveOccurred())
			again, problems := scenario.Load(name, written, o)
			g.Expect(problems).To(gomega.BeEmpty())
			g.Expect(again.Load).To(gomega.Equal(s.Load))
			p, err := engine.NewPlan(s.Load)
			g.Expect(err).NotTo(gomega.HaveOccurred())
			g.Expect(p.Duration().Seconds()).To(gomega.BeNumerically(">", 0))
			for _, scope := range p.Scopes {
				scopes[scope] = true
			}
			for _, stage := range s.Load.Arrivals {
				shapes[stage.Shape] = true
			}
		})
	}
	for _, scope := range scenario.Scopes() {
		g.Expect(scopes).To(gomega.HaveKey(scope), "every scope has a file")
	}
	g.Expect(shapes).To(gomega.HaveLen(5), "every shape has a file")
}
