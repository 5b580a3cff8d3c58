package attestation_test

import (
	"bytes"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/aik"
)

var guess = bytes.Repeat([]byte{7}, 32)

// notIssued expects that the AIK service refused an answer to its challenge.
func notIssued(err error) {
	GinkgoHelper()
	Expect(err).To(HaveOccurred(), "a certificate was issued")
	Expect(aik.OutcomeOfError(err)).To(Equal(aik.Refused))
	Expect(aik.OutcomeOfError(err).Code()).To(Equal(hresult.TPMAttestationFailed))
}

var _ = Describe("the AIK service", func() {
	var (
		w              *spec.World
		rogue, victim  *device.PC
		mine, victims  secrets
		before         string
		wrong, replays = refused{"aik", "aik.enroll", "challenge answered wrong", "badMessageCheck"}, refused{"aik", "aik.enroll", "challenge already used", "badCertId"}
	)
	BeforeEach(func() {
		w = spec.NewWorld()
		rogue, victim = w.NewPC(), w.NewPC()
		w.Boot(victim, func(win *device.Windows) { victims = show(win) })
		w.Boot(rogue, func(win *device.Windows) { mine = show(win) })
		before = state(w, rogue.Chip, victim.Chip)
	})
	unchanged := func() {
		GinkgoHelper()
		Expect(state(w, rogue.Chip, victim.Chip)).To(Equal(before))
	}

	It("believes no EK that the certificate is not about", func() {
		w.Boot(rogue, func(win *device.Windows) {
			ek := mine.ek
			ek.Certificate = victims.ek.Certificate
			_, resp := ask(win, ek, keyRequester).first(ek, mine.binding)
			Expect(resp.Status).To(Equal(http.StatusBadRequest))
			outcome, _ := aik.OutcomeOf(resp.Status, resp.Body)
			Expect(outcome).To(Equal(aik.EKRejected))
			Expect(outcome.Code()).To(Equal(hresult.FromHTTPStatus(http.StatusBadRequest)))
		})
		expectRefused(w, rogue, refused{"aik", "aik.enroll", "EK subject key", "400 EK rejected"})
		unchanged()
	})

	It("believes no EK certificate of a maker that it does not know", func() {
		w.Boot(rogue, func(win *device.Windows) {
			root, err := pki.NewRoot(win.Now(), 99, "Backyard TPM works", pki.Options{})
			Expect(err).NotTo(HaveOccurred())
			template := parse(mine.ek.Certificate)
			template.AuthorityKeyId = nil
			forged, err := root.Issue(win.Now(), template, mine.ek.Key)
			Expect(err).NotTo(HaveOccurred())
			r, ek := ask(win, mine.ek, keyRequester), mine.ek
			ek.Certificate = forged.Raw
			_, resp := r.first(ek, mine.binding)
			outcome, _ := aik.OutcomeOf(resp.Status, resp.Body)
			Expect(outcome).To(Equal(aik.EKRejected))
		})
		expectRefused(w, rogue, refused{"aik", "aik.enroll", "EK authority", "400 EK rejected"})
		unchanged()
	})

	It("gives nothing to a TPM that shows another TPM's EK and certificate", func() {
		w.Boot(rogue, func(win *device.Windows) {
			r := ask(win, victims.ek, keyRequester)
			first, challenge := r.challenged(victims.ek, mine.binding)
			_, err := activate(win, challenge)
			Expect(err).To(HaveOccurred(), "this TPM must not open what is sealed to another's EK")
			_, err = r.answer(first, challenge.ServerContext, guess)
			notIssued(err)
		})
		expectRefused(w, rogue, wrong)
		unchanged()
	})

	It("gives nothing for an AIK that is in another TPM", func() {
		w.Boot(rogue, func(win *device.Windows) {
			r := ask(win, mine.ek, keyRequester)
			first, challenge := r.challenged(mine.ek, victims.binding)
			_, err := activate(win, challenge)
			Expect(err).To(HaveOccurred(), "this TPM has no key of that name")
			_, err = r.answer(first, challenge.ServerContext, guess)
			notIssued(err)
		})
		expectRefused(w, rogue, wrong)
		unchanged()
	})

	It("gives nothing for an AIK that is in no TPM", func() {
		w.Boot(rogue, func(win *device.Windows) {
			r := ask(win, mine.ek, keyRequester)
			first, challenge := r.challenged(mine.ek, forgeBinding(pki.RSAKey(keyOther)))
			_, err := activate(win, challenge)
			Expect(err).To(HaveOccurred(), "this TPM has no key of that name")
			_, err = r.answer(first, challenge.ServerContext, guess)
			notIssued(err)
		})
		expectRefused(w, rogue, wrong)
		unchanged()
	})

	It("takes the answer to a challenge once", func() {
		w.Boot(rogue, func(win *device.Windows) {
			r := ask(win, mine.ek, keyRequester)
			first, challenge := r.challenged(mine.ek, mine.binding)
			secret, err := activate(win, challenge)
			Expect(err).NotTo(HaveOccurred())
			_, err = r.answer(first, challenge.ServerContext, secret)
			Expect(err).NotTo(HaveOccurred())
			before = state(w, rogue.Chip, victim.Chip)
			_, err = r.answer(first, challenge.ServerContext, secret)
			notIssued(err)
		})
		expectRefused(w, rogue, replays)
		unchanged()
	})

	It("takes a wrong answer to a challenge once as well", func() {
		w.Boot(rogue, func(win *device.Windows) {
			r := ask(win, mine.ek, keyRequester)
			first, challenge := r.challenged(mine.ek, mine.binding)
			secret, err := activate(win, challenge)
			Expect(err).NotTo(HaveOccurred())
			_, err = r.answer(first, challenge.ServerContext, guess)
			notIssued(err)
			_, err = r.answer(first, challenge.ServerContext, secret)
			notIssued(err)
		})
		expectRefused(w, rogue, wrong, replays)
		unchanged()
	})

	// The attacker's own AIK gets a challenge that its TPM opens; what comes out
	// is then given as the answer for a key that is in no TPM.
	DescribeTable("does not take the answer to one AIK's challenge for another",
		func(ownContext bool, check, info string) {
			w.Boot(rogue, func(win *device.Windows) {
				_, open := ask(win, mine.ek, keyRequester).challenged(mine.ek, mine.binding)
				secret, err := activate(win, open)
				Expect(err).NotTo(HaveOccurred())
				r := ask(win, mine.ek, keyOther)
				first, closed := r.challenged(mine.ek, forgeBinding(pki.RSAKey(keyOther)))
				serverContext := closed.ServerContext
				if ownContext {
					serverContext = open.ServerContext
				}
				_, err = r.answer(first, serverContext, secret)
				notIssued(err)
			})
			expectRefused(w, rogue, refused{"aik", "aik.enroll", check, info})
			unchanged()
		},
		Entry("with the context of the challenge that was opened", true, "server context", "badRequest"),
		Entry("with the context of the challenge that was not", false, "challenge answered wrong", "badMessageCheck"),
	)

	It("takes no answer from somebody else than it asked", func() {
		w.Boot(rogue, func(win *device.Windows) {
			first, challenge := ask(win, mine.ek, keyRequester).challenged(mine.ek, mine.binding)
			secret, err := activate(win, challenge)
			Expect(err).NotTo(HaveOccurred())
			_, err = ask(win, mine.ek, keyOther).answer(first, challenge.ServerContext, secret)
			notIssued(err)
		})
		expectRefused(w, rogue, refused{"aik", "aik.enroll", "challenge answered by another requester", "badMessageCheck"})
		unchanged()
	})

	It("takes no answer that comes too late", func() {
		w.Boot(rogue, func(win *device.Windows) {
			r := ask(win, mine.ek, keyRequester)
			first, challenge := r.challenged(mine.ek, mine.binding)
			secret, err := activate(win, challenge)
			Expect(err).NotTo(HaveOccurred())
			Expect(win.Sleep(win.Timing.TPM.AIKChallengeLife, "the attacker dawdles")).To(Succeed())
			_, err = r.answer(first, challenge.ServerContext, secret)
			notIssued(err)
		})
		expectRefused(w, rogue, refused{"aik", "aik.enroll", "challenge expired", "badTime"})
		unchanged()
	})
})
