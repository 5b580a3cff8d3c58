package attestation_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	entra "windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/tpmattest"
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

// quote has the AIK sign the registers over the join's qualifying data.
func (j *joining) quote() []byte {
	GinkgoHelper()
	key, err := j.win.Key(j.win.Ctx, container)
	Expect(err).NotTo(HaveOccurred())
	csr, err := x509.ParseCertificateRequest(j.body.CertificateRequest.Data)
	Expect(err).NotTo(HaveOccurred())
	qualifying := drs.QualifyingData(csr.RawSubjectPublicKeyInfo, j.nonce)
	aik, err := j.win.Chip.AIK(j.win.Ctx)
	Expect(err).NotTo(HaveOccurred())
	q, err := aik.Quote(j.win.Ctx, qualifying[:], 0)
	Expect(err).NotTo(HaveOccurred())
	return tpmattest.KeyAttestation{Attest: q.Attest, Signature: q.Signature, KeyBlob: key.PublicArea()}.Marshal()
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

// aikLife is longer than an AIK certificate's life in these specs.
const aikLife = 32 * 24 * time.Hour

var _ = Describe("the join of a device", func() {
	var (
		w     *spec.World
		rogue *device.PC
	)
	BeforeEach(func() {
		// An AIK certificate lives for a shorter time than a device ticket here.
		w = spec.NewWorld(spec.Timing(map[string]any{"tpm.aikCertificateLife": "1 month", "msa.deviceTicketLife": "60d"}))
		rogue = w.NewRegisteredPC()
		ticketOf(w, rogue)
	})

	DescribeTable("is refused",
		func(change func(j *joining), sub, check string, code hresult.Code) {
			before := state(w, rogue.Chip)
			w.Boot(rogue, func(win *device.Windows) {
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

	// The rest of the service's checks, in their order.
	DescribeTable("is refused as well",
		func(prepare func(w *spec.World), change func(j *joining), kind, sub, check string, code hresult.Code) {
			if prepare != nil {
				prepare(w)
			}
			before := state(w, rogue.Chip)
			w.Boot(rogue, func(win *device.Windows) {
				j := newJoin(win, w)
				if change != nil {
					change(j)
				}
				Expect(j.send()).To(refuse(kind, sub, code))
			})
			expectRefused(w, rogue, refused{"drs", "drs.join", check, code.Hex()})
			Expect(state(w, rogue.Chip)).To(Equal(before))
		},
		Entry("without a transport key", nil, func(j *joining) { j.body.TransportKey = nil }, drs.MalformedMessage, "", "transport key", hresult.JoinMessageFormat),
		Entry("as a kind that is not modelled", nil, func(j *joining) { j.body.JoinType = drs.JoinHybrid }, drs.InvalidRequest, "", "join type", hresult.JoinMessageFormat),
		Entry("to a tenant that there is not", nil, func(j *joining) { j.body.TargetDomain = "nowhere.test" },
			drs.DirectoryError, drs.SubTenantNotFound, "tenant", hresult.JoinTenantNotFound),
		Entry("without a device ticket", nil, func(j *joining) { j.body.Attributes.DeviceTicket = nil },
			drs.AuthorizationError, drs.SubMsaTicket, "ticket", hresult.JoinAuthorization),
		Entry("with a ticket that nobody signed", nil, func(j *joining) { j.body.Attributes.DeviceTicket = []byte("a.b.c") },
			drs.AuthorizationError, drs.SubMsaTicket, "ticket", hresult.JoinAuthorization),
		Entry("without an AIK certificate", nil, func(j *joining) { j.body.AikCertificate = nil },
			drs.AuthorizationError, drs.SubAIK, "AIK certificate", hresult.JoinAIKValidation),
		Entry("with an AIK certificate that has expired", func(w *spec.World) { w.Wait(aikLife) }, nil,
			drs.AuthorizationError, drs.SubAIKExpired, "AIK certificate", hresult.JoinAIKCertificateExpired),
		Entry("with an attestation that is none", nil, func(j *joining) { j.body.AttestationData = []byte("KADS") },
			drs.AuthorizationError, drs.SubAttestation, "attestation format", hresult.JoinAttestation),
		Entry("with a quote in place of the key's certification", nil, func(j *joining) { j.body.AttestationData = j.quote() },
			drs.AuthorizationError, drs.SubAttestation, "attestation attest type", hresult.JoinAttestation),
		Entry("with an attestation that shows another key's public area", nil, func(j *joining) {
			other, err := j.win.NewKey(j.win.Ctx, "rogue too")
			Expect(err).NotTo(HaveOccurred())
			k, err := tpmattest.ParseKeyAttestation(j.body.AttestationData)
			Expect(err).NotTo(HaveOccurred())
			k.KeyBlob = other.PublicArea()
			j.body.AttestationData = k.Marshal()
		}, drs.AuthorizationError, drs.SubAttestation, "attestation name", hresult.JoinAttestation),
		Entry("for a device that was disabled", func(w *spec.World) {
			for _, d := range w.Entra.Directory.Devices(w.Tenant.ID) {
				_, err := w.Entra.Directory.Update(w.Tenant.ID, d.ObjectID, func(d *entra.Device) error { d.Enabled = false; return nil })
				Expect(err).NotTo(HaveOccurred())
			}
		}, nil, drs.AuthorizationError, "", "device enabled", hresult.JoinAuthorization),
		Entry("for a device whose object was deleted", func(w *spec.World) {
			for _, d := range w.Entra.Directory.Devices(w.Tenant.ID) {
				Expect(w.Entra.Directory.Delete(w.Tenant.ID, d.ObjectID)).To(Succeed())
			}
		}, nil, drs.DirectoryError, drs.SubAutopilotDeviceDeleted, "Autopilot device object", hresult.JoinDeviceObjectDeleted),
		Entry("for a device that Autopilot does not know", func(w *spec.World) {
			for _, d := range w.Entra.Directory.Devices(w.Tenant.ID) {
				Expect(w.Entra.Directory.Unregister(w.Tenant.ID, d.ZTDID())).To(Succeed())
			}
		}, nil, drs.AuthorizationError, drs.SubAutopilotDeviceNotKnown, "Autopilot registration", hresult.JoinServerNotAuthorized),
	)

	It("is refused with the AIK certificate of another TPM", func() {
		victim := w.NewPC()
		ticketOf(w, victim)
		before := state(w, rogue.Chip)
		w.Boot(rogue, func(win *device.Windows) {
			j := newJoin(win, w)
			j.body.AikCertificate = kept(victim, "aik").DER
			Expect(j.send()).To(refuse(drs.AuthorizationError, drs.SubAttestation, hresult.JoinAttestation))
		})
		expectRefused(w, rogue, refused{"drs", "drs.join", "attestation signature", hresult.JoinAttestation.Hex()})
		Expect(state(w, rogue.Chip)).To(Equal(before))
	})
})
