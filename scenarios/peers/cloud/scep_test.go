package cloud_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/scep"
)

const (
	staff         = "adele@contoso.com"
	staffPassword = "correct horse 1"

	scepServer = "https://ndes.contoso.com" + scep.NDESPath
	scepSubmit = "/usr/lib/certmonger/scep-submit"
	// scepClient is micromdm's, in the version that ../scepclient/go.mod says.
	scepClient = "github.com/micromdm/scep/v2/cmd/scepclient"
)

// enroller is a client that wants certificates, with a folder for what tools look at.
type enroller struct {
	*cloud
	dir string
}

func newEnroller(file string) enroller {
	GinkgoHelper()
	return enroller{start(filepath.Join("testdata", file)), GinkgoT().TempDir()}
}

func (e enroller) write(name string, data []byte) string {
	GinkgoHelper()
	path := filepath.Join(e.dir, name)
	Expect(os.WriteFile(path, data, 0o600)).To(Succeed())
	return path
}

func newKey() *rsa.PrivateKey {
	GinkgoHelper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	Expect(err).NotTo(HaveOccurred())
	return key
}

func csr(key crypto.Signer, name string) []byte {
	GinkgoHelper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}, key)
	Expect(err).NotTo(HaveOccurred())
	return der
}

func pemOf(kind string, der ...[]byte) []byte {
	var out []byte
	for _, b := range der {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b})...)
	}
	return out
}

// challenge gets a challenge password on the page for people.
func (e enroller) challenge() string {
	GinkgoHelper()
	out := e.Run("curl", "-sS", "--fail", "-u", staff+":"+staffPassword, "https://ndes.contoso.com"+scep.AdminPath+"/")
	found := regexp.MustCompile(`password is: <b>([0-9A-F]{32})</b>`).FindStringSubmatch(out)
	Expect(found).NotTo(BeNil(), out)
	return found[1]
}

func challenged(key *rsa.PrivateKey, name, challenge string) []byte {
	GinkgoHelper()
	der, err := scep.AddChallenge(csr(key, name), challenge, func(tbs []byte) ([]byte, error) {
		sum := sha256.Sum256(tbs)
		return rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	})
	Expect(err).NotTo(HaveOccurred())
	return der
}

// authorities are the certificates of GetCACert: registration authority, CA.
func (e enroller) authorities() []*x509.Certificate {
	GinkgoHelper()
	resp, err := e.Client().Get(scepServer + "?operation=GetCACert")
	Expect(err).NotTo(HaveOccurred())
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	Expect(err).NotTo(HaveOccurred())
	certs, err := scep.ParseCertificates(body)
	Expect(err).NotTo(HaveOccurred())
	return certs
}

