package peers_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	service "windtunnel.test/fakeentra/aik"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/scep"
	"windtunnel.test/sim/wire/tpmattest"
)

// Attributes of a key that tpm2_createprimary makes.
const (
	tpmKey       = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign"
	unrestricted = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign"
	movable      = "sensitivedataorigin|userwithauth|restricted|sign"
)

// Subject alternative name's identifier.
var oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

// Our AIK service meets a TPM that is not ours: swtpm, with keys that tpm2-tools
// made and an endorsement key that a vendor of the spec's own certified.
var _ = Describe("the AIK service and a key that tpm2-tools made in swtpm", func() {
	var (
		t      *tools
		vendor *pki.CA
		aiks   *service.Service
	)
	BeforeEach(func() {
		root, err := pki.NewRoot(time.Now(), 1, "Peers TPM Root CA", pki.Options{})
		Expect(err).NotTo(HaveOccurred())
		vendor, err = root.Sub(time.Now(), "Peers TPM Manufacturing CA", pki.Options{})
		Expect(err).NotTo(HaveOccurred())
		aiks = service.New(service.Options{EKRoots: []*x509.Certificate{root.Cert}})
		t = swtpm()
		t.endorse("rsa")
	})

	DescribeTable("come to an AIK certificate with an endorsement key", func(algorithm string) {
		t.endorse(algorithm)
		t.attestationKey("ak", tpmKey)
		r := newRequester(aiks, t, vendor)
		sent, c := r.challenged(t.binding("ak", ""))
		secret, err := t.open(c)
		Expect(err).NotTo(HaveOccurred())
		cert, err := r.answer(sent, c, secret)
		Expect(err).NotTo(HaveOccurred())
		Expect(tpmattest.SameKey(cert.PublicKey, t.public("ak.pub").Key)).To(BeTrue())
		Expect(cert.UnknownExtKeyUsage).To(ContainElement(Equal(aik.EKUAIKCertificate)))
		_, ekHash, err := aiks.Attested(cert.Raw, time.Now())
		Expect(err).NotTo(HaveOccurred())
		Expect(aiks.Records(ekHash)).To(HaveLen(1))

		By("but not twice with one challenge")
		_, err = r.answer(sent, c, secret)
		Expect(err).To(MatchError(ContainSubstring("challenge already used")))
	}, Entry("of RSA", "rsa"), Entry("on P-256", "ecc"))

	It("part when the challenge is answered wrong, and a right answer comes too late", func() {
		t.attestationKey("ak", tpmKey)
		r := newRequester(aiks, t, vendor)
		sent, c := r.challenged(t.binding("ak", ""))
		_, err := r.answer(sent, c, make([]byte, tpmattest.SecretSize))
		Expect(err).To(MatchError(ContainSubstring("challenge answered wrong")))
		secret, err := t.open(c)
		Expect(err).NotTo(HaveOccurred())
		_, err = r.answer(sent, c, secret)
		Expect(err).To(MatchError(ContainSubstring("challenge already used")))
	})

	It("part when the key is in another TPM than the endorsement key", func() {
		other := swtpm()
		other.endorse("rsa")
		other.attestationKey("ak", tpmKey)
		r := newRequester(aiks, t, vendor)
		_, c := r.challenged(other.binding("ak", ""))
		_, err := other.open(c)
		Expect(err).To(HaveOccurred(), "the endorsement key is not there")
		t.attestationKey("ak", tpmKey)
		_, err = t.open(c)
		Expect(err).To(HaveOccurred(), "the attestation key is not here")
	})

	DescribeTable("part over a statement that does not hold", func(statement func() []byte, why string) {
		newRequester(aiks, t, vendor).refused(statement(), aik.StatementRejected, why)
	},
		Entry("of a key that is not restricted", func() []byte {
			t.attestationKey("ak", unrestricted)
			return t.binding("ak", "")
		}, "AIK is not restricted"),
		Entry("of a key that may leave its TPM", func() []byte {
			t.attestationKey("ak", movable)
			return t.binding("ak", "")
		}, "key is not fixedTPM"),
		Entry("over other qualifying data", func() []byte {
			t.attestationKey("ak", tpmKey)
			return t.binding("ak", "00ff55aa")
		}, "attestation is over other qualifying data"),
		Entry("that somebody changed", func() []byte {
			t.attestationKey("ak", tpmKey)
			binding := t.binding("ak", "")
			at := bytes.Index(binding, t.read("ak.attest"))
			Expect(at).To(BeNumerically(">", 0))
			binding[at+len(t.read("ak.attest"))-1] ^= 1
			return binding
		}, "RSASSA: "),
		Entry("about the creation of another key", func() []byte {
			t.attestationKey("ak", tpmKey)
			t.attestationKey("other", tpmKey+"|noda")
			a, b := t.binding("ak", ""), t.binding("other", "")
			area := len(t.read("ak.pub"))
			return append(bytes.Clone(a[:area]), b[area:]...)
		}, "RSASSA: "),
	)

	It("part when nobody knows the vendor", func() {
		t.attestationKey("ak", tpmKey)
		stranger, err := pki.NewRoot(time.Now(), 2, "Unknown TPM Root CA", pki.Options{})
		Expect(err).NotTo(HaveOccurred())
		newRequester(aiks, t, stranger).refused(t.binding("ak", ""), aik.EKRejected, "unknown authority")
	})

	It("part when the certificate is for another endorsement key", func() {
		t.attestationKey("ak", tpmKey)
		r := newRequester(aiks, t, vendor)
		r.ek.Key = &pki.RSAKey(1).PublicKey
		r.refused(t.binding("ak", ""), aik.EKRejected, "EK certificate is about another key")
	})
})

