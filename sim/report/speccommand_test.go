package report_test

import (
	"testing"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/report"
)

func TestSpecCommandRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := report.SpecCommand{Seed: rapid.Uint64().Draw(t, "seed"), Package: rapid.StringMatching(`[a-z.]{1,9}(/[a-z]{1,9}){0,2}`).Draw(t, "package"), Focus: rapid.String().Draw(t, "focus")}
		back, err := report.ParseSpecCommand(c.String())
		if err != nil || back != c {
			t.Fatalf("%q: %+v, %v", c, back, err)
		}
	})
}

func TestNoOtherCommandIsTaken(t *testing.T) {
	for _, text := range []string{"", "rm -rf x", "WINDTUNNEL_SEED=1 go test -exec=rm -ginkgo.focus 'a'", "WINDTUNNEL_SEED=99999999999999999999 go test x -ginkgo.focus 'a'"} {
		_, err := report.ParseSpecCommand(text)
		gomega.NewWithT(t).Expect(err).To(gomega.HaveOccurred(), text)
	}
}
