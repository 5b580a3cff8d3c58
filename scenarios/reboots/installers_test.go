package reboots_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/spec"
)

// exits has the Agent's installer end with a code.
func exits(code int) spec.Option {
	return spec.App("Agent", func(a *spec.AppResource) { a.Windtunnel.ExitCode = code })
}

// second is an app that comes after the Agent.
var second = spec.Apps(`
- "@odata.type": "#microsoft.graph.win32LobApp"
  displayName: Viewer
  size: 5_000_000
  installExperience: {runAsAccount: system}
  detectionRules: [{"@odata.type": "#microsoft.graph.win32LobAppFileSystemDetection", path: 'C:\Program Files\Viewer', fileOrFolderName: viewer.exe, detectionType: exists}]
  windtunnel: {product: Viewer, installDuration: 10s}
  assignments: [{intent: required, target: {"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Autopilot PCs}}]
`)

// order is what was installed and when the PC restarted.
func order(w *spec.World, pc *device.PC) (names []string) {
	for _, e := range w.Events(pc, "product.installed", "device.reboot") {
		switch {
		case e.Kind == "device.reboot":
			names = append(names, "restart")
		case e.Text("product") == "Agent" || e.Text("product") == "Viewer":
			names = append(names, e.Text("product"))
		}
	}
	return names
}

// stops is what the management extension writes when it goes no further before a
// restart.
const stops = "A restart is required to continue processing apps. Stop processing."

var _ = Describe("an app that wants a restart", func() {
	It("gets it at the end of device setup where its code means a soft one", func() {
		w := spec.NewWorld(second, exits(3010))
		pc := w.NewRegisteredPC()
		w.ToSuccess(pc)
		Expect(order(w, pc)).To(HaveLen(3))
		Expect(order(w, pc)[2]).To(Equal("restart"))
		Expect(w.Texts(pc, "log.line", "message")).NotTo(ContainElement(ContainSubstring(stops)))
	})

	It("gets it at once where its code means a hard one, and the others come after it", func() {
		w := spec.NewWorld(second, exits(1641))
		pc := w.NewRegisteredPC()
		w.ToSuccess(pc)
		Expect(w.Products(pc)).To(ContainElements("Agent", "Viewer"))
		names := order(w, pc)
		Expect(names).To(HaveLen(3))
		Expect(names[:2]).To(Or(Equal([]string{"Agent", "restart"}), Equal([]string{"Viewer", "Agent"})))
		Expect(w.Texts(pc, "log.line", "message")).To(ContainElement(ContainSubstring(stops)))
	})

	It("that it takes by itself, behind the page's back, finds the page again", func() {
		w := spec.NewWorld(spec.App("Agent", func(a *spec.AppResource) { a.Windtunnel.Restarts = true }))
		pc := w.NewRegisteredPC()
		w.ToLanding(pc)
		w.Begin(pc)
		w.AwaitEvent(pc, "device.reboot", nil)
		Expect(w.Await(pc, oobe.ScreenESP).Line("Category")).To(Equal("DeviceSetup"), "preparation is done with")
		w.Await(pc, oobe.ScreenSuccess, oobe.ScreenFailure)
		Expect(w.Events(pc, "mdm.enrolled")).To(HaveLen(1))
		Expect(w.Impossible(pc)).To(BeEmpty())
	})
})

var _ = Describe("a restart that somebody causes", func() {
	for _, cut := range []struct{ category string }{{"DevicePreparation"}, {"DeviceSetup"}} {
		It("in "+cut.category+" brings the page back, and no second enrolment", func() {
			w := spec.NewWorld()
			pc := w.NewRegisteredPC()
			w.ToLanding(pc)
			w.Begin(pc)
			w.AwaitCategory(pc, cut.category)
			w.CutPower(pc)
			w.Wait(time.Minute)
			w.PowerOn(pc)
			w.Await(pc, oobe.ScreenSuccess)
			Expect(w.Events(pc, "mdm.enrolled")).To(HaveLen(1))
		})
	}
})
