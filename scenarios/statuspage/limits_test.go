package statuspage_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
)

// takes has the Agent's installer run so long, on a link on which its download
// takes no time worth counting, and the management extension wait for it.
func takes(d time.Duration) []spec.Option {
	return []spec.Option{
		spec.App("Agent", func(a *spec.AppResource) { a.Windtunnel.Duration, a.Size = d, 1000 }),
		spec.Timing(map[string]any{"ime.installLimit": 6 * time.Hour}),
	}
}

// pageOpened is when the device setup page came up in the technician flow.
func pageOpened(w *spec.World, pc *device.PC) time.Time {
	GinkgoHelper()
	for _, e := range w.Events(pc, "esp.category") {
		if e.Text("category") == "DeviceSetup" && e.Text("state") == "inProgress" {
			return e.Time
		}
	}
	Fail("device setup has not begun")
	return time.Time{}
}

var _ = Describe("the page's time limit", func() {
	It("of 60 minutes is kept by an app that takes 59", func() {
		w := spec.NewWorld(takes(59*time.Minute - 30*time.Second)...)
		pc := w.NewRegisteredPC()
		Expect(toEnd(w, pc).ID).To(Equal(oobe.ScreenSuccess))
		Expect(w.Clock.Now().Sub(pageOpened(w, pc))).To(BeNumerically("<", 60*time.Minute))
	})

	It("of 60 minutes is missed by an app that takes 61: 0x800705B4 at the apps", func() {
		w := spec.NewWorld(takes(61 * time.Minute)...)
		pc := w.NewRegisteredPC()
		s := toEnd(w, pc)
		Expect(s.ID).To(Equal(oobe.ScreenFailure))
		Expect(s.Line(oobe.LabelError)).To(Equal(hresult.WaitTimeout.Hex()))
		Expect(s.Line(oobe.LabelPhase)).To(Equal("DeviceSetup.AppsSubcategory"))
		Expect(w.Clock.Now().Sub(pageOpened(w, pc))).To(BeNumerically("~", 60*time.Minute, 30*time.Second))
	})

	It("is the profile's", func() {
		w := spec.NewWorld(append(takes(61*time.Minute), spec.StatusPage(func(p *graph.EnrollmentStatusPage) { p.InstallProgressTimeoutInMinutes = 90 }))...)
		Expect(toEnd(w, w.NewRegisteredPC()).ID).To(Equal(oobe.ScreenSuccess))
	})

	It("does not count the time that the PC is off", func() {
		w := spec.NewWorld(takes(40 * time.Minute)...)
		pc := w.NewRegisteredPC()
		w.ToLanding(pc)
		w.Begin(pc)
		w.AwaitCategory(pc, "DeviceSetup")
		w.Wait(10 * time.Minute)
		w.CutPower(pc)
		w.Wait(3 * time.Hour)
		w.PowerOn(pc)
		Expect(w.Await(pc, oobe.ScreenSuccess, oobe.ScreenFailure).ID).To(Equal(oobe.ScreenSuccess))
	})

	It("counts over restarts", func() {
		w := spec.NewWorld(takes(40 * time.Minute)...)
		pc := w.NewRegisteredPC()
		w.ToLanding(pc)
		w.Begin(pc)
		w.AwaitCategory(pc, "DeviceSetup")
		w.Wait(35 * time.Minute)
		w.CutPower(pc)
		w.PowerOn(pc)
		s := w.Await(pc, oobe.ScreenSuccess, oobe.ScreenFailure)
		Expect(s.ID).To(Equal(oobe.ScreenFailure), "the installer begins anew, with 25 minutes left")
		Expect(s.Line(oobe.LabelError)).To(Equal(hresult.WaitTimeout.Hex()))
	})

	It("of the provider that brings the apps is 15 minutes", func() {
		w := spec.NewWorld(spec.Timing(map[string]any{"mdm.agentInstall": 2 * time.Hour}))
		pc := w.NewRegisteredPC()
		w.ToLanding(pc)
		w.Begin(pc)
		w.AwaitEvent(pc, "mdm.enrolled", nil)
		begun := w.Clock.Now()
		s := w.Await(pc, oobe.ScreenSuccess, oobe.ScreenFailure)
		Expect(s.ID).To(Equal(oobe.ScreenFailure))
		Expect(s.Line(oobe.LabelError)).To(Equal(hresult.WaitTimeout.Hex()))
		Expect(s.Line(oobe.LabelPhase)).To(Equal("DevicePreparation.EspProviderInstallationSubcategory"))
		Expect(w.Clock.Now().Sub(begun)).To(BeNumerically("~", 15*time.Minute, time.Minute))
	})

	It("does not keep a PC whose provider's package cannot be had", func() {
		w := spec.NewWorld()
		Expect(w.Sites["bench"].Block(hosts.ContentCDN, vnet.Refuse)).To(Succeed())
		s := toEnd(w, w.NewRegisteredPC())
		Expect(s.ID).To(Equal(oobe.ScreenFailure))
		Expect(s.Line(oobe.LabelPhase)).To(HavePrefix("DevicePreparation.EspProviderInstallation"))
	})
})
