package aik_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"net/http"
	"os"
	"testing"

	"github.com/google/go-tpm/tpm2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/scep"
	"windtunnel.test/sim/wire/tpmattest"
)

func csr(t testing.TB) aik.CertificateRequest {
	t.Helper()
	return aik.CertificateRequest{
		PublicKey: fixedRSA("AIK"), OSVersion: "10.0.26100.2", SignerHash: make([]byte, 20),
		Client:   aik.ClientInfo{ClientID: 5, MachineName: "PC", UserName: `WORKGROUP\PC$`, ProcessName: "taskhostw.exe"},
		Provider: aik.Provider, TPM: tpm, SubjectKeyID: make([]byte, 20),
		Statement: []byte("statement"), EKInfo: []byte{0x30, 0},
	}
}

func TestCertificateRequest(t *testing.T) {
	g := NewWithT(t)
	want := csr(t)
	der, err := want.Marshal()
	g.Expect(err).NotTo(HaveOccurred())
	got, err := aik.ParseCertificateRequest(der)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(*got).To(Equal(want))
	for i := range der {
		if _, err := aik.ParseCertificateRequest(flip(der, i)); err == nil {
			// Only the tags and counts outside the digest may go unnoticed.
			g.Expect(i).To(Or(BeNumerically("<", 4), BeNumerically(">", len(der)-60)), "byte %d", i)
		}
	}
	wrong := want
	wrong.Provider = "Microsoft Software Key Storage Provider"
	der, err = wrong.Marshal()
	g.Expect(err).NotTo(HaveOccurred())
	_, err = aik.ParseCertificateRequest(der)
	g.Expect(err).To(MatchError(ContainSubstring("provider")))
}

// TestStatementUnderTheOIDOfTheSpecification takes 21.33 as well as 21.24.
func TestStatementUnderTheOIDOfTheSpecification(t *testing.T) {
	g := NewWithT(t)
	want := csr(t)
	der, err := want.Marshal()
	g.Expect(err).NotTo(HaveOccurred())
	sent, err := asn1.Marshal(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 21, 24})
	g.Expect(err).NotTo(HaveOccurred())
	printed := bytes.Clone(sent)
	printed[len(printed)-1] = 33
	got, err := aik.ParseCertificateRequest(redigest(t, bytes.Replace(der, sent, printed, 1)))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got.Statement).To(Equal(want.Statement))

	printed[len(printed)-1] = 99
	_, err = aik.ParseCertificateRequest(redigest(t, bytes.Replace(der, sent, printed, 1)))
	g.Expect(err).To(MatchError(ContainSubstring("is missing")))
	printed[len(printed)-1] = 23
	_, err = aik.ParseCertificateRequest(redigest(t, bytes.Replace(der, sent, printed, 1)))
	g.Expect(err).To(MatchError(ContainSubstring("want it once")))
}

// redigest puts the right digest into a request that was changed.
func redigest(t *testing.T, der []byte) []byte {
	t.Helper()
	var s signedRequest
	if _, err := asn1.Unmarshal(der, &s); err != nil {
		t.Fatal(err)
	}
	return digested(t, s.Info.FullBytes)
}

type signedRequest struct {
	Info      asn1.RawValue
	Algorithm pkix.AlgorithmIdentifier
	Digest    asn1.BitString
}

