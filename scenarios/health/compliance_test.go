package health_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/graph"
)

// start is a policy about everything that a report tells of a start.
var start = graph.CompliancePolicy{RequireHealthyDeviceReport: true, BitLockerEnabled: true, SecureBootEnabled: true, CodeIntegrityEnabled: true, EarlyLaunchAntiMalwareDriverEnabled: true}

// verdict is Intune's last one on a PC: the state, and the rule that decided.
func verdict(w *spec.World, pc *device.PC) (state, rule string) {
	GinkgoHelper()
	events := w.Events(pc, "mdm.compliance.evaluated")
	Expect(events).NotTo(BeEmpty(), "%s was not judged", pc.Name)
	last := events[len(events)-1]
	return last.Text("state"), last.Text("why")
}

// health is what Graph shows of a PC's start.
func health(w *spec.World, pc *device.PC) *graph.DeviceHealthAttestationState {
	GinkgoHelper()
	m, ok := w.Managed(pc)
	Expect(ok).To(BeTrue())
	Expect(m.DeviceHealthAttestationState).NotTo(BeNil())
	return m.DeviceHealthAttestationState
}

var _ = Describe("the health of a start", func() {
	It("is attested to Intune, and a healthy PC is compliant once it has restarted with its drive encrypted", func() {
		w := spec.NewWorld(asking(start))
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		w.Wait(time.Hour)
		// The drive was encrypted in this very boot, which the TPM knows without it.
		Expect(health(w, pc).BitLocker).To(Equal(graph.HealthDisabled))
		Expect(health(w, pc).SecureBoot).To(Equal(graph.HealthEnabled))
		state, rule := verdict(w, pc)
		Expect([]string{state, rule}).To(Equal([]string{"noncompliant", "bitLockerEnabled"}))

		w.Ship(pc, 24*time.Hour)
		w.Unpack(pc, w.User("alex"))
		w.Wait(time.Hour)
		h := health(w, pc)
		Expect([]string{h.BitLocker, h.SecureBoot, h.CodeIntegrity, h.EarlyLaunch, h.BootDebugging, h.VirtualSecureMode, h.TPMVersion}).
			To(Equal([]string{"enabled", "enabled", "enabled", "enabled", "disabled", "enabled", "2.0"}))
		Expect(h.PCR0).To(HaveLen(64))
		state, rule = verdict(w, pc)
		Expect([]string{state, rule}).To(Equal([]string{"compliant", ""}))
		Expect(*w.EntraDevice(pc).IsCompliant).To(BeTrue())
		Expect(checks(w, pc)).To(BeEmpty())
	})

	DescribeTable("is visible to compliance, which names the rule",
		func(part spec.Part, policy graph.CompliancePolicy, want string, shown func(h *graph.DeviceHealthAttestationState) string) {
			w := spec.NewWorld(asking(policy))
			pc := w.NewRegisteredPC(part)
			w.Provision(pc)
			w.Ship(pc, 24*time.Hour)
			w.Unpack(pc, w.User("alex"))
			w.Wait(time.Hour)
			Expect(shown(health(w, pc))).To(Equal(graph.HealthDisabled))
			state, rule := verdict(w, pc)
			Expect([]string{state, rule}).To(Equal([]string{"noncompliant", want}))
			Expect(*w.EntraDevice(pc).IsCompliant).To(BeFalse())
		},
		Entry("Secure Boot off", spec.Part(spec.WithoutSecureBoot), graph.CompliancePolicy{SecureBootEnabled: true}, "secureBootEnabled",
			func(h *graph.DeviceHealthAttestationState) string { return h.SecureBoot }),
		Entry("BitLocker off", spec.Part(spec.WithoutBitLocker), start, "bitLockerEnabled",
			func(h *graph.DeviceHealthAttestationState) string { return h.BitLocker }),
		Entry("no BitLocker because of no Secure Boot", spec.Part(spec.WithoutSecureBoot), start, "bitLockerEnabled",
			func(h *graph.DeviceHealthAttestationState) string { return h.BitLocker }),
	)

	It("is attested by a PC that was never pre-provisioned too: its AIK is certified when it is needed", func() {
		w := spec.NewWorld(asking(start))
		pc := w.NewRegisteredPC(spec.At("home"))
		w.Unpack(pc, w.User("kim"))
		w.Wait(time.Hour)
		state, rule := verdict(w, pc)
		Expect([]string{state, rule}).To(Equal([]string{"noncompliant", "bitLockerEnabled"}))
		Expect(w.Events(pc, "aik.certificate")).To(HaveLen(1))
	})

	DescribeTable("is not known, and that is not compliant, of a PC",
		func(status string, rule fault.Rule) {
			w := spec.NewWorld(asking(graph.CompliancePolicy{SecureBootEnabled: true}), spec.Faults(rule))
			pc := w.NewRegisteredPC(spec.At("home"))
			w.Unpack(pc, w.User("kim"))
			w.Wait(time.Hour)
			Expect(health(w, pc).Attested()).To(BeFalse())
			Expect(health(w, pc).Status).To(Equal(status))
			state, why := verdict(w, pc)
			Expect([]string{state, why}).To(Equal([]string{"noncompliant", "secureBootEnabled"}))
		},
		Entry("that does not reach the attestation service", hresult.InternetCannotConnect.Hex(),
			fault.Rule{Name: "blocked", When: fault.When{Layer: "http", Host: "*.attest.azure.net"}, Do: fault.Action{Refuse: true}}),
		Entry("that the attestation service turns away", hresult.FromHTTPStatus(403).Hex(),
			fault.Rule{Name: "turned away", When: fault.When{Layer: "http", Operation: "health.attest"}, Do: fault.Action{Status: 403}}),
		Entry("whose AIK nobody certifies", hresult.NotFound.Hex(),
			fault.Rule{Name: "no authority", When: fault.When{Layer: "http", Host: "*.microsoftaik.azure.net"}, Do: fault.Action{Refuse: true}}),
		Entry("whose TPM does not quote", hresult.PCPInternalError.Hex(),
			fault.Rule{Name: "no quotes", When: fault.When{Layer: "tpm", Operation: "TPM2_Quote"}, Do: fault.Action{TPMResponse: 0x101}}),
	)

	It("comes out the same twice, and over real TLS", func() {
		told := func(options ...spec.Option) (all []string, state string) {
			w := spec.NewWorld(append(options, asking(start))...)
			pc := w.NewRegisteredPC()
			w.Provision(pc)
			w.Ship(pc, 24*time.Hour)
			w.Unpack(pc, w.User("alex"))
			w.Wait(time.Hour)
			for _, e := range w.Events(pc) {
				all = append(all, e.String())
			}
			state, _ = verdict(w, pc)
			return all, state
		}
		first, state := told()
		Expect(state).To(Equal("compliant"))
		second, _ := told()
		Expect(second).To(Equal(first))
		_, state = told(spec.Home(vnet.TLS))
		Expect(state).To(Equal("compliant"))
	})

	It("costs a tenant nothing whose policies do not ask", func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		w.Ship(pc, 24*time.Hour)
		w.Unpack(pc, w.User("alex"))
		w.Wait(time.Hour)
		Expect(w.Events(pc, "health.report", "health.attested", "mdm.health")).To(BeEmpty())
	})
})
