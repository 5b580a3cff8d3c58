package tpmattest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-tpm/tpm2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/wire/tpmattest"
)

func TestStatementLengths(t *testing.T) {
	g := NewWithT(t)
	good := tpmattest.Statement{IDBinding: []byte("id"), KeyAttestation: []byte("key"), AIKOpaque: []byte("opaque")}.Marshal()
	g.Expect(hex.EncodeToString(good)).To(Equal("4b415354" + "01000000" + "02000000" + "1c000000" +
		"02000000" + "03000000" + "06000000" + hex.EncodeToString([]byte("idkeyopaque"))))
	for n := range good {
		_, err := tpmattest.ParseStatement(good[:n])
		g.Expect(tpmattest.CheckOf(err)).To(Equal(tpmattest.CheckFormat), "cut to %d", n)
	}
	_, err := tpmattest.ParseStatement(append(bytes.Clone(good), 0))
	g.Expect(err).To(MatchError(ContainSubstring("1 bytes follow")))
	for word := range 7 {
		bad := bytes.Clone(good)
		binary.LittleEndian.PutUint32(bad[4*word:], 0xFFFFFFFF)
		_, err := tpmattest.ParseStatement(bad)
		g.Expect(tpmattest.CheckOf(err)).To(Equal(tpmattest.CheckFormat), "word %d", word)
	}
}

func TestStatementRoundTrip(t *testing.T) {
	part := rapid.SliceOfN(rapid.Byte(), 0, 300)
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		s := tpmattest.Statement{IDBinding: part.Draw(t, "id"), KeyAttestation: part.Draw(t, "key"), AIKOpaque: part.Draw(t, "opaque")}
		got, err := tpmattest.ParseStatement(s.Marshal())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(got.Marshal()).To(Equal(s.Marshal()))
		k := tpmattest.KeyAttestation{Attest: s.IDBinding, Signature: s.KeyAttestation, KeyBlob: s.AIKOpaque}
		back, err := tpmattest.ParseKeyAttestation(k.Marshal())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(back.Marshal()).To(Equal(k.Marshal()))
	})
}

// fixedRSA is a public key of which nobody knows the private half, for tests that only encode.
func fixedRSA() *rsa.PublicKey {
	n := make([]byte, 256)
	_, _ = stream("modulus").Read(n)
	n[0] |= 0x80
	n[255] |= 1
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
}

func TestCredentialGolden(t *testing.T) {
	g := NewWithT(t)
	c, err := tpmattest.MakeCredential(fixedRSA(), bytes.Repeat([]byte{0, 11}, 17), []byte("secret"), stream("golden"))
	g.Expect(err).NotTo(HaveOccurred())
	file := filepath.Join("testdata", "credential.bin")
	if *update {
		g.Expect(os.WriteFile(file, c.Marshal(), 0o644)).To(Succeed())
	}
	want, err := os.ReadFile(file)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Marshal()).To(Equal(want))
	g.Expect(want).To(HaveLen(2 + 34 + 8 + 2 + 256)) // HMAC, then a sized secret of 6; OAEP of an RSA-2048 key

	for name, call := range map[string]func() (tpmattest.Credential, error){
		"no EK": func() (tpmattest.Credential, error) {
			return tpmattest.MakeCredential(nil, nil, []byte("s"), stream(""))
		},
		"empty secret": func() (tpmattest.Credential, error) {
			return tpmattest.MakeCredential(fixedRSA(), nil, nil, stream(""))
		},
		"no randomness": func() (tpmattest.Credential, error) {
			return tpmattest.MakeCredential(fixedRSA(), nil, []byte("s"), &bytes.Buffer{})
		},
		"RSA-1024": func() (tpmattest.Credential, error) {
			return tpmattest.MakeCredential(&rsa.PublicKey{N: big.NewInt(15), E: 3}, nil, []byte("s"), stream(""))
		},
		"cut off":           func() (tpmattest.Credential, error) { return tpmattest.ParseCredential(want[:len(want)-1]) },
		"first cut off":     func() (tpmattest.Credential, error) { return tpmattest.ParseCredential(want[:1]) },
		"bytes that follow": func() (tpmattest.Credential, error) { return tpmattest.ParseCredential(append(bytes.Clone(want), 0)) },
	} {
		_, err := call()
		g.Expect(err).To(HaveOccurred(), name)
	}
}