// attestationKey makes an RSA signing key as NAME.ctx, with all that says how
// it was made, as the tools write it.
func (t *tools) attestationKey(name, attributes string) {
	GinkgoHelper()
	t.run("tpm2_createprimary", "-C", "o", "-g", "sha256", "-G", "rsa2048:rsassa-sha256:null", "-a", attributes,
		"-c", name+".ctx", "-o", name+".pub", "--creation-data", name+".data", "-d", name+".hash", "-t", name+".ticket")
	t.flush()
	t.run("tpm2_readpublic", "-c", name+".ctx", "-f", "pem", "-o", name+".pem")
	t.flush()
}

// binding has the key certify its own creation, and puts that together as a
// device would send it.
func (t *tools) binding(name, qualification string) []byte {
	GinkgoHelper()
	args := []string{"-C", name + ".ctx", "-c", name + ".ctx", "-d", name + ".hash", "-t", name + ".ticket", "-g", "sha256", "-s", "rsassa",
		"-f", "tss", "-o", name + ".sig", "--attestation", name + ".attest"}
	if qualification != "" {
		args = append(args, "-q", qualification)
	}
	t.run("tpm2_certifycreation", args...)
	t.flush()
	return tpmattest.IDBinding{
		Public: t.read(name + ".pub"), CreationData: t.read(name + ".data"),
		Attest: sized(t.read(name + ".attest")), Signature: t.read(name + ".sig"),
	}.Marshal()
}

// open has the TPM answer a challenge of the service's.
func (t *tools) open(c *aik.Challenge) ([]byte, error) {
	GinkgoHelper()
	t.write("challenge", append(bytes.Clone(credentialHeader), c.Credential.Marshal()...))
	return t.activate("challenge")
}

// requester speaks to the service for a TPM.
type requester struct {
	aiks      *service.Service
	host      string
	name      aik.TPMName
	ek        tpmattest.EKInfo
	chain     []*x509.Certificate
	signer    scep.Identity
	authority *aik.Authority
}

