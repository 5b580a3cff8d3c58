package aik_test

import (
	"bytes"
	"crypto/rsa"
	"encoding/asn1"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/scep"
	"windtunnel.test/sim/wire/tpmattest"
)

// reader opens messages with openssl alone: as the registration authority, or as the device.
type reader struct {
	t          *testing.T
	recip, key string
}

func newReader(t *testing.T, id scep.Identity, key string) reader {
	t.Helper()
	recip := filepath.Join(t.TempDir(), "recipient.der")
	NewWithT(t).Expect(os.WriteFile(recip, id.Certificate.Raw, 0o600)).To(Succeed())
	return reader{t: t, recip: recip, key: filepath.Join("testdata", key+".pem")}
}

// content verifies a message's signature and opens its envelope.
func (r reader) content(der []byte) []byte {
	r.t.Helper()
	return r.decrypt(openssl(r.t, der, "cms", "-verify", "-inform", "DER", "-noverify", "-binary"))
}

func (r reader) decrypt(envelope []byte) []byte {
	r.t.Helper()
	return openssl(r.t, envelope, "cms", "-decrypt", "-inform", "DER", "-binary", "-recip", r.recip, "-inkey", r.key)
}

// attributesOf reads a SET of attributes with one value each, by dotted type.
func attributesOf(t *testing.T, der []byte) map[string][]byte {
	t.Helper()
	g := NewWithT(t)
	var set asn1.RawValue
	rest, err := asn1.Unmarshal(der, &set)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(rest).To(BeEmpty())
	out := map[string][]byte{}
	for b := set.Bytes; len(b) > 0; {
		var a struct {
			Type   asn1.ObjectIdentifier
			Values []asn1.RawValue `asn1:"set"`
		}
		b, err = asn1.Unmarshal(b, &a)
		g.Expect(err).NotTo(HaveOccurred())
		out[a.Type.String()] = a.Values[0].FullBytes
	}
	return out
}

const (
	attrChallenge = "1.3.6.1.4.1.311.21.28"
	attrState     = "1.3.6.1.4.1.311.21.34"
	attrAnswer    = "1.3.6.1.4.1.311.21.35"
	attrAIKInfo   = "1.3.6.1.4.1.311.21.39"
	attrStatus    = "2.16.840.1.113733.1.9.3"
)

// TestOpenSSLReadsTheExchange has another implementation read what follows request 1: challenge, request 2, certificate
// and refusal, signed with either kind of key.
func TestOpenSSLReadsTheExchange(t *testing.T) {
	for name, rsaSigning := range map[string]bool{"RSA": true, "P-256": false} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			f := newFixture(t, rsaSigning)
			service, device := newReader(t, f.registrar.Encryption, "encryption"), newReader(t, f.device, "device")
			sent, err := aik.BuildRequest1(f.params(t), stream("1"))
			g.Expect(err).NotTo(HaveOccurred())
			r1, err := aik.ParseRequest1(sent.DER, f.registrar.Encryption)
			g.Expect(err).NotTo(HaveOccurred())
			public, err := r1.VerifyAttestation()
			g.Expect(err).NotTo(HaveOccurred())

			secret := bytes.Repeat([]byte{5}, tpmattest.SecretSize)
			credential, err := tpmattest.MakeCredential(r1.EK.Key, public.Name, secret, stream("2"))
			g.Expect(err).NotTo(HaveOccurred())
			challenge := aik.Challenge{Credential: credential, ServerContext: []byte("context")}
			der, err := aik.BuildChallenge(r1.Message, challenge, f.registrar, stream("3"))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(string(openssl(t, der, "cms", "-cmsout", "-print", "-noout", "-inform", "DER"))).To(ContainSubstring(attrStatus))
			attrs := attributesOf(t, device.content(der))
			blob, err := asn1.Marshal(challenge.MarshalBlob())
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(attrs).To(HaveKeyWithValue(attrChallenge, blob))
			g.Expect(attrs).To(HaveKey(attrState))

			sent2, err := aik.BuildRequest2(aik.Request2Params{Secret: secret, ServerContext: []byte("context"),
				TransactionID: sent.Attributes.TransactionID, Signer: f.device, Authority: f.authority}, stream("4"))
			g.Expect(err).NotTo(HaveOccurred())
			attrs = attributesOf(t, service.content(sent2.DER))
			g.Expect(attrs).To(HaveKey(attrState))
			g.Expect(service.decrypt(attrs[attrAnswer])).To(Equal(secret), "an envelope inside the envelope")

			r2, err := aik.ParseRequest2(sent2.DER, f.registrar.Encryption)
			g.Expect(err).NotTo(HaveOccurred())
			issued := f.aikCertificate(t, public.Key)
			der, err = aik.BuildSuccess(r2.Message, issued, nil, f.registrar, stream("5"))
			g.Expect(err).NotTo(HaveOccurred())
			printed := openssl(t, device.content(der), "pkcs7", "-inform", "DER", "-print_certs")
			g.Expect(openssl(t, printed, "x509", "-outform", "DER")).To(Equal(issued.Raw))

			der, err = aik.BuildFailure(r2.Message, scep.BadMessageCheck, "no", f.registrar, stream("6"))
			g.Expect(err).NotTo(HaveOccurred())
			text := string(openssl(t, der, "cms", "-cmsout", "-print", "-noout", "-inform", "DER"))
			g.Expect(text).To(ContainSubstring("1.3.6.1.5.5.7.24.1"), "failInfoText")
		})
	}
}

