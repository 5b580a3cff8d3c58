package attestation_test

import (
	"bytes"
	"crypto/x509"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/tpmattest"
)

const otherModel = "stm-st33htph"

// attestTo attests a PC's TPM and gives the error with its cause's code: that
// the tries are used up hides what they failed with.
func attestTo(w *spec.World, pc *device.PC) (code, cause hresult.Code) {
	GinkgoHelper()
	w.Boot(pc, func(win *device.Windows) {
		err := join.Attest(win)
		code, _ = hresult.CodeOf(err)
	})
	if codes := w.Texts(pc, "tpm.attest.failed", "code"); len(codes) > 0 {
		var err error
		cause, err = hresult.Parse(codes[len(codes)-1])
		Expect(err).NotTo(HaveOccurred())
	}
	return code, cause
}

var _ = Describe("an AIK service that is told which TPMs to believe", func() {
	var wrong hresult.Code = hresult.TPMAttestationRetriesExceeded

	It("refuses a vendor whose root it does not trust", func() {
		w := spec.NewWorld(spec.Attestation(scenario.Attestation{TrustedVendors: scenario.TPMNames{"STM"}}))
		pc, other := w.NewPC(), w.NewPC(spec.WithTPM(otherModel))
		code, cause := attestTo(w, pc)
		Expect(code).To(Equal(wrong))
		Expect(cause).To(Equal(hresult.FromHTTPStatus(http.StatusBadRequest)))
		Expect(w.Texts(pc, "refused", "check")).To(HaveEach("EK chain"))
		Expect(w.Entra.AIK.Records(ekHash(pc.Chip))).To(BeEmpty())
		code, _ = attestTo(w, other)
		Expect(code).To(Equal(hresult.OK), "a vendor that it trusts")
	})

	It("has no authority for a vendor whose authority was withdrawn", func() {
		w := spec.NewWorld(spec.Attestation(scenario.Attestation{WithdrawnAuthorities: []string{"infineon-slb9670"}}))
		pc, other := w.NewPC(), w.NewPC(spec.WithTPM(otherModel))
		code, cause := attestTo(w, pc)
		Expect(code).To(Equal(wrong))
		Expect(cause).To(Equal(hresult.FromHTTPStatus(http.StatusNotFound)))
		Expect(w.Texts(pc, "refused", "check")).To(HaveEach("authority"))
		code, _ = attestTo(w, other)
		Expect(code).To(Equal(hresult.OK))
	})

	It("refuses firmware that is listed, at once and for good", func() {
		list := scenario.FirmwareRanges{{Vendor: "IFX", From: scenario.FirmwareVersion{7, 0}, To: scenario.FirmwareVersion{7, 85}}}
		w := spec.NewWorld(spec.Attestation(scenario.Attestation{VulnerableFirmware: list}))
		pc := w.NewPC()
		code, _ := attestTo(w, pc)
		Expect(code).To(Equal(hresult.TPMKnownVulnerability))
		Expect(w.Events(pc, "tpm.attest.failed")).To(HaveLen(1), "no try changes the firmware")
		expectRefused(w, pc, refused{"aik", "aik.enroll", "vulnerable firmware", "400 vulnerable firmware"})
		Expect(w.Entra.AIK.Records(ekHash(pc.Chip))).To(BeEmpty())
	})

	It("knows what was published about firmware, unless it is told otherwise", func() {
		const weak = "infineon-slb9665-fw5.51"
		w := spec.NewWorld()
		pc := w.NewPC(spec.WithTPM(weak))
		code, _ := attestTo(w, pc)
		Expect(code).To(Equal(hresult.TPMKnownVulnerability))
		w = spec.NewWorld(spec.Variant("no list"), spec.Attestation(scenario.Attestation{VulnerableFirmware: scenario.FirmwareRanges{}}))
		code, _ = attestTo(w, w.NewPC(spec.WithTPM(weak)))
		Expect(code).To(Equal(hresult.OK))
	})

	It("answers 429 with Retry-After when it is asked too often, and the PC comes through", func() {
		w := spec.NewWorld(spec.Attestation(scenario.Attestation{Limit: &scenario.RateLimit{Requests: 1, Per: 45 * time.Second}}))
		pc := w.NewPC()
		code, _ := attestTo(w, pc)
		Expect(code).To(Equal(hresult.OK))
		Expect(w.Texts(pc, "refused", "check")).To(HaveEach("rate limit"))
		Expect(w.Texts(pc, "refused", "code")).To(HaveEach("429 throttled"))
		Expect(w.Events(pc, "refused")).NotTo(BeEmpty())
	})
})

