package tpmattest_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-tpm/tpm2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/tpmattest"
)

var update = flag.Bool("update", false, "write testdata anew")

func TestCredentialOpensInTheRightTPMOnly(t *testing.T) {
	g := NewWithT(t)
	r := newRig(t)
	aik := r.primary(tpm2.TPMRHOwner, aikTemplate("a"))
	secret := bytes.Repeat([]byte{7}, tpmattest.SecretSize)

	c, err := tpmattest.MakeCredential(r.ekPublic, aik.public.Name, secret, stream("credential"))
	g.Expect(err).NotTo(HaveOccurred())
	parsed, err := tpmattest.ParseCredential(c.Marshal())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(parsed).To(Equal(c))
	g.Expect(r.activate(aik, parsed)).To(Equal(secret))

	again, err := tpmattest.MakeCredential(r.ekPublic, aik.public.Name, secret, stream("credential"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again).To(Equal(c), "the same stream makes the same challenge")

	other := r.primary(tpm2.TPMRHOwner, aikTemplate("b"))
	_, err = r.activate(other, c)
	g.Expect(err).To(HaveOccurred(), "an AIK with another Name")

	foreign := tpm2.RSAEKTemplate
	foreign.Unique = unique("another TPM")
	strange, err := tpmattest.MakeCredential(tpmRSA(r.primary(tpm2.TPMRHEndorsement, foreign)), aik.public.Name, secret, stream("x"))
	g.Expect(err).NotTo(HaveOccurred())
	_, err = r.activate(aik, strange)
	g.Expect(err).To(HaveOccurred(), "sealed to another EK")

	flipped := c
	flipped.Blob.Buffer = bytes.Clone(c.Blob.Buffer)
	flipped.Blob.Buffer[40] ^= 1
	_, err = r.activate(aik, flipped)
	g.Expect(err).To(HaveOccurred(), "changed on the way")
}

// The same with an EK on P-256 (template L-2).
func TestCredentialToAnECCKey(t *testing.T) {
	g := NewWithT(t)
	r := newRig(t)
	aik := r.primary(tpm2.TPMRHOwner, aikTemplate("ecc"))
	ek := r.persistent(0x81010003, tpm2.TPMRHEndorsement, tpm2.ECCEKTemplate)
	secret := bytes.Repeat([]byte{9}, tpmattest.SecretSize)

	c, err := tpmattest.MakeCredential(ek.public.Key, aik.public.Name, secret, stream("credential"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(r.activateWith(ek.handle, aik, c)).To(Equal(secret))
	again, err := tpmattest.MakeCredential(ek.public.Key, aik.public.Name, secret, stream("credential"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again).To(Equal(c), "the same stream makes the same challenge")

	_, err = r.activate(aik, c)
	g.Expect(err).To(HaveOccurred(), "sealed to the other EK of the same TPM")
	aik.drop()
	_, err = r.activateWith(ek.handle, r.primary(tpm2.TPMRHOwner, aikTemplate("ecc other")), c)
	g.Expect(err).To(HaveOccurred(), "an AIK with another Name")
}

func TestCredentialToOtherKeys(t *testing.T) {
	g := NewWithT(t)
	secret := make([]byte, tpmattest.SecretSize)
	large := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 3071, 1), E: 65537}
	c, err := tpmattest.MakeCredential(large, make([]byte, 34), secret, stream("large"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Secret.Buffer).To(HaveLen(384))
	g.Expect(c.Blob.Buffer).To(HaveLen(2 + 48 + 2 + len(secret)))
	for name, key := range map[string]crypto.PublicKey{
		"RSA-1024": &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537}, "no RSA key": (*rsa.PublicKey)(nil),
		"P-384": &ecdsa.PublicKey{Curve: elliptic.P384()}, "no ECC key": (*ecdsa.PublicKey)(nil), "no key": nil,
	} {
		_, err := tpmattest.MakeCredential(key, make([]byte, 34), secret, stream("x"))
		g.Expect(tpmattest.CheckOf(err)).To(Equal(tpmattest.CheckAlgorithm), name)
	}
	_, err = tpmattest.MakeCredential(large, make([]byte, 34), make([]byte, 33), stream("x"))
	g.Expect(err).To(HaveOccurred(), "a secret that is too long")
	_, err = tpmattest.MakeCredential(large, make([]byte, 34), secret, bytes.NewReader(nil))
	g.Expect(err).To(HaveOccurred(), "randomness ends early")
}

func TestEKPublicAreaIsTheTPMs(t *testing.T) {
	g := NewWithT(t)
	r := newRig(t)
	area := tpmattest.EKPublicArea(r.ekPublic)
	name, err := tpm2.ObjectName(&area)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(name.Buffer).To(Equal(r.ek.Name.Buffer))
}

func TestIDBinding(t *testing.T) {
	for name, template := range map[string]tpm2.TPMTPublic{"RSA": aikTemplate("binding"), "ECC": eccTemplate()} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			r := newRig(t)
			aik := r.primary(tpm2.TPMRHOwner, template)
			binding := r.idBinding(aik)
			statement, err := tpmattest.ParseStatement(tpmattest.Statement{IDBinding: binding.Marshal()}.Marshal())
			g.Expect(err).NotTo(HaveOccurred())
			parsed, err := tpmattest.ParseIDBinding(statement.IDBinding)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(parsed).To(Equal(binding))
			got, err := parsed.Verify(nil)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(got.Name).To(Equal(aik.handle.Name.Buffer))
			g.Expect(got.Is(aik.public.Key)).To(BeTrue())
			_, err = parsed.Verify([]byte("nonce"))
			g.Expect(tpmattest.CheckOf(err)).To(Equal(tpmattest.CheckQualifying))
		})
	}
}

