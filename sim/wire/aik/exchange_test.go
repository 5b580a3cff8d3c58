package aik_test

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/scep"
	"windtunnel.test/sim/wire/tpmattest"
)

func TestRequest1(t *testing.T) {
	g := NewWithT(t)
	f := newFixture(t, true)
	p := f.params(t)
	sent, err := aik.BuildRequest1(p, stream("request 1"))
	g.Expect(err).NotTo(HaveOccurred())
	r, err := aik.ParseRequest1(sent.DER, f.registrar.Encryption)
	g.Expect(err).NotTo(HaveOccurred())

	g.Expect(r.Message.Attributes).To(Equal(sent.Attributes))
	g.Expect(r.Message.MessageType).To(Equal(scep.PKCSReq))
	g.Expect(r.Message.TransactionID).To(MatchRegexp("^[0-9a-f]{40}$"))
	g.Expect(r.Message.Signer.Subject.CommonName).To(Equal(scep.SignerName))
	g.Expect(r.Message.Others).To(HaveLen(1))
	g.Expect(r.Request.OSVersion).To(Equal(p.OSVersion))
	g.Expect(r.Request.TPM).To(Equal(tpm))
	g.Expect(r.Request.Client).To(Equal(aik.ClientInfo{
		ClientID: 5, MachineName: p.Client.MachineName, UserName: p.Client.UserName, ProcessName: "taskhostw.exe",
	}))
	g.Expect(r.Request.SubjectKeyID).To(HaveLen(20))
	g.Expect(r.Statement.IDBinding).To(Equal(p.Statement.IDBinding))
	ek, err := r.EK.ParseCertificate()
	g.Expect(err).NotTo(HaveOccurred())
	name, err := aik.TPMNameOf(ek)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(name).To(Equal(tpm))
	public, err := r.VerifyAttestation()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(public.Is(r.Request.PublicKey)).To(BeTrue())
}

func TestRequest1Attacks(t *testing.T) {
	f := newFixture(t, true)
	thief, err := scep.NewSigner(rsaKey(t, "signing"), noon, yearAndADay, stream("thief"))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("message", func(t *testing.T) {
		g := NewWithT(t)
		sent, err := aik.BuildRequest1(f.params(t), stream("x"))
		g.Expect(err).NotTo(HaveOccurred())
		_, err = aik.ParseRequest1(sent.DER, f.device)
		g.Expect(err).To(HaveOccurred(), "sealed to another RA")
		_, err = aik.ParseRequest2(sent.DER, f.registrar.Encryption)
		g.Expect(err).To(MatchError(ContainSubstring("messageType 19")))
		for i := 0; i < len(sent.DER); i += 97 {
			r, err := aik.ParseRequest1(flip(sent.DER, i), f.registrar.Encryption)
			if err == nil {
				g.Expect(r.Message.Signer.Raw).To(Equal(f.device.Certificate.Raw), "byte %d", i)
			}
		}
		// Somebody takes the content out of the device's message and signs it as his own.
		m, err := scep.Parse(sent.DER)
		g.Expect(err).NotTo(HaveOccurred())
		der, err := m.Sign(thief)
		g.Expect(err).NotTo(HaveOccurred())
		_, err = aik.ParseRequest1(der, f.registrar.Encryption)
		g.Expect(err).To(MatchError(ContainSubstring("another SCEP signer")))
	})
	t.Run("signer without RSA key", func(t *testing.T) {
		g := NewWithT(t)
		p := f.params(t)
		p.Signer, err = scep.NewSigner(eccKey(t, "device"), noon, yearAndADay, stream("ecc"))
		g.Expect(err).NotTo(HaveOccurred())
		_, err := roundTrip(f, p)
		g.Expect(err).To(MatchError(ContainSubstring("cannot be sealed")))
	})
	t.Run("EK certificate of another TPM", func(t *testing.T) {
		g := NewWithT(t)
		p := f.params(t)
		p.EK.Certificate = f.ekCertificate(t, fixedRSA("another")).Raw
		g.Expect(parseEK(f, p)).To(Equal(tpmattest.CheckKey))
		p.EK.Certificate = []byte{0x30, 0}
		g.Expect(parseEK(f, p)).To(Equal(tpmattest.CheckCertificate))
		p.EK.Certificate = nil
		g.Expect(parseEK(f, p)).To(Equal(tpmattest.CheckCertificate))
	})
	t.Run("key that is not the AIK", func(t *testing.T) {
		g := NewWithT(t)
		p := f.params(t)
		p.PublicKey = fixedRSA("software key")
		g.Expect(attest(f, p)).To(Equal(tpmattest.CheckKey))
	})
	t.Run("statement without word about the AIK", func(t *testing.T) {
		g := NewWithT(t)
		p := f.params(t)
		p.PublicKey = fixedRSA("software key")
		p.Statement.IDBinding = nil
		g.Expect(attest(f, p)).To(Equal(tpmattest.CheckFormat))
		p.PublicKey = nil
		_, err := aik.BuildRequest1(p, stream("x"))
		g.Expect(err).To(HaveOccurred())
	})
}

