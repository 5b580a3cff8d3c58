package tpmmodels_test

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/esp"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/hosts"
)

// ends is how a technician flow ends that gets no further than the TPM: the code
// on the row, and the code of each try.
type ends struct {
	code  hresult.Code
	cause hresult.Code // of every try, where tries are counted
	tries int
}

func retried(cause hresult.Code) ends {
	return ends{hresult.TPMAttestationRetriesExceeded, cause, 1 + 3}
}

func once(code hresult.Code) ends { return ends{code, code, 1} }

// anyWindows lets old builds enrol and be compliant.
func anyWindows(t *scenario.Tenant) { t.Policies[0].OSMinimumVersion = "" }

// waits is an attestation that never comes.
var waits = ends{code: hresult.WaitTimeout}

// expect has a technician try, and judges the end.
func expect(w *spec.World, pc *device.PC, want ends) {
	GinkgoHelper()
	failure := spec.FailureOf(w.TryProvision(pc))
	Expect(failure).NotTo(BeNil(), "%s got through", pc.Name)
	Expect(failure.Code).To(Equal(want.code.Hex()))
	Expect(w.Texts(pc, "esp.row", "row")).To(ContainElement(esp.RowHardware))
	causes := w.Texts(pc, "tpm.attest.failed", "code")
	Expect(causes).To(HaveLen(want.tries))
	for _, c := range causes {
		Expect(c).To(Equal(want.cause.Hex()))
	}
}

var _ = Describe("a PC", func() {
	for _, model := range vtpm.UsualModels() {
		for _, home := range []vnet.Home{vnet.Direct, vnet.TLS} {
			It(fmt.Sprintf("attests with the usual %s (%v)", model, home), Label("SR-06"), func() {
				w := spec.NewWorld(spec.Home(home))
				pc := w.NewRegisteredPC(spec.WithTPM(model))
				w.Provision(pc)
				Expect(w.Events(pc, "tpm.attest.failed")).To(BeEmpty())
				Expect(w.Events(pc, "tpm.attest.done")).To(HaveLen(1))
			})
		}
	}

	DescribeTable("attests with", Label("SR-06"), func(parts ...spec.Part) {
		w := spec.NewWorld(spec.Tenant(anyWindows))
		pc := w.NewRegisteredPC(parts...)
		w.Provision(pc)
		Expect(w.Events(pc, "tpm.attest.failed")).To(BeEmpty())
	},
		Entry("an SLB9672 whose firmware was updated", spec.WithTPM("infineon-slb9672")),
		Entry("an SLB9665 whose certificate names no authority key: Windows fetches the issuer", spec.WithTPM("infineon-slb9665")),
		Entry("Qualcomm's firmware TPM", spec.WithTPM("qualcomm-ftpm")),
		Entry("Tiger Lake's firmware TPM, with the chain in NV", spec.WithTPM("intel-ptt-tigerlake")),
	)

	DescribeTable("does not attest with", Label("SR-06"), func(want ends, parts ...spec.Part) {
		w := spec.NewWorld(spec.Tenant(anyWindows))
		expect(w, w.NewRegisteredPC(parts...), want)
	},
		Entry("P01: a virtual TPM", waits, spec.WithTPM("microsoft-vtpm")),
		Entry("P02: a TPM that runs as 1.2, which the join shows", ends{code: hresult.JoinServerNotAuthorized}, spec.WithTPM("infineon-slb9665-tpm12")),
		Entry("P06: firmware that is known to be vulnerable", once(hresult.TPMKnownVulnerability), spec.WithTPM("infineon-slb9665-fw5.51")),
		Entry("P07: AMD's firmware TPM of the 3.* line", once(hresult.NotFound), spec.WithTPM("amd-ftpm-fw3.58")),
		Entry("P08: an SLB9672 with firmware 15.22", waits, spec.WithTPM("infineon-slb9672-fw15.22")),
		Entry("P10: STMicroelectronics' RSA-3072 EK", retried(hresult.PCPInternalError), spec.WithTPM("stm-st33ktpm")),
		Entry("P10: Nuvoton's RSA-3072 EK", retried(hresult.PCPInternalError), spec.WithTPM("nuvoton-npct760")),
	)

	// Some faults are in Windows, of the days when those builds were new.
	DescribeTable("needs an updated Windows for", Label("SR-06"), func(day, model, build, updated string, want ends) {
		start, err := time.Parse(time.DateOnly, day)
		Expect(err).NotTo(HaveOccurred())
		w := spec.NewWorld(spec.Tenant(anyWindows), spec.Start(start))
		expect(w, w.NewRegisteredPC(spec.WithTPM(model), spec.Build(build)), want)
		w = spec.NewWorld(spec.Tenant(anyWindows), spec.Start(start))
		w.Provision(w.NewRegisteredPC(spec.WithTPM(model), spec.Build(updated)))
	},
		Entry("P09: Tiger Lake's firmware TPM (KB5007253)", "2022-03-01", "intel-ptt-tigerlake", "19044.1288", "19044.1387", retried(hresult.FromHTTPStatus(400))),
		Entry("P12: an EK certificate without authority key identifier (KB4517211)", "2020-03-02", "infineon-slb9665", "18362.356", "18362.387", retried(hresult.NotFound)),
	)

	It("P15: waits for a TPM 1.2 where Windows is old enough", Label("SR-06"), func() {
		w := spec.NewWorld(spec.Tenant(anyWindows), spec.Start(time.Date(2020, 3, 2, 8, 0, 0, 0, time.UTC)))
		expect(w, w.NewRegisteredPC(spec.WithTPM("infineon-slb9665-tpm12"), spec.Build("18362.816")), waits)
	})
})

