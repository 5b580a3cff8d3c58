package fakeentra_test

import (
	"bytes"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra"
	"windtunnel.test/fakeentra/aik"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	wire "windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/scep"
)

func TestAIKCertificateIsIssued(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	p := w.pc(0)
	status, body := w.get(w.entra.AIK, wire.URL(p.host, "GetCACaps"))
	g.Expect(status).To(Equal(http.StatusOK))
	g.Expect(scep.ParseCapabilities(body).Has("IdentityKeyAttestation")).To(BeTrue())

	cert := p.enrollAIK()
	g.Expect(p.chip.aikPublic.Is(cert.PublicKey)).To(BeTrue())
	g.Expect(cert.UnknownExtKeyUsage).To(ContainElement(wire.EKUAIKCertificate))
	g.Expect(wire.TPMNameOf(cert)).To(Equal(tpmName))
	g.Expect(p.authority.Issuing.CheckSignatureFrom(p.authority.Root)).To(Succeed())
	g.Expect(cert.CheckSignatureFrom(p.authority.Issuing)).To(Succeed())
	g.Expect(p.authority.Root.Equal(w.entra.AIK.Root())).To(BeTrue())

	_, ek, err := w.entra.AIK.Attested(cert.Raw, w.now)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(w.entra.AIK.Records(ek)).To(HaveLen(1))
	_, _, err = w.entra.AIK.Attested(cert.Raw, w.now.AddDate(100, 0, 0))
	g.Expect(err).To(MatchError(aik.ErrExpired))
	_, _, err = w.entra.AIK.Attested(w.vendor.Cert.Raw, w.now)
	g.Expect(err).To(MatchError(aik.ErrNotIssued))
}

// A request that is refused with HTTP before any challenge is given.
func TestAIKRequestsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(p *pc, r *wire.Request1Params)
		outcome wire.Outcome
		check   string
	}{
		"EK certificate of another TPM": {func(p *pc, r *wire.Request1Params) { r.EK.Certificate = p.world.pc(1).ekCert }, wire.EKRejected, "EK subject key"},
		"no EK certificate":             {func(p *pc, r *wire.Request1Params) { r.EK.Certificate = nil }, wire.EKRejected, "EK certificate"},
		"certificate that is no EK certificate": {func(p *pc, r *wire.Request1Params) {
			cert, err := p.vendor.Issue(p.now, &x509.Certificate{NotAfter: p.now.AddDate(1, 0, 0)}, p.chip.ekPublic)
			must(p.t, err)
			r.EK.Certificate = cert.Raw
		}, wire.EKRejected, "EK usage"},
		"AIK that another TPM describes": {func(p *pc, r *wire.Request1Params) {
			b := p.chip.binding
			b.Public = p.world.pc(1).chip.aikPublic.Marshal()
			r.Statement.IDBinding = b.Marshal()
		}, wire.StatementRejected, "signature"},
		"key to certify that is not the AIK": {func(p *pc, r *wire.Request1Params) { r.PublicKey = pki.RSAKey(keyForeign).Public() }, wire.StatementRejected, "subject key"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			p := newWorld(t).pc(0)
			status, body := p.sendAIK(p.request1(func(r *wire.Request1Params) { c.change(p, r) }))
			got, text := wire.OutcomeOf(status, body)
			g.Expect(got).To(Equal(c.outcome), text)
			g.Expect(status).To(Equal(http.StatusBadRequest))
			p.refused("aik", c.check)
		})
	}
}

func TestEKChain(t *testing.T) {
	g := NewWithT(t)
	// A vendor CA with the right key identifier, under a root that nobody knows.
	w := newWorld(t, func(o *fakeentra.Options) { o.EKRoots = nil })
	p := w.pc(0)
	status, body := p.sendAIK(p.request1(nil))
	got, _ := wire.OutcomeOf(status, body)
	g.Expect(got).To(Equal(wire.EKRejected))
	p.refused("aik", "EK chain")

	// The right CA, asked at a time when the certificate is over.
	w = newWorld(t)
	p = w.pc(0)
	w.now = w.now.AddDate(21, 0, 0)
	status, body = p.sendAIK(p.request1(nil))
	got, _ = wire.OutcomeOf(status, body)
	g.Expect(got).To(Equal(wire.EKRejected))

	// Another vendor's authority.
	w = newWorld(t, func(o *fakeentra.Options) { o.VendorCAs = nil })
	p = w.pc(0)
	p.host = wire.Host("ntc", []byte{1, 2, 3})
	p.sendAIK(p.request1(nil))
	p.refused("aik", "EK authority")
}

