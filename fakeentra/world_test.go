package fakeentra_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra"
	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/msa"
	"windtunnel.test/sim/wire/oauth"
	"windtunnel.test/sim/wire/scep"
	"windtunnel.test/sim/wire/tpmattest"
)

const (
	tenantID  = "3d1f6e5a-9c0b-4b7e-8a64-0f2c51d7e9ab"
	strangeID = "99999999-9c0b-4b7e-8a64-0f2c51d7e9ab"
	ztdID     = "aaaaaaaa-0000-4000-8000-000000000001"
	adele     = "adele@contoso.com"
	password  = "correct horse"
	appID     = "11111111-2222-3333-4444-555555555555"
	appSecret = "app secret"
)

var tpmName = aik.TPMName{Manufacturer: "id:49465800", Model: "SLB9670", Version: "id:00070055"}

// world is two tenants, a vendor CA, and a clock that tests move.
type world struct {
	t      testing.TB
	now    time.Time
	entra  *fakeentra.Entra
	vendor *pki.CA
	events *journal.Memory
}

func newWorld(t testing.TB, change ...func(*fakeentra.Options)) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC), events: journal.NewMemory(0)}
	var err error
	w.vendor, err = pki.NewRoot(w.now, 1, "TPM vendor", pki.Options{})
	must(t, err)
	clock := vclock.NewWall()
	o := fakeentra.Options{
		Options: service.Options{Clock: clock, Seed: 1, Journal: journal.New(clock, w.events), Now: func() time.Time { return w.now }},
		EKRoots: []*x509.Certificate{w.vendor.Cert}, VendorCAs: []*x509.Certificate{w.vendor.Cert}, Region: "EU",
	}
	for _, f := range change {
		f(&o)
	}
	w.entra = fakeentra.New(o)
	dir := w.entra.Directory
	for _, pair := range [][2]string{{tenantID, "contoso.com"}, {strangeID, "fabrikam.com"}} {
		id, domain := pair[0], pair[1]
		_, err := dir.LoadOrganization(graph.Organization{ID: id, DisplayName: domain, VerifiedDomains: []graph.VerifiedDomain{{Name: domain, IsDefault: true}}})
		must(t, err)
		_, err = dir.PutUser(id, graph.User{UserPrincipalName: "adele@" + domain, DisplayName: "Adele Vance"}, password)
		must(t, err)
		must(t, dir.PutApp(tenant.App{TenantID: id, ClientID: appID, Secret: appSecret}))
	}
	return w
}

// pc is a chip with the hardware around it.
type pc struct {
	*world
	chip      *chip
	uuid, sn  string
	ekCert    []byte
	signer    scep.Identity
	authority *aik.Authority
	host      string
	transport *rsa.PrivateKey

	aikCert []byte
	device  string // device id after a join
	cert    []byte // device certificate
}

// Keys of the shared pool that tests use for what is no TPM key.
const (
	keyThrowAway = 2
	keyTransport = 3
	keyForeign   = 4
)

func (w *world) pc(n int) *pc {
	w.t.Helper()
	c := chipNumber(w.t, n)
	san, err := tpmName.MarshalSAN()
	must(w.t, err)
	ek, err := w.vendor.Issue(w.now, &x509.Certificate{
		NotAfter: w.now.AddDate(20, 0, 0), KeyUsage: x509.KeyUsageKeyEncipherment, UnknownExtKeyUsage: []asn1.ObjectIdentifier{aik.EKUEKCertificate},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Critical: true, Value: san}},
	}, c.ekPublic)
	must(w.t, err)
	signer, err := scep.NewSigner(pki.RSAKey(keyThrowAway), w.now, 367*24*time.Hour, vclock.Seed(n).Reader("scep"))
	must(w.t, err)
	suffix := string(rune('0' + n))
	return &pc{world: w, chip: c, uuid: "4C4C4544-0000-1000-8000-00000000000" + suffix, sn: "SN-" + suffix, ekCert: ek.Raw, signer: signer,
		host: aik.Host("ifx", w.vendor.Cert.SubjectKeyId), transport: pki.RSAKey(keyTransport)}
}

