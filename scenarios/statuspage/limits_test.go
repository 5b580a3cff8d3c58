package statuspage_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/fault"
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

var _ = Describe("the page's time limit", Label("T03"), func() {
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

	It("does not count the time that the PC is off", Label("T05"), func() {
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

	It("of the provider that brings the apps is 15 minutes", Label("T13"), func() {
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

	It("of the provider that brings the apps is kept by one that takes 14 minutes, and moves with the timing profile", Label("T13"), func() {
		ends := func(values map[string]any) string {
			w := spec.NewWorld(spec.Timing(values))
			return toEnd(w, w.NewRegisteredPC()).ID
		}
		Expect(ends(map[string]any{"mdm.agentInstall": "14m"})).To(Equal(oobe.ScreenSuccess))
		Expect(ends(map[string]any{"mdm.agentInstall": "16m"})).To(Equal(oobe.ScreenFailure))
		Expect(ends(map[string]any{"mdm.agentInstall": "16m", "esp.providerTimeout": "17m"})).To(Equal(oobe.ScreenSuccess))
	})

	It("does not end the wait for the list of apps, which has none, unless the timing profile gives it one", Label("T14"), func() {
		waits := func(values map[string]any) string {
			w := spec.NewWorld(spec.Timing(values), spec.Faults(fault.Rule{
				Name: "no list", When: fault.When{Layer: fault.HTTP, Operation: "sidecar.*"}, Do: fault.Action{Status: 500},
			}))
			pc := w.NewRegisteredPC()
			w.ToLanding(pc)
			w.Begin(pc)
			w.AwaitCategory(pc, "DeviceSetup")
			w.Wait(24 * time.Hour)
			return pc.Screen().ID
		}
		Expect(waits(map[string]any{})).To(Equal(oobe.ScreenESP))
		Expect(waits(map[string]any{"esp.trackingPoliciesWait": "2h"})).To(Equal(oobe.ScreenFailure))
	})

	It("counts the time that the PC is off where the wall clock measures it, as before 18362.752", Label("T05"), func() {
		for _, ticks := range []bool{true, false} {
			w := spec.NewWorld(append(takes(40*time.Minute), spec.Timing(map[string]any{"ime.installLimit": "6h", "esp.timeoutByTicks": ticks}))...)
			pc := w.NewRegisteredPC()
			w.ToLanding(pc)
			w.Begin(pc)
			w.AwaitCategory(pc, "DeviceSetup")
			w.Wait(5 * time.Minute)
			w.CutPower(pc)
			w.Wait(3 * time.Hour)
			w.PowerOn(pc)
			s := w.Await(pc, oobe.ScreenSuccess, oobe.ScreenFailure)
			Expect(s.ID == oobe.ScreenSuccess).To(Equal(ticks))
		}
	})

	It("is not begun before the row of the network has taken its five seconds", Label("T43"), func() {
		// joining is how long it is from the ticket's validation to the join.
		joining := func(values map[string]any) time.Duration {
			w := spec.NewWorld(spec.Timing(values))
			pc := w.NewRegisteredPC()
			w.ToLanding(pc)
			w.Begin(pc)
			w.AwaitEvent(pc, "mdm.enrolled", nil)
			return w.Events(pc, "mdm.enrolled")[0].Time.Sub(w.Events(pc, "tpm.attest.done")[0].Time)
		}
		Expect(joining(map[string]any{})).To(BeNumerically(">=", 5*time.Second))
		Expect(joining(map[string]any{"oobe.ppkgMinimum": "0s"})).To(BeNumerically("<", joining(map[string]any{"oobe.ppkgMinimum": "65s"})-59*time.Second))
	})

	It("does not keep a PC whose provider's package cannot be had", func() {
		w := spec.NewWorld()
		Expect(w.Sites["bench"].Block(hosts.ContentCDN, vnet.Refuse)).To(Succeed())
		s := toEnd(w, w.NewRegisteredPC())
		Expect(s.ID).To(Equal(oobe.ScreenFailure))
		Expect(s.Line(oobe.LabelPhase)).To(HavePrefix("DevicePreparation.EspProviderInstallation"))
	})
})
