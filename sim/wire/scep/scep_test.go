package scep_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/wire/scep"
)

var update = flag.Bool("update", false, "write testdata anew")

var noon = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

// yearAndADay is what Windows gives the certificate that signs a request.
const yearAndADay = 367 * 24 * time.Hour

func stream(seed string) io.Reader { return rand.NewChaCha8(sha256.Sum256([]byte(seed))) }

func loadKey(t testing.TB, name string) crypto.Signer {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func identity(t testing.TB, name string) scep.Identity {
	t.Helper()
	id, err := scep.NewSigner(loadKey(t, name), noon, yearAndADay, stream(name))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func eccIdentity(t testing.TB) scep.Identity {
	t.Helper()
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{3}, 32))
	if err != nil {
		t.Fatal(err)
	}
	id, err := scep.NewSigner(key, noon, yearAndADay, stream("ecc"))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func request(t testing.TB, content []byte) scep.Message {
	t.Helper()
	nonce, err := scep.NewNonce(stream("nonce"))
	if err != nil {
		t.Fatal(err)
	}
	return scep.Message{
		Attributes: scep.Attributes{MessageType: scep.PKCSReq, TransactionID: "0a1b", SenderNonce: nonce},
		Content:    content,
	}
}

func TestRequestAndReply(t *testing.T) {
	for name, ra := range map[string]scep.Identity{"RSA": identity(t, "encryption"), "ECDSA": eccIdentity(t)} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			device, other := identity(t, "device"), identity(t, "encryption")
			m := request(t, []byte("content"))
			m.Others = append(m.Others, other.Certificate)
			der, err := m.Sign(device)
			g.Expect(err).NotTo(HaveOccurred())
			got, err := scep.Parse(der)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(got.Attributes).To(Equal(m.Attributes))
			g.Expect(got.Content).To(Equal(m.Content))
			g.Expect(got.Signer.Raw).To(Equal(device.Certificate.Raw))
			g.Expect(got.Others).To(HaveLen(1))

			failure := got.Reply(scep.Failure, m.SenderNonce)
			failure.FailInfo, failure.FailText = scep.BadMessageCheck, "nö"
			der, err = scep.Message{Attributes: failure}.Sign(ra)
			g.Expect(err).NotTo(HaveOccurred())
			reply, err := scep.Parse(der)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(reply.Attributes).To(Equal(failure))
			g.Expect(reply.Content).To(BeEmpty())
			g.Expect(reply.CheckReply(m.Attributes)).To(Succeed())
			for _, change := range []func(*scep.Attributes){
				func(a *scep.Attributes) { a.TransactionID = "x" },
				func(a *scep.Attributes) { a.SenderNonce = make([]byte, scep.NonceSize) },
			} {
				changed := m.Attributes
				change(&changed)
				g.Expect(reply.CheckReply(changed)).NotTo(Succeed())
			}
			g.Expect(m.CheckReply(m.Attributes)).NotTo(Succeed(), "a request is not a reply")
		})
	}
}

func TestEverySingleBitMatters(t *testing.T) {
	g := NewWithT(t)
	der, err := request(t, []byte("content")).Sign(identity(t, "device"))
	g.Expect(err).NotTo(HaveOccurred())
	var accepted int
	for i := range der {
		bad := bytes.Clone(der)
		bad[i] ^= 1
		m, err := scep.Parse(bad)
		if err != nil {
			continue
		}
		// Bits outside the signature, such as those of the certificate's own signature, may change; what was said may not.
		accepted++
		g.Expect(m.Content).To(Equal([]byte("content")), "byte %d", i)
		g.Expect(m.TransactionID).To(Equal("0a1b"), "byte %d", i)
	}
	g.Expect(accepted).To(BeNumerically("<", len(der)/3))
	for n := range der {
		_, err := scep.Parse(der[:n])
		g.Expect(err).To(HaveOccurred(), "cut to %d", n)
	}
}