func parseEK(f *fixture, p aik.Request1Params) (tpmattest.Check, error) {
	r, err := roundTrip(f, p)
	if err != nil {
		return "", err
	}
	_, err = r.EK.ParseCertificate()
	return tpmattest.CheckOf(err), nil
}

func attest(f *fixture, p aik.Request1Params) (tpmattest.Check, error) {
	r, err := roundTrip(f, p)
	if err != nil {
		return "", err
	}
	_, err = r.VerifyAttestation()
	return tpmattest.CheckOf(err), nil
}

func roundTrip(f *fixture, p aik.Request1Params) (*aik.Request1, error) {
	sent, err := aik.BuildRequest1(p, stream("attack"))
	if err != nil {
		return nil, err
	}
	return aik.ParseRequest1(sent.DER, f.registrar.Encryption)
}

func TestChallengeAnswerAndCertificate(t *testing.T) {
	for name, rsaSigning := range map[string]bool{"RSA": true, "P-256": false} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			f := newFixture(t, rsaSigning)
			sent, err := aik.BuildRequest1(f.params(t), stream("1"))
			g.Expect(err).NotTo(HaveOccurred())
			r1, err := aik.ParseRequest1(sent.DER, f.registrar.Encryption)
			g.Expect(err).NotTo(HaveOccurred())
			public, err := r1.VerifyAttestation()
			g.Expect(err).NotTo(HaveOccurred())
			secret := bytes.Repeat([]byte{5}, tpmattest.SecretSize)
			credential, err := tpmattest.MakeCredential(r1.EK.Key.(*rsa.PublicKey), public.Name, secret, stream("2"))
			g.Expect(err).NotTo(HaveOccurred())
			c := aik.Challenge{Credential: credential, ServerContext: []byte("context")}
			der, err := aik.BuildChallenge(r1.Message, c, f.registrar, stream("3"))
			g.Expect(err).NotTo(HaveOccurred())
			got, err := aik.ParseChallenge(der, sent)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(*got).To(Equal(c))

			sent2, err := aik.BuildRequest2(aik.Request2Params{
				Secret: secret, ServerContext: got.ServerContext, TransactionID: sent.Attributes.TransactionID,
				Signer: f.device, Authority: f.authority,
			}, stream("4"))
			g.Expect(err).NotTo(HaveOccurred())
			r2, err := aik.ParseRequest2(sent2.DER, f.registrar.Encryption)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(r2.Secret).To(Equal(secret))
			g.Expect(r2.ServerContext).To(Equal([]byte("context")))
			g.Expect(r2.Message.TransactionID).To(Equal(r1.Message.TransactionID))
			g.Expect(r2.Message.Signer.Raw).To(Equal(r1.Message.Signer.Raw))

			issued := f.aikCertificate(t, public.Key)
			der, err = aik.BuildSuccess(r2.Message, issued, nil, f.registrar, stream("5"))
			g.Expect(err).NotTo(HaveOccurred())
			cert, chain, err := aik.ParseSuccess(der, sent2)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(cert.Raw).To(Equal(issued.Raw))
			g.Expect(chain).To(BeEmpty())

			_, _, err = aik.ParseSuccess(der, sent)
			g.Expect(err).To(MatchError(ContainSubstring("nonce")), "reply to another request")
			for n := 0; n < len(der); n += 101 {
				_, _, err = aik.ParseSuccess(der[:n], sent2)
				g.Expect(err).To(HaveOccurred())
			}
		})
	}
}