var _ = Describe("a chip that is", func() {
	// Both kinds: a discrete part, and a firmware TPM whose certificate is the
	// vendor's to give.
	const discrete, firmware = "stm-st33htph", "intel-ptt"

	DescribeTable("in a bad state ends as documented:", Label("SR-06"), func(model string, state vtpm.State, want ends) {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.WithTPM(model), spec.WithTPMState(state))
		expect(w, pc, want)
	},
		Entry("P20: not ready", discrete, vtpm.NotReady, retried(hresult.PCPDeviceNotReady)),
		Entry("P20: a firmware TPM not ready", firmware, vtpm.NotReady, retried(hresult.PCPDeviceNotReady)),
		Entry("P26: locked out", discrete, vtpm.LockedOut, retried(hresult.AuthenticationIgnored)),
		Entry("P19: without EK certificate in NV", discrete, vtpm.CertificateMissing, retried(hresult.NotFound)),
		Entry("without EK certificate at the vendor's host", firmware, vtpm.CertificateMissing, once(hresult.NotFound)),
		Entry("with the certificate of a withdrawn authority", discrete, vtpm.CertificateWithdrawn, retried(hresult.FromHTTPStatus(404))),
		Entry("with the certificate of a withdrawn authority that it does not name: the vendor has it no more", "infineon-slb9665", vtpm.CertificateWithdrawn, retried(hresult.FromHTTPStatus(404))),
		Entry("with the certificate of a withdrawn authority at the vendor's host", firmware, vtpm.CertificateWithdrawn, retried(hresult.FromHTTPStatus(404))),
	)

	It("not ready says so in the event log", func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.WithTPM(discrete), spec.WithTPMState(vtpm.NotReady))
		Expect(w.TryProvision(pc)).NotTo(Succeed())
		Expect(w.Texts(pc, "eventlog", "id")).To(ContainElement("1040"))
	})

	DescribeTable("cleared is provisioned by Windows, and attests:", Label("SR-06"), func(model string) {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC(spec.WithTPM(model), spec.WithTPMState(vtpm.Cleared))
		w.Provision(pc)
		Expect(w.Events(pc, "tpm.provisioned")).To(HaveLen(1))
		Expect(w.Events(pc, "tpm.attest.failed")).To(BeEmpty())
	}, Entry("a discrete part", discrete), Entry("a firmware TPM", firmware))

	It("locked out is well again after ten minutes under power", func() {
		w := spec.NewWorld(spec.Timing(map[string]any{"tpm.attestationRetryDelay": "11m", "tpm.attestationWait": "1h"}))
		pc := w.NewRegisteredPC(spec.WithTPM(discrete), spec.WithTPMState(vtpm.LockedOut))
		w.Provision(pc)
		Expect(w.Events(pc, "tpm.attest.failed")).To(HaveLen(1))
	})
})

