package attestation_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/mde"
	"windtunnel.test/sim/wire/oauth"
	"windtunnel.test/sim/wire/tpmattest"
)

// broken is a TPM that answers TPM2_Certify with a failure, as often as the
// rule's when says.
func broken(when fault.When) fault.Rule {
	when.Layer, when.Operation = fault.TPM, "TPM2_Certify"
	return fault.Rule{Name: "certify fails", When: when, Do: fault.Action{TPMResponse: 0x101}}
}

// signedIn signs alex in on a PC that then belongs to Entra ID, and gives the
// token for the MDM.
func signedIn(w *spec.World, win *device.Windows) string {
	GinkgoHelper()
	alex := w.User("alex")
	session, err := join.SignIn(win, alex.UPN, alex.Password)
	Expect(err).NotTo(HaveOccurred())
	Expect(join.JoinAsUser(win, tenantOf(w), session)).To(Succeed())
	Expect(join.AcquirePRT(win, session, alex.Password)).To(Succeed())
	t, err := join.TokenFor(win, oauth.ResourceMDM)
	Expect(err).NotTo(HaveOccurred())
	return t.Raw
}

var _ = Describe("attestation of the MDM key in a user's enrolment", func() {
	var (
		w           *spec.World
		pc, victim  *device.PC
		ztdID       string
		took        time.Duration
		fails       fault.When
		enrolled    = func() bool { return len(w.Intune.Tenant().Devices()) == 1 }
		worldWith   func(behaviour mde.AttestationFailure, rules ...fault.Rule)
		enrolAsUser func(before func(win *device.Windows)) error
	)
	worldWith = func(behaviour mde.AttestationFailure, rules ...fault.Rule) {
		GinkgoHelper()
		w = spec.NewWorld(spec.Attestation(scenario.Attestation{EnrollmentFailure: scenario.AttestationBehaviour(behaviour)}), spec.Faults(rules...))
		pc, victim = w.NewPC(), w.NewPC()
		w.Register(pc, victim)
		ticketOf(w, pc)
		ztdID = w.Identity(pc).ID
	}
	enrolAsUser = func(before func(win *device.Windows)) (err error) {
		GinkgoHelper()
		w.Boot(pc, func(win *device.Windows) {
			token := signedIn(w, win)
			if before != nil {
				before(win)
			}
			begin := w.Clock.Now()
			err = mdm.Enroll(win, mdm.Enrollment{Token: token, UPN: w.User("alex").UPN, UserDriven: true, ZtdID: ztdID})
			took = w.Clock.Now().Sub(begin)
		})
		return err
	}
	loseAIK := func(win *device.Windows) { win.Disk.Certs.Delete(device.StoreMySystem, join.CertAIK) }
	stealAIK := func(win *device.Windows) {
		win.Disk.Certs.Put(device.Certificate{Store: device.StoreMySystem, Name: join.CertAIK, DER: kept(victim, join.CertAIK).DER})
	}

	It("is recorded, with that of the Entra device key, and shown in Graph", func() {
		worldWith(mde.FailOnError)
		Expect(enrolAsUser(nil)).To(Succeed())
		m := w.Intune.Tenant().Devices()[0]
		Expect(m.Attestation.MDMKey).To(BeTrue())
		Expect(m.Attestation.EntraKey).To(BeTrue())
		Expect(m.Attestation.HResult).To(Equal(hresult.OK.Hex()))
		Expect(m.Attestation.Status).To(HavePrefix("Status=" + mde.AttestationCompleted + ";"))
		var shown graph.ManagedDevice
		w.Graph(http.MethodGet, "/v1.0/deviceManagement/managedDevices/"+m.ID, nil, &shown)
		Expect(shown.DeviceHealthAttestationState).NotTo(BeNil())
		Expect(shown.DeviceHealthAttestationState.AttestationKey).To(Equal(enroll.AIKPresent))
		expectRefused(w, pc)
	})

	// What the device finds out by itself: nothing is sent under FailOnError.
	DescribeTable("that the device cannot make",
		func(behaviour mde.AttestationFailure, cause string, code hresult.Code) {
			var before func(win *device.Windows)
			switch cause {
			case "TPM2_Certify fails":
				worldWith(behaviour, broken(fails))
			default:
				worldWith(behaviour)
				before = loseAIK
			}
			err := enrolAsUser(before)
			tries := len(w.Events(pc, "mdm.attest.failed"))
			if behaviour == mde.IgnoreOnError {
				Expect(err).NotTo(HaveOccurred())
				Expect(enrolled()).To(BeTrue())
				m := w.Intune.Tenant().Devices()[0]
				Expect(m.Attested).To(BeFalse())
				Expect(m.Attestation.HResult).To(Equal(code.Hex()), "the device says why")
				Expect(m.Attestation.Status).To(HavePrefix("Status=" + mde.AttestationFailed + ";AttestationErrorMsg="))
				Expect(m.DeviceHealthAttestationState).To(BeNil())
				Expect(tries).To(Equal(1))
				return
			}
			got, _ := hresult.CodeOf(err)
			Expect(got).To(Equal(code), "%v", err)
			Expect(enrolled()).To(BeFalse())
			if behaviour == mde.FailOnError {
				Expect(tries).To(Equal(1))
			} else {
				limit, delay := w.Timing.MDM.AttestationTimeout, w.Timing.MDM.AttestationRetryDelay
				Expect(tries).To(BeNumerically(">", 2))
				Expect(tries).To(BeNumerically("<=", 1+int(limit/delay)))
				Expect(took).To(BeNumerically("~", limit, 2*delay), "as long as OperationTimeout")
			}
			expectRefused(w, pc) // nothing was asked of the service
		},
		Entry("ends it under FailOnError: TPM2_Certify fails", mde.FailOnError, "TPM2_Certify fails", hresult.PCPInternalError),
		Entry("ends it under FailOnError: no AIK certificate", mde.FailOnError, "no AIK certificate", hresult.NotFound),
		Entry("is reported under IgnoreOnError: TPM2_Certify fails", mde.IgnoreOnError, "TPM2_Certify fails", hresult.PCPInternalError),
		Entry("is reported under IgnoreOnError: no AIK certificate", mde.IgnoreOnError, "no AIK certificate", hresult.NotFound),
		Entry("ends it late under RetryOnError: TPM2_Certify fails", mde.RetryOnError, "TPM2_Certify fails", hresult.PCPInternalError),
		Entry("ends it late under RetryOnError: no AIK certificate", mde.RetryOnError, "no AIK certificate", hresult.NotFound),
	)

	It("comes about in a later try under RetryOnError, when the TPM recovers", func() {
		worldWith(mde.RetryOnError, broken(fault.When{Nth: 1}))
		Expect(enrolAsUser(nil)).To(Succeed())
		Expect(w.Events(pc, "mdm.attest.failed")).To(HaveLen(1))
		Expect(took).To(BeNumerically(">=", w.Timing.MDM.AttestationRetryDelay))
		Expect(w.Intune.Tenant().Devices()[0].Attested).To(BeTrue())
	})

	// What only the service can find out.
	DescribeTable("that does not verify",
		func(behaviour mde.AttestationFailure, cause, check string) {
			worldWith(behaviour)
			ticketOf(w, victim)
			before := state(w)
			if cause == "AIK certificate of another TPM" {
				err := enrolAsUser(stealAIK)
				code, _ := hresult.CodeOf(err)
				if behaviour != mde.IgnoreOnError {
					Expect(code).To(Equal(hresult.EnrollAuthorization), "%v", err)
				}
			} else {
				w.Boot(pc, func(win *device.Windows) {
					e := newEnrolment(win, signedIn(w, win), ztdID)
					e.body.Context.WhiteGlove, e.body.Context.EnrollmentType = false, mde.EnrolFull
					if cause == "claim for another key" {
						other, err := win.NewKey(win.Ctx, "another")
						Expect(err).NotTo(HaveOccurred())
						e.request(other.In(win.Ctx))
					} else {
						e.withEntraKey("somebody else's")
					}
					before = state(w)
					if fault := e.send(); behaviour != mde.IgnoreOnError {
						Expect(fault).NotTo(BeNil())
						Expect(fault.Code()).To(Equal(hresult.EnrollAuthorization))
					} else {
						Expect(fault).To(BeNil())
					}
				})
			}
			if behaviour == mde.IgnoreOnError {
				Expect(enrolled()).To(BeTrue())
				m := w.Intune.Tenant().Devices()[0]
				Expect(m.Attested).To(BeFalse())
				Expect(m.Attestation.Check).To(Equal(check))
				expectRefused(w, pc)
				return
			}
			Expect(enrolled()).To(BeFalse())
			expectRefused(w, pc, refused{"fakeintune/enroll", "enroll.enrol", "attestation " + check, hresult.EnrollAuthorization.Hex()})
			if cause != "AIK certificate of another TPM" {
				Expect(state(w)).To(Equal(before))
			}
		},
		Entry("is refused under FailOnError: AIK certificate of another TPM", mde.FailOnError, "AIK certificate of another TPM", "certificate"),
		Entry("is refused under FailOnError: claim for another key", mde.FailOnError, "claim for another key", "subject key"),
		Entry("is refused under FailOnError: Entra key of another device", mde.FailOnError, "Entra key", "Entra key subject key"),
		Entry("is recorded under IgnoreOnError: AIK certificate of another TPM", mde.IgnoreOnError, "AIK certificate of another TPM", "certificate"),
		Entry("is recorded under IgnoreOnError: claim for another key", mde.IgnoreOnError, "claim for another key", "subject key"),
		Entry("is recorded under IgnoreOnError: Entra key of another device", mde.IgnoreOnError, "Entra key", "Entra key subject key"),
		Entry("is refused under RetryOnError: AIK certificate of another TPM", mde.RetryOnError, "AIK certificate of another TPM", "certificate"),
		Entry("is refused under RetryOnError: claim for another key", mde.RetryOnError, "claim for another key", "subject key"),
		Entry("is refused under RetryOnError: Entra key of another device", mde.RetryOnError, "Entra key", "Entra key subject key"),
	)
})