func digested(t *testing.T, info []byte) []byte {
	t.Helper()
	sum := sha256.Sum256(info)
	out, err := asn1.Marshal(signedRequest{
		Info:      asn1.RawValue{FullBytes: info},
		Algorithm: pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}},
		Digest:    asn1.BitString{Bytes: sum[:], BitLength: 256},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTPMName(t *testing.T) {
	g := NewWithT(t)
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		text := rapid.StringN(1, 20, -1)
		want := aik.TPMName{Manufacturer: text.Draw(t, "manufacturer"), Model: text.Draw(t, "model"), Version: text.Draw(t, "version")}
		der, err := want.MarshalSAN()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(aik.ParseTPMSAN(der)).To(Equal(want))
	})
	// One set of three, behind a mail address, as some vendors write it.
	set := pkix.RelativeDistinguishedNameSET{
		{Type: asn1.ObjectIdentifier{2, 23, 133, 2, 1}, Value: "id:53544D20"},
		{Type: asn1.ObjectIdentifier{2, 23, 133, 2, 2}, Value: "ST33HTPH"},
		{Type: asn1.ObjectIdentifier{2, 23, 133, 2, 3}, Value: "id:004A0000"},
	}
	name, err := asn1.Marshal(pkix.RDNSequence{set})
	g.Expect(err).NotTo(HaveOccurred())
	one, err := asn1.Marshal([]asn1.RawValue{
		{Class: asn1.ClassContextSpecific, Tag: 1, Bytes: []byte("a@b")},
		{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: name},
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(aik.ParseTPMSAN(one)).To(Equal(aik.TPMName{Manufacturer: "id:53544D20", Model: "ST33HTPH", Version: "id:004A0000"}))
	for id, vendor := range map[string]string{
		"id:49465800": "ifx", "id:53544D20": "stm", "id:4E544300": "ntc", "id:494E5443": "intc", "id:414D4400": "amd",
		"id:4E54": "", "id:x": "", "": "",
	} {
		g.Expect(aik.TPMName{Manufacturer: id}.Vendor()).To(Equal(vendor), id)
	}
	_, err = aik.ParseTPMSAN([]byte{0x30, 0})
	g.Expect(err).To(HaveOccurred())
	_, err = aik.TPMNameOf(&x509.Certificate{})
	g.Expect(err).To(HaveOccurred())
}

func TestHost(t *testing.T) {
	g := NewWithT(t)
	id := []byte{0xc2, 0xef}
	g.Expect(aik.Host("IFX", id)).To(Equal("ifx-keyid-c2ef.microsoftaik.azure.net"))
	for host, want := range map[string]string{
		"ifx-keyid-c2ef.microsoftaik.azure.net":     "ifx",
		"INTC-KeyId-C2EF.microsoftaik.azure.net":    "intc",
		"wus-ifx-keyid-c2ef.microsoftaik.azure.net": "ifx",
		"-keyid-c2ef.microsoftaik.azure.net":        "",
		"ifx-keyid-.microsoftaik.azure.net":         "",
		"ifx-keyid-xy.microsoftaik.azure.net":       "",
		"ifx.microsoftaik.azure.net":                "",
		"ifx-keyid-c2ef.example.com":                "",
	} {
		vendor, got, ok := aik.ParseHost(host)
		g.Expect(ok).To(Equal(want != ""), host)
		g.Expect(vendor).To(Equal(want), host)
		if ok {
			g.Expect(got).To(Equal(id), host)
		}
	}
	g.Expect(aik.URL("h", "GetCACaps")).To(Equal("https://h/templates/Aik/scep?operation=GetCACaps"))
	g.Expect(aik.URL("h", "GetCACertChain")).To(HaveSuffix("?operation=GetCACertChain&message=default"))
	g.Expect(aik.UserAgent("10.0.1/x")).To(ContainSubstring("NDES client 10.0.1/x)"))
}

func TestPlatform(t *testing.T) {
	g := NewWithT(t)
	const seen = "TPM-Version:2.0 -Level:0-Revision:0.99-VendorID:'IFX '-Firmware:327680.278786"
	p, err := aik.ParsePlatform(seen)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p).To(Equal(aik.Platform{Version: "2.0", Revision: "0.99", VendorID: "IFX ", Firmware: [2]uint32{327680, 278786}}))
	g.Expect(p.String()).To(Equal(seen))
	for _, bad := range []string{"", "TPM", seen + "0000000", seen[:40]} {
		_, err := aik.ParsePlatform(bad)
		g.Expect(err).To(HaveOccurred(), bad)
	}
}

func TestAuthority(t *testing.T) {
	g := NewWithT(t)
	f := newFixture(t, true)
	der, err := f.authority.Marshal()
	g.Expect(err).NotTo(HaveOccurred())
	got, err := aik.ParseAuthority(der)
	g.Expect(err).NotTo(HaveOccurred())
	for i, pair := range [][2]*x509.Certificate{
		{got.Root, f.authority.Root}, {got.Issuing, f.authority.Issuing},
		{got.Signing, f.authority.Signing}, {got.Encryption, f.authority.Encryption},
	} {
		g.Expect(pair[0].Raw).To(Equal(pair[1].Raw), "%d", i)
	}
	der, err = scep.MarshalCertificates(got.Root, got.Signing)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = aik.ParseAuthority(der)
	g.Expect(err).To(HaveOccurred())
	g.Expect(aik.Capabilities.Has("IdentityKeyAttestation")).To(BeTrue())
}

func TestChallengeBlob(t *testing.T) {
	g := NewWithT(t)
	c := aik.Challenge{Credential: tpmattest.Credential{
		Blob: tpm2.TPM2BIDObject{Buffer: []byte("blob")}, Secret: tpm2.TPM2BEncryptedSecret{Buffer: []byte("secret")},
	}}
	blob := c.MarshalBlob()
	g.Expect(hex.EncodeToString(blob)).To(Equal("4b414348" + "01000000" + "02000000" + "18000000" + "0e000000" + "00000000" +
		"0004" + hex.EncodeToString([]byte("blob")) + "0006" + hex.EncodeToString([]byte("secret"))))
	g.Expect(aik.ParseChallengeBlob(blob)).To(Equal(c.Credential))
	for n := range blob {
		_, err := aik.ParseChallengeBlob(blob[:n])
		g.Expect(err).To(HaveOccurred(), "cut to %d", n)
	}
	for i := range 20 {
		_, err := aik.ParseChallengeBlob(flip(blob, i))
		g.Expect(err).To(HaveOccurred(), "byte %d", i)
	}
}

