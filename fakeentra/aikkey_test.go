package fakeentra_test

import (
	"crypto/x509"
	"encoding/asn1"
	"net/http"
	"testing"

	"github.com/google/go-tpm/tpm2"
	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra"
	"windtunnel.test/fakeentra/aik"
	"windtunnel.test/fakeentra/service"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	wire "windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/scep"
	"windtunnel.test/sim/wire/tpmattest"
)

// keyRequest asks for a certificate of the chip's device key, for which its
// AIK vouches.
func (p *pc) keyRequest(change func(*wire.KeyRequestParams)) *wire.Sent {
	p.t.Helper()
	p.readAuthority()
	params := wire.KeyRequestParams{
		Key: deviceSigner{p.chip}, AIK: tpmattest.AIKInfo{Key: p.chip.aikPublic.Key, Certificate: p.aikCert},
		Statement: tpmattest.Statement{KeyAttestation: p.chip.certify(wire.KeyQualifyingData(p.signer.Certificate))},
		OSVersion: "10.0.26100.2", TPM: tpmName, Signer: p.signer, Authority: p.authority,
	}
	if change != nil {
		change(&params)
	}
	sent, err := wire.BuildKeyRequest(params, vclock.Seed(7).Reader("key request", p.sn))
	must(p.t, err)
	return sent
}

func TestKeyIsCertifiedOnTheWordOfAnAIK(t *testing.T) {
	g := NewWithT(t)
	p := newWorld(t).pc(0)
	aikCert := p.enrollAIK()
	sent := p.keyRequest(nil)
	status, body := p.sendAIK(sent)
	g.Expect(status).To(Equal(http.StatusOK), string(body))
	cert, chain, err := wire.ParseSuccess(body, sent)
	g.Expect(err).NotTo(HaveOccurred(), "at once, without a challenge")
	g.Expect(p.chip.deviceKeyArea.Is(cert.PublicKey)).To(BeTrue())
	g.Expect(wire.TPMNameOf(cert)).To(Equal(tpmName))
	g.Expect(cert.NotAfter).To(Equal(aikCert.NotAfter))
	g.Expect(cert.PolicyIdentifiers).To(Equal([]asn1.ObjectIdentifier{wire.PolicyAttestedByCertificate}))
	g.Expect(chain).To(HaveLen(2))
	g.Expect(cert.CheckSignatureFrom(chain[0])).To(Succeed())
	_, ek, err := p.entra.AIK.Attested(aikCert.Raw, p.now)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.entra.AIK.Records(ek)).To(HaveLen(1), "it is no AIK certificate")
	_, _, err = p.entra.AIK.Attested(cert.Raw, p.now)
	g.Expect(err).To(MatchError(aik.ErrNotIssued))
}

