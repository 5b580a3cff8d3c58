package technician_test

import (
	"crypto/x509"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/spec"
)

// managementExtension is what Intune brings so that it can install Win32 apps.
const managementExtension = "Microsoft Intune Management Extension"

var _ = Describe("the technician flow", func() {
	It("applies the policy, the security settings, the certificate and the app that are targeted at the device", Label("SR-14"), func() {
		const guests = "Accounts_EnableGuestAccountStatus" // of a security template
		w := spec.NewWorld(spec.Policy("Autopilot PCs", "./Device/Vendor/MSFT/Policy/Config/LocalPoliciesSecurityOptions/"+guests, 0))
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		Expect(w.Policy(pc, "", "Camera", "AllowCamera")).To(Equal("0"))
		Expect(w.Policy(pc, "", "LocalPoliciesSecurityOptions", guests)).To(Equal("0"))
		Expect(w.Products(pc)).To(ContainElement("Agent"))

		identity := w.Identity(pc)
		certificates := w.Texts(pc, "certificate.installed", "subject")
		Expect(certificates).To(Equal([]string{"CN=" + identity.AzureActiveDirectoryDeviceID}))
		var kept []*x509.Certificate
		for _, c := range pc.Disk.Certs.All(device.StoreMySystem) {
			parsed, err := c.Parse()
			Expect(err).NotTo(HaveOccurred())
			if parsed.Subject.CommonName == identity.AzureActiveDirectoryDeviceID && c.Name != "entra-device" {
				kept = append(kept, parsed)
			}
		}
		Expect(kept).To(HaveLen(1), "in the store at reseal")
	})

	Describe("apps at reseal", func() {
		// Suite: device context, for staff. Viewer: a line-of-business MSI in
		// device context, for the PC. Draw: user context, for the PC.
		more := spec.Apps(`
- "@odata.type": "#microsoft.graph.win32LobApp"
  displayName: Suite
  size: 30_000_000
  installExperience: {runAsAccount: system}
  detectionRules: [{"@odata.type": "#microsoft.graph.win32LobAppFileSystemDetection", path: 'C:\Program Files\Suite', fileOrFolderName: suite.exe, detectionType: exists}]
  windtunnel: {product: Suite, installDuration: 60s}
  assignments: [{intent: required, target: {"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Staff}}]
- "@odata.type": "#microsoft.graph.windowsMobileMSI"
  displayName: Viewer
  size: 5_000_000
  productCode: "{6A1D2C6E-8C50-4A1C-9D0B-0B5B8F3E1A11}"
  productVersion: "2.0"
  useDeviceContext: true
  windtunnel: {product: Viewer, installDuration: 10s}
  assignments: [{intent: required, target: {"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Autopilot PCs}}]
- "@odata.type": "#microsoft.graph.win32LobApp"
  displayName: Draw
  size: 5_000_000
  installExperience: {runAsAccount: user}
  detectionRules: [{"@odata.type": "#microsoft.graph.win32LobAppFileSystemDetection", path: 'C:\Users\Public\Draw', fileOrFolderName: draw.exe, detectionType: exists}]
  windtunnel: {product: Draw, installDuration: 10s}
  assignments: [{intent: required, target: {"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Autopilot PCs}}]
- "@odata.type": "#microsoft.graph.win32LobApp"
  displayName: Store
  size: 5_000_000
  installExperience: {runAsAccount: system}
  detectionRules: [{"@odata.type": "#microsoft.graph.win32LobAppFileSystemDetection", path: 'C:\Program Files\Store', fileOrFolderName: store.exe, detectionType: exists}]
  windtunnel: {product: Store, installDuration: 10s}
  assignments: [{intent: available, target: {"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Autopilot PCs}}]
`)

		It("are those in device context of the device and of its pre-assigned user, exactly", Label("SR-15"), func() {
			w := spec.NewWorld(more)
			pc := w.NewRegisteredPC(spec.For("alex@contoso.com"))
			w.Provision(pc)
			Expect(w.Products(pc)).To(ConsistOf(managementExtension, "Agent", "Viewer", "Suite"))
		})

		It("are only those of the device where nobody is assigned", Label("SR-15", "SR-18"), func() {
			w := spec.NewWorld(more)
			pc := w.NewRegisteredPC()
			w.Provision(pc)
			Expect(w.Products(pc)).To(ConsistOf(managementExtension, "Agent", "Viewer"))
		})
	})

	DescribeTable("is the same for its technician in every scenario", Label("SR-20"),
		func(option spec.Option, parts ...spec.Part) {
			w := spec.NewWorld(option)
			pc := w.NewRegisteredPC(parts...)
			w.Provision(pc)
			Expect(w.Events(pc, "device.resealed")).To(HaveLen(1))
		},
		Entry("with a cable", spec.Tenant(nothing)),
		Entry("without a cable", spec.Tenant(nothing), spec.Wireless),
		Entry("with a preset language", spec.Tenant(german)),
		Entry("with a user assigned", spec.Tenant(nothing), spec.For("kim@contoso.com")),
		Entry("with another vendor's TPM", spec.Tenant(nothing), spec.WithTPM("nuvoton-npct750")),
		Entry("with Enterprise", spec.Tenant(nothing), spec.Edition("Enterprise")),
		Entry("with Education", spec.Tenant(nothing), spec.Edition("Education")),
	)

	DescribeTable("is done where the organisation wants it done", Label("SR-36"),
		func(site string) {
			w := spec.NewWorld()
			pc := w.NewRegisteredPC(spec.At(site))
			w.Provision(pc)
			Expect(w.Products(pc)).To(ContainElement("Agent"))
		},
		Entry("by the maker or a partner", "bench"),
		Entry("by its own IT staff", "office"),
		Entry("by anybody with a network", "home"),
	)

	It("ends with the same details and the time it took; Reseal turns the PC off", Label("SR-26"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.For("alex@contoso.com"))
		landing := w.ToLanding(pc)
		w.Begin(pc)
		pressed := w.Clock.Now()
		s := w.Await(pc, oobe.ScreenSuccess)
		took := w.Clock.Now().Sub(pressed)
		for _, label := range []string{oobe.LabelOrganization, oobe.LabelProfile, oobe.LabelUser} {
			Expect(s.Line(label)).To(Equal(landing.Line(label)), label)
		}
		Expect(spec.ReadQR(s)).To(Equal(spec.ReadQR(landing)))
		var hours, minutes time.Duration
		Expect(fmt.Sscanf(s.Line(oobe.LabelElapsed), "%d hours %d minutes", &hours, &minutes)).To(Equal(2))
		Expect(hours*time.Hour + minutes*time.Minute).To(BeNumerically("~", took, time.Minute))
		Expect(took).To(BeNumerically(">", 2*time.Minute))

		w.Wait(24 * time.Hour)
		Expect(pc.Screen().ID).To(Equal(oobe.ScreenSuccess), "until Reseal is pressed")
		w.Reseal(pc)
		Expect(pc.On()).To(BeFalse())
	})

	It("can be resealed with installs pending where the status page is off, and they finish later", Label("SR-27"), func() {
		w := spec.NewWorld(spec.Tenant(withoutStatusPage))
		pc := w.NewRegisteredPC()
		w.ToSuccess(pc)
		_, managed := w.Managed(pc)
		Expect(managed).To(BeTrue(), "success proves the enrolment")
		Expect(w.Products(pc)).NotTo(ContainElement("Agent"))
		w.Reseal(pc)
		Expect(w.Products(pc)).NotTo(ContainElement("Agent"))

		w.Ship(pc, 3*time.Hour)
		w.Unpack(pc, w.User("alex"))
		w.Wait(2 * time.Hour)
		Expect(w.Products(pc)).To(ContainElement("Agent"))
	})

	It("is not held by a status page that is for users only", Label("SR-09"), func() {
		w := spec.NewWorld(spec.Tenant(statusPageForStaff))
		pc := w.NewRegisteredPC(spec.For("alex@contoso.com"))
		w.ToSuccess(pc)
		Expect(w.Products(pc)).NotTo(ContainElement("Agent"), "nothing waited for it")
		for _, e := range w.Events(pc, "esp.category") {
			Expect(e.Text("category")).NotTo(Equal("DeviceSetup"))
		}
	})

	It("is held until the apps are there by a status page that is for the PC", Label("SR-09"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC()
		w.ToSuccess(pc)
		Expect(w.Products(pc)).To(ContainElement("Agent"))
	})

	It("comes back after a power cut in the middle of device setup and ends at the success page", func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC()
		w.ToLanding(pc)
		w.Begin(pc)
		w.AwaitWhere(pc, "the app under way", func(s device.Screen) bool {
			return s.ID == oobe.ScreenESP && s.Line("Category") == "DeviceSetup" && len(w.Events(pc, "app.install")) > 0
		})
		Expect(w.Products(pc)).NotTo(ContainElement("Agent"))
		w.CutPower(pc)
		w.Wait(10 * time.Minute)
		w.PowerOn(pc)
		w.Await(pc, oobe.ScreenSuccess, oobe.ScreenFailure)
		Expect(pc.Screen().ID).To(Equal(oobe.ScreenSuccess), pc.Screen().String())
		Expect(w.Products(pc)).To(ContainElement("Agent"))
		Expect(w.Events(pc, "mdm.enrolled")).To(HaveLen(1), "it enrols once")
	})
})