func TestIDBindingAttacks(t *testing.T) {
	g := NewWithT(t)
	r := newRig(t)
	aik := r.primary(tpm2.TPMRHOwner, aikTemplate("honest"))
	good := r.idBinding(aik)
	second := r.primary(tpm2.TPMRHOwner, aikTemplate("other"))
	other := r.idBinding(second)
	second.drop()
	unrestricted := aikTemplate("unrestricted")
	unrestricted.ObjectAttributes.Restricted = false

	for name, c := range map[string]struct {
		change func(*tpmattest.IDBinding)
		check  tpmattest.Check
	}{
		"public area of another AIK": {func(b *tpmattest.IDBinding) { b.Public = other.Public }, tpmattest.CheckSignature},
		"attestation of another AIK": {func(b *tpmattest.IDBinding) { b.Attest = other.Attest }, tpmattest.CheckSignature},
		"creation data changed":      {func(b *tpmattest.IDBinding) { b.CreationData = flip(b.CreationData, -10) }, tpmattest.CheckCreationHash},
		"creation data cut off":      {func(b *tpmattest.IDBinding) { b.CreationData = b.CreationData[:10] }, tpmattest.CheckFormat},
		"signature changed":          {func(b *tpmattest.IDBinding) { b.Signature = flip(b.Signature, -1) }, tpmattest.CheckSignature},
		"signature's hash changed":   {func(b *tpmattest.IDBinding) { b.Signature = flip(b.Signature, 3) }, tpmattest.CheckAlgorithm},
		"magic changed":              {func(b *tpmattest.IDBinding) { b.Attest = flip(b.Attest, 2) }, tpmattest.CheckFormat},
		"attestation changed":        {func(b *tpmattest.IDBinding) { b.Attest = flip(b.Attest, -1) }, tpmattest.CheckSignature},
		"attribute changed":          {func(b *tpmattest.IDBinding) { b.Public = flip(b.Public, 9) }, ""},
		"AIK that is not restricted": {func(b *tpmattest.IDBinding) {
			*b = r.idBinding(r.primary(tpm2.TPMRHOwner, unrestricted))
		}, tpmattest.CheckPolicy},
		"certify in place of creation": {func(b *tpmattest.IDBinding) {
			b.Attest, b.Signature = r.certify(aik, aik, nil)
		}, tpmattest.CheckType},
	} {
		bad := good
		c.change(&bad)
		_, err := bad.Verify(nil)
		g.Expect(err).To(HaveOccurred(), name)
		if c.check != "" {
			g.Expect(tpmattest.CheckOf(err)).To(Equal(c.check), name+": "+err.Error())
		}
	}
}

