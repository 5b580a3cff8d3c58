package attestation_test

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/mde"
	"windtunnel.test/sim/wire/oauth"
	"windtunnel.test/sim/wire/tpmattest"
)

// enrolling is an MDM enrolment as it is sent in the technician flow, ready to
// be changed.
type enrolling struct {
	win   *device.Windows
	token string
	body  mde.Enrol
}

// newEnrolment is a request that is good in all its parts.
func newEnrolment(win *device.Windows, token, ztdID string) *enrolling {
	GinkgoHelper()
	key, err := win.NewKey(win.Ctx, container)
	Expect(err).NotTo(HaveOccurred())
	id := sha256.Sum256([]byte(win.Hardware.UUID))
	aik, err := win.Chip.AIK(win.Ctx)
	Expect(err).NotTo(HaveOccurred())
	claim, err := aik.Certify(win.Ctx, key, id[:])
	Expect(err).NotTo(HaveOccurred())
	e := &enrolling{win: win, token: token, body: mde.Enrol{Context: mde.Context{
		OSEdition: mdm.SKU(win.Installation.Edition), OSVersion: "10.0." + win.Installation.Build, DeviceName: "ROGUE", EnrollmentType: mde.EnrolDevice,
		DeviceType: mde.DeviceType, HWDevID: hex.EncodeToString(id[:]), RequestVersion: "5.0", ZeroTouchProvisioning: ztdID, WhiteGlove: true,
		AIKPub: aik.PublicArea(), AIKCert: kept(win.PC, "aik").DER,
		AIKAttestationClaim: tpmattest.KeyAttestation{Attest: claim.Attest, Signature: claim.Signature, KeyBlob: key.PublicArea()}.Marshal(),
	}}}
	e.request(key.In(win.Ctx))
	return e
}

// request makes the certificate request one of that key.
func (e *enrolling) request(key crypto.Signer) {
	GinkgoHelper()
	der, err := x509.CreateCertificateRequest(nil, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "rogue"}, SignatureAlgorithm: x509.SHA256WithRSA}, key)
	Expect(err).NotTo(HaveOccurred())
	e.body.Request = der
}

// send gives the fault, nil where the device was enrolled.
func (e *enrolling) send() *mde.Fault {
	GinkgoHelper()
	address := "https://" + hosts.Enrollment + mde.EnrolPath
	body, err := mde.EncodeEnrol(mde.Header{Action: mde.ActionEnrol, MessageID: "urn:uuid:" + e.win.GUID(), To: address, Security: mde.EntraSecurity(e.token)}, &e.body)
	Expect(err).NotTo(HaveOccurred())
	resp := send(e.win, http.MethodPost, address, http.Header{"Content-Type": {mde.ContentType}}, body)
	_, _, err = mde.DecodeEnrolResult(resp.Body)
	var fault *mde.Fault
	if errors.As(err, &fault) {
		Expect(resp.Status).To(Equal(http.StatusInternalServerError), "SOAP 1.2 sends faults with 500")
		return fault
	}
	Expect(err).NotTo(HaveOccurred())
	return nil
}

// joined gives a registered PC all that comes before enrolment: an attested
// TPM, a joined device, and the device's token for the MDM.
func joined(w *spec.World, pc *device.PC) (token string) {
	GinkgoHelper()
	ticketOf(w, pc)
	w.Boot(pc, func(win *device.Windows) {
		Expect(join.JoinAsDevice(win, tenantOf(w))).To(Succeed())
		t, err := join.TokenFor(win, oauth.ResourceMDM)
		Expect(err).NotTo(HaveOccurred())
		token = t.Raw
	})
	return token
}

var _ = Describe("MDM enrolment", func() {
	var (
		w             *spec.World
		rogue, victim *device.PC
		token, ztdID  string
	)
	BeforeEach(func() {
		w = spec.NewWorld()
		rogue, victim = w.NewPC(), w.NewPC()
		w.Register(rogue, victim)
		token, ztdID = joined(w, rogue), w.Identity(rogue).ID
	})

	It("takes the request that the attackers begin with", func() {
		w.Boot(rogue, func(win *device.Windows) { Expect(newEnrolment(win, token, ztdID).send()).To(BeNil()) })
		expectRefused(w, rogue)
	})

	DescribeTable("refuses",
		func(change func(e *enrolling), check string, code hresult.Code) {
			ticketOf(w, victim)
			before := state(w)
			w.Boot(rogue, func(win *device.Windows) {
				e := newEnrolment(win, token, ztdID)
				change(e)
				fault := e.send()
				Expect(fault).NotTo(BeNil(), "the device was enrolled")
				Expect(fault.Code()).To(Equal(code), fault.Error())
			})
			expectRefused(w, rogue, refused{"fakeintune/enroll", "enroll.enrol", check, code.Hex()})
			Expect(state(w)).To(Equal(before))
		},
		Entry("a request for a key in software, beside the attestation of one in the TPM",
			func(e *enrolling) { e.request(pki.RSAKey(keyOther)) }, "attestation subject key", hresult.EnrollAuthorization),
		Entry("a request for another key of the same TPM than the attested one", func(e *enrolling) {
			other, err := e.win.NewKey(e.win.Ctx, "rogue too")
			Expect(err).NotTo(HaveOccurred())
			e.request(other.In(e.win.Ctx))
		}, "attestation subject key", hresult.EnrollAuthorization),
		Entry("the AIK certificate of another TPM", func(e *enrolling) {
			e.body.Context.AIKCert, e.body.Context.AIKPub = kept(victim, "aik").DER, nil
		}, "attestation signature", hresult.EnrollAuthorization),
		Entry("an AIK that is not the certificate's", func(e *enrolling) { e.body.Context.AIKCert = kept(victim, "aik").DER }, "attestation certificate", hresult.EnrollAuthorization),
		Entry("an attestation for another device's identifier", func(e *enrolling) {
			id := sha256.Sum256([]byte(victim.Hardware.UUID))
			e.body.Context.HWDevID = hex.EncodeToString(id[:])
		}, "attestation qualifyingData", hresult.EnrollAuthorization),
		Entry("no attestation at all", func(e *enrolling) { e.body.Context.AIKAttestationClaim = nil }, "attestation AIK", hresult.EnrollAuthorization),
	)

	It("refuses who enrols as another registered device", func() {
		other, before := w.Identity(victim).ID, state(w)
		w.Boot(rogue, func(win *device.Windows) {
			fault := newEnrolment(win, token, other).send()
			Expect(fault).NotTo(BeNil(), "the device was enrolled")
			Expect(fault.Code()).To(Equal(hresult.EnrollAuthorization))
		})
		expectRefused(w, rogue, refused{"fakeintune/enroll", "enroll.enrol", "ZtdId of the token's device", hresult.EnrollAuthorization.Hex()})
		Expect(state(w)).To(Equal(before))
	})
})
