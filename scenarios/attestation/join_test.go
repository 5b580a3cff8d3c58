package attestation_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/drs"
)

// joining is a device's join as it is sent in the technician flow, ready to be
// changed.
type joining struct {
	win   *device.Windows
	nonce string
	body  *drs.JoinRequest
}

// container is where an attacker keeps the key of a join.
const container = "rogue"

// newJoin is a request that is good in all its parts: a new key of this TPM,
// certified by its AIK over a nonce of the service, and the PC's own ticket.
func newJoin(win *device.Windows, w *spec.World) *joining {
	GinkgoHelper()
	resp := send(win, http.MethodGet, "https://"+drs.Host+"/EnrollmentServer/nonce/"+w.Tenant.ID+"/", nil, nil)
	Expect(resp.Status).To(Equal(http.StatusOK))
	var nonce drs.Nonce
	Expect(json.Unmarshal(resp.Body, &nonce)).To(Succeed())
	j := &joining{win: win, nonce: nonce.Value}
	key, err := win.NewKey(win.Ctx, container)
	Expect(err).NotTo(HaveOccurred())
	request, err := drs.NewCertificateRequest(key.In(win.Ctx))
	Expect(err).NotTo(HaveOccurred())
	ticket, err := join.Ticket(win)
	Expect(err).NotTo(HaveOccurred())
	j.body = &drs.JoinRequest{
		CertificateRequest: request, TransportKey: drs.EncodeRSA1(key.Public().(*rsa.PublicKey)), TargetDomain: w.Tenant.Domain,
		DeviceType: "Windows", OSVersion: "10.0." + win.Installation.Build, DeviceDisplayName: "ROGUE", JoinType: drs.JoinDeviceAuth,
		AikCertificate: kept(win.PC, "aik").DER, Attributes: drs.Attributes{ReuseDevice: true, DeviceTicket: []byte(ticket)},
	}
	j.body.AttestationData = j.certify(key.Public())
	return j
}

// certify has the AIK certify the attacker's key in the TPM, over qualifying
// data that fit the key which the request is about.
func (j *joining) certify(of crypto.PublicKey) []byte {
	GinkgoHelper()
	spki, err := x509.MarshalPKIXPublicKey(of)
	Expect(err).NotTo(HaveOccurred())
	qualifying := drs.QualifyingData(spki, j.nonce)
	proof, err := join.CertifyKey(j.win, container, qualifying[:])
	Expect(err).NotTo(HaveOccurred())
	return proof
}

// send gives the refusal, nil where the join came about.
func (j *joining) send() *drs.ErrorDetails {
	GinkgoHelper()
	body, err := json.Marshal(j.body)
	Expect(err).NotTo(HaveOccurred())
	resp := send(j.win, http.MethodPost, "https://"+drs.Host+"/EnrollmentServer/device/?api-version="+drs.JoinVersion,
		http.Header{"Content-Type": {"application/json"}, http.CanonicalHeaderKey(drs.HeaderNonce): {j.nonce}}, body)
	if resp.Status == http.StatusOK {
		return nil
	}
	var e drs.ErrorDetails
	Expect(json.Unmarshal(resp.Body, &e)).To(Succeed())
	Expect(resp.Status).To(Equal(e.Status()))
	return &e
}

// refuse is the error body of a join that was refused, and what Windows shows
// for it.
func refuse(code, sub string, want hresult.Code) types.GomegaMatcher {
	return And(
		HaveField("Code", code), HaveField("SubCode", sub),
		WithTransform(func(e *drs.ErrorDetails) hresult.Code { return e.HResult() }, Equal(want)),
	)
}

var _ = Describe("the join of a device", func() {
	var (
		w     *spec.World
		rogue *device.PC
	)
	BeforeEach(func() {
		w = spec.NewWorld()
		rogue = w.NewRegisteredPC()
		ticketOf(w, rogue)
	})

	DescribeTable("is refused",
		func(change func(j *joining), sub, check string, code hresult.Code) {
			before := state(w, rogue.Chip)
			boot(w, rogue, func(win *device.Windows) {
				j := newJoin(win, w)
				change(j)
				Expect(j.send()).To(refuse(drs.AuthorizationError, sub, code))
			})
			expectRefused(w, rogue, refused{"drs", "drs.join", check, code.Hex()})
			Expect(state(w, rogue.Chip)).To(Equal(before))
		},
		Entry("for a key in software, beside the attestation of one in the TPM", func(j *joining) {
			stranger := pki.RSAKey(keyOther)
			var err error
			j.body.CertificateRequest, err = drs.NewCertificateRequest(stranger)
			Expect(err).NotTo(HaveOccurred())
			j.body.AttestationData = j.certify(stranger.Public())
		}, drs.SubAttestation, "attestation subject key", hresult.JoinAttestation),
		Entry("for another key of the same TPM than the attested one", func(j *joining) {
			other, err := j.win.NewKey(j.win.Ctx, "rogue too")
			Expect(err).NotTo(HaveOccurred())
			j.body.CertificateRequest, err = drs.NewCertificateRequest(other.In(j.win.Ctx))
			Expect(err).NotTo(HaveOccurred())
			j.body.AttestationData = j.certify(other.Public())
		}, drs.SubAttestation, "attestation subject key", hresult.JoinAttestation),
		Entry("with an attestation that was made for an earlier attempt", func(j *joining) {
			old := j.nonce
			*j = *newJoin(j.win, w)
			fresh := j.nonce
			j.nonce = old
			key, err := j.win.Key(j.win.Ctx, container)
			Expect(err).NotTo(HaveOccurred())
			j.body.AttestationData = j.certify(key.Public())
			j.nonce = fresh
		}, drs.SubAttestation, "attestation qualifyingData", hresult.JoinAttestation),
		Entry("with a nonce that the service never gave", func(j *joining) { j.nonce = "guess" }, drs.SubAttestation, "attestation nonce", hresult.JoinAttestation),
		Entry("with a certificate that is no AIK's", func(j *joining) {
			var err error
			j.body.AikCertificate, err = j.win.Chip.EKCertificate(j.win.Ctx)
			Expect(err).NotTo(HaveOccurred())
		}, drs.SubAIK, "AIK certificate", hresult.JoinAIKValidation),
	)

	It("is refused with the AIK certificate of another TPM", func() {
		victim := w.NewPC()
		ticketOf(w, victim)
		before := state(w, rogue.Chip)
		boot(w, rogue, func(win *device.Windows) {
			j := newJoin(win, w)
			j.body.AikCertificate = kept(victim, "aik").DER
			Expect(j.send()).To(refuse(drs.AuthorizationError, drs.SubAttestation, hresult.JoinAttestation))
		})
		expectRefused(w, rogue, refused{"drs", "drs.join", "attestation signature", hresult.JoinAttestation.Hex()})
		Expect(state(w, rogue.Chip)).To(Equal(before))
	})
})