func TestVerifyCertify(t *testing.T) {
	g := NewWithT(t)
	r := newRig(t)
	aik := r.persistent(0x81010002, tpm2.TPMRHEndorsement, aikTemplate("certifier"))
	nonce := []byte("nonce")
	other := r.child(deviceKeyTemplate())
	other.drop()
	key := r.child(deviceKeyTemplate())
	attest, sig := r.certify(aik, key, nonce)
	key.drop()

	a, err := tpmattest.ParseAttest(attest)
	g.Expect(err).NotTo(HaveOccurred())
	kads := tpmattest.KeyAttestation{Attest: a.Bare(), Signature: sig, KeyBlob: append(key.public.Marshal(), 0, 0)}
	parsed, err := tpmattest.ParseKeyAttestation(kads.Marshal())
	g.Expect(err).NotTo(HaveOccurred())
	public, err := parsed.Public()
	g.Expect(err).NotTo(HaveOccurred())
	_, err = tpmattest.VerifyCertify(aik.public.Key, parsed.Attest, parsed.Signature, nonce, public, key.public.Key)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = tpmattest.VerifyCertify(aik.public.Key, attest, sig, nonce, public, nil)
	g.Expect(err).NotTo(HaveOccurred(), "with its size, and no key to compare")

	exportable := deviceKeyTemplate()
	exportable.ObjectAttributes.FixedTPM = false
	exportable.ObjectAttributes.FixedParent = false
	loose := r.child(exportable)
	looseAttest, looseSig := r.certify(aik, loose, nonce)
	loose.drop()
	second := r.primary(tpm2.TPMRHOwner, aikTemplate("creation"))
	creation := r.idBinding(second)

	for name, c := range map[string]struct {
		call  func() error
		check tpmattest.Check
	}{
		"other nonce":            {certify(aik.public.Key, attest, sig, []byte("x"), public, nil), tpmattest.CheckQualifying},
		"other key's public":     {certify(aik.public.Key, attest, sig, nonce, other.public, nil), tpmattest.CheckName},
		"other key presented":    {certify(aik.public.Key, attest, sig, nonce, public, other.public.Key), tpmattest.CheckKey},
		"another AIK":            {certify(other.public.Key, attest, sig, nonce, public, nil), tpmattest.CheckSignature},
		"key that can be moved":  {certify(aik.public.Key, looseAttest, looseSig, nonce, loose.public, nil), tpmattest.CheckPolicy},
		"creation, not certify":  {certify(second.public.Key, creation.Attest, creation.Signature, nil, second.public, nil), tpmattest.CheckType},
		"truncated attestation":  {certify(aik.public.Key, attest[:len(attest)-1], sig, nonce, public, nil), tpmattest.CheckFormat},
		"truncated signature":    {certify(aik.public.Key, attest, sig[:len(sig)-1], nonce, public, nil), tpmattest.CheckFormat},
		"signature of nothing":   {certify(aik.public.Key, attest, nil, nonce, public, nil), tpmattest.CheckFormat},
		"key of no known kind":   {certify("key", attest, sig, nonce, public, nil), tpmattest.CheckAlgorithm},
		"bytes after the attest": {certify(aik.public.Key, append(bytes.Clone(a.Bare()), 0), sig, nonce, public, nil), tpmattest.CheckFormat},
	} {
		err := c.call()
		g.Expect(err).To(HaveOccurred(), name)
		g.Expect(tpmattest.CheckOf(err)).To(Equal(c.check), name+": "+err.Error())
	}
}

