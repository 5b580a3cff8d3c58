package scep_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/scep"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	wire "windtunnel.test/sim/wire/scep"
)

const ada = "ada@contoso.example"

// world is a rig with a SCEP server, and a client.
type world struct {
	*rig.Rig
	s           *scep.Service
	authorities *authority.Authorities
	h           http.Handler
	n           uint64 // of random numbers
}

type passwords struct{}

func (passwords) Password(_ context.Context, _, upn, password string) error {
	if upn != ada || password != "secret" {
		return errors.New("no")
	}
	return nil
}

func newWorld(t testing.TB) *world {
	t.Helper()
	r := rig.New(t)
	a, err := authority.New(r.Service)
	if err != nil {
		t.Fatal(err)
	}
	s := scep.New(scep.Options{Tenants: r.Service, Authorities: a, Passwords: passwords{}})
	return &world{Rig: r, s: s, authorities: a, h: s.Handler(r.Tenant)}
}

const server = "https://ndes.contoso.example" + wire.NDESPath

func (w *world) must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

// ra is the certificate that requests are sealed to, and the authority's.
func (w *world) ra() (ra, ca *x509.Certificate) {
	rec := w.Call(w.h, http.MethodGet, server+"?operation=GetCACert&message=x", nil, nil, nil)
	certs, err := wire.ParseCertificates(rec.Body.Bytes())
	w.must(err)
	return certs[0], certs[1]
}

// self is a requester's throw-away identity of the pool's n-th key.
func (w *world) self(n int) wire.Identity {
	id, err := wire.NewSigner(pki.RSAKey(n), w.Clock.Now(), time.Hour, vclock.Seed(1).Reader("self"))
	w.must(err)
	return id
}

func (w *world) challenge(c scep.Challenge) string {
	var text string
	w.Do(func(ctx context.Context) {
		var err error
		if text, err = w.s.NewChallenge(ctx, w.Tenant, c); err != nil {
			w.T.Error(err)
		}
	})
	return text
}