// question is a PKCSReq for a new key, with its throw-away signer.
func (e enroller) question(name string) (wire []byte, id scep.Identity, asked scep.Attributes) {
	GinkgoHelper()
	key := newKey()
	id, err := scep.NewSigner(key, e.Now().Add(-time.Minute), time.Hour, rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	sealed, err := scep.Seal(challenged(key, name, e.challenge()), e.authorities()[0], rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	nonce, err := scep.NewNonce(rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	transaction, err := scep.TransactionID(key.Public())
	Expect(err).NotTo(HaveOccurred())
	asked = scep.Attributes{MessageType: scep.PKCSReq, TransactionID: transaction, SenderNonce: nonce}
	wire, err = scep.Message{Attributes: asked, Content: sealed}.Sign(id)
	Expect(err).NotTo(HaveOccurred())
	return wire, id, asked
}

// card is a certificate of Adele's.
func (e enroller) card() scep.Identity {
	GinkgoHelper()
	der, id, asked := e.question(staff)
	resp, err := e.Client().Post(scepServer+"?operation=PKIOperation", scep.TypePKIMessage, bytes.NewReader(der))
	Expect(err).NotTo(HaveOccurred())
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	Expect(err).NotTo(HaveOccurred())
	return scep.Identity{Certificate: e.issued(body, id, asked), Key: id.Key}
}

// issued opens a reply.
func (e enroller) issued(body []byte, id scep.Identity, asked scep.Attributes) *x509.Certificate {
	GinkgoHelper()
	m, err := scep.Parse(body)
	Expect(err).NotTo(HaveOccurred())
	Expect(m.CheckReply(asked)).To(Succeed())
	Expect(m.Status).To(Equal(scep.Success), m.FailText)
	content, err := scep.Open(m.Content, id)
	Expect(err).NotTo(HaveOccurred())
	certs, err := scep.ParseCertificates(content)
	Expect(err).NotTo(HaveOccurred())
	return certs[0]
}

var _ = Describe("SCEP, by other people's clients", func() {
	It("gives micromdm's client a certificate, and renews it", func() {
		e := newEnroller("enrolment.yaml")
		client, folder := filepath.Join(e.dir, "scepclient"), GinkgoT().TempDir()
		build := exec.Command("go", "build", "-o", client, scepClient)
		build.Dir = filepath.Join("..", "scepclient")
		out, err := build.CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
		args := []string{"-server-url", scepServer, "-private-key", filepath.Join(folder, "key.pem"), "-certificate", filepath.Join(folder, "client.pem"), "-cn", "laptop", "-key-encipherment-selector"}
		e.Run(client, append(args, "-challenge", e.challenge())...)
		ca := e.write("ca.pem", pemOf("CERTIFICATE", e.authorities()[1].Raw))
		e.Run("openssl", "verify", "-no_check_time", "-CAfile", ca, filepath.Join(folder, "client.pem"))
		first, err := os.ReadFile(filepath.Join(folder, "client.pem"))
		Expect(err).NotTo(HaveOccurred())

		e.Jump(time.Hour)
		e.Run(client, args...)
		second, err := os.ReadFile(filepath.Join(folder, "client.pem"))
		Expect(err).NotTo(HaveOccurred())
		Expect(second).NotTo(Equal(first))
		e.Run("openssl", "verify", "-no_check_time", "-CAfile", ca, filepath.Join(folder, "client.pem"))
		Expect(e.Journal("scep.issued")).To(HaveLen(2))

		By("a challenge that is none")
		other := GinkgoT().TempDir()
		_, _, err = e.Try(client, "-server-url", scepServer, "-private-key", filepath.Join(other, "key.pem"), "-key-encipherment-selector", "-challenge", "00")
		Expect(err).To(HaveOccurred())
	})

	It("answers certmonger's scep-submit", func() {
		e := newEnroller("enrolment.yaml")
		Expect(e.Run(scepSubmit, "-u", scepServer, "-R", e.Ready.CA, "-c")).To(ContainSubstring("SCEPStandard"))
		Expect(e.Run(scepSubmit, "-u", scepServer, "-R", e.Ready.CA, "-C")).To(ContainSubstring("BEGIN CERTIFICATE"))
		der, id, _ := e.question("printer")
		certs := e.authorities()
		out := e.Run(scepSubmit, "-u", strings.Replace(scepServer, "https:", "http:", 1), "-r", e.write("ra.pem", pemOf("CERTIFICATE", certs[0].Raw)),
			"-N", e.write("ca.pem", pemOf("CERTIFICATE", certs[1].Raw)), "-p", e.write("message.pem", pemOf("PKCS7", der)))
		block, _ := pem.Decode([]byte(out))
		Expect(block).NotTo(BeNil(), out)
		// Out comes the reply's envelope, which scep-submit has checked.
		content, err := scep.Open(block.Bytes, id)
		Expect(err).NotTo(HaveOccurred())
		issued, err := scep.ParseCertificates(content)
		Expect(err).NotTo(HaveOccurred())
		Expect(issued[0].Subject.CommonName).To(Equal("printer"))
	})

	It("has its messages read by openssl", func() {
		e := newEnroller("enrolment.yaml")
		der, id, asked := e.question("scanner")
		resp, err := e.Client().Post(scepServer+"?operation=PKIOperation", scep.TypePKIMessage, bytes.NewReader(der))
		Expect(err).NotTo(HaveOccurred())
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		Expect(err).NotTo(HaveOccurred())
		cert := e.issued(body, id, asked)
		certs := e.authorities()
		ca := e.write("ca.pem", pemOf("CERTIFICATE", certs[1].Raw))
		sealed, opened, listed := filepath.Join(e.dir, "sealed"), filepath.Join(e.dir, "opened"), filepath.Join(e.dir, "listed")
		e.Run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-no_check_time", "-CAfile", ca, "-in", e.write("reply.der", body), "-out", sealed)
		keyDER, err := x509.MarshalPKCS8PrivateKey(id.Key)
		Expect(err).NotTo(HaveOccurred())
		e.Run("openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", sealed, "-recip", e.write("self.pem", pemOf("CERTIFICATE", id.Certificate.Raw)),
			"-inkey", e.write("self.key", pemOf("PRIVATE KEY", keyDER)), "-out", opened)
		e.Run("openssl", "pkcs7", "-inform", "DER", "-in", opened, "-print_certs", "-out", listed)
		text, err := os.ReadFile(listed)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(text)).To(ContainSubstring("scanner"))
		e.Run("openssl", "verify", "-no_check_time", "-CAfile", ca, e.write("scanner.pem", pemOf("CERTIFICATE", cert.Raw)))
	})
})