func TestCheckAIK(t *testing.T) {
	g := NewWithT(t)
	for name, c := range map[string]struct {
		change func(*tpm2.TPMTPublic)
		check  tpmattest.Check
	}{
		"as it should be": {func(*tpm2.TPMTPublic) {}, ""},
		"not restricted":  {func(p *tpm2.TPMTPublic) { p.ObjectAttributes.Restricted = false }, tpmattest.CheckPolicy},
		"not fixedTPM":    {func(p *tpm2.TPMTPublic) { p.ObjectAttributes.FixedTPM = false }, tpmattest.CheckPolicy},
		"not fixedParent": {func(p *tpm2.TPMTPublic) { p.ObjectAttributes.FixedParent = false }, tpmattest.CheckPolicy},
		"imported":        {func(p *tpm2.TPMTPublic) { p.ObjectAttributes.SensitiveDataOrigin = false }, tpmattest.CheckPolicy},
		"cannot sign":     {func(p *tpm2.TPMTPublic) { p.ObjectAttributes.SignEncrypt = false }, tpmattest.CheckPolicy},
		"can decrypt":     {func(p *tpm2.TPMTPublic) { p.ObjectAttributes.Decrypt = true }, tpmattest.CheckPolicy},
		"SHA-1 scheme": {func(p *tpm2.TPMTPublic) {
			p.Parameters = tpm2.NewTPMUPublicParms(tpm2.TPMAlgRSA, &tpm2.TPMSRSAParms{KeyBits: 2048, Scheme: tpm2.TPMTRSAScheme{
				Scheme:  tpm2.TPMAlgRSASSA,
				Details: tpm2.NewTPMUAsymScheme(tpm2.TPMAlgRSASSA, &tpm2.TPMSSigSchemeRSASSA{HashAlg: tpm2.TPMAlgSHA1}),
			}})
		}, tpmattest.CheckAlgorithm},
		"no scheme": {func(p *tpm2.TPMTPublic) {
			p.Parameters = tpm2.NewTPMUPublicParms(tpm2.TPMAlgRSA, &tpm2.TPMSRSAParms{KeyBits: 2048})
		}, tpmattest.CheckAlgorithm},
	} {
		area := aikTemplate("")
		area.Unique = tpmattest.EKPublicArea(fixedRSA()).Unique
		c.change(&area)
		p, err := tpmattest.ParsePublic(tpm2.Marshal(area))
		g.Expect(err).NotTo(HaveOccurred(), name)
		g.Expect(tpmattest.CheckOf(tpmattest.CheckAIK(p))).To(Equal(c.check), name)
	}
}

func TestParsePublicRefuses(t *testing.T) {
	g := NewWithT(t)
	good := tpmattest.EKPublicArea(fixedRSA())
	for name, c := range map[string]struct {
		change func(*tpm2.TPMTPublic)
		check  tpmattest.Check
	}{
		"template without key": {func(p *tpm2.TPMTPublic) { p.Unique = unique("x") }, tpmattest.CheckFormat},
		"SHA-1 name":           {func(p *tpm2.TPMTPublic) { p.NameAlg = tpm2.TPMAlgSHA1 }, tpmattest.CheckAlgorithm},
		"exponent 3": {func(p *tpm2.TPMTPublic) {
			p.Parameters = tpm2.NewTPMUPublicParms(tpm2.TPMAlgRSA, &tpm2.TPMSRSAParms{KeyBits: 2048, Exponent: 3})
		}, tpmattest.CheckAlgorithm},
		"point not on the curve": {func(p *tpm2.TPMTPublic) {
			*p = eccTemplate()
			p.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgECC, &tpm2.TPMSECCPoint{
				X: tpm2.TPM2BECCParameter{Buffer: []byte{1}}, Y: tpm2.TPM2BECCParameter{Buffer: []byte{1}},
			})
		}, tpmattest.CheckFormat},
	} {
		area := good
		c.change(&area)
		_, err := tpmattest.ParsePublic(tpm2.Marshal(area))
		g.Expect(tpmattest.CheckOf(err)).To(Equal(c.check), name)
	}
	raw := tpm2.Marshal(good)
	for n := range raw {
		_, err := tpmattest.ParsePublic(raw[:n])
		g.Expect(err).To(HaveOccurred(), "cut to %d", n)
	}
}

