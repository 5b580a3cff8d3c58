package reboots_test

import (
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/spec"
)

// Settings that need a restart (learn.microsoft.com, "Troubleshoot the Enrollment
// Status Page"; the second is a field observation), and one that does not.
const (
	previewBuilds = "./Device/Vendor/MSFT/Policy/Config/Update/ManagePreviewBuilds"
	svchost       = "./Device/Vendor/MSFT/Policy/Config/ServiceControlManager/SvchostProcessMitigation"
	cortana       = "./Device/Vendor/MSFT/Policy/Config/Experience/AllowCortana"
	pcs           = "Autopilot PCs"
)

// restarts are the PC's own, after a moment.
func restarts(w *spec.World, pc *device.PC, since time.Time) int {
	n := 0
	for _, e := range w.Events(pc, "device.reboot") {
		if e.Time.After(since) {
			n++
		}
	}
	return n
}

// triggered are the URIs of the records 2800, each once.
func triggered(w *spec.World, pc *device.PC) (uris []string) {
	for _, e := range w.Events(pc, "eventlog") {
		if e.Text("id") != "2800" || e.Text("channel") != device.LogMDM {
			continue
		}
		_, uri, ok := strings.Cut(strings.TrimSuffix(e.Text("message"), ")"), "The following URI has triggered a reboot: (")
		Expect(ok).To(BeTrue(), e.Text("message"))
		if !slices.Contains(uris, uri) {
			uris = append(uris, uri)
		}
	}
	slices.Sort(uris)
	return uris
}

var _ = Describe("settings that need a restart", func() {
	It("make one restart at the end of device setup, however many they are, and each is logged", func() {
		w := spec.NewWorld(spec.Policy(pcs, previewBuilds, 1), spec.Policy(pcs, svchost, 1))
		pc := w.NewRegisteredPC()
		begun := w.Clock.Now()
		w.ToSuccess(pc)
		Expect(restarts(w, pc, begun)).To(Equal(1))
		Expect(triggered(w, pc)).To(Equal([]string{svchost, previewBuilds}))
		Expect(pc.Disk.Registry.String(device.KeySettings, "DeviceSetupCategory.Status")).To(ContainSubstring(`"DeviceSetup.RebootCoalescing":{"subcategoryState":"succeeded"`))

		order := []string{}
		for _, e := range w.Events(pc, "product.installed", "device.reboot") {
			order = append(order, e.Kind+" "+e.Text("product"))
		}
		Expect(order[len(order)-1]).To(HavePrefix("device.reboot"), "at the end of device setup, once all is there")
	})

	It("make none where there are none of them", func() {
		w := spec.NewWorld(spec.Policy(pcs, cortana, 0))
		pc := w.NewRegisteredPC()
		begun := w.Clock.Now()
		w.ToSuccess(pc)
		Expect(restarts(w, pc, begun)).To(BeZero())
		Expect(triggered(w, pc)).To(BeEmpty())
	})

	It("are not restarted for again in the user flow, where they were set before", func() {
		w := spec.NewWorld(spec.Policy(pcs, previewBuilds, 1))
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		w.Ship(pc, 48*time.Hour)
		begun := w.Clock.Now()
		w.Unpack(pc, w.User("alex"))
		Expect(restarts(w, pc, begun)).To(BeZero())
	})

	It("have the user sign in a second time, with no name filled in, before account setup", func() {
		w := spec.NewWorld(spec.Policy(pcs, previewBuilds, 1))
		pc := w.NewRegisteredPC(spec.At("home"), spec.For("alex@contoso.com"))
		alex := w.User("alex")
		w.PowerOn(pc)
		w.Await(pc, oobe.ScreenLanguage)
		w.Press(pc, oobe.ButtonYes)
		Expect(w.Await(pc, oobe.ScreenSignIn).Line(oobe.FieldEmail)).To(Equal(alex.UPN))
		w.SignIn(pc, alex)
		begun := w.Clock.Now()
		s := w.Await(pc, oobe.ScreenLogon)
		Expect(restarts(w, pc, begun)).To(Equal(1))
		Expect(s.Line(oobe.FieldEmail)).To(BeEmpty(), "the credentials are gone, and so is the name")
		Expect(s.Inputs).To(ContainElements(oobe.FieldEmail, oobe.FieldPassword))
		Expect(w.Products(pc)).To(ContainElement("Agent"))
		Expect(w.Products(pc)).NotTo(ContainElement("Notes"), "account setup waits")
		w.Wait(3 * time.Hour)
		Expect(pc.Screen().ID).To(Equal(oobe.ScreenLogon), "for as long as nobody signs in")
		w.SignIn(pc, alex)
		w.Await(pc, oobe.ScreenDesktop)
		Expect(w.Products(pc)).To(ContainElement("Notes"))
	})

	It("let a user go on without a second sign-in where nothing restarts", func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.At("home"))
		w.Unpack(pc, w.User("alex"))
		Expect(w.Texts(pc, "screen.shown", "screen")).NotTo(ContainElement(oobe.ScreenLogon))
	})

	It("are no reason for a restart once the page is through", func() {
		w := spec.NewWorld(spec.Policy("Staff", "./User/Vendor/MSFT/Policy/Config/Experience/AllowWindowsSpotlight", 0))
		pc := w.NewRegisteredPC(spec.At("home"))
		w.Unpack(pc, w.User("alex"))
		begun := w.Clock.Now()
		w.Graph("POST", "/beta/deviceManagement/deviceConfigurations", map[string]any{
			"@odata.type": "#microsoft.graph.windows10CustomConfiguration", "displayName": "Late",
			"omaSettings": []map[string]any{{"@odata.type": "#microsoft.graph.omaSettingInteger", "displayName": "Late", "omaUri": previewBuilds, "value": 1}},
		}, nil)
		w.Wait(time.Hour)
		Expect(restarts(w, pc, begun)).To(BeZero())
	})
})
