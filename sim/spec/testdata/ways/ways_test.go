// Package ways_test is a suite that the harness's own tests run in many ways.
package ways_test

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/expect"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
)

func TestWays(t *testing.T) { spec.Run(t, "ways") }

var _ = It("gives a spec its own world", Label("flow"), func(w *spec.World) {
	pc := w.NewRegisteredPC()
	technician, user := w.Technician(), w.User("alex")
	technician.ToLanding(pc)
	Expect(technician.Refresh(pc).ID).To(Equal(oobe.ScreenLanding))
	technician.Begin(pc)
	w.Await(pc, oobe.ScreenSuccess)
	technician.Reseal(pc)
	w.Ship(pc, 90*time.Minute)
	user.SignIn(pc)
	expect.Eventually(w, pc).Should(expect.ReachDesktop())
})

var _ = Describe("a container", spec.Tenant(func(t *scenario.Tenant) { t.DisplayName = "Outer" }), func() {
	var pc *device.PC

	BeforeEach(func(w *spec.World) { pc = w.NewPC() })

	It("has options for all of its specs", func(w *spec.World) {
		Expect(w.Tenant.DisplayName).To(Equal("Outer"))
		Expect(w.PCs).To(ConsistOf(pc))
	})

	It("has specs with options of their own", spec.Tenant(func(t *scenario.Tenant) { t.DisplayName += " and own" }), func(_ SpecContext, w *spec.World) {
		Expect(w.Tenant.DisplayName).To(Equal("Outer and own"))
	}, SpecTimeout(time.Minute))

	It("has options for worlds that are made by hand", func() {
		Expect(spec.NewWorld().Tenant.DisplayName).To(Equal("Outer"))
	})

	DescribeTable("has tables", spec.InWorld(func(w *spec.World, model string) {
		Expect(w.NewPC(spec.WithTPM(model)).Name).To(Equal("PC-2"))
	}),
		Entry("of one chip", "intel-ptt"),
		Entry("of another", "amd-ftpm"),
	)
})

var _ = It("changes the world half way", func(w *spec.World) {
	pc := w.NewRegisteredPC()
	w.Change(`unassign: {object: Agent, to: Autopilot PCs}`)
	w.SetClock(pc, -time.Hour)
	w.BlockHost("bench", "*.nowhere.example")
	w.UnblockHost("bench", "*.nowhere.example")
	w.Technician().Provision(pc)
	Expect(w.Products(pc)).NotTo(ContainElement("Agent"))
})
