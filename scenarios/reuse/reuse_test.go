package reuse_test

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/graph"
)

const managedDevices = "/deviceManagement/managedDevices/"

// often has PCs ask for orders every hour, since nobody tells them that there is
// one.
var often = spec.Timing(map[string]any{"mdm.syncSchedule": "3m x5, 15m x8, 1h"})

// atDesk pre-provisions a PC and has its user work on it.
func atDesk(options ...spec.Option) (*spec.World, *device.PC) {
	GinkgoHelper()
	w := spec.NewWorld(append(options, often)...)
	pc := w.NewRegisteredPC()
	w.Provision(pc)
	w.Ship(pc, 48*time.Hour)
	w.Unpack(pc, w.User("alex"))
	w.Wait(10 * time.Minute)
	return w, pc
}

// order asks for a remote action and waits until the PC has restarted for it.
func order(w *spec.World, pc *device.PC, action string, body any) {
	GinkgoHelper()
	d, ok := w.Managed(pc)
	Expect(ok).To(BeTrue())
	w.Graph(http.MethodPost, "/beta"+managedDevices+d.ID+"/"+action, body, nil)
	w.AwaitEvent(pc, "device.reboot", nil)
}

// remove deletes a PC's record in Intune.
func remove(w *spec.World, pc *device.PC) {
	GinkgoHelper()
	d, ok := w.Managed(pc)
	Expect(ok).To(BeTrue())
	w.Graph(http.MethodDelete, "/v1.0"+managedDevices+d.ID, nil, nil)
}

// unregister deletes a PC's registration and has the deployment service told.
func unregister(w *spec.World, pc *device.PC) {
	GinkgoHelper()
	w.Graph(http.MethodDelete, "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities/"+w.Identity(pc).ID, nil, nil)
	w.Graph(http.MethodPost, "/v1.0/deviceManagement/windowsAutopilotSettings/sync", nil, nil)
	w.Wait(24 * time.Hour)
}

var _ = Describe("a PC that was in use", func() {
	It("is as new after a wipe from the portal, its record is gone, and it can be pre-provisioned again", func() {
		w, pc := atDesk()
		order(w, pc, "wipe", map[string]any{"keepEnrollmentData": false, "keepUserData": false})
		w.Await(pc, oobe.ScreenLanguage, oobe.ScreenSignIn)
		Expect(w.Products(pc)).To(BeEmpty())
		Expect(pc.Disk.Registry.String(device.KeyEnrollments, "Current")).To(BeEmpty())
		Expect(pc.Disk.Certs.All(device.StoreMySystem)).To(BeEmpty())
		_, ok := w.Managed(pc)
		Expect(ok).To(BeFalse(), "the device said that it would")
		Expect(w.Identity(pc).SerialNumber).To(Equal(pc.Hardware.Serial), "it stays registered")
		w.CutPower(pc)
		Expect(w.Unblock(pc)).To(Succeed())
		w.Provision(pc)
		Expect(w.Impossible(pc)).To(BeEmpty())
	})

	It("is wiped once and for all, wherever the power is cut meanwhile", func() {
		w, pc := atDesk()
		order(w, pc, "wipe", map[string]any{})
		w.CutPower(pc)
		w.Wait(time.Hour)
		w.PowerOn(pc)
		w.Await(pc, oobe.ScreenLanguage, oobe.ScreenSignIn)
		Expect(w.Products(pc)).To(BeEmpty())
	})

	It("keeps its join and its enrolment through an Autopilot Reset, and loses its apps", func() {
		w, pc := atDesk()
		before := pc.Disk.Registry.String(device.KeyEnrollments, "Current")
		order(w, pc, "automaticRedeployment", nil)
		w.AwaitWhere(pc, "Windows again", func(s device.Screen) bool { return len(s.Buttons) > 0 && s.ID != oobe.ScreenDesktop })
		Expect(pc.Disk.Registry.String(device.KeyEnrollments, "Current")).To(Equal(before))
		Expect(pc.Disk.Registry.Subkeys(device.KeyJoinInfo)).To(HaveLen(1))
		Expect(w.Products(pc)).NotTo(ContainElements("Agent", "Notes"))
		Expect(w.Impossible(pc)).To(BeEmpty())
	})

	It("cannot be pre-provisioned after an Autopilot Reset", func() {
		w, pc := atDesk()
		order(w, pc, "automaticRedeployment", nil)
		w.AwaitWhere(pc, "Windows again", func(s device.Screen) bool { return len(s.Buttons) > 0 && s.ID != oobe.ScreenDesktop })
		w.CutPower(pc)
		failure := spec.FailureOf(w.TryProvision(pc))
		Expect(failure).NotTo(BeNil())
		Expect(failure.Screen).To(Equal(oobe.ScreenFailure))
		Expect(failure.Reason).To(ContainSubstring("not supported"))
	})

	It("is refused a second technician flow while its record is there, and not once it is deleted", Label("SR-03"), func() {
		w, pc := atDesk()
		w.CutPower(pc)
		w.Reinstall(pc)
		failure := spec.FailureOf(w.TryProvision(pc))
		Expect(failure).NotTo(BeNil())
		Expect(failure.Code).To(Equal(hresult.EnrollDeviceNotSupported.Hex()))
		w.CutPower(pc)
		remove(w, pc)
		w.Reinstall(pc)
		w.Provision(pc)
	})
})

var _ = Describe("records are deleted", func() {
	It("in the right order: managed device, registration, and then the PC is nobody's", func() {
		w, pc := atDesk()
		w.CutPower(pc)
		remove(w, pc)
		unregister(w, pc)
		_, ok := w.FindIdentity(pc)
		Expect(ok).To(BeFalse())
		w.Reinstall(pc)
		w.PowerOn(pc)
		w.Await(pc, oobe.ScreenLanguage)
		w.Press(pc, oobe.ButtonYes)
		w.Await(pc, oobe.ScreenEULA)
	})

	It("in no other order: the registration of a managed device stays", func() {
		w, pc := atDesk()
		Expect(w.TryGraph(http.MethodDelete, "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities/"+w.Identity(pc).ID, nil, nil)).NotTo(Succeed())
		_, ok := w.FindIdentity(pc)
		Expect(ok).To(BeTrue())
	})

	It("in the wrong order: without its device object a PC cannot be pre-provisioned, until it is registered anew", func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC()
		w.Graph(http.MethodDelete, "/v1.0/devices/"+w.EntraDevice(pc).ID, nil, nil)
		w.Wait(time.Hour)
		Expect(w.TryProvision(pc)).NotTo(Succeed())
		w.CutPower(pc)
		unregister(w, pc)
		w.Reinstall(pc)
		w.Register(pc)
		w.Provision(pc)
	})
})

var _ = Describe("a PC whose board was swapped", func() {
	It("is another PC to the deployment service, until it is registered anew", func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		w.SwapBoard(pc)
		w.Reinstall(pc)
		failure := spec.FailureOf(w.TryProvision(pc))
		Expect(failure).NotTo(BeNil())
		Expect(failure.Reason).To(ContainSubstring("SerialNumberMismatch"), "event 908: the registration is about other hardware")
		Expect(w.Identity(pc).RemediationState).To(Equal(graph.RemediationManual), "somebody has to look at it")
		w.CutPower(pc)

		remove(w, pc)
		unregister(w, pc)
		w.Reinstall(pc)
		w.Register(pc)
		w.Provision(pc)
		var all graph.Collection[graph.AutopilotDevice]
		w.Graph(http.MethodGet, "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities", nil, &all)
		Expect(all.Value).To(HaveLen(1))
	})
})