// register puts the PC's Autopilot registration into the first tenant.
func (p *pc) register() tenant.Device {
	p.t.Helper()
	ek, err := service.EKHash(p.chip.ekPublic)
	must(p.t, err)
	d, err := p.entra.Directory.Register(tenant.Registration{TenantID: tenantID, ZTDID: ztdID[:35] + string(rune('0'+p.chip.n)), OrderID: "kiosk",
		DisplayName: p.sn, HardwareID: msa.HardwareID(p.uuid, p.sn), EKHash: ek})
	must(p.t, err)
	return d
}

// do sends a request to a handler and gives status and body.
func (w *world) do(h http.Handler, r *http.Request) (int, []byte) {
	w.t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	body, err := io.ReadAll(rec.Result().Body)
	must(w.t, err)
	return rec.Code, body
}

func (w *world) get(h http.Handler, url string) (int, []byte) {
	return w.do(h, httptest.NewRequest(http.MethodGet, url, nil))
}

func (w *world) post(h http.Handler, url string, body []byte) (int, []byte) {
	return w.do(h, httptest.NewRequest(http.MethodPost, url, bytes.NewReader(body)))
}

// refused expects that the last refusal in the journal was by this check.
func (w *world) refused(service, check string) {
	w.t.Helper()
	list := w.events.Find(func(e journal.Event) bool { return e.Kind == journal.Refused })
	g := NewWithT(w.t)
	g.Expect(list).NotTo(BeEmpty(), "nothing was refused")
	last := list[len(list)-1]
	g.Expect([]string{last.Text("service"), last.Text("check")}).To(Equal([]string{service, check}))
	g.Expect(last.Text("operation")).NotTo(BeEmpty())
	g.Expect(last.Text("code")).NotTo(BeEmpty())
}

// readAuthority asks for the certificates of the PC's AIK authority.
func (p *pc) readAuthority() {
	p.t.Helper()
	status, body := p.get(p.entra.AIK, aik.URL(p.host, "GetCACertChain"))
	NewWithT(p.t).Expect(status).To(Equal(http.StatusOK))
	var err error
	p.authority, err = aik.ParseAuthority(body)
	must(p.t, err)
}

// request1 is the PC's request for an AIK certificate, with a change.
func (p *pc) request1(change func(*aik.Request1Params)) *aik.Sent {
	p.t.Helper()
	p.readAuthority()
	params := aik.Request1Params{
		EK: tpmattest.EKInfo{Key: p.chip.ekPublic, Certificate: p.ekCert}, Statement: tpmattest.Statement{IDBinding: p.chip.binding.Marshal()},
		OSVersion: "10.0.26100.2", TPM: tpmName, Signer: p.signer, Authority: p.authority,
	}
	if change != nil {
		change(&params)
	}
	sent, err := aik.BuildRequest1(params, vclock.Seed(7).Reader("request 1", p.sn))
	must(p.t, err)
	return sent
}

func (p *pc) sendAIK(sent *aik.Sent) (int, []byte) {
	r := httptest.NewRequest(http.MethodPost, aik.URL(p.host, "PKIOperation"), bytes.NewReader(sent.DER))
	r.Header.Set(aik.HeaderPlatformType, aik.Platform{Version: "2.0", Revision: "1.38", VendorID: "IFX ", Firmware: [2]uint32{0x70055, 0}}.String())
	return p.do(p.entra.AIK, r)
}

// challenged does the first half of the exchange.
func (p *pc) challenged() (*aik.Sent, *aik.Challenge) {
	p.t.Helper()
	sent := p.request1(nil)
	status, body := p.sendAIK(sent)
	NewWithT(p.t).Expect(status).To(Equal(http.StatusOK), string(body))
	c, err := aik.ParseChallenge(body, sent)
	must(p.t, err)
	return sent, c
}

