package technician_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device/esp"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vnet"
)

// refused provisions a PC that must not get through, and gives how it ended.
func refused(option spec.Option, parts ...spec.Part) (*spec.World, *sim.Failed) {
	GinkgoHelper()
	w := spec.NewWorld(option)
	pc := w.NewRegisteredPC(parts...)
	failure := spec.FailureOf(w.TryProvision(pc))
	Expect(failure).NotTo(BeNil(), "the technician flow ends at a failure")
	Expect(failure.Screen).To(Equal(oobe.ScreenFailure))
	return w, failure
}

var _ = Describe("pre-provisioning", func() {
	It("needs a profile that allows it", Label("SR-13"), func() {
		w, failure := refused(spec.Tenant(withoutPreprovisioning))
		Expect(failure.Code).To(Equal(hresult.EnrollServerError.Hex()))
		Expect(w.Texts(w.PCs[0], "refused", "check")).To(ContainElement("profile allows pre-provisioning"))
	})

	It("needs an edition that can be managed: not Home", Label("SR-04"), func() {
		w, failure := refused(spec.Tenant(nothing), spec.Edition(scenario.EditionHome))
		Expect(failure.Code).To(Equal(hresult.EnrollCSPMisc.Hex()))
		Expect(w.Texts(w.PCs[0], "eventlog", "id")).To(ContainElement("114"))
	})

	It("needs a Windows that is still supported on the day", Label("SR-04"), func() {
		old := spec.Build("Windows 11 22H2")
		end, known := scenario.Windows{Build: "22621.521", Edition: scenario.EditionPro}.EndOfService()
		Expect(known).To(BeTrue())

		By("provisioning in its last month")
		w := spec.NewWorld(spec.Start(end.AddDate(0, -1, 0)), spec.Tenant(anyWindows))
		w.Provision(w.NewRegisteredPC(old))

		By("provisioning in the month after")
		w = spec.NewWorld(spec.Start(end.AddDate(0, 1, 0)), spec.Tenant(anyWindows))
		pc := w.NewRegisteredPC(old)
		failure := spec.FailureOf(w.TryProvision(pc))
		Expect(failure).NotTo(BeNil())
		Expect(failure.Code).To(Equal(hresult.EnrollDeviceNotSupported.Hex()))
		Expect(w.Texts(pc, "refused", "check")).To(ContainElement("supported Windows"))
	})

	It("needs a TPM: without one, securing the hardware fails after seven minutes", Label("SR-06"), func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.WithoutTPM)
		w.ToLanding(pc)
		w.Begin(pc)
		w.Await(pc, oobe.ScreenESP)
		begun := w.Clock.Now()
		s := w.Await(pc, oobe.ScreenFailure)
		Expect(w.Clock.Now().Sub(begun)).To(BeNumerically("~", 7*time.Minute, 10*time.Second))
		Expect(s.Line(oobe.LabelError)).To(Equal(hresult.WaitTimeout.Hex()))
		Expect(s.Line(oobe.LabelPhase)).To(ContainSubstring("TpmAttestation"))
		Expect(w.Texts(pc, "esp.row", "row")).To(ContainElement(esp.RowHardware))
	})

	Describe("attests the TPM with its own vendor's service", func() {
		It("and fails where that host is blocked", Label("SR-06", "SR-07"), func() {
			w := spec.NewWorld()
			Expect(w.Sites["bench"].Block("ifx-keyid-*.microsoftaik.azure.net", vnet.Refuse)).To(Succeed())
			pc := w.NewRegisteredPC(spec.WithTPM("infineon-slb9670"))
			failure := spec.FailureOf(w.TryProvision(pc))
			Expect(failure).NotTo(BeNil())
			Expect(failure.Code).To(Equal(hresult.TPMAttestationRetriesExceeded.Hex()))
			Expect(w.Events(pc, "tpm.attest.failed")).To(HaveLen(1 + w.Timing.TPM.AttestationRetries))
		})

		It("and does not where another vendor's is", Label("SR-07"), func() {
			w := spec.NewWorld()
			Expect(w.Sites["bench"].Block("ifx-keyid-*.microsoftaik.azure.net", vnet.Refuse)).To(Succeed())
			w.Provision(w.NewRegisteredPC(spec.WithTPM("nuvoton-npct750")))
		})
	})
})