func TestChallengeIsGoodForOneRightAnswer(t *testing.T) {
	type answer struct {
		p      *pc
		first  *wire.Sent
		c      *wire.Challenge
		secret []byte
	}
	for name, c := range map[string]struct {
		act   func(a *answer) *wire.Sent
		check string
	}{
		"answered twice": {func(a *answer) *wire.Sent {
			sent := a.p.request2(a.first, a.c, a.secret, a.p.signer)
			status, body := a.p.sendAIK(sent)
			NewWithT(a.p.t).Expect(status).To(Equal(http.StatusOK))
			_, _, err := wire.ParseSuccess(body, sent)
			must(a.p.t, err)
			return sent
		}, "challenge already used"},
		"answered wrong, then right": {func(a *answer) *wire.Sent {
			a.p.sendAIK(a.p.request2(a.first, a.c, make([]byte, 32), a.p.signer))
			a.p.refused("aik", "challenge answered wrong")
			return a.p.request2(a.first, a.c, a.secret, a.p.signer)
		}, "challenge already used"},
		"answered in a recording of the whole exchange": {func(a *answer) *wire.Sent {
			sent := a.p.request2(a.first, a.c, a.secret, a.p.signer)
			a.p.sendAIK(sent)
			status, _ := a.p.sendAIK(a.first)
			NewWithT(a.p.t).Expect(status).To(Equal(http.StatusOK))
			return sent
		}, "server context"},
		"answered in a recording, when the first is forgotten": {func(a *answer) *wire.Sent {
			sent := a.p.request2(a.first, a.c, a.secret, a.p.signer)
			a.p.sendAIK(sent)
			a.p.now = a.p.now.Add(time.Hour)
			a.p.sendAIK(a.first)
			return sent
		}, "server context"},
		"answered by a TPM without the AIK": {func(a *answer) *wire.Sent { return a.p.request2(a.first, a.c, make([]byte, 32), a.p.signer) }, "challenge answered wrong"},
		"answered for another AIK": {func(a *answer) *wire.Sent {
			other := a.p.world.pc(1)
			first, _ := other.challenged()
			return a.p.request2(first, a.c, a.secret, other.signer)
		}, "server context"},
		"answered by another requester": {func(a *answer) *wire.Sent {
			other, err := scep.NewSigner(pki.RSAKey(keyForeign), a.p.now, 367*24*time.Hour, vclock.Seed(9).Reader("other"))
			must(a.p.t, err)
			return a.p.request2(a.first, a.c, a.secret, other)
		}, "challenge answered by another requester"},
		"answered too late": {func(a *answer) *wire.Sent {
			a.p.now = a.p.now.Add(time.Hour)
			return a.p.request2(a.first, a.c, a.secret, a.p.signer)
		}, "challenge expired"},
		"that never was": {func(a *answer) *wire.Sent {
			first := *a.first
			first.Attributes.TransactionID = "0000"
			return a.p.request2(&first, a.c, a.secret, a.p.signer)
		}, "challenge unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			p := newWorld(t).pc(0)
			first, challenge := p.challenged()
			sent := c.act(&answer{p, first, challenge, p.chip.activate(challenge.Credential)})
			status, body := p.sendAIK(sent)
			g.Expect(status).To(Equal(http.StatusOK))
			_, _, err := wire.ParseSuccess(body, sent)
			g.Expect(wire.OutcomeOfError(err)).To(Equal(wire.Refused))
			p.refused("aik", c.check)
		})
	}
}

func TestAIKServiceTurnsAway(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	p := w.pc(0)
	for _, host := range []string{"ifx-keyid-00.microsoftaik.azure.net", "nonsense.microsoftaik.azure.net"} {
		status, body := w.get(w.entra.AIK, wire.URL(host, "GetCACaps"))
		g.Expect(status).To(Equal(http.StatusNotFound))
		g.Expect(string(body)).To(ContainSubstring("does not exist"))
		w.refused("aik", "authority")
	}
	status, _ := w.post(w.entra.AIK, wire.URL(p.host, "PKIOperation"), []byte("no CMS"))
	g.Expect(status).To(Equal(http.StatusBadRequest))
	w.refused("aik", "message")
	status, _ = w.get(w.entra.AIK, wire.URL(p.host, "GetCRL"))
	g.Expect(status).To(Equal(http.StatusNotImplemented))
	status, _ = w.get(w.entra.AIK, "https://"+p.host+"/elsewhere")
	g.Expect(status).To(Equal(http.StatusNotImplemented))
}

func TestAIKThrottleAndVulnerableFirmware(t *testing.T) {
	g := NewWithT(t)
	p := newWorld(t, func(o *fakeentra.Options) { o.AIKLimit = aik.Limit{Requests: 1, Per: time.Minute} }).pc(0)
	p.challenged()
	p.now = p.now.Add(10 * time.Second)
	rec := httptest.NewRecorder()
	p.entra.AIK.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, wire.URL(p.host, "PKIOperation"), bytes.NewReader(p.request1(nil).DER)))
	g.Expect(rec.Code).To(Equal(http.StatusTooManyRequests))
	g.Expect(rec.Header().Get("Retry-After")).To(Equal("50"))
	got, _ := wire.OutcomeOf(rec.Code, rec.Body.Bytes())
	g.Expect(got).To(Equal(wire.Throttled))
	p.refused("aik", "rate limit")
	p.now = p.now.Add(50 * time.Second)
	p.challenged()

	p = newWorld(t, func(o *fakeentra.Options) {
		o.Vulnerable = []aik.Firmware{{VendorID: "IFX", From: [2]uint32{0x70000, 0}, To: [2]uint32{0x70060, 0}}}
	}).pc(0)
	status, body := p.sendAIK(p.request1(nil))
	got, _ = wire.OutcomeOf(status, body)
	g.Expect(got).To(Equal(wire.VulnerableFirmware))
	p.refused("aik", "vulnerable firmware")
}

func TestZeroAIKServiceWorks(t *testing.T) {
	g := NewWithT(t)
	w := &world{t: t}
	var s aik.Service
	status, _ := w.get(&s, wire.URL("ifx-keyid-0a0b"+wire.HostSuffix, "GetCACertChain"))
	g.Expect(status).To(Equal(http.StatusOK))
	g.Expect(hosts.AIKSuffix).To(Equal(wire.HostSuffix))
}

func FuzzAIKMessage(f *testing.F) {
	w := newWorld(f)
	p := w.pc(0)
	f.Add(p.request1(nil).DER)
	f.Add([]byte{0x30, 0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		w.t = t
		if status, _ := w.post(w.entra.AIK, wire.URL(p.host, "PKIOperation"), b); status >= http.StatusInternalServerError {
			t.Fatal("the service broke")
		}
	})
}