// request2 answers a challenge.
func (p *pc) request2(first *aik.Sent, c *aik.Challenge, secret []byte, signer scep.Identity) *aik.Sent {
	p.t.Helper()
	sent, err := aik.BuildRequest2(aik.Request2Params{Secret: secret, ServerContext: c.ServerContext,
		TransactionID: first.Attributes.TransactionID, Signer: signer, Authority: p.authority}, vclock.Seed(8).Reader("request 2", p.sn))
	must(p.t, err)
	return sent
}

// enrollAIK does the whole exchange.
func (p *pc) enrollAIK() *x509.Certificate {
	p.t.Helper()
	first, c := p.challenged()
	sent := p.request2(first, c, p.chip.activate(c.Credential), p.signer)
	status, body := p.sendAIK(sent)
	NewWithT(p.t).Expect(status).To(Equal(http.StatusOK), string(body))
	cert, _, err := aik.ParseSuccess(body, sent)
	must(p.t, err)
	p.aikCert = cert.Raw
	return cert
}

// addDevice makes the PC's device account.
func (p *pc) addDevice() {
	p.t.Helper()
	req := msa.DeviceAddRequest{ClientInfo: msa.ClientInfo{Name: "IDCRL", Version: "1.0"},
		Authentication: msa.Authentication{Membername: "02" + p.sn, Password: "device password"}, DeviceInfo: msa.DeviceInfo{ID: "DeviceInfo"}}
	req.DeviceInfo.Add(msa.ComponentUUID, p.uuid)
	req.DeviceInfo.Add(msa.ComponentSerial, p.sn)
	body, err := msa.Encode(req)
	must(p.t, err)
	_, answer := p.post(p.entra.MSA, "https://"+hosts.MSA+msa.PathDeviceAdd, body)
	r, err := msa.ParseDeviceAddResponse(answer)
	must(p.t, err)
	NewWithT(p.t).Expect(r.Success).To(BeTrue())
}

func (p *pc) ticketRequest(proof bool) msa.TicketRequest {
	p.t.Helper()
	r := msa.TicketRequest{MessageID: "urn:uuid:" + p.sn, Created: p.now, Expires: p.now.Add(5 * time.Minute),
		Username: "02" + p.sn, Password: "device password", Scopes: []msa.Scope{{Address: msa.ScopeDeployment, Policy: msa.PolicySSL}}}
	if proof {
		digest := r.ProofDigest()
		r.Proof = &msa.AttestedProof{AIKCertificates: [][]byte{p.aikCert}, Statement: p.chip.quote(digest[:])}
	}
	return r
}

func (p *pc) sendTicket(r msa.TicketRequest) (msa.TicketResponse, error) {
	p.t.Helper()
	body, err := r.Encode()
	must(p.t, err)
	_, answer := p.post(p.entra.MSA, "https://"+hosts.MSA+msa.PathTicket, body)
	return msa.ParseTicketResponse(answer)
}

func (p *pc) ticket(proof bool) string {
	p.t.Helper()
	r, err := p.sendTicket(p.ticketRequest(proof))
	must(p.t, err)
	t, ok := r.For(msa.ScopeDeployment)
	NewWithT(p.t).Expect(ok).To(BeTrue())
	return t.Value
}

// ready enrols the AIK and makes the account: all that comes before tickets.
func (p *pc) ready() *pc {
	p.addDevice()
	p.enrollAIK()
	return p
}

func (p *pc) nonce() string {
	p.t.Helper()
	_, body := p.get(p.entra.DRS, "https://"+drs.Host+"/EnrollmentServer/nonce/"+tenantID+"/")
	var n drs.Nonce
	must(p.t, json.Unmarshal(body, &n))
	return n.Value
}

// joinRequest is the body of a join of the chip's device key.
func (p *pc) joinRequest() *drs.JoinRequest {
	p.t.Helper()
	csr, err := drs.NewCertificateRequest(deviceSigner{p.chip})
	must(p.t, err)
	return &drs.JoinRequest{CertificateRequest: csr, TransportKey: drs.EncodeRSA1(&p.transport.PublicKey), TargetDomain: "contoso.com",
		DeviceType: "Windows", OSVersion: "10.0.26100.1", DeviceDisplayName: "AP-" + p.sn, JoinType: drs.JoinEntra,
		Attributes: drs.Attributes{ReuseDevice: true}}
}

