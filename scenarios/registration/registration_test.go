package registration_test

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/graph"
)

var _ = Describe("registration", func() {
	It("makes a PC known to the service by its imported hardware hash, and by nothing else", Label("SR-11"), func() {
		w := spec.NewWorld()
		pc := w.NewPC()

		By("being anybody's PC before the import")
		w.PowerOn(pc)
		w.Await(pc, oobe.ScreenLanguage)
		Expect(w.Texts(pc, "autopilot.profile", "outcome")).To(Equal([]string{"none"}))
		w.Press(pc, oobe.ButtonYes)
		w.Await(pc, oobe.ScreenEULA)
		w.CutPower(pc)

		By("importing and synchronising its hash")
		w.Register(pc)
		identity := w.Identity(pc)
		Expect(identity.DeploymentProfileAssignmentStatus).To(Equal(graph.AssignmentInSync))
		Expect(identity.Manufacturer).To(Equal(pc.Hardware.Manufacturer))
		Expect(identity.Model).To(Equal(pc.Hardware.Model))

		By("being the organisation's once Windows is set up afresh")
		w.Reinstall(pc)
		w.PowerOn(pc)
		w.Await(pc, oobe.ScreenLanguage)
		w.Press(pc, oobe.ButtonYes)
		Expect(w.Await(pc, oobe.ScreenSignIn, oobe.ScreenEULA).ID).To(Equal(oobe.ScreenSignIn))
	})

	It("is not the technician flow's business without a registration", Label("SR-11"), func() {
		w := spec.NewWorld()
		pc := w.NewPC()
		s := w.ToLanding(pc)
		Expect(s.ID).To(Equal(oobe.ScreenFailure))
		Expect(s.Line(oobe.LabelReason)).To(ContainSubstring("ZtdDeviceIsNotRegistered"))
	})

	It("loses its profile when the device object that anchors it is deleted in Entra ID", func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC()
		Expect(w.Identity(pc).DeploymentProfileAssignmentStatus).To(Equal(graph.AssignmentInSync))
		anchor := w.Identity(pc).AzureActiveDirectoryDeviceID
		var found struct {
			Value []graph.Device `json:"value"`
		}
		w.Graph(http.MethodGet, "/v1.0/devices?$filter=deviceId eq '"+anchor+"'", nil, &found)
		Expect(found.Value).To(HaveLen(1))
		w.Graph(http.MethodDelete, "/v1.0/devices/"+found.Value[0].ID, nil, nil)
		w.Graph(http.MethodPost, "/v1.0/deviceManagement/windowsAutopilotSettings/sync", nil, nil)
		w.Wait(24 * time.Hour)
		identity, ok := w.FindIdentity(pc)
		Expect(ok).To(BeTrue(), "the registration stays")
		Expect(identity.DeploymentProfileAssignmentStatus).NotTo(BeElementOf(graph.AssignmentInSync, graph.AssignmentOutOfSync))
		Expect(w.TryProvision(pc)).NotTo(Succeed())
	})

	Describe("a device that was pre-provisioned once", func() {
		It("is refused the second time, until its record in Intune is deleted", Label("SR-03"), func() {
			w := spec.NewWorld()
			pc := w.NewRegisteredPC()
			w.Provision(pc)
			w.Reinstall(pc)
			failure := spec.FailureOf(w.TryProvision(pc))
			Expect(failure).NotTo(BeNil(), "the second technician flow")
			Expect(failure.Code).To(Equal(hresult.EnrollDeviceNotSupported.Hex()))

			managed, ok := w.Managed(pc)
			Expect(ok).To(BeTrue())
			w.CutPower(pc)
			w.Graph(http.MethodDelete, "/v1.0/deviceManagement/managedDevices/"+managed.ID, nil, nil)
			w.Reinstall(pc)
			w.Provision(pc)
		})

		It("is accepted again after \"unblock device\"", Label("SR-03"), func() {
			w := spec.NewWorld()
			pc := w.NewRegisteredPC()
			w.Provision(pc)
			Expect(w.Unblock(pc)).To(Succeed())
			w.Reinstall(pc)
			w.Provision(pc)
		})
	})
})
