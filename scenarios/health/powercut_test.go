package health_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/spec"
)

// Whatever attestation was doing, the next boot finds on disk and in the TPM
// what it needs to go on.
var _ = DescribeTable("a PC that loses power comes back, is attested and becomes compliant:",
	func(when fault.When) {
		when.Nth = max(when.Nth, 1)
		w := spec.NewWorld(asking(start), spec.Faults(fault.Rule{Name: "cut", When: when, Do: fault.Action{CutPower: true}}))
		pc := w.NewRegisteredPC(spec.WithTPM("intel-ptt"))
		w.Provision(pc)
		w.Ship(pc, 24*time.Hour)
		w.Unpack(pc, w.User("alex"))
		w.Wait(2 * time.Hour)
		Expect(w.Events(pc, "fault.fired")).To(HaveLen(1))
		state, rule := verdict(w, pc)
		Expect([]string{state, rule}).To(Equal([]string{"compliant", ""}))
		Expect(w.Events(pc, "mdm.enrolled")).To(HaveLen(1), "it enrols once")
	},
	Entry("while firmware measures", fault.When{Layer: fault.TPM, Operation: "TPM2_PCR_Extend"}),
	Entry("when attestation begins", fault.When{Event: "tpm.attest.start"}),
	Entry("with the EK certificate", fault.When{Event: "ek.certificate"}),
	Entry("on the way to the EK host", fault.When{Layer: fault.HTTP, Operation: "ek.certificate"}),
	Entry("with the challenge", fault.When{Event: "aik.challenge"}),
	Entry("while it activates the credential", fault.When{Layer: fault.TPM, Operation: "TPM2_ActivateCredential"}),
	Entry("with the answer to the challenge on its way", fault.When{Layer: fault.HTTP, Operation: "aik.PKIOperation", Nth: 2}),
	Entry("with the AIK's certificate", fault.When{Event: "aik.certificate"}),
	Entry("with the validated ticket", fault.When{Event: "tpm.attest.done"}),
	Entry("when it has joined", fault.When{Event: "entra.join"}),
	Entry("with its drive just encrypted", fault.When{Event: "bitlocker.on"}),
	Entry("while the MDM key is certified", fault.When{Layer: fault.TPM, Operation: "TPM2_Certify", Nth: 2}),
	Entry("between challenge and report of its health", fault.When{Layer: fault.HTTP, Operation: "health.attest", Nth: 2}),
	Entry("while it quotes", fault.When{Layer: fault.TPM, Operation: "TPM2_Quote", Nth: 2}),
	Entry("with the report", fault.When{Event: "health.attested"}),
)