// attested adds ticket, AIK and the AIK's word for the key.
func (p *pc) attested(r *drs.JoinRequest, nonce string) *drs.JoinRequest {
	p.t.Helper()
	csr, err := x509.ParseCertificateRequest(r.CertificateRequest.Data)
	must(p.t, err)
	q := drs.QualifyingData(csr.RawSubjectPublicKeyInfo, nonce)
	r.JoinType, r.AikCertificate, r.AttestationData = drs.JoinDeviceAuth, p.aikCert, p.chip.certify(q[:])
	return r
}

func (p *pc) sendJoin(r *drs.JoinRequest, header ...string) (*drs.JoinResponse, *drs.ErrorDetails) {
	p.t.Helper()
	body, err := json.Marshal(r)
	must(p.t, err)
	req := httptest.NewRequest(http.MethodPost, "https://"+drs.Host+"/EnrollmentServer/device/?api-version=1.0", bytes.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	status, answer := p.do(p.entra.DRS, req)
	if status != http.StatusOK {
		var e drs.ErrorDetails
		must(p.t, json.Unmarshal(answer, &e))
		return nil, &e
	}
	var out drs.JoinResponse
	must(p.t, json.Unmarshal(answer, &out))
	return &out, nil
}

// joinAsDevice is the technician flow's join.
func (p *pc) joinAsDevice() {
	p.t.Helper()
	nonce := p.nonce()
	r := p.attested(p.joinRequest(), nonce)
	r.Attributes.DeviceTicket = []byte(p.ticket(true))
	out, refused := p.sendJoin(r, drs.HeaderNonce, nonce)
	NewWithT(p.t).Expect(refused).To(BeNil())
	p.take(out)
}

func (p *pc) take(out *drs.JoinResponse) {
	p.t.Helper()
	cert := parse(p.t, out.Certificate.RawBody)
	id, err := drs.ParseIdentity(cert)
	must(p.t, err)
	p.device, p.cert = id.DeviceID, cert.Raw
}

// form posts to a token endpoint.
func (w *world) form(path string, form url.Values) (int, []byte) {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "https://"+oauth.Host+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.do(w.entra.STS, r)
}

// token asks for a token; an answer that is no JSON comes back as text.
func (w *world) token(path string, form url.Values) (*oauth.TokenResponse, *oauth.Error, string) {
	w.t.Helper()
	status, body := w.form(path, form)
	if status != http.StatusOK {
		var e oauth.Error
		must(w.t, json.Unmarshal(body, &e))
		return nil, &e, ""
	}
	var out oauth.TokenResponse
	if json.Unmarshal(body, &out) != nil {
		return nil, nil, string(body)
	}
	return &out, nil, ""
}

func (w *world) userToken(resource string) string {
	w.t.Helper()
	out, refused, _ := w.token("/common/oauth2/token", oauth.TokenRequest{GrantType: oauth.GrantPassword, ClientID: oauth.ClientBroker,
		Username: adele, Password: password, Resource: resource}.Form())
	NewWithT(w.t).Expect(refused).To(BeNil())
	return out.AccessToken
}

func (w *world) appToken(tenantName string) string {
	w.t.Helper()
	out, refused, _ := w.token("/"+tenantName+"/oauth2/v2.0/token", oauth.TokenRequest{GrantType: oauth.GrantClient, ClientID: appID,
		ClientSecret: appSecret, Scope: oauth.ResourceGraph + "/.default"}.Form())
	NewWithT(w.t).Expect(refused).To(BeNil())
	return out.AccessToken
}

// withCert is the request as TLS hands it over after a client proved a
// certificate's key.
func withCert(r *http.Request, cert *x509.Certificate) *http.Request {
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
	return r
}