func TestRepliesThatAreNotTheOneHopedFor(t *testing.T) {
	g := NewWithT(t)
	f := newFixture(t, false)
	sent, err := aik.BuildRequest1(f.params(t), stream("1"))
	g.Expect(err).NotTo(HaveOccurred())
	m, err := scep.Parse(sent.DER)
	g.Expect(err).NotTo(HaveOccurred())

	der, err := aik.BuildFailure(m, scep.BadMessageCheck, "the secret is wrong", f.registrar, stream("2"))
	g.Expect(err).NotTo(HaveOccurred())
	_, err = aik.ParseChallenge(der, sent)
	var rejected *aik.RejectedError
	g.Expect(errors.As(err, &rejected)).To(BeTrue())
	g.Expect(*rejected).To(Equal(aik.RejectedError{Status: scep.Failure, FailInfo: scep.BadMessageCheck, Text: "the secret is wrong"}))
	g.Expect(err).To(MatchError("aik: the service refuses: badMessageCheck: the secret is wrong"))
	g.Expect(aik.OutcomeOfError(err)).To(Equal(aik.Refused))

	der, err = aik.BuildPending(m, f.registrar, stream("2"))
	g.Expect(err).NotTo(HaveOccurred())
	_, err = aik.ParseChallenge(der, sent)
	g.Expect(err).To(MatchError("aik: the service answers with pkiStatus 3"))

	// A man in the middle with a key of his own.
	mallory := aik.Registrar{Signing: f.device, Encryption: f.device}
	der, err = aik.BuildChallenge(m, aik.Challenge{}, mallory, stream("2"))
	g.Expect(err).NotTo(HaveOccurred())
	_, err = aik.ParseChallenge(der, sent)
	g.Expect(err).To(MatchError(ContainSubstring("not signed by the registration authority")))
	g.Expect(aik.OutcomeOfError(err)).To(Equal(aik.BadRequest))
}

// TestGolden keeps the bytes of a request: same keys, same stream, same bytes.
func TestGolden(t *testing.T) {
	g := NewWithT(t)
	f := newFixture(t, true)
	sent, err := aik.BuildRequest1(f.params(t), stream("golden"))
	g.Expect(err).NotTo(HaveOccurred())
	file := filepath.Join("testdata", "request1.der")
	if *update {
		g.Expect(os.WriteFile(file, sent.DER, 0o644)).To(Succeed())
	}
	want, err := os.ReadFile(file)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(sent.DER).To(Equal(want))
}

// TestOpenSSL lets another implementation open request 1 layer by layer.
func TestOpenSSL(t *testing.T) {
	g := NewWithT(t)
	f := newFixture(t, true)
	sent, err := aik.BuildRequest1(f.params(t), stream("openssl"))
	g.Expect(err).NotTo(HaveOccurred())
	ra := filepath.Join(t.TempDir(), "ra.der")
	g.Expect(os.WriteFile(ra, f.registrar.Encryption.Certificate.Raw, 0o600)).To(Succeed())
	decrypt := []string{"cms", "-decrypt", "-inform", "DER", "-binary", "-recip", ra, "-inkey", "testdata/encryption.pem"}

	envelope := openssl(t, sent.DER, "cms", "-verify", "-inform", "DER", "-noverify", "-binary")
	csr := openssl(t, envelope, decrypt...)
	request, err := aik.ParseCertificateRequest(csr)
	g.Expect(err).NotTo(HaveOccurred())
	info, err := tpmattest.ParseEKInfo(openssl(t, request.EKInfo, decrypt...))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(tpmattest.SameKey(info.Key, fixedRSA("EK"))).To(BeTrue())

	tree := string(openssl(t, csr, "asn1parse", "-inform", "DER"))
	g.Expect(tree).To(ContainSubstring("1.3.6.1.4.1.311.21.24"))
	g.Expect(tree).NotTo(ContainSubstring("1.3.6.1.4.1.311.21.33"))
	g.Expect(tree).To(ContainSubstring(":sha256"), "the signature is a digest")
	g.Expect(string(openssl(t, csr, "req", "-inform", "DER", "-noout", "-pubkey"))).To(ContainSubstring("BEGIN PUBLIC KEY"))

	chain, err := f.authority.Marshal()
	g.Expect(err).NotTo(HaveOccurred())
	printed := string(openssl(t, chain, "pkcs7", "-inform", "DER", "-print_certs", "-noout"))
	for _, name := range []string{"AIK Root", "IFX-KEYID-00", aik.RASigningName, aik.RAEncryptionName} {
		g.Expect(printed).To(ContainSubstring(name))
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
