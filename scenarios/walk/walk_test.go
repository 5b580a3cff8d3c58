package walk_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/walk"
)

// everyVariable takes every so-manyeth life alone; 1 is the whole walk.
const everyVariable = "WINDTUNNEL_WALK_EVERY"

// every is what CI has time for. The number shares no factor with the number of
// kinds, so that in the end each kind meets each part of the flow.
func every() int {
	GinkgoHelper()
	n := 13
	if v := os.Getenv(everyVariable); v != "" {
		_, err := fmt.Sscan(v, &n)
		Expect(err).NotTo(HaveOccurred(), everyVariable)
	}
	return n
}

func load(name string, data []byte) *scenario.Scenario {
	GinkgoHelper()
	s, problems := scenario.Load(name, data, sim.LoadOptions(true))
	Expect(problems).To(BeEmpty())
	return s
}

var _ = Describe("a PC of which one exchange fails", func() {
	walked := func(s *scenario.Scenario, o walk.Options) *walk.Result {
		GinkgoHelper()
		lab, err := vtpm.Open(vtpm.Options{})
		Expect(err).NotTo(HaveOccurred())
		defer func() { Expect(lab.Close()).To(Succeed()) }()
		o.Scenario, o.Lab = s, lab
		r, err := walk.Run(context.Background(), o)
		Expect(err).NotTo(HaveOccurred())
		return r
	}
	clean := func(r *walk.Result) {
		GinkgoHelper()
		var table strings.Builder
		Expect(r.Text(&table)).To(Succeed())
		AddReportEntry("walk", r.Line())
		AddReportEntry("table", table.String(), ReportEntryVisibilityFailureOrVerbose)
		var wrong strings.Builder
		for _, l := range r.Failures() {
			fmt.Fprintf(&wrong, "%d %s, %s: %s (%s, %s)\n", l.Exchange.N, l.Exchange, l.Fault, l.Why, l.Screen, l.Code)
		}
		Expect(wrong.String()).To(BeEmpty(), r.Line())
		Expect(r.Lives).NotTo(BeEmpty())
	}

	It("ends as Windows can end, whichever it is, on its way to Entra ID", func() {
		clean(walked(load(quickstart.Name, quickstart.YAML), walk.Options{Every: every()}))
	})

	It("ends as Windows can end, whichever it is, on its way into a domain", func() {
		data, err := os.ReadFile("../hybrid/hybrid.yaml")
		Expect(err).NotTo(HaveOccurred())
		clean(walked(load("hybrid.yaml", data), walk.Options{Every: every()}))
	})
})
