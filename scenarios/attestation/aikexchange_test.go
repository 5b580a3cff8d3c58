package attestation_test

import (
	"crypto/sha256"
	"crypto/x509"
	"io"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/scep"
	"windtunnel.test/sim/wire/tpmattest"
)

// secrets is what a chip shows of itself: all of it may be shown to anybody.
type secrets struct {
	ek      tpmattest.EKInfo
	binding []byte // of the AIK
}

// show reads them from the running PC's chip.
func show(win *device.Windows) secrets {
	GinkgoHelper()
	der, err := win.Chip.EKCertificate(win.Ctx)
	Expect(err).NotTo(HaveOccurred())
	key, err := win.Chip.AIK(win.Ctx)
	Expect(err).NotTo(HaveOccurred())
	binding, err := key.IDBinding(win.Ctx, nil)
	Expect(err).NotTo(HaveOccurred())
	return secrets{tpmattest.EKInfo{Key: win.Chip.EKPublic(), Certificate: der}, binding.Marshal()}
}

// ekHash names an endorsement key as the services do: SHA-256 of its
// SubjectPublicKeyInfo.
func ekHash(c *vtpm.Chip) [32]byte {
	GinkgoHelper()
	spki, err := x509.MarshalPKIXPublicKey(c.EKPublic())
	Expect(err).NotTo(HaveOccurred())
	return sha256.Sum256(spki)
}

// requester is one who asks the AIK service for a certificate, with what the
// attacker chooses to say.
type requester struct {
	win       *device.Windows
	host      string
	name      aik.TPMName
	signer    scep.Identity
	authority *aik.Authority
	random    io.Reader
}

// keyRequester is which of the shared software keys requesters sign SCEP
// messages with; keyOther is another one.
const (
	keyRequester = 2
	keyOther     = 4
)

// ask meets the service that takes an EK certificate's vendor.
func ask(win *device.Windows, ek tpmattest.EKInfo, key int) *requester {
	GinkgoHelper()
	cert := parse(ek.Certificate)
	name, err := aik.TPMNameOf(cert)
	Expect(err).NotTo(HaveOccurred())
	r := &requester{win: win, host: aik.Host(name.Vendor(), cert.AuthorityKeyId), name: name, random: win.RandomReader()}
	r.signer, err = scep.NewSigner(pki.RSAKey(key), win.Now(), win.Timing.TPM.RequestSignerLife, r.random)
	Expect(err).NotTo(HaveOccurred())
	resp := send(win, http.MethodGet, aik.URL(r.host, "GetCACertChain"), nil, nil)
	Expect(resp.Status).To(Equal(http.StatusOK))
	r.authority, err = aik.ParseAuthority(resp.Body)
	Expect(err).NotTo(HaveOccurred())
	return r
}

// first sends request 1.
func (r *requester) first(ek tpmattest.EKInfo, binding []byte) (*aik.Sent, *device.Response) {
	GinkgoHelper()
	sent, err := aik.BuildRequest1(aik.Request1Params{
		EK: ek, Statement: tpmattest.Statement{IDBinding: binding}, OSVersion: "10.0." + r.win.Installation.Build, TPM: r.name,
		Client: aik.ClientInfo{MachineName: "ROGUE", UserName: `WORKGROUP\ROGUE$`}, Signer: r.signer, Authority: r.authority,
	}, r.random)
	Expect(err).NotTo(HaveOccurred())
	return sent, r.post(sent)
}

// challenged expects that request 1 is answered with a challenge.
func (r *requester) challenged(ek tpmattest.EKInfo, binding []byte) (*aik.Sent, *aik.Challenge) {
	GinkgoHelper()
	sent, resp := r.first(ek, binding)
	Expect(resp.Status).To(Equal(http.StatusOK), string(resp.Body))
	c, err := aik.ParseChallenge(resp.Body, sent)
	Expect(err).NotTo(HaveOccurred())
	return sent, c
}

// answer sends request 2 for the exchange that first began.
func (r *requester) answer(first *aik.Sent, serverContext, secret []byte) (*x509.Certificate, error) {
	GinkgoHelper()
	sent, err := aik.BuildRequest2(aik.Request2Params{
		Secret: secret, ServerContext: serverContext, TransactionID: first.Attributes.TransactionID, Signer: r.signer, Authority: r.authority,
	}, r.random)
	Expect(err).NotTo(HaveOccurred())
	resp := r.post(sent)
	Expect(resp.Status).To(Equal(http.StatusOK), string(resp.Body))
	cert, _, err := aik.ParseSuccess(resp.Body, sent)
	return cert, err
}

func (r *requester) post(sent *aik.Sent) *device.Response {
	GinkgoHelper()
	return send(r.win, http.MethodPost, aik.URL(r.host, "PKIOperation"), http.Header{"Content-Type": {aik.ContentType}}, sent.DER)
}

// activate has the running PC's chip open a challenge.
func activate(win *device.Windows, c *aik.Challenge) ([]byte, error) {
	GinkgoHelper()
	key, err := win.Chip.AIK(win.Ctx)
	Expect(err).NotTo(HaveOccurred())
	return key.Activate(win.Ctx, c.Credential.Blob.Buffer, c.Credential.Secret.Buffer)
}