// csr is a request of the pool's n-th key, with a challenge unless that is "".
func csr(t testing.TB, n int, template x509.CertificateRequest, challenge string) []byte {
	t.Helper()
	key := pki.RSAKey(n)
	der, err := x509.CreateCertificateRequest(nil, &template, key)
	if err == nil && challenge != "" {
		der, err = wire.AddChallenge(der, challenge, func(tbs []byte) ([]byte, error) {
			sum := sha256.Sum256(tbs)
			return rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func named(name string) x509.CertificateRequest {
	return x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}
}

// message is a pkiMessage with sealed content.
func (w *world) message(kind wire.MessageType, id wire.Identity, transaction string, content []byte) []byte {
	w.n++
	random := vclock.Seed(w.n).Reader("message")
	nonce, err := wire.NewNonce(random)
	w.must(err)
	ra, _ := w.ra()
	sealed, err := wire.Seal(content, ra, random)
	w.must(err)
	der, err := wire.Message{Attributes: wire.Attributes{MessageType: kind, TransactionID: transaction, SenderNonce: nonce}, Content: sealed}.Sign(id)
	w.must(err)
	return der
}

// send posts a pkiMessage and reads the answer; the certificate is nil unless it
// is a success.
func (w *world) send(id wire.Identity, der []byte) (*x509.Certificate, *wire.Message) {
	w.T.Helper()
	rec := w.Call(w.h, http.MethodPost, server+"?operation=PKIOperation", http.Header{"Content-Type": {wire.TypePKIMessage}}, der, nil)
	if rec.Code != http.StatusOK {
		w.T.Fatalf("%d %s", rec.Code, rec.Body)
	}
	reply, err := wire.Parse(rec.Body.Bytes())
	w.must(err)
	request, err := wire.Parse(der)
	w.must(err)
	w.must(reply.CheckReply(request.Attributes))
	if reply.Status != wire.Success {
		return nil, reply
	}
	content, err := wire.Open(reply.Content, id)
	w.must(err)
	certs, err := wire.ParseCertificates(content)
	w.must(err)
	return certs[0], reply
}

// enrol asks with a challenge.
func (w *world) enrol(n int, name, challenge string) (*x509.Certificate, *wire.Message) {
	id := w.self(n)
	return w.send(id, w.message(wire.PKCSReq, id, "t-"+challenge, csr(w.T, n, named(name), challenge)))
}

func TestCapabilities(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	rec := w.Call(w.h, http.MethodGet, server+"?operation=GetCACaps&message=x", nil, nil, nil)
	caps := wire.ParseCapabilities(rec.Body.Bytes())
	for _, c := range []string{"AES", "DES3", "SHA-256", "POSTPKIOperation", "Renewal", "SCEPStandard"} {
		g.Expect(caps.Has(c)).To(BeTrue(), c)
	}
	rec = w.Call(w.h, http.MethodGet, server+"/pkiclient.exe?operation=GetCACert", nil, nil, nil)
	g.Expect(rec.Header().Get("Content-Type")).To(Equal(wire.TypeCARACert))
	ra, ca := w.ra()
	g.Expect(ra.CheckSignatureFrom(ca)).To(Succeed())
	g.Expect(ra.KeyUsage).To(Equal(x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment))
}

func TestEnrolment(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	device := w.device()
	challenge := w.challenge(scep.Challenge{DeviceID: device, UPN: ada, Subject: "PC-1", Names: []string{"pc-1.contoso.example"}})
	id := w.self(5)
	template := named("PC-1")
	template.DNSNames, template.EmailAddresses = []string{"pc-1.contoso.example"}, []string{ada}
	cert, _ := w.send(id, w.message(wire.PKCSReq, id, "t1", csr(t, 5, template, challenge)))
	g.Expect(cert).NotTo(BeNil())
	g.Expect(cert.Subject.CommonName).To(Equal("PC-1"))
	g.Expect(cert.DNSNames).To(Equal(template.DNSNames))
	g.Expect(cert.EmailAddresses).To(Equal(template.EmailAddresses))
	g.Expect(cert.NotAfter.Sub(cert.NotBefore)).To(Equal(365 * 24 * time.Hour))
	_, ca := w.ra()
	g.Expect(cert.CheckSignatureFrom(ca)).To(Succeed())
	owner, holder, err := w.authorities.Holder(cert)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(owner.ID).To(Equal(rig.TenantID))
	g.Expect(holder.UPN).To(Equal(ada))

	// The reply got lost.
	again, _ := w.send(id, w.message(wire.PKCSReq, id, "t1", csr(t, 5, template, challenge)))
	g.Expect(again.Raw).To(Equal(cert.Raw))

	w.Do(func(ctx context.Context) { g.Expect(w.Tenant.DeleteDevice(ctx, device)).To(Succeed()) })
	_, _, err = w.authorities.Holder(cert)
	g.Expect(err).To(MatchError(authority.ErrDevice), "it dies with its device's record")
}

func (w *world) device() string {
	var m tenant.ManagedDevice
	w.Do(func(ctx context.Context) {
		var err error
		if m, err = w.Tenant.Enroll(ctx, tenant.ManagedDevice{}); err != nil {
			w.T.Error(err)
		}
	})
	return m.ID
}

func TestGetWithMessage(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	id := w.self(5)
	der := w.message(wire.PKCSReq, id, "t1", csr(t, 5, named("x"), w.challenge(scep.Challenge{})))
	rec := w.Call(w.h, http.MethodGet, server+"?"+url.Values{"operation": {"PKIOperation"}, "message": {base64.StdEncoding.EncodeToString(der)}}.Encode(), nil, nil, nil)
	reply, err := wire.Parse(rec.Body.Bytes())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(reply.Status).To(Equal(wire.Success))
}

func TestChallenges(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	refused := func(m *wire.Message, check string) {
		t.Helper()
		g.Expect(m.Status).To(Equal(wire.Failure))
		g.Expect(m.FailInfo).To(Equal(wire.BadRequest))
		g.Expect(m.FailText).To(Equal(check))
	}
	challenge := w.challenge(scep.Challenge{Subject: "PC-1"})
	g.Expect(challenge).To(MatchRegexp("^[0-9A-F]{32}$"))
	_, m := w.enrol(5, "PC-2", challenge)
	refused(m, "challenge password for another subject")
	_, m = w.enrol(5, "PC-1", challenge)
	refused(m, "challenge password") // it was spent on the attempt before

	challenge = w.challenge(scep.Challenge{Subject: "PC-1"})
	cert, _ := w.enrol(5, "PC-1", challenge)
	g.Expect(cert).NotTo(BeNil())
	id := w.self(6)
	_, m = w.send(id, w.message(wire.PKCSReq, id, "t2", csr(t, 6, named("PC-1"), challenge)))
	refused(m, "challenge password")

	late := w.challenge(scep.Challenge{})
	w.Pass(61 * time.Minute)
	_, m = w.enrol(5, "PC-1", late)
	refused(m, "challenge password")

	id = w.self(5)
	_, m = w.send(id, w.message(wire.PKCSReq, id, "t3", csr(t, 5, named("x"), "")))
	refused(m, "challenge password missing")
	_, m = w.enrol(5, "x", w.challenge(scep.Challenge{DeviceID: "nobody"}))
	refused(m, "challenge password's device")
	template := named("x")
	template.DNSNames = []string{"dc1.contoso.example"}
	_, m = w.send(id, w.message(wire.PKCSReq, id, "t4", csr(t, 5, template, w.challenge(scep.Challenge{UPN: ada}))))
	refused(m, "challenge password for another subject")

	// Another customer's server knows nothing of it.
	w.h = w.s.Handler(w.Other)
	mine := w.challenge(scep.Challenge{})
	_, m = w.enrol(5, "x", mine)
	refused(m, "challenge password")
}

func TestRenewal(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	cert, _ := w.enrol(5, "PC-1", w.challenge(scep.Challenge{UPN: ada}))
	old := wire.Identity{Certificate: cert, Key: pki.RSAKey(5)}
	for i, kind := range []wire.MessageType{wire.RenewalReq, wire.PKCSReq} {
		w.Pass(time.Hour)
		renewed, _ := w.send(old, w.message(kind, old, "renewal"+string(rune('0'+i)), csr(t, 6+i, named("PC-1"), "")))
		g.Expect(renewed).NotTo(BeNil(), "message type %d", kind)
		g.Expect(renewed.NotAfter).To(BeTemporally(">", cert.NotAfter))
		_, holder, err := w.authorities.Holder(renewed)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(holder.UPN).To(Equal(ada))
	}
	for name, tc := range map[string]struct {
		send func() *wire.Message
		info wire.FailInfo
		text string
	}{
		"another subject": {func() *wire.Message {
			_, m := w.send(old, w.message(wire.RenewalReq, old, "a", csr(t, 6, named("PC-2"), "")))
			return m
		}, wire.BadRequest, "renewal subject"},
		"more names": {func() *wire.Message {
			template := named("PC-1")
			template.DNSNames = []string{"dc1.contoso.example"}
			_, m := w.send(old, w.message(wire.RenewalReq, old, "b", csr(t, 6, template, "")))
			return m
		}, wire.BadRequest, "renewal names"},
		"self-signed": {func() *wire.Message {
			id := w.self(5)
			_, m := w.send(id, w.message(wire.RenewalReq, id, "c", csr(t, 6, named(wire.SignerName), "")))
			return m
		}, wire.BadMessageCheck, "renewal certificate"},
	} {
		m := tc.send()
		g.Expect(m.Status).To(Equal(wire.Failure), name)
		g.Expect(m.FailInfo).To(Equal(tc.info), name)
		g.Expect(m.FailText).To(Equal(tc.text), name)
	}
	g.Expect(w.authorities.Revoke(pki.Thumbprint(cert))).To(Succeed())
	_, m := w.send(old, w.message(wire.RenewalReq, old, "d", csr(t, 6, named("PC-1"), "")))
	g.Expect(m.FailText).To(Equal("renewal certificate"))

	cert, _ = w.enrol(5, "PC-1", w.challenge(scep.Challenge{}))
	old.Certificate = cert
	w.Pass(366 * 24 * time.Hour)
	_, m = w.send(old, w.message(wire.RenewalReq, old, "e", csr(t, 6, named("PC-1"), "")))
	g.Expect(m.FailInfo).To(Equal(wire.BadTime))
}

// A request that waits for an administrator.
func TestApproval(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	g.Expect(w.s.Configure(rig.TenantID, scep.Settings{Approval: true})).To(Succeed())
	id, challenge := w.self(5), w.challenge(scep.Challenge{})
	request := csr(t, 5, named("PC-1"), challenge)
	_, m := w.send(id, w.message(wire.PKCSReq, id, "t1", request))
	g.Expect(m.Status).To(Equal(wire.Pending))
	g.Expect(w.s.Pending(w.Tenant)).To(Equal([]string{"t1"}))
	_, ca := w.ra()
	who, err := wire.MarshalIssuerAndSubject(ca.RawSubject, id.Certificate.RawSubject)
	g.Expect(err).NotTo(HaveOccurred())
	_, m = w.send(id, w.message(wire.CertPoll, id, "t1", who))
	g.Expect(m.Status).To(Equal(wire.Pending))
	_, m = w.send(id, w.message(wire.PKCSReq, id, "t1", request))
	g.Expect(m.Status).To(Equal(wire.Pending), "some clients ask by the same request")
	thief := w.self(6)
	_, m = w.send(thief, w.message(wire.CertPoll, thief, "t1", who))
	g.Expect(m.FailInfo).To(Equal(wire.BadMessageCheck))

	g.Expect(w.s.Approve(w.Tenant, "t1")).To(Succeed())
	g.Expect(w.s.Approve(w.Tenant, "t1")).To(MatchError(scep.ErrTransaction))
	cert, _ := w.send(id, w.message(wire.CertPoll, id, "t1", who))
	g.Expect(cert.Subject.CommonName).To(Equal("PC-1"))
	again, _ := w.send(id, w.message(wire.CertPoll, id, "t1", who))
	g.Expect(again.Raw).To(Equal(cert.Raw))
	_, m = w.send(id, w.message(wire.CertPoll, id, "none", who))
	g.Expect(m.FailInfo).To(Equal(wire.BadCertID))
	_, m = w.send(id, w.message(wire.CertPoll, id, "t1", []byte("x")))
	g.Expect(m.FailInfo).To(Equal(wire.BadRequest))

	other := w.self(7)
	_, _ = w.send(other, w.message(wire.PKCSReq, other, "t2", csr(t, 7, named("PC-2"), w.challenge(scep.Challenge{}))))
	g.Expect(w.s.Reject(w.Tenant, "t2")).To(Succeed())
	_, m = w.send(other, w.message(wire.CertPoll, other, "t2", who))
	g.Expect(m.FailText).To(Equal("rejected"))
	_, _ = w.send(other, w.message(wire.PKCSReq, other, "t3", csr(t, 7, named("PC-3"), w.challenge(scep.Challenge{}))))
	w.Pass(8 * 24 * time.Hour)
	g.Expect(w.s.Pending(w.Tenant)).To(BeEmpty(), "nobody looked at it for a week")
}

func TestGetCert(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	cert, _ := w.enrol(5, "PC-1", w.challenge(scep.Challenge{}))
	mine := wire.Identity{Certificate: cert, Key: pki.RSAKey(5)}
	number, err := wire.MarshalIssuerAndSerial(cert)
	g.Expect(err).NotTo(HaveOccurred())
	found, _ := w.send(mine, w.message(wire.GetCert, mine, "t1", number))
	g.Expect(found.Raw).To(Equal(cert.Raw))
	ra, _ := w.ra()
	number, err = wire.MarshalIssuerAndSerial(ra)
	g.Expect(err).NotTo(HaveOccurred())
	_, m := w.send(mine, w.message(wire.GetCert, mine, "t2", number))
	g.Expect(m.FailInfo).To(Equal(wire.BadCertID))
	stranger := w.self(6)
	_, m = w.send(stranger, w.message(wire.GetCert, stranger, "t3", number))
	g.Expect(m.FailInfo).To(Equal(wire.BadMessageCheck))
	_, m = w.send(mine, w.message(wire.GetCRL, mine, "t4", number))
	g.Expect(m.FailInfo).To(Equal(wire.BadRequest))
}

func TestRefusals(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	id := w.self(5)
	info := func(m *wire.Message) string { return m.FailInfo.String() + " " + m.FailText }
	post := func(body []byte) *httptest.ResponseRecorder {
		return w.Call(w.h, http.MethodPost, server+"?operation=PKIOperation", nil, body, nil)
	}
	good := w.message(wire.PKCSReq, id, "t1", csr(t, 5, named("x"), w.challenge(scep.Challenge{})))
	g.Expect(post(nil).Code).To(Equal(400))
	g.Expect(post([]byte("x")).Code).To(Equal(400))
	g.Expect(post(good[:len(good)/2]).Code).To(Equal(400))
	g.Expect(post(make([]byte, wire.MaxSize+1)).Code).To(Equal(413))
	changed := append([]byte(nil), good...)
	changed[len(changed)-1] ^= 1
	g.Expect(post(changed).Code).To(Equal(400))
	g.Expect(w.Call(w.h, http.MethodGet, server+"?operation=PKIOperation&message=*", nil, nil, nil).Code).To(Equal(400))
	g.Expect(w.Call(w.h, http.MethodPut, server+"?operation=PKIOperation", nil, nil, nil).Code).To(Equal(405))
	g.Expect(w.Call(w.h, http.MethodGet, server+"?operation=GetNextCACert", nil, nil, nil).Code).To(Equal(404))
	g.Expect(w.Call(w.h, http.MethodGet, "https://ndes.contoso.example/", nil, nil, nil).Code).To(Equal(404))

	_, m := w.send(id, w.message(wire.PKCSReq, id, "t2", []byte("x")))
	g.Expect(info(m)).To(Equal("badRequest certificate request"))
	broken := csr(t, 5, named("x"), "")
	broken[len(broken)-1] ^= 1
	_, m = w.send(id, w.message(wire.PKCSReq, id, "t3", broken))
	g.Expect(info(m)).To(Equal("badMessageCheck certificate request signature"))
	short, err := x509.CreateCertificateRequest(nil, &x509.CertificateRequest{}, pki.RSAKeyBits(1, 1024))
	g.Expect(err).NotTo(HaveOccurred())
	_, m = w.send(id, w.message(wire.PKCSReq, id, "t4", short))
	g.Expect(info(m)).To(Equal("badAlg certificate request key"))
	template := named("x")
	template.IPAddresses = []net.IP{net.IPv4(10, 0, 0, 1)}
	_, m = w.send(id, w.message(wire.PKCSReq, id, "t5", csr(t, 5, template, "")))
	g.Expect(info(m)).To(Equal("badRequest subject alternative names"))
	_, m = w.send(id, w.message(99, id, "t6", []byte("x")))
	g.Expect(info(m)).To(Equal("badRequest messageType"))
	unsealed, err := wire.Message{Attributes: wire.Attributes{MessageType: wire.PKCSReq, TransactionID: "t7", SenderNonce: make([]byte, wire.NonceSize)}, Content: []byte("x")}.Sign(id)
	g.Expect(err).NotTo(HaveOccurred())
	_, m = w.send(id, unsealed)
	g.Expect(info(m)).To(Equal("badMessageCheck envelope"))
	// Somebody else's request, passed on under one's own signature.
	thief := w.self(6)
	_, m = w.send(thief, w.message(wire.PKCSReq, thief, "t8", csr(t, 5, named("x"), w.challenge(scep.Challenge{}))))
	g.Expect(info(m)).To(Equal("badMessageCheck renewal certificate"))
	g.Expect(w.Refusals()).To(ContainElement("envelope badMessageCheck"))
}

// The page where people get a challenge by hand.
func TestChallengePage(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	get := func(user, password string) *httptest.ResponseRecorder {
		h := http.Header{}
		if user != "" {
			h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
		}
		return w.Call(w.h, http.MethodGet, "https://ndes.contoso.example"+wire.AdminPath+"/", h, nil, nil)
	}
	for _, who := range [][2]string{{"", ""}, {ada, "wrong"}, {ada, ""}, {"eve", "secret"}} {
		rec := get(who[0], who[1])
		g.Expect(rec.Code).To(Equal(401))
		g.Expect(rec.Header().Get("WWW-Authenticate")).To(HavePrefix("Basic"))
	}
	rec := get(ada, "secret")
	g.Expect(rec.Code).To(Equal(200))
	challenge := regexp.MustCompile(`password is: <b>([0-9A-F]{32})</b>`).FindStringSubmatch(rec.Body.String())
	g.Expect(challenge).NotTo(BeNil())
	cert, _ := w.enrol(5, "laptop", challenge[1])
	_, holder, err := w.authorities.Holder(cert)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(holder.UPN).To(Equal(ada))
}