// TestOpenSSLReadsAKeyRequest: the request for another key is an ordinary PKCS#10 whose signature verifies.
func TestOpenSSLReadsAKeyRequest(t *testing.T) {
	g := NewWithT(t)
	f := newFixture(t, true)
	service := newReader(t, f.registrar.Encryption, "encryption")
	info := tpmattest.AIKInfo{Key: fixedRSA("AIK"), Certificate: f.aikCertificate(t, fixedRSA("AIK")).Raw}
	for name, p := range map[string]aik.KeyRequestParams{
		"RSA":   {Key: rsaKey(t, "signing")},
		"P-256": {Key: eccKey(t, "subject")},
	} {
		p.AIK, p.TPM, p.OSVersion, p.Signer, p.Authority = info, tpm, "10.0.26100.2", f.device, f.authority
		p.Statement = tpmattest.Statement{KeyAttestation: []byte("statement")}
		sent, err := aik.BuildKeyRequest(p, stream("key"))
		g.Expect(err).NotTo(HaveOccurred(), name)
		csr := service.content(sent.DER)
		cmd := exec.Command("openssl", "req", "-inform", "DER", "-noout", "-verify")
		cmd.Stdin = bytes.NewReader(csr)
		said, err := cmd.CombinedOutput() // a signature that does not verify is no error of openssl's
		g.Expect(err).NotTo(HaveOccurred(), name)
		g.Expect(string(said)).To(ContainSubstring("OK"), name)
		tree := string(openssl(t, csr, "asn1parse", "-inform", "DER"))
		g.Expect(tree).To(ContainSubstring(attrAIKInfo), name)
		g.Expect(tree).NotTo(ContainSubstring("1.3.6.1.4.1.311.21.23"), "no EK info: "+name)

		r, err := aik.ParseRequest1(sent.DER, f.registrar.Encryption)
		g.Expect(err).NotTo(HaveOccurred(), name)
		g.Expect(r.Request.Signed).To(BeTrue(), name)
		opened, err := tpmattest.ParseAIKInfo(service.decrypt(r.Request.AIKInfo))
		g.Expect(err).NotTo(HaveOccurred(), name)
		g.Expect(opened.Certificate).To(Equal(info.Certificate), name)
		g.Expect(tpmattest.SameKey(r.AIK.Key, fixedRSA("AIK"))).To(BeTrue(), name)

		// A signature that is another's.
		other := bytes.Clone(csr)
		other[len(other)-1] ^= 1
		_, err = aik.ParseCertificateRequest(other)
		g.Expect(err).To(HaveOccurred(), name)
	}
}

func TestKeyRequestNeedsItsParts(t *testing.T) {
	g := NewWithT(t)
	f := newFixture(t, false)
	_, err := aik.BuildKeyRequest(aik.KeyRequestParams{Signer: f.device, Authority: f.authority}, stream("x"))
	g.Expect(err).To(HaveOccurred())
	_, err = aik.BuildKeyRequest(aik.KeyRequestParams{Key: rsaKey(t, "signing"), Signer: f.device, Authority: f.authority}, stream("x"))
	g.Expect(err).To(HaveOccurred(), "no AIK")
	var none *rsa.PublicKey
	_, err = aik.BuildKeyRequest(aik.KeyRequestParams{Key: rsaKey(t, "signing"), AIK: tpmattest.AIKInfo{Key: none}, Authority: f.authority}, stream("x"))
	g.Expect(err).To(HaveOccurred(), "no signer")
}