var _ = Describe("a key that an AIK vouches for", func() {
	var (
		w      *spec.World
		pc     *device.PC
		victim *device.PC
	)
	BeforeEach(func() {
		w = spec.NewWorld()
		pc, victim = w.NewPC(), w.NewPC()
		w.Register(pc, victim)
		ticketOf(w, pc)
	})
	// request asks the AIK service for a certificate of a new key of the TPM.
	request := func(win *device.Windows, change func(p *aik.KeyRequestParams)) (*x509.Certificate, *device.Response, []byte) {
		GinkgoHelper()
		r := ask(win, show(win).ek, keyRequester)
		key, err := win.NewKey(win.Ctx, container)
		Expect(err).NotTo(HaveOccurred())
		own, err := win.Chip.AIK(win.Ctx)
		Expect(err).NotTo(HaveOccurred())
		claim, err := own.Certify(win.Ctx, key, aik.KeyQualifyingData(r.signer.Certificate))
		Expect(err).NotTo(HaveOccurred())
		a, err := tpmattest.ParseAttest(claim.Attest)
		Expect(err).NotTo(HaveOccurred())
		p := aik.KeyRequestParams{
			Key: key.In(win.Ctx), AIK: tpmattest.AIKInfo{Key: own.Public(), Certificate: kept(win.PC, "aik").DER},
			Statement: tpmattest.Statement{KeyAttestation: tpmattest.KeyAttestation{Attest: a.Bare(), Signature: claim.Signature, KeyBlob: key.PublicArea()}.Marshal()},
			OSVersion: "10.0." + win.Installation.Build, TPM: r.name, Signer: r.signer, Authority: r.authority,
		}
		if change != nil {
			change(&p)
		}
		sent, err := aik.BuildKeyRequest(p, r.random)
		Expect(err).NotTo(HaveOccurred())
		resp := r.post(sent)
		if resp.Status != http.StatusOK {
			return nil, resp, nil
		}
		cert, _, err := aik.ParseSuccess(resp.Body, sent)
		Expect(err).NotTo(HaveOccurred())
		return cert, resp, key.PublicArea()
	}

	It("gets its certificate at once, without a challenge", func() {
		w.Boot(pc, func(win *device.Windows) {
			cert, _, area := request(win, nil)
			public, err := tpmattest.ParsePublic(area)
			Expect(err).NotTo(HaveOccurred())
			Expect(public.Is(cert.PublicKey)).To(BeTrue())
			Expect(cert.PolicyIdentifiers).To(ContainElement(aik.PolicyAttestedByCertificate))
		})
		Expect(w.Entra.AIK.Records(ekHash(pc.Chip))).To(HaveLen(1), "which is the AIK's own")
		expectRefused(w, pc)
	})

	It("gets none on the word of another TPM's AIK", func() {
		ticketOf(w, victim)
		before := state(w, pc.Chip, victim.Chip)
		w.Boot(pc, func(win *device.Windows) {
			cert, resp, _ := request(win, func(p *aik.KeyRequestParams) {
				stolen := parse(kept(victim, "aik").DER)
				p.AIK = tpmattest.AIKInfo{Key: stolen.PublicKey, Certificate: stolen.Raw}
			})
			Expect(cert).To(BeNil())
			outcome, message := aik.OutcomeOf(resp.Status, bytes.TrimSpace(resp.Body))
			Expect(outcome).To(Equal(aik.StatementRejected), message)
			Expect(outcome.Code()).To(Equal(hresult.FromHTTPStatus(http.StatusBadRequest)))
		})
		expectRefused(w, pc, refused{"aik", "aik.enroll", "signature", "400 statement rejected"})
		Expect(state(w, pc.Chip, victim.Chip)).To(Equal(before))
	})
})
