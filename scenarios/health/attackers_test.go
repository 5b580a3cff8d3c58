package health_test

import (
	"bytes"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/maa"
	"windtunnel.test/sim/wire/tcglog"
)

// forge gives a log in which Secure Boot was on, with digests to match.
func forge(win *device.Windows, honest bool) []byte {
	GinkgoHelper()
	log, err := tcglog.Parse(win.TCGLog())
	Expect(err).NotTo(HaveOccurred())
	for i, e := range log.Events {
		v, err := tcglog.ParseVariable(e.Data)
		if e.Type != tcglog.EFIVariableDriverConfig || err != nil || v.Name != "SecureBoot" {
			continue
		}
		Expect(v.Data).To(Equal([]byte{0}))
		v.Data = []byte{1}
		one := &tcglog.Log{Algorithms: log.Algorithms}
		one.Add(e.PCR, e.Type, v.Marshal())
		if honest {
			one.Events[0].Digests = e.Digests // the words alone
		}
		log.Events[i] = one.Events[0]
	}
	return log.Marshal()
}

var _ = Describe("the attestation service", func() {
	var (
		w  *spec.World
		pc *device.PC
	)
	BeforeEach(func() {
		w = spec.NewWorld()
		pc = w.NewRegisteredPC(spec.WithoutSecureBoot)
		w.Provision(pc)
	})
	// attack has the PC send evidence that was changed.
	attack := func(change func(win *device.Windows, r *maa.Request)) {
		GinkgoHelper()
		w.Boot(pc, func(win *device.Windows) {
			challenge, refused := exchange(win, maa.ToService{Type: maa.TypeAIKCert})
			Expect(refused).To(BeNil())
			r := evidence(win, challenge)
			change(win, &r)
			_, refused = submit(win, r)
			Expect(refused).NotTo(BeNil(), "it was believed")
		})
	}

	It("reports an honest start as it was", func() {
		w.Boot(pc, func(win *device.Windows) {
			challenge, _ := exchange(win, maa.ToService{Type: maa.TypeAIKCert})
			answer, refused := submit(win, evidence(win, challenge))
			Expect(refused).To(BeNil())
			report, err := w.Entra.Health.Verify(answer.Report, w.Clock.Now())
			Expect(err).NotTo(HaveOccurred())
			Expect(report.SecureBoot).To(BeFalse())
			Expect(report.CodeIntegrity).To(BeTrue())
			Expect(report.ResetCount).To(BeNumerically(">", 0))
			Expect(report.Nonce).To(Equal(maa.Bytes("a nonce")))
		})
		Expect(checks(w, pc)).To(BeEmpty())
	})

	It("refuses a log whose words were changed", func() {
		attack(func(win *device.Windows, r *maa.Request) { r.Data.TPM.BootLog = forge(win, true) })
		Expect(checks(w, pc)).To(Equal([]string{"event digest"}))
	})

	It("refuses a log whose words and digests were changed", func() {
		attack(func(win *device.Windows, r *maa.Request) { r.Data.TPM.BootLog = forge(win, false) })
		Expect(checks(w, pc)).To(Equal([]string{"event log replay"}))
	})

	It("refuses register values to go with a forged log", func() {
		attack(func(win *device.Windows, r *maa.Request) {
			r.Data.TPM.BootLog = forge(win, false)
			log, err := tcglog.Parse(r.Data.TPM.BootLog)
			Expect(err).NotTo(HaveOccurred())
			claim, err := maa.ParseClaim(r.Data.TPM.CurrentClaim)
			Expect(err).NotTo(HaveOccurred())
			claim.Values, err = log.Replay(tcglog.SHA256)
			Expect(err).NotTo(HaveOccurred())
			r.Data.TPM.CurrentClaim = claim.Marshal()
		})
		Expect(checks(w, pc)).To(Equal([]string{"quote PCR digest"}))
	})

	It("refuses a start that somebody went on measuring after", func() {
		w.Boot(pc, func(win *device.Windows) {
			more := &tcglog.Log{Algorithms: vtpm.Banks}
			more.Add(12, tcglog.EventTag, tcglog.Bool(tcglog.CodeIntegrity, true).Marshal())
			Expect(win.Chip.Measure(win.Ctx, []vtpm.Measurement{{PCR: 12, Digests: more.Events[0].Digests}})).To(Succeed())
			challenge, _ := exchange(win, maa.ToService{Type: maa.TypeAIKCert})
			_, refused := submit(win, evidence(win, challenge))
			Expect(refused.Message).To(ContainSubstring("register 12"))
		})
		Expect(checks(w, pc)).To(Equal([]string{"event log replay"}))
	})

	It("does not take the word of who went on measuring, and logged it", func() {
		w.Boot(pc, func(win *device.Windows) {
			log, err := tcglog.Parse(win.TCGLog())
			Expect(err).NotTo(HaveOccurred())
			log.Add(12, tcglog.EventTag, tcglog.Number(tcglog.BitLockerUnlock, tcglog.UnlockTPM).Marshal())
			added := log.Events[len(log.Events)-1]
			Expect(win.Chip.Measure(win.Ctx, []vtpm.Measurement{{PCR: 12, Digests: added.Digests}})).To(Succeed())
			challenge, _ := exchange(win, maa.ToService{Type: maa.TypeAIKCert})
			r := evidence(win, challenge)
			r.Data.TPM.BootLog = log.Marshal()
			answer, refused := submit(win, r)
			Expect(refused).To(BeNil(), "the log is what the registers say")
			report, err := w.Entra.Health.Verify(answer.Report, w.Clock.Now())
			Expect(err).NotTo(HaveOccurred())
			Expect(report.BitLocker).To(BeFalse())
		})
	})

	It("refuses a challenge that was answered before, and one that it never gave", func() {
		w.Boot(pc, func(win *device.Windows) {
			challenge, _ := exchange(win, maa.ToService{Type: maa.TypeAIKCert})
			r := evidence(win, challenge)
			_, refused := submit(win, r)
			Expect(refused).To(BeNil())
			_, refused = submit(win, r)
			Expect(refused).NotTo(BeNil())
			challenge.Challenge = bytes.Repeat([]byte("A"), len(challenge.Challenge))
			_, refused = submit(win, evidence(win, challenge))
			Expect(refused).NotTo(BeNil())
		})
		Expect(checks(w, pc)).To(Equal([]string{"challenge unknown or used", "service context"}))
	})

	It("refuses the quote of another PC, which started better", func() {
		other := w.NewRegisteredPC()
		w.Provision(other)
		var challenge maa.ToClient
		w.Boot(pc, func(win *device.Windows) { challenge, _ = exchange(win, maa.ToService{Type: maa.TypeAIKCert}) })
		var better maa.Request
		w.Boot(other, func(win *device.Windows) { better = evidence(win, challenge) })
		w.Boot(pc, func(win *device.Windows) {
			// All of it is genuine, but the other TPM signed for a request of its own PC's key.
			_, refused := submit(win, better)
			Expect(refused).NotTo(BeNil())
			challenge, _ = exchange(win, maa.ToService{Type: maa.TypeAIKCert})
			own := evidence(win, challenge)
			own.Data.TPM.AIKCertificate, own.Data.TPM.AIKPublic = better.Data.TPM.AIKCertificate, better.Data.TPM.AIKPublic
			_, refused = submit(win, own)
			Expect(refused).NotTo(BeNil())
		})
		Expect(checks(w, pc)).To(Equal([]string{"quote qualifyingData", "quote signature"}))
	})

	It("refuses an AIK that the AIK service did not certify", func() {
		attack(func(win *device.Windows, r *maa.Request) {
			mdm, ok := win.Disk.Certs.Find(device.StoreMySystem, "mdm")
			Expect(ok).To(BeTrue())
			r.Data.TPM.AIKCertificate = mdm.DER
		})
		Expect(checks(w, pc)).To(Equal([]string{"AIK certificate"}))
	})
})
