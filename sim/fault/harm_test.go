package fault_test

import (
	"encoding/json"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/fault"
)

func TestWhatHarmsTheDeviceItself(t *testing.T) {
	g := NewWithT(t)
	a := fault.Action{ClockJump: fault.Jump(-48 * time.Hour), DiskFull: true, Intercept: true, EngineDeath: true}
	g.Expect(a.Harms()).To(BeTrue())
	g.Expect(fault.Action{Drop: true}.Harms()).To(BeFalse())
	g.Expect(a.String()).To(Equal("intercept, clockJump -48h0m0s, diskFull, engineDeath"))
	g.Expect(fault.Action{ExitCode: 0xC0000005}.String()).To(Equal("exitCode 0xC0000005"))
	b, err := json.Marshal(a)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(b)).To(MatchJSON(`{"intercept": true, "clockJump": "-48h0m0s", "diskFull": true, "engineDeath": true}`))
	var back fault.Action
	g.Expect(json.Unmarshal(b, &back)).To(Succeed())
	g.Expect(back).To(Equal(a))
	g.Expect(json.Unmarshal([]byte(`{"clockJump": "-30d"}`), &back)).To(Succeed())
	g.Expect(time.Duration(back.ClockJump)).To(Equal(-30 * 24 * time.Hour))
	g.Expect(json.Unmarshal([]byte(`{"clockJump": "soon"}`), &back)).NotTo(Succeed())
	for _, bad := range []fault.Rule{
		{Name: "x", Do: fault.Action{ExitCode: 1, TPMResponse: 0x922}},
		{Name: "x", When: fault.When{Event: "device.made"}, Do: fault.Action{Intercept: true}},
		{Name: "x", When: fault.When{Event: "device.made"}, Do: fault.Action{ExitCode: 1}},
		{Name: "x", When: fault.When{Layer: "instaler"}, Do: fault.Action{ExitCode: 1}},
	} {
		g.Expect(bad.Validate()).To(HaveOccurred())
	}
	g.Expect(fault.Rule{Name: "x", When: fault.When{Event: "device.made"}, Do: fault.Action{DiskFull: true, ClockJump: fault.Jump(time.Hour)}}.Validate()).To(Succeed())
	g.Expect(fault.Rule{Name: "x", When: fault.When{Layer: fault.Installer}, Do: fault.Action{ExitCode: 0xC0000005}}.Validate()).To(Succeed())
}