func TestParseRefuses(t *testing.T) {
	g := NewWithT(t)
	device := identity(t, "device")
	for name, change := range map[string]func(*scep.Message){
		"no transaction":   func(m *scep.Message) { m.TransactionID = "" },
		"long transaction": func(m *scep.Message) { m.TransactionID = string(bytes.Repeat([]byte("0"), 129)) },
		"no nonce":         func(m *scep.Message) { m.SenderNonce = nil },
		"long nonce":       func(m *scep.Message) { m.SenderNonce = make([]byte, 17) },
		"reply to nothing": func(m *scep.Message) { m.MessageType = scep.CertRep },
	} {
		m := request(t, []byte("content"))
		change(&m)
		der, err := m.Sign(device)
		g.Expect(err).NotTo(HaveOccurred(), name)
		_, err = scep.Parse(der)
		g.Expect(err).To(HaveOccurred(), name)
	}
	_, err := scep.Parse(bytes.Repeat([]byte{0x30, 0x80}, scep.MaxSize))
	g.Expect(err).To(MatchError(ContainSubstring("at most")))
	_, err = scep.Parse(bytes.Repeat([]byte{0x30, 0x80}, scep.MaxSize/2))
	g.Expect(err).To(HaveOccurred())
	m := request(t, nil)
	m.TransactionID = "not printable: ✗"
	_, err = m.Sign(device)
	g.Expect(err).To(HaveOccurred())
	certs, err := scep.MarshalCertificates(device.Certificate)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = scep.Parse(certs)
	g.Expect(err).To(HaveOccurred(), "certificates are not a message")
}

func TestEnvelopeRoundTrip(t *testing.T) {
	id, other := identity(t, "encryption"), identity(t, "device")
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		content := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "content")
		envelope, err := scep.Seal(content, id.Certificate, stream("x"))
		g.Expect(err).NotTo(HaveOccurred())
		got, err := scep.Open(envelope, id)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(bytes.Equal(got, content)).To(BeTrue())
		_, err = scep.Open(envelope, other)
		g.Expect(err).To(HaveOccurred())
	})
	g := NewWithT(t)
	_, err := scep.Seal(nil, eccIdentity(t).Certificate, stream("x"))
	g.Expect(err).To(HaveOccurred())
	_, err = scep.Seal(nil, id.Certificate, bytes.NewReader(make([]byte, 40)))
	g.Expect(err).To(HaveOccurred(), "randomness ends early")
}

// TestOpenSurvivesBadPadding reaches the places where the CMS reader slices by what it has not checked.
func TestOpenSurvivesBadPadding(t *testing.T) {
	g := NewWithT(t)
	id := identity(t, "encryption")
	envelope, err := scep.Seal(make([]byte, 15), id.Certificate, stream("x"))
	g.Expect(err).NotTo(HaveOccurred())
	for i := len(envelope) - 40; i < len(envelope); i++ {
		for _, bit := range []byte{1, 0x40, 0x80} {
			bad := bytes.Clone(envelope)
			bad[i] ^= bit
			_, _ = scep.Open(bad, id)
		}
	}
}

func TestCertificatesAndCapabilities(t *testing.T) {
	g := NewWithT(t)
	a, b := identity(t, "device").Certificate, eccIdentity(t).Certificate
	der, err := scep.MarshalCertificates(a, b)
	g.Expect(err).NotTo(HaveOccurred())
	certs, err := scep.ParseCertificates(der)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(certs).To(HaveLen(2))
	g.Expect(certs[1].Raw).To(Equal(b.Raw))
	none, err := scep.MarshalCertificates()
	g.Expect(err).NotTo(HaveOccurred())
	_, err = scep.ParseCertificates(none)
	g.Expect(err).To(HaveOccurred())

	caps := scep.Capabilities{"SHA-256", "POSTPKIOperation"}
	g.Expect(scep.ParseCapabilities(caps.Marshal())).To(Equal(caps))
	g.Expect(scep.ParseCapabilities([]byte("\r\n a \r\n")).Has("A")).To(BeTrue())
	g.Expect(caps.Has("AES256")).To(BeFalse())
	g.Expect(scep.FailInfo(4).String()).To(Equal("badCertId"))
	g.Expect(scep.FailInfo(9).String()).To(Equal("failInfo 9"))
	id, err := scep.TransactionID(a.PublicKey)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(id).To(MatchRegexp("^[0-9a-f]{40}$"))
}