func TestKeyInfo(t *testing.T) {
	g := NewWithT(t)
	ecc, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{1}, 32))
	g.Expect(err).NotTo(HaveOccurred())
	cert := []byte{0x30, 3, 2, 1, 5} // any SEQUENCE stands for a certificate
	for name, e := range map[string]tpmattest.EKInfo{
		"no certificate": {Key: fixedRSA()},
		"certificate":    {Key: fixedRSA(), Certificate: cert},
		"and three more": {Key: &ecc.PublicKey, Certificate: cert, Extra: [][]byte{cert, cert, cert}},
	} {
		der, err := e.Marshal()
		g.Expect(err).NotTo(HaveOccurred(), name)
		got, err := tpmattest.ParseEKInfo(der)
		g.Expect(err).NotTo(HaveOccurred(), name)
		g.Expect(tpmattest.SameKey(got.Key, e.Key)).To(BeTrue(), name)
		g.Expect(got.Certificate).To(Equal(e.Certificate), name)
		g.Expect(got.Extra).To(Equal(e.Extra), name)
		_, err = got.ParseCertificate()
		g.Expect(tpmattest.CheckOf(err)).To(Equal(tpmattest.CheckCertificate), name)
		_, err = tpmattest.ParseEKInfo(der[:len(der)-1])
		g.Expect(err).To(HaveOccurred(), name)
	}
	_, err = tpmattest.EKInfo{Key: fixedRSA(), Extra: make([][]byte, 4)}.Marshal()
	g.Expect(err).To(HaveOccurred())
	for _, a := range []tpmattest.AIKInfo{{Key: fixedRSA()}, {Key: &ecc.PublicKey, Certificate: cert}} {
		der, err := a.Marshal()
		g.Expect(err).NotTo(HaveOccurred())
		got, err := tpmattest.ParseAIKInfo(der)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(got.Certificate).To(Equal(a.Certificate))
		g.Expect(tpmattest.SameKey(got.Key, a.Key)).To(BeTrue())
	}
}

func FuzzParse(f *testing.F) {
	raw, err := os.ReadFile(filepath.Join("testdata", "statement.bin"))
	if err != nil {
		f.Fatal(err)
	}
	s, err := tpmattest.ParseStatement(raw)
	if err != nil {
		f.Fatal(err)
	}
	k, err := tpmattest.ParseKeyAttestation(s.KeyAttestation)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{raw, s.IDBinding, s.KeyAttestation, k.Attest, k.KeyBlob, k.Signature} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := tpmattest.ParseStatement(b); err == nil && !bytes.Equal(s.Marshal(), b) {
			t.Error("statement does not encode back")
		}
		if p, err := tpmattest.ParsePublic(b); err == nil {
			_ = tpmattest.CheckAIK(p)
		}
		if i, err := tpmattest.ParseIDBinding(b); err == nil {
			_, _ = i.Verify(nil)
		}
		if k, err := tpmattest.ParseKeyAttestation(b); err == nil {
			_, _ = k.Public()
		}
		_, _ = tpmattest.ParseAttest(b)
		_, _ = tpmattest.ParseCredential(b)
		_, _ = tpmattest.ParseEKInfo(b)
		_, _ = tpmattest.ParseAIKInfo(b)
		_ = tpmattest.VerifySignature(fixedKey, []byte("m"), b)
	})
}

var fixedKey = fixedRSA()
