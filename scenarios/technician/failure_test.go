package technician_test

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device/esp"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vnet"
)

const attestationHosts = "*.microsoftaik.azure.net"

var _ = Describe("a technician flow that fails", func() {
	It("says what is wrong and for how long it went on, beside the same details", Label("SR-28"), func() {
		w := spec.NewWorld(spec.Tenant(brokenAgent))
		pc := w.NewRegisteredPC(spec.For("kim@contoso.com"))
		landing := w.ToLanding(pc)
		w.Begin(pc)
		pressed := w.Clock.Now()
		s := w.Await(pc, oobe.ScreenFailure, oobe.ScreenSuccess)
		Expect(s.ID).To(Equal(oobe.ScreenFailure))
		for _, label := range []string{oobe.LabelOrganization, oobe.LabelProfile, oobe.LabelUser} {
			Expect(s.Line(label)).To(Equal(landing.Line(label)), label)
		}
		Expect(spec.ReadQR(s)).To(Equal(spec.ReadQR(landing)))
		Expect(s.Line(oobe.LabelError)).To(Equal(hresult.InstallFailure.Hex()))
		Expect(s.Line(oobe.LabelPhase)).To(Equal("DeviceSetup.AppsSubcategory"))
		var hours, minutes time.Duration
		Expect(fmt.Sscanf(s.Line(oobe.LabelElapsed), "%d hours %d minutes", &hours, &minutes)).To(Equal(2))
		Expect(hours*time.Hour + minutes*time.Minute).To(BeNumerically("~", w.Clock.Now().Sub(pressed), time.Minute))
	})

	It("lets logs be gathered", Label("SR-28"), func() {
		w := spec.NewWorld()
		Expect(w.Sites["bench"].Block(attestationHosts, vnet.Refuse)).To(Succeed())
		pc := w.NewRegisteredPC()
		Expect(w.TryProvision(pc)).NotTo(Succeed())
		w.Strike(pc, oobe.KeyLogs, 1)
		w.Await(pc, oobe.ScreenExport)
		w.Press(pc, oobe.ButtonExport)
		w.Wait(5 * time.Minute)
		Expect(w.Events(pc, "diagnostics.saved")).To(HaveLen(1))
		Expect(pc.Screen().ID).To(Equal(oobe.ScreenFailure))
	})

	It("starts over with Reset", Label("SR-28"), func() {
		w := spec.NewWorld()
		Expect(w.Sites["bench"].Block(attestationHosts, vnet.Refuse)).To(Succeed())
		pc := w.NewRegisteredPC()
		Expect(w.TryProvision(pc)).NotTo(Succeed())
		Expect(w.Sites["bench"].Unblock(attestationHosts)).To(BeTrue())
		w.Press(pc, oobe.ButtonReset)
		w.Await(pc, oobe.ScreenLanguage)
		w.CutPower(pc)
		w.Provision(pc)
	})

	It("is given up by a technician in front of whom nothing moves", func() {
		w := spec.NewWorld(spec.Tenant(endlessAgent), spec.Timing(map[string]any{"ime.installLimit": 24 * time.Hour}))
		pc := w.NewRegisteredPC()
		stuck := spec.StuckAt(w.TryProvision(pc))
		Expect(stuck).NotTo(BeNil())
		Expect(stuck.Screen).To(Equal(oobe.ScreenESP))
		Expect(stuck.Row).To(Equal(esp.RowApps))
		Expect(stuck.After).To(Equal(w.Timing.Technician.Patience))
	})
})