// withEntraKey adds a claim for a key of this TPM that is not that of the
// Entra certificate.
func (e *enrolling) withEntraKey(container string) {
	GinkgoHelper()
	key, err := e.win.NewKey(e.win.Ctx, container)
	Expect(err).NotTo(HaveOccurred())
	aik, err := e.win.Chip.AIK(e.win.Ctx)
	Expect(err).NotTo(HaveOccurred())
	id := sha256.Sum256([]byte(e.win.Hardware.UUID))
	Expect(hex.EncodeToString(id[:])).To(Equal(e.body.Context.HWDevID))
	claim, err := aik.Certify(e.win.Ctx, key, id[:])
	Expect(err).NotTo(HaveOccurred())
	e.body.Context.AadAIKAttestationClaim = tpmattest.KeyAttestation{Attest: claim.Attest, Signature: claim.Signature, KeyBlob: key.PublicArea()}.Marshal()
	e.body.Context.AADPub = key.PublicArea()
}

var _ = Describe("a TPM that fails in the technician flow when it is to attest the MDM key", func() {
	It("ends the enrolment with the TPM's error, whatever the tenant says of users", func() {
		// The first TPM2_Certify is the join's.
		w := spec.NewWorld(spec.Attestation(scenario.Attestation{EnrollmentFailure: "IgnoreOnError"}), spec.Faults(broken(fault.When{Nth: 2})))
		pc := w.NewRegisteredPC()
		Expect(w.TryProvision(pc)).NotTo(Succeed())
		Expect(w.Texts(pc, "mdm.attest.failed", "code")).To(Equal([]string{hresult.PCPInternalError.Hex()}))
		Expect(w.Texts(pc, "mdm.attest.failed", "behaviour")).To(Equal([]string{string(mde.FailOnError)}))
		Expect(w.Intune.Tenant().Devices()).To(BeEmpty())
		expectRefused(w, pc)
	})
})