func TestKeysThatAreNotCertified(t *testing.T) {
	statement := func(b []byte) tpmattest.Statement { return tpmattest.Statement{KeyAttestation: b} }
	for name, c := range map[string]struct {
		change func(p *pc, r *wire.KeyRequestParams)
		check  string
	}{
		"no AIK certificate":                {func(_ *pc, r *wire.KeyRequestParams) { r.AIK.Certificate = nil }, "certificate"},
		"AIK certificate that is none":      {func(_ *pc, r *wire.KeyRequestParams) { r.AIK.Certificate = []byte{0x30, 0} }, "certificate"},
		"AIK certificate about another AIK": {func(p *pc, r *wire.KeyRequestParams) { r.AIK.Key = p.world.pc(1).chip.aikPublic.Key }, "certificate"},
		"AIK certificate of another TPM": {func(p *pc, r *wire.KeyRequestParams) {
			other := p.world.pc(1)
			cert := other.enrollAIK()
			r.AIK = tpmattest.AIKInfo{Key: cert.PublicKey, Certificate: cert.Raw}
		}, "signature"},
		"AIK certificate that somebody else issued": {func(p *pc, r *wire.KeyRequestParams) {
			r.AIK.Certificate = p.forgedAIK(p.vendor).Raw
		}, "AIK issuer"},
		"AIK certificate that is over": {func(p *pc, r *wire.KeyRequestParams) { p.now = p.now.AddDate(2, 0, 1) }, "AIK validity"},
		"certificate that is no AIK certificate": {func(p *pc, r *wire.KeyRequestParams) {
			r.AIK.Certificate = p.otherUse().Raw
		}, "AIK usage"},
		"statement for another requester": {func(p *pc, r *wire.KeyRequestParams) {
			r.Statement = statement(p.chip.certify(wire.KeyQualifyingData(p.authority.Signing)))
		}, "qualifyingData"},
		"statement about another key": {func(p *pc, r *wire.KeyRequestParams) { r.Key = pki.RSAKey(keyForeign) }, "subject key"},
		"statement with another key's public area": {func(p *pc, r *wire.KeyRequestParams) {
			k, err := tpmattest.ParseKeyAttestation(r.Statement.KeyAttestation)
			must(p.t, err)
			k.KeyBlob = p.world.pc(1).chip.deviceKeyArea.Marshal()
			r.Statement = statement(k.Marshal())
		}, "name"},
		"quote in place of a certification": {func(p *pc, r *wire.KeyRequestParams) {
			k, err := tpmattest.ParseKeyAttestation(p.chip.quote(wire.KeyQualifyingData(p.signer.Certificate)))
			must(p.t, err)
			k.KeyBlob = p.chip.deviceKeyArea.Marshal()
			r.Statement = statement(k.Marshal())
		}, "attest type"},
		"key that may leave its TPM": {func(p *pc, r *wire.KeyRequestParams) {
			loose := p.loose()
			r.Key = deviceSigner{loose.chip}
			r.Statement = statement(loose.chip.certify(wire.KeyQualifyingData(p.signer.Certificate)))
		}, "key policy"},
		"statement that ends early": {func(_ *pc, r *wire.KeyRequestParams) {
			r.Statement.KeyAttestation = r.Statement.KeyAttestation[:40]
		}, "format"},
		"statement of an AIK about itself": {func(p *pc, r *wire.KeyRequestParams) {
			r.Statement.IDBinding = p.chip.binding.Marshal()
		}, "format"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			p := newWorld(t).pc(0)
			p.enrollAIK()
			sent := p.keyRequest(func(r *wire.KeyRequestParams) { c.change(p, r) })
			before := p.events.Find(isIssued)
			status, body := p.sendAIK(sent)
			got, text := wire.OutcomeOf(status, body)
			g.Expect(got).To(Equal(wire.StatementRejected), text)
			g.Expect(status).To(Equal(http.StatusBadRequest))
			p.refused("aik", c.check)
			g.Expect(p.events.Find(isIssued)).To(Equal(before), "nothing was issued")
		})
	}
}

// loose is the PC with a device key that its TPM made and would let go.
func (p *pc) loose() *pc {
	p.t.Helper()
	template := signTemplate()
	template.ObjectAttributes.FixedTPM, template.ObjectAttributes.FixedParent = false, false
	made, err := tpm2.Create{ParentHandle: p.chip.srk(), InPublic: tpm2.New2B(template)}.Execute(p.chip.tpm)
	must(p.t, err)
	own, c := *p, *p.chip
	c.deviceKey, c.deviceKeyArea = *made, c.parse(made.OutPublic)
	own.chip = &c
	return &own
}

// An endorsement key on P-256: the challenge is made to it.
func TestAIKOfATPMWithAnECCEndorsementKey(t *testing.T) {
	g := NewWithT(t)
	p := newWorld(t).pc(0)
	made := p.chip.primary(tpm2.TPMRHEndorsement, tpm2.ECCEKTemplate)
	defer p.chip.flush(made.ObjectHandle)
	key := p.chip.parse(made.OutPublic).Key
	template := parse(t, p.ekCert)
	cert, err := p.vendor.Issue(p.now, &x509.Certificate{NotAfter: template.NotAfter, UnknownExtKeyUsage: template.UnknownExtKeyUsage,
		ExtraExtensions: template.Extensions[len(template.Extensions)-1:]}, key)
	must(t, err)
	c := *p.chip
	c.ek = tpm2.NamedHandle{Handle: made.ObjectHandle, Name: made.Name}

	sent := p.request1(func(r *wire.Request1Params) { r.EK = tpmattest.EKInfo{Key: key, Certificate: cert.Raw} })
	status, body := p.sendAIK(sent)
	g.Expect(status).To(Equal(http.StatusOK), string(body))
	challenge, err := wire.ParseChallenge(body, sent)
	g.Expect(err).NotTo(HaveOccurred())
	answer := p.request2(sent, challenge, c.activate(challenge.Credential), p.signer)
	_, body = p.sendAIK(answer)
	issued, _, err := wire.ParseSuccess(body, answer)
	g.Expect(err).NotTo(HaveOccurred())
	_, ek, err := p.entra.AIK.Attested(issued.Raw, p.now)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(service.EKHash(key)).To(Equal(ek))
}