// newRequester gives the endorsement key ek.pub a certificate of the vendor's,
// and meets the service.
func newRequester(aiks *service.Service, t *tools, vendor *pki.CA) *requester {
	GinkgoHelper()
	r := &requester{aiks: aiks, name: aik.TPMName{Manufacturer: "id:49424D00", Model: "swtpm", Version: "id:20191023"}}
	san, err := r.name.MarshalSAN()
	Expect(err).NotTo(HaveOccurred())
	key := t.public("ek.pub").Key
	usage := x509.KeyUsageKeyEncipherment
	if _, ok := key.(*ecdsa.PublicKey); ok {
		usage = x509.KeyUsageKeyAgreement
	}
	cert, err := vendor.Issue(time.Now(), &x509.Certificate{
		NotAfter: time.Now().AddDate(10, 0, 0), KeyUsage: usage, BasicConstraintsValid: true,
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{aik.EKUEKCertificate},
		ExtraExtensions:    []pkix.Extension{{Id: oidSubjectAltName, Critical: true, Value: san}},
	}, key)
	Expect(err).NotTo(HaveOccurred())
	r.ek = tpmattest.EKInfo{Key: key, Certificate: cert.Raw}
	if vendor.Parent != nil {
		r.chain = []*x509.Certificate{vendor.Cert}
	}
	r.host = aik.Host(r.name.Vendor(), cert.AuthorityKeyId)
	r.signer, err = scep.NewSigner(pki.RSAKey(0), time.Now(), 367*24*time.Hour, rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	status, body := r.send(http.MethodGet, "GetCACertChain", nil)
	Expect(status).To(Equal(http.StatusOK), string(body))
	r.authority, err = aik.ParseAuthority(body)
	Expect(err).NotTo(HaveOccurred())
	return r
}

func (r *requester) send(method, operation string, message []byte) (int, []byte) {
	GinkgoHelper()
	req := httptest.NewRequest(method, aik.URL(r.host, operation), bytes.NewReader(message))
	req.Header.Set("Content-Type", aik.ContentType)
	w := httptest.NewRecorder()
	r.aiks.ServeHTTP(w, req)
	body, err := io.ReadAll(w.Result().Body)
	Expect(err).NotTo(HaveOccurred())
	return w.Code, body
}

func (r *requester) first(binding []byte) (*aik.Sent, int, []byte) {
	GinkgoHelper()
	sent, err := aik.BuildRequest1(aik.Request1Params{
		EK: r.ek, Chain: r.chain, Statement: tpmattest.Statement{IDBinding: binding}, OSVersion: "10.0.26100", TPM: r.name,
		Client: aik.ClientInfo{MachineName: "PEER", UserName: `WORKGROUP\PEER$`}, Signer: r.signer, Authority: r.authority,
	}, rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	status, body := r.send(http.MethodPost, "PKIOperation", sent.DER)
	return sent, status, body
}

// challenged expects a challenge to request 1.
func (r *requester) challenged(binding []byte) (*aik.Sent, *aik.Challenge) {
	GinkgoHelper()
	sent, status, body := r.first(binding)
	Expect(status).To(Equal(http.StatusOK), string(body))
	c, err := aik.ParseChallenge(body, sent)
	Expect(err).NotTo(HaveOccurred())
	return sent, c
}

// refused expects that request 1 leads to nothing.
func (r *requester) refused(binding []byte, want aik.Outcome, why string) {
	GinkgoHelper()
	_, status, body := r.first(binding)
	outcome, message := aik.OutcomeOf(status, body)
	Expect(outcome).To(Equal(want), "%d %s", status, body)
	Expect(message).To(ContainSubstring(why))
}

// answer sends request 2.
func (r *requester) answer(first *aik.Sent, c *aik.Challenge, secret []byte) (*x509.Certificate, error) {
	GinkgoHelper()
	sent, err := aik.BuildRequest2(aik.Request2Params{
		Secret: secret, ServerContext: c.ServerContext, TransactionID: first.Attributes.TransactionID, Signer: r.signer, Authority: r.authority,
	}, rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	status, body := r.send(http.MethodPost, "PKIOperation", sent.DER)
	Expect(status).To(Equal(http.StatusOK), hex.EncodeToString(body))
	cert, _, err := aik.ParseSuccess(body, sent)
	return cert, err
}
