package spec

import (
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/scenarios/quickstart"
)

func TestMistakesOfAnActionHavePlacesInItsText(t *testing.T) {
	for text, want := range map[string]string{
		`unassign: {object: Agents, to: Autopilot PCs}`: `1:20: unassign.object: `,
		"cutPower:\n  devise: PC-1":                     `2:3: unknown key "cutPower.devise"; did you mean "device"?`,
		`explode: {device: PC-1}`:                       `1:1: unknown key "explode"`,
		`cutPower: [`:                                   `1:`,
	} {
		g := gomega.NewWithT(t)
		_, err := parseAction(quickstart.YAML, text)
		g.Expect(err).To(gomega.MatchError(gomega.HavePrefix(want)), text)
	}
	_, err := parseAction(quickstart.YAML, "cutPower: {device: PC-1}")
	gomega.NewWithT(t).Expect(err).NotTo(gomega.HaveOccurred())
}
