package knownissues_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/catalog"
	"windtunnel.test/sim/explain"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/spec"
)

func TestKnownIssues(t *testing.T) { spec.Run(t, "known issues") }

var _ = Describe("The catalogue of known issues", func() {
	list, err := catalog.Embedded()
	if err != nil {
		panic(err)
	}
	kinds := map[string]bool{}
	for _, k := range journal.Kinds() {
		kinds[k] = true
	}
	for _, e := range list.Entries {
		if !e.Runs() {
			continue
		}
		It("shows "+e.ID+", "+e.Title+", and that its remedy helps", Label(e.Class...), func(ctx SpecContext) {
			r, err := list.Repro(ctx, e, catalog.Options{Lab: spec.Lab()})
			Expect(err).NotTo(HaveOccurred())
			for _, p := range r.Parts {
				Expect(p.Missed()).To(BeEmpty(), "%s of %s: windtunnel issues repro %s -v", p.Role, e.ID, e.ID)
				Expect(p.Holds()).To(BeTrue())
				for _, x := range p.Events {
					Expect(kinds).To(HaveKey(x.Kind), "a kind of event that sim/journal/kinds.txt has not")
				}
			}
			if e.Moment != nil {
				Expect(r.Parts[0].Moment).NotTo(BeNil(), "the deciding moment of %s", e.ID)
			}
			if failures := r.Parts[0].Result.Summary.Failures; len(failures) > 0 && e.State == catalog.Reproduced {
				var helps []string
				for _, f := range failures {
					a, err := explain.OfEvents(r.Parts[0].Events, f.Sample, r.Parts[0].Scenario, list)
					Expect(err).NotTo(HaveOccurred())
					for _, h := range a.Helps {
						helps = append(helps, h.ID)
					}
				}
				Expect(helps).To(ContainElement(e.ID), "the remedies that explain has for a PC with %s", e.ID)
			}
		})
	}
})
