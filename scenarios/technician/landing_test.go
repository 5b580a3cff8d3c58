package technician_test

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/graph"
)

var _ = Describe("the configuration screen", func() {
	It("shows profile, organisation and assigned user, and a QR code that names the device", Label("SR-22"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.For("alex@contoso.com"))
		s := w.ToLanding(pc)
		Expect(s.ID).To(Equal(oobe.ScreenLanding))
		Expect(s.Line(oobe.LabelProfile)).To(Equal("Office PCs"))
		Expect(s.Line(oobe.LabelOrganization)).To(Equal("contoso.com"))
		Expect(s.Line(oobe.LabelUser)).To(Equal("alex@contoso.com"))
		code := spec.ReadQR(s)
		Expect(code.ZtdID).To(Equal(w.Identity(pc).ID))
		Expect(code.SerialNumber).To(Equal(pc.Hardware.Serial))
	})

	It("shows that nobody is assigned", Label("SR-22"), func() {
		w := spec.NewWorld()
		s := w.ToLanding(w.NewRegisteredPC())
		Expect(s.Line(oobe.LabelUser)).To(Equal("not assigned"))
	})

	It("lets a client that knows only the picture find the device and give it to somebody else", Label("SR-23"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.For("alex@contoso.com"))
		id := spec.ReadQR(w.ToLanding(pc)).ZtdID

		var found graph.AutopilotDevice
		w.Graph(http.MethodGet, "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities/"+id, nil, &found)
		Expect(found.SerialNumber).To(Equal(pc.Hardware.Serial))
		Expect(found.UserPrincipalName).To(Equal("alex@contoso.com"))
		w.Graph(http.MethodPost, "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities/"+id+"/assignUserToDevice",
			graph.AssignUserRequest{UserPrincipalName: "kim@contoso.com"}, nil)

		w.Press(pc, oobe.ButtonRefresh)
		Expect(w.Await(pc, oobe.ScreenLanding).Line(oobe.LabelUser)).To(Equal("kim@contoso.com"))
	})

	It("shows a changed user and profile after Refresh, and not before", Label("SR-24"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.For("alex@contoso.com"))
		w.ToLanding(pc)
		w.AssignUser(pc, w.User("kim"))
		w.Graph(http.MethodPatch, "/beta/deviceManagement/windowsAutopilotDeploymentProfiles/"+w.Tenant.Profiles[0].ID,
			map[string]string{"@odata.type": graph.TypeEntraProfile, "displayName": "Shop floor PCs"}, nil)
		w.Wait(time.Hour)
		s := pc.Screen()
		Expect(s.Line(oobe.LabelUser)).To(Equal("alex@contoso.com"))
		Expect(s.Line(oobe.LabelProfile)).To(Equal("Office PCs"))

		w.Press(pc, oobe.ButtonRefresh)
		s = w.AwaitWhere(pc, "the new profile", func(s device.Screen) bool { return s.Line(oobe.LabelProfile) == "Shop floor PCs" })
		Expect(s.Line(oobe.LabelUser)).To(Equal("kim@contoso.com"))
	})

	It("reads the profile anew after a restart", Label("T25"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.For("alex@contoso.com"))
		w.ToLanding(pc)
		w.CutPower(pc)
		w.AssignUser(pc, w.User("kim"))
		Expect(w.ToLanding(pc).Line(oobe.LabelUser)).To(Equal("kim@contoso.com"))
	})

	It("asks again after a restart where there was no profile", Label("T25"), func() {
		w := spec.NewWorld()
		pc := w.NewPC()
		Expect(w.ToLanding(pc).ID).To(Equal(oobe.ScreenFailure))
		w.CutPower(pc)
		w.Register(pc)
		Expect(w.ToLanding(pc).ID).To(Equal(oobe.ScreenLanding))
	})

	It("starts nothing before Provision is pressed", Label("SR-25"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC()
		w.ToLanding(pc)
		w.Wait(6 * time.Hour)
		Expect(pc.Screen().ID).To(Equal(oobe.ScreenLanding))
		Expect(w.Events(pc, "tpm.attest.start", "entra.join", "mdm.enrolled", "esp.row")).To(BeEmpty())
		_, managed := w.Managed(pc)
		Expect(managed).To(BeFalse())

		w.Begin(pc)
		w.Await(pc, oobe.ScreenESP)
		Expect(w.Events(pc, "tpm.attest.start")).NotTo(BeEmpty())
	})
})