func TestOutcomes(t *testing.T) {
	g := NewWithT(t)
	for outcome, code := range map[aik.Outcome]hresult.Code{
		aik.Issued: 0, aik.NoEKCertificate: 0x80070490, aik.EKRejected: 0x80190190, aik.UnknownAuthority: 0x80190194,
		aik.BadRequest: 0x80190190, aik.StatementRejected: 0x80190190, aik.VulnerableFirmware: 0x81039024,
		aik.Refused: 0x81039023, aik.Throttled: 0x801901AD, aik.Unavailable: 0x801901F7, aik.RetriesExhausted: 0x81039001,
	} {
		g.Expect(outcome.Code()).To(Equal(code), string(outcome))
	}
	for _, o := range []aik.Outcome{aik.EKRejected, aik.UnknownAuthority, aik.BadRequest, aik.StatementRejected, aik.VulnerableFirmware, aik.Throttled, aik.Unavailable} {
		a := aik.NewAnswer(o, "detail")
		got, message := aik.OutcomeOf(a.Status, a.Body)
		g.Expect(got).To(Equal(o))
		g.Expect(message).To(ContainSubstring("detail"))
	}
	a := aik.NewAnswer(aik.UnknownAuthority, "ifx-keyid-00.microsoftaik.azure.net")
	g.Expect(string(a.Body)).To(Equal(`The authority "ifx-keyid-00.microsoftaik.azure.net" does not exist.`))
	g.Expect(a.Status).To(Equal(http.StatusNotFound))
	g.Expect(aik.NewAnswer(aik.Refused, "").Status).To(Equal(http.StatusInternalServerError))
	g.Expect(aik.OutcomeOfError(nil)).To(Equal(aik.Issued))
}

func FuzzParse(f *testing.F) {
	fix := newFixture(f, true)
	request, err := os.ReadFile("testdata/request1.der")
	if err != nil {
		f.Fatal(err)
	}
	der, err := csr(f).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	san, err := tpm.MarshalSAN()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{request, der, san, aik.Challenge{}.MarshalBlob(), []byte("ifx-keyid-00" + aik.HostSuffix)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = aik.ParseRequest1(b, fix.registrar.Encryption)
		_, _ = aik.ParseRequest2(b, fix.registrar.Encryption)
		_, _ = aik.ParseCertificateRequest(b)
		_, _ = aik.ParseTPMSAN(b)
		_, _ = aik.ParseChallengeBlob(b)
		_, _ = aik.ParseAuthority(b)
		_, _, _ = aik.ParseHost(string(b))
		_, _ = aik.ParsePlatform(string(b))
		_, _ = aik.OutcomeOf(400, b)
	})
}

// FuzzContent is for an attacker who knows the RA's certificate, as everybody does: what comes out of the envelope, and
// its digest, are his.
func FuzzContent(f *testing.F) {
	der, err := csr(f).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	var s signedRequest
	if _, err := asn1.Unmarshal(der, &s); err != nil {
		f.Fatal(err)
	}
	f.Add(s.Info.FullBytes)
	f.Fuzz(func(t *testing.T, info []byte) {
		r, err := aik.ParseCertificateRequest(digested(t, info))
		if err != nil {
			return
		}
		s, err := tpmattest.ParseStatement(r.Statement)
		if err != nil {
			return
		}
		_, _ = (&aik.Request1{Request: r, Statement: s}).VerifyAttestation()
	})
}

// FuzzKeyStatement is for one who has an AIK info and a statement of his own making: nothing in them is signed by anybody
// yet.
func FuzzKeyStatement(f *testing.F) {
	fix := newFixture(f, false)
	raw, err := os.ReadFile("../tpmattest/testdata/statement.bin")
	if err != nil {
		f.Fatal(err)
	}
	golden, err := tpmattest.ParseStatement(raw)
	if err != nil {
		f.Fatal(err)
	}
	binding, err := tpmattest.ParseIDBinding(golden.IDBinding)
	if err != nil {
		f.Fatal(err)
	}
	aikPublic, err := tpmattest.ParsePublic(binding.Public)
	if err != nil {
		f.Fatal(err)
	}
	info, err := tpmattest.AIKInfo{Key: aikPublic.Key, Certificate: fix.aikCertificate(f, aikPublic.Key).Raw}.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(info, tpmattest.Statement{KeyAttestation: golden.KeyAttestation}.Marshal(), true)
	f.Add(info, raw, false)
	f.Fuzz(func(t *testing.T, info, statement []byte, signed bool) {
		a, err := tpmattest.ParseAIKInfo(info)
		if err != nil {
			return
		}
		s, err := tpmattest.ParseStatement(statement)
		if err != nil {
			return
		}
		r := &aik.Request1{Message: &scep.Message{Signer: fix.device.Certificate}, Request: &aik.CertificateRequest{PublicKey: aikPublic.Key, Signed: signed}, Statement: s, AIK: &a}
		if _, _, err := r.VerifyKeyAttestation(); err == nil {
			t.Error("the golden statement is about another requester, and nobody else has its AIK")
		}
	})
}
