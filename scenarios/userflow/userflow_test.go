package userflow_test

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vnet"
)

// screensSince lists the screens that a PC showed after the last time it was
// powered on, without the firmware's.
func screensSince(w *spec.World, pc *device.PC) []string {
	var screens []string
	for _, e := range w.Events(pc, "device.power.on", "screen.shown") {
		switch {
		case e.Kind == "device.power.on":
			screens = nil
		case e.Text("screen") != "firmware":
			screens = append(screens, e.Text("screen"))
		}
	}
	return screens
}

var _ = Describe("the user flow after a technician's", func() {
	It("asks for the language and for Entra credentials on the organisation's page, and for nothing else", Label("SR-32"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		w.Ship(pc, 48*time.Hour)
		w.Unpack(pc, w.User("alex"))
		Expect(screensSince(w, pc)).To(Equal([]string{oobe.ScreenLanguage, oobe.ScreenSignIn, oobe.ScreenESP, oobe.ScreenDesktop}))
		var title string
		for _, e := range w.Events(pc, "screen.shown") {
			if e.Text("screen") == oobe.ScreenSignIn {
				title = e.Text("title")
			}
		}
		Expect(title).To(ContainSubstring("contoso.com"))
	})

	It("stays on the network page without internet", Label("SR-32"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.Wireless)
		w.Provision(pc)
		w.Ship(pc, 48*time.Hour)
		Expect(w.Sites["home"].Block("*", vnet.TimeOut)).To(Succeed())
		w.PowerOn(pc)
		for range 3 {
			w.Await(pc, oobe.ScreenLanguage, oobe.ScreenRegion, oobe.ScreenKeyboard)
			w.Press(pc, oobe.ButtonYes)
		}
		for range 3 {
			w.Await(pc, oobe.ScreenNetwork)
			w.Press(pc, oobe.ButtonConnect)
			w.Wait(15 * time.Minute)
			Expect(pc.Screen().ID).To(Equal(oobe.ScreenNetwork))
			Expect(pc.Screen().Line("Status")).To(Equal("No internet"))
		}
		Expect(w.Sites["home"].Unblock("*")).To(BeTrue())
		w.Press(pc, oobe.ButtonConnect)
		w.Await(pc, oobe.ScreenSignIn)
	})

	It("brings the user's policy and app under the status page, then the desktop", Label("SR-33", "SR-18"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		Expect(w.Products(pc)).NotTo(ContainElement("Notes"), "it waits for the sign-in")
		w.Ship(pc, 48*time.Hour)
		w.Unpack(pc, w.User("alex"))
		Expect(pc.Screen().ID).To(Equal(oobe.ScreenDesktop))
		Expect(w.Products(pc)).To(ContainElements("Agent", "Notes"))
		Expect(w.Policy(pc, w.SID(pc), "Start", "HideRecentJumplists")).To(Equal("1"))
		order := w.Order(pc, "esp.category", "desktop.reached")
		Expect(order[len(order)-1]).To(Equal("desktop.reached"))
	})

	It("brings what waited for a user, where nobody was assigned: apps in either context, and policy", Label("SR-18", "SR-33"), func() {
		w := spec.NewWorld(spec.Apps(`
- "@odata.type": "#microsoft.graph.win32LobApp"
  displayName: Suite
  size: 10_000_000
  installExperience: {runAsAccount: system}
  detectionRules: [{"@odata.type": "#microsoft.graph.win32LobAppFileSystemDetection", path: 'C:\Program Files\Suite', fileOrFolderName: suite.exe, detectionType: exists}]
  windtunnel: {product: Suite, installDuration: 30s}
  assignments: [{intent: required, target: {"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Staff}}]
`))
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		Expect(w.Products(pc)).To(ContainElement("Agent"), "what is targeted at the device")
		Expect(w.Products(pc)).NotTo(Or(ContainElement("Suite"), ContainElement("Notes")))
		Expect(w.Texts(pc, "policy.applied", "uri")).NotTo(ContainElement(HavePrefix("./User/")))
		w.Ship(pc, 48*time.Hour)
		w.Unpack(pc, w.User("alex"))
		Expect(w.Products(pc)).To(ContainElements("Agent", "Suite", "Notes"))
		Expect(w.Policy(pc, w.SID(pc), "Start", "HideRecentJumplists")).To(Equal("1"))
	})

	It("has the technician do the long part and the user the short one", Label("SR-01"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC()
		begin := w.Clock.Now()
		w.Provision(pc)
		technician := w.Clock.Now().Sub(begin)
		Expect(w.Products(pc)).To(ContainElement("Agent"))
		w.Ship(pc, 48*time.Hour)
		begin = w.Clock.Now()
		w.Unpack(pc, w.User("alex"))
		user := w.Clock.Now().Sub(begin)
		Expect(user).To(BeNumerically("<", technician))

		alone := spec.NewWorld(spec.Variant("user-driven"))
		other := alone.NewRegisteredPC(spec.At("home"))
		begin = alone.Clock.Now()
		alone.Unpack(other, alone.User("alex"))
		Expect(user).To(BeNumerically("<", alone.Clock.Now().Sub(begin)), "it saves the user time")
	})

	It("runs device setup again, then account setup, and installs what was assigned in between", Label("SR-34"), func() {
		w := spec.NewWorld(spec.Apps(`
- "@odata.type": "#microsoft.graph.win32LobApp"
  displayName: Viewer
  size: 10_000_000
  installExperience: {runAsAccount: system}
  detectionRules: [{"@odata.type": "#microsoft.graph.win32LobAppFileSystemDetection", path: 'C:\Program Files\Viewer', fileOrFolderName: viewer.exe, detectionType: exists}]
  windtunnel: {product: Viewer, installDuration: 30s}
`))
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		Expect(w.Products(pc)).NotTo(ContainElement("Viewer"))
		w.AssignApp("Viewer", "Autopilot PCs")
		w.Ship(pc, 48*time.Hour)
		w.Unpack(pc, w.User("kim"))
		Expect(w.Products(pc)).To(ContainElement("Viewer"))

		var order []string
		for _, e := range w.Events(pc, "device.power.on", "esp.category", "product.installed") {
			switch {
			case e.Kind == "device.power.on":
				order = nil
			case e.Kind == "product.installed":
				order = append(order, e.Text("product"))
			case e.Text("state") == "inProgress":
				order = append(order, e.Text("category"))
			}
		}
		// The management extension starts with Windows, and may be at it before the page comes up.
		viewer := slices.Index(order, "Viewer")
		Expect(viewer).To(BeNumerically("<", slices.Index(order, "AccountSetup")))
		Expect(slices.Delete(order, viewer, viewer+1)).To(Equal([]string{"DevicePreparation", "DeviceSetup", "AccountSetup", "Notes"}))
	})

	It("asks nobody to sign in where a policy disabled wlidsvc meanwhile, but for a local account", Label("SR-35"), func() {
		w := spec.NewWorld(spec.Tenant(withoutSignInAssistant))
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		Expect(w.Policy(pc, "", "Accounts", "AllowMicrosoftAccountSignInAssistant")).To(Equal("0"))
		w.Ship(pc, time.Hour) // well within the life of the ticket that the technician flow left
		w.PowerOn(pc)
		w.Await(pc, oobe.ScreenLanguage)
		w.Press(pc, oobe.ButtonYes)
		Expect(w.Await(pc, oobe.ScreenEULA, oobe.ScreenSignIn).ID).To(Equal(oobe.ScreenEULA))
		w.Press(pc, oobe.ButtonAccept)
		w.Await(pc, oobe.ScreenLocal)
	})

	It("is not reached where wlidsvc is disabled from the start", Label("SR-35"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC()
		pc.Disk.Registry.SetDWORD(device.KeyServices+`\`+device.ServiceWLID, "Start", device.StartDisabled)
		s := w.ToLanding(pc)
		Expect(s.ID).To(Equal(oobe.ScreenFailure))
		Expect(w.Events(pc, "msa.ticket")).To(BeEmpty())
	})

	It("resets the compliance that Entra knows and has it evaluated anew", Label("SR-31"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC()
		seen := w.WatchCompliance(pc, 15*time.Second)
		w.ToSuccess(pc)
		w.Wait(10 * time.Minute)
		w.Reseal(pc)
		w.Ship(pc, 3*time.Hour)
		powered := w.Clock.Now()
		w.Unpack(pc, w.User("alex"))
		desktop := w.Clock.Now()
		w.Wait(10 * time.Minute)

		var states []bool
		for _, v := range *seen {
			states = append(states, v.Compliant)
		}
		Expect(states).To(Equal([]bool{false, true, false, true}), "registered, pre-provisioned, joined anew, evaluated anew")
		Expect((*seen)[2].At).To(BeTemporally(">", powered), "not while it is shelved")
		Expect((*seen)[2].At).To(BeTemporally("<", desktop))
		Expect((*seen)[3].At).To(BeTemporally("~", desktop, 5*time.Minute))
	})
})