func TestVerifyQuote(t *testing.T) {
	g := NewWithT(t)
	r := newRig(t)
	aik := r.primary(tpm2.TPMRHOwner, eccTemplate())
	selection := tpm2.TPMLPCRSelection{PCRSelections: []tpm2.TPMSPCRSelection{
		{Hash: tpm2.TPMAlgSHA256, PCRSelect: tpm2.PCClientCompatible.PCRs(16)},
	}}
	rsp, err := tpm2.Quote{
		SignHandle:     r.auth(aik.handle),
		QualifyingData: tpm2.TPM2BData{Buffer: []byte("n")},
		InScheme:       tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgNull},
		PCRSelect:      selection,
	}.Execute(r.tpm)
	g.Expect(err).NotTo(HaveOccurred())
	attest, sig := tpm2.Marshal(rsp.Quoted), tpm2.Marshal(rsp.Signature)
	zero := sha256.Sum256(make([]byte, 32)) // register 16 was never extended
	_, err = tpmattest.VerifyQuote(aik.public.Key, attest, sig, []byte("n"), zero[:])
	g.Expect(err).NotTo(HaveOccurred())
	_, err = tpmattest.VerifyQuote(aik.public.Key, attest, sig, []byte("n"), make([]byte, 32))
	g.Expect(tpmattest.CheckOf(err)).To(Equal(tpmattest.CheckName))
	_, err = tpmattest.VerifyCertify(aik.public.Key, attest, sig, []byte("n"), aik.public, nil)
	g.Expect(tpmattest.CheckOf(err)).To(Equal(tpmattest.CheckType))
}

// TestGolden reads what a TPM answered once: formats must not drift with the libraries.
func TestGolden(t *testing.T) {
	g := NewWithT(t)
	file := filepath.Join("testdata", "statement.bin")
	if *update {
		r := newRig(t)
		aik := r.primary(tpm2.TPMRHOwner, aikTemplate("golden"))
		key := r.child(deviceKeyTemplate())
		attest, sig := r.certify(aik, key, []byte("golden"))
		a, err := tpmattest.ParseAttest(attest)
		g.Expect(err).NotTo(HaveOccurred())
		s := tpmattest.Statement{
			IDBinding:      r.idBinding(aik).Marshal(),
			KeyAttestation: tpmattest.KeyAttestation{Attest: a.Bare(), Signature: sig, KeyBlob: key.public.Marshal()}.Marshal(),
		}
		g.Expect(os.WriteFile(file, s.Marshal(), 0o644)).To(Succeed())
	}
	raw, err := os.ReadFile(file)
	g.Expect(err).NotTo(HaveOccurred())
	s, err := tpmattest.ParseStatement(raw)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.Marshal()).To(Equal(raw))
	g.Expect(raw[:16]).To(Equal([]byte("KAST\x01\x00\x00\x00\x02\x00\x00\x00\x1c\x00\x00\x00")))

	binding, err := tpmattest.ParseIDBinding(s.IDBinding)
	g.Expect(err).NotTo(HaveOccurred())
	aik, err := binding.Verify(nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(aik.Area.AuthPolicy.Buffer).To(Equal(tpmattest.WindowsAIKPolicy))
	kads, err := tpmattest.ParseKeyAttestation(s.KeyAttestation)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(kads.Marshal()).To(Equal(s.KeyAttestation))
	key, err := kads.Public()
	g.Expect(err).NotTo(HaveOccurred())
	_, err = tpmattest.VerifyCertify(aik.Key, kads.Attest, kads.Signature, []byte("golden"), key, nil)
	g.Expect(err).NotTo(HaveOccurred())
}