func TestGolden(t *testing.T) {
	g := NewWithT(t)
	envelope, err := scep.Seal([]byte("golden"), identity(t, "encryption").Certificate, stream("golden"))
	g.Expect(err).NotTo(HaveOccurred())
	der, err := request(t, envelope).Sign(identity(t, "device"))
	g.Expect(err).NotTo(HaveOccurred())
	file := filepath.Join("testdata", "message.der")
	if *update {
		g.Expect(os.WriteFile(file, der, 0o644)).To(Succeed())
	}
	want, err := os.ReadFile(file)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(der).To(Equal(want), "same keys and stream, same bytes")
}

// TestOpenSSL lets another implementation read our messages.
func TestOpenSSL(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	ra := identity(t, "encryption")
	certFile := filepath.Join(dir, "ra.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ra.Certificate.Raw})
	g.Expect(os.WriteFile(certFile, text, 0o600)).To(Succeed())
	content := bytes.Repeat([]byte("what is said "), 50)
	envelope, err := scep.Seal(content, ra.Certificate, stream("openssl"))
	g.Expect(err).NotTo(HaveOccurred())
	for name, id := range map[string]scep.Identity{"RSA": identity(t, "device"), "ECDSA": eccIdentity(t)} {
		der, err := request(t, envelope).Sign(id)
		g.Expect(err).NotTo(HaveOccurred())
		signed := openssl(t, der, "cms", "-verify", "-inform", "DER", "-noverify", "-binary")
		g.Expect(signed).To(Equal(envelope), name)
		opened := openssl(t, signed, "cms", "-decrypt", "-inform", "DER", "-binary", "-recip", certFile, "-inkey", "testdata/encryption.pem")
		g.Expect(opened).To(Equal(content), name)
	}
}

func openssl(t *testing.T, in []byte, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("openssl", args...)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl %v: %v\n%s", args, err, stderr.Bytes())
	}
	return out
}

func FuzzParse(f *testing.F) {
	der, err := os.ReadFile(filepath.Join("testdata", "message.der"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Add([]byte("SHA-256\nAES\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := scep.Parse(b); err == nil && m.Signer == nil {
			t.Error("no signer")
		}
		_, _ = scep.ParseCertificates(b)
		_ = scep.ParseCapabilities(b)
	})
}

func FuzzOpen(f *testing.F) {
	id := identity(f, "encryption")
	envelope, err := scep.Seal([]byte("content"), id.Certificate, stream("fuzz"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(envelope)
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = scep.Open(b, id) })
}

// DER wants members of a set in order; openssl would not notice.
func TestSignedAttributesAreSorted(t *testing.T) {
	g := NewWithT(t)
	der, err := request(t, []byte("content")).Sign(identity(t, "device"))
	g.Expect(err).NotTo(HaveOccurred())
	children := func(der []byte) (out []asn1.RawValue) {
		for len(der) > 0 {
			var v asn1.RawValue
			rest, err := asn1.Unmarshal(der, &v)
			g.Expect(err).NotTo(HaveOccurred())
			out, der = append(out, v), rest
		}
		return out
	}
	signedData := children(children(children(children(der)[0].Bytes)[1].Bytes)[0].Bytes)
	signerInfo := children(children(signedData[4].Bytes)[0].Bytes)
	attrs := children(signerInfo[3].Bytes)
	g.Expect(attrs).To(HaveLen(5))
	for i := range attrs[1:] {
		g.Expect(bytes.Compare(attrs[i].FullBytes, attrs[i+1].FullBytes)).To(BeNumerically("<", 0))
	}
}