var _ = Describe("P25: a chip that is cleared", Label("SR-06"), func() {
	cleared := func(w *spec.World, pc *device.PC) {
		GinkgoHelper()
		w.Do(func(ctx context.Context) { // somebody in the firmware's menu
			Expect(pc.Chip.PowerOn(ctx)).To(Succeed())
			Expect(pc.Chip.Clear(ctx)).To(Succeed())
			Expect(pc.Chip.Shutdown(ctx)).To(Succeed())
		})
	}

	It("between bench and user has lost the MDM's key, and the user flow waits in vain", func() {
		w := spec.NewWorld()
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		w.Ship(pc, 2*time.Hour)
		cleared(w, pc)
		failure := spec.FailureOf(w.TryUnpack(pc, w.User("alex")))
		Expect(failure).NotTo(BeNil())
		Expect(failure.Code).To(Equal(hresult.WaitTimeout.Hex()))
		Expect(w.Events(pc, "tpm.provisioned")).To(HaveLen(1), "Windows takes ownership for the keys of the join")
		Expect(w.Texts(pc, "mdm.session", "outcome")).To(ContainElement(ContainSubstring(hresult.BadKeyset.Hex())))
	})
})

var _ = Describe("the host of a firmware TPM's vendor", func() {
	blocked := func(host string) *spec.World {
		w := spec.NewWorld()
		Expect(w.Sites["bench"].Block(host, vnet.Refuse)).To(Succeed())
		return w
	}

	DescribeTable("is needed by that vendor's PCs and by no others", Label("SR-07"), func(host, model string, others ...string) {
		w := blocked(host)
		pc := w.NewRegisteredPC(spec.WithTPM(model))
		failure := spec.FailureOf(w.TryProvision(pc))
		Expect(failure).NotTo(BeNil())
		Expect(failure.Code).To(Equal(hresult.TPMAttestationRetriesExceeded.Hex()))
		for _, other := range others {
			w := blocked(host)
			w.Provision(w.NewRegisteredPC(spec.WithTPM(other)))
		}
	},
		Entry("Intel", hosts.EKIntel, "intel-ptt", "amd-ftpm", "infineon-slb9670"),
		Entry("AMD", hosts.EKAMD, "amd-ftpm", "intel-ptt"),
		Entry("Qualcomm", hosts.EKQualcomm, "qualcomm-ftpm", "amd-ftpm"),
	)
})

var _ = Describe("a chip that wants a command again", func() {
	retry := func(times int) spec.Option {
		var rules []fault.Rule
		for n := range times {
			rules = append(rules, fault.Rule{
				Name: fmt.Sprint("TPM_RC_RETRY ", n), When: fault.When{Layer: fault.TPM, Operation: "TPM2_ActivateCredential", Nth: n + 1},
				Do: fault.Action{TPMResponse: 0x922},
			})
		}
		return spec.Faults(rules...)
	}

	It("gets it from the driver, and nobody else notices", func() {
		w := spec.NewWorld(retry(3))
		pc := w.NewRegisteredPC()
		w.Provision(pc)
		Expect(w.Events(pc, "tpm.attest.failed")).To(BeEmpty())
		Expect(w.Texts(pc, "tpm.command", "result")).To(ContainElement("0x922"))
	})

	It("and never takes it makes the attempt fail, and the next one may not", func() {
		w := spec.NewWorld(retry(1 + 5))
		pc := w.NewRegisteredPC()
		begun := w.Clock.Now()
		w.Provision(pc)
		Expect(w.Events(pc, "tpm.attest.failed")).To(HaveLen(1))
		Expect(w.Clock.Now().Sub(begun)).To(BeNumerically(">", 30*time.Second))
	})
})
