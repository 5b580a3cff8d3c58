package health_test

import (
	"bytes"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/tcglog"
	"windtunnel.test/sim/wire/tpmattest"
)

// differ lists the registers in which two boots differ.
func differ(a, b [][]byte) (list []int) {
	for pcr := range a {
		if !bytes.Equal(a[pcr], b[pcr]) {
			list = append(list, pcr)
		}
	}
	return list
}

var _ = Describe("a measured boot", func() {
	It("leaves registers that its log replays to, and a quote of them holds", func() {
		w := spec.NewWorld()
		pc := w.NewPC()
		values, log := registers(w, pc)
		replayed, err := log.Replay(tcglog.SHA256)
		Expect(err).NotTo(HaveOccurred())
		Expect(values).To(Equal(replayed[:]))
		Expect(log.Check(tcglog.SHA256)).To(Succeed())
		w.Boot(pc, func(win *device.Windows) {
			aik, err := win.Chip.AIK(win.Ctx)
			Expect(err).NotTo(HaveOccurred())
			quote, err := aik.Quote(win.Ctx, []byte("nonce"), every...)
			Expect(err).NotTo(HaveOccurred())
			_, err = tpmattest.VerifyQuote(aik.Public(), quote.Attest, quote.Signature, []byte("nonce"), digest(replayed[:]))
			Expect(err).NotTo(HaveOccurred())
			worse := replayed
			worse[7] = make([]byte, 32)
			_, err = tpmattest.VerifyQuote(aik.Public(), quote.Attest, quote.Signature, []byte("nonce"), digest(worse[:]))
			Expect(err).To(HaveOccurred())
		})
		again, _ := registers(w, pc)
		Expect(again).To(Equal(values), "a boot of the same leaves the same")
	})

	DescribeTable("shows what it was",
		func(part spec.Part, want func(tcglog.Windows) bool) {
			w := spec.NewWorld()
			pc := w.NewPC(part)
			_, log := registers(w, pc)
			Expect(log.Windows()).To(Satisfy(want))
		},
		Entry("as its maker ships it: Secure Boot is on, the drive not encrypted yet", spec.At("bench"), func(b tcglog.Windows) bool {
			return b.SecureBoot && b.CodeIntegrity && b.ELAM && b.HVCI && b.Unlock == tcglog.UnlockNone && !b.BootDebug && !b.SafeMode
		}),
		Entry("Secure Boot off", spec.Part(spec.WithoutSecureBoot), func(b tcglog.Windows) bool { return !b.SecureBoot && !b.HVCI && b.CodeIntegrity }),
	)

	It("differs in register 0 alone after a firmware update", func() {
		w := spec.NewWorld()
		pc := w.NewPC()
		before, _ := registers(w, pc)
		pc.Hardware.Firmware = "Contoso 1.15.0"
		after, log := registers(w, pc)
		Expect(differ(before, after)).To(Equal([]int{0}))
		Expect(log.Events[0].Data).To(Equal(tcglog.UTF16("Contoso 1.15.0")))
	})

	It("differs in the registers of boot loader and modules after an update of Windows", func() {
		w := spec.NewWorld()
		pc := w.NewPC()
		before, _ := registers(w, pc)
		pc.Installation.Build = "26200.9999"
		after, _ := registers(w, pc)
		Expect(differ(before, after)).To(Equal([]int{4, 13}))
	})

	It("differs in the registers of Secure Boot and of Windows' start once Secure Boot is off", func() {
		w := spec.NewWorld()
		pc := w.NewPC()
		before, _ := registers(w, pc)
		pc.Protection.SecureBootOff = true
		after, _ := registers(w, pc)
		Expect(differ(before, after)).To(Equal([]int{7, 12}))
	})

	It("is not there on a PC without a TPM", func() {
		w := spec.NewWorld()
		pc := w.NewPC(spec.WithoutTPM)
		w.Boot(pc, func(win *device.Windows) { Expect(win.TCGLog()).To(BeNil()) })
	})

	It("goes on where the TPM fails to measure; its log then explains other registers than there are", func() {
		w := spec.NewWorld(spec.Faults(fault.Rule{Name: "deaf TPM", When: fault.When{Layer: "tpm", Operation: "TPM2_PCR_Extend"}, Do: fault.Action{TPMResponse: 0x101}}))
		pc := w.NewPC()
		values, log := registers(w, pc)
		Expect(w.Events(pc, "tpm.measure.failed")).To(HaveLen(1))
		replayed, err := log.Replay(tcglog.SHA256)
		Expect(err).NotTo(HaveOccurred())
		Expect(values).NotTo(Equal(replayed[:]))
		Expect(values[0]).To(Equal(make([]byte, 32)))
	})
})