// A request whose signature is the digest that an AIK's has does not show that
// the requester has the key.
func TestKeyMustSignItsRequest(t *testing.T) {
	g := NewWithT(t)
	p := newWorld(t).pc(0)
	p.enrollAIK()
	sent := p.keyRequest(nil)
	ra := scep.Identity{Certificate: p.authority.Encryption, Key: pki.RSAKey(keyRA)}
	r, err := wire.ParseRequest1(sent.DER, ra)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(r.Request.Signed).To(BeTrue())
	r.Request.Signed = false
	_, _, err = r.VerifyKeyAttestation()
	g.Expect(tpmattest.CheckOf(err)).To(Equal(tpmattest.CheckSignature))
}

// The firmware that became known as vulnerable later, and the authority that
// is another vendor's.
func TestKeyCertificationAsksForFirmwareAndAuthority(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t, func(o *fakeentra.Options) { o.VendorCAs = nil })
	p := w.pc(0)
	p.enrollAIK()
	p.host = wire.Host("ntc", []byte{1, 2, 3})
	status, _ := p.sendAIK(p.keyRequest(nil))
	g.Expect(status).To(Equal(http.StatusBadRequest))
	p.refused("aik", "AIK authority")

	listed := []aik.Firmware{}
	w = newWorld(t, func(o *fakeentra.Options) { listed = append(listed, aik.Firmware{}); o.Vulnerable = listed })
	p = w.pc(0)
	p.enrollAIK()
	listed[0] = aik.Firmware{VendorID: "IFX", From: [2]uint32{0x70000, 0}, To: [2]uint32{0x70060, 0}}
	status, body := p.sendAIK(p.keyRequest(nil))
	got, _ := wire.OutcomeOf(status, body)
	g.Expect(got).To(Equal(wire.VulnerableFirmware))
	p.refused("aik", "vulnerable firmware")
}

func TestKnownVulnerableFirmware(t *testing.T) {
	g := NewWithT(t)
	list := aik.KnownVulnerable()
	g.Expect(list).To(ContainElement(aik.Firmware{VendorID: "IFX", From: [2]uint32{5, 0}, To: [2]uint32{5, 61}}))
	g.Expect(list[0].String()).To(Equal("IFX 4.0 to 4.33"))
	for _, bad := range []string{"", "5", "5.", "5.61.2", "-1.2", "5,61", "5.99999999999"} {
		_, err := aik.ParseVersion(bad)
		g.Expect(err).To(HaveOccurred(), bad)
	}
	g.Expect(aik.ParseVersion("133.32")).To(Equal([2]uint32{133, 32}))
}

// forgedAIK is an AIK certificate for the chip's AIK by an authority that is
// not the service's.
func (p *pc) forgedAIK(ca *pki.CA) *x509.Certificate {
	p.t.Helper()
	cert, err := ca.Issue(p.now, &x509.Certificate{NotAfter: p.now.AddDate(1, 0, 0), UnknownExtKeyUsage: []asn1.ObjectIdentifier{wire.EKUAIKCertificate}}, p.chip.aikPublic.Key)
	must(p.t, err)
	return cert
}

// otherUse is a certificate of the service's own authority for the chip's AIK
// that is not for an AIK. The service issues none; its keys follow from the
// seed.
func (p *pc) otherUse() *x509.Certificate {
	p.t.Helper()
	root := p.entra.AIK.Root()
	again, err := pki.NewRoot(p.now, vclock.Seed(1).Derive("fakeentra", "aik"), root.Subject.CommonName, pki.Options{})
	must(p.t, err)
	NewWithT(p.t).Expect(again.Cert.Raw).To(Equal(root.Raw))
	ca, err := again.Sub(root.NotBefore, p.host, pki.Options{NotBefore: root.NotBefore, Life: root.NotAfter.Sub(root.NotBefore)})
	must(p.t, err)
	cert, err := ca.Issue(p.now, &x509.Certificate{NotAfter: p.now.AddDate(1, 0, 0)}, p.chip.aikPublic.Key)
	must(p.t, err)
	return cert
}

func isIssued(e journal.Event) bool {
	return e.Kind == "aik.certificate.issued" || e.Kind == "aik.key.certified"
}

// keyRA is the RSA key of the shared pool that the registration authority
// opens envelopes with.
const keyRA = 1
