package scenario_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/scenario"
)

func TestExpectations(t *testing.T) {
	figures := map[string]float64{"devices": 200, "failures": 2, "outcome.desktop": 198, "outcome.failed": 2, "phase.technician.p90": 2700, "tpm.distinctEKs": 200}
	for text, met := range map[string]bool{
		"failures == 0":               false,
		"failures <= 1%":              true,
		"failures < 1%":               false,
		"outcome.desktop >= 95%":      true,
		"outcome.desktop == all":      false,
		"outcome.stuck == 0":          true,
		"outcome.stuck < 1%":          true,
		"outcome.failed != 3":         true,
		"distinctEKs = all":           true,
		"phase.technician.p90 < 45m":  false,
		"phase.technician.p90 <= 45m": true,
		"phase.technician.p90 > 0.5h": true,
	} {
		e, err := scenario.ParseExpectation(text)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		r := scenario.Expectations{e}.Evaluate(figures)[0]
		NewWithT(t).Expect(r.Err).NotTo(HaveOccurred(), text)
		NewWithT(t).Expect(r.Met).To(Equal(met), text)
		again, err := scenario.ParseExpectation(e.String())
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(again).To(Equal(e))
	}
	for _, text := range []string{"", "failures", "failures ~ 3", "failures == -1", "failures == 101%", "phase.user.p90 < 3", "virtual < all", "nothing == 1", "failures == NaN"} {
		_, err := scenario.ParseExpectation(text)
		NewWithT(t).Expect(err).To(HaveOccurred(), text)
	}
}

func TestExpectationMessages(t *testing.T) {
	g := NewWithT(t)
	say := func(text string, figures map[string]float64) string {
		e, err := scenario.ParseExpectation(text)
		g.Expect(err).NotTo(HaveOccurred())
		return scenario.Expectations{e}.Evaluate(figures)[0].String()
	}
	g.Expect(say("outcome.desktop == all", map[string]float64{"devices": 10, "outcome.desktop": 9})).To(Equal("outcome.desktop == all: have 9"))
	g.Expect(say("phase.user.max < 1h", map[string]float64{"phase.user.max": 3725.5})).To(Equal("phase.user.max < 1h: have 1h2m6s"))
	g.Expect(say("phase.user.max < 1h", nil)).To(Equal("phase.user.max < 1h: phase.user.max was not measured"))
	g.Expect(say("failures < 5%", map[string]float64{"failures": 0})).To(Equal("failures < 5%: devices was not measured"))
}
