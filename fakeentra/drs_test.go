package fakeentra_test

import (
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra/drs"
	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/pki"
	wire "windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/oauth"
	"windtunnel.test/sim/wire/tpmattest"
)

func TestDiscovery(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	for _, name := range []string{"contoso.com", tenantID, "CONTOSO.com"} {
		status, body := w.get(w.entra.DRS, wire.DiscoverURL(name))
		g.Expect(status).To(Equal(http.StatusOK))
		var d wire.Discovery
		g.Expect(json.Unmarshal(body, &d)).To(Succeed())
		g.Expect(d.TenantInfo.TenantID).To(Equal(tenantID))
	}
	status, body := w.get(w.entra.DRS, wire.DiscoverURL("nowhere.test"))
	var e wire.ErrorDetails
	g.Expect(json.Unmarshal(body, &e)).To(Succeed())
	g.Expect(wire.DiscoveryResult(status, &e)).To(Equal(hresult.JoinTenantNotFound))
	w.refused("drs", "tenant")
	status, _ = w.get(w.entra.DRS, "https://"+wire.Host+"/EnrollmentServer/key/")
	g.Expect(status).To(Equal(http.StatusNotImplemented))
}

func TestDeviceJoinsByItself(t *testing.T) {
	g := NewWithT(t)
	p := newWorld(t).pc(0).ready()
	object := p.register()
	p.joinAsDevice()
	g.Expect(p.device).To(Equal(object.DeviceID), "the Autopilot object is the one that joined")
	d, err := p.entra.Directory.Device(tenantID, p.device)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(d.Joined()).To(BeTrue())
	g.Expect(d.Attested).To(BeTrue())
	g.Expect(d.Owner).To(BeEmpty())
	g.Expect(d.TrustType).To(Equal("AzureAd"))
	cert := parse(t, p.cert)
	g.Expect(cert.CheckSignatureFrom(p.entra.DRS.CA())).To(Succeed())
	g.Expect(p.chip.deviceKeyArea.Is(cert.PublicKey)).To(BeTrue())
	g.Expect(cert.NotAfter).To(Equal(p.now.AddDate(10, 0, 0)))
}

// joinAttempt is a join without a user, just before it is sent.
type joinAttempt struct {
	p     *pc
	r     *wire.JoinRequest
	nonce string
}

func TestJoinsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(a *joinAttempt)
		sub    string
		check  string
		want   hresult.Code
	}{
		"no ticket":                   {func(a *joinAttempt) { a.r.Attributes.DeviceTicket = nil }, wire.SubMsaTicket, "ticket", hresult.JoinAuthorization},
		"forged ticket":               {func(a *joinAttempt) { a.r.Attributes.DeviceTicket = []byte("a.b.c") }, wire.SubMsaTicket, "ticket", hresult.JoinAuthorization},
		"expired ticket":              {func(a *joinAttempt) { a.p.now = a.p.now.Add(25 * time.Hour) }, wire.SubMsaTicket, "ticket", hresult.JoinAuthorization},
		"ticket without proof of TPM": {func(a *joinAttempt) { a.r.Attributes.DeviceTicket = []byte(a.p.ticket(false)) }, wire.SubMsaTicketTPM, "ticket TPM", hresult.JoinAuthorization},
		"ticket of another device": {func(a *joinAttempt) {
			other := a.p.world.pc(1).ready()
			other.register()
			a.r.Attributes.DeviceTicket = []byte(other.ticket(true))
		}, wire.SubMsaTicketTPM, "ticket EK", hresult.JoinAuthorization},
		"no AIK certificate":           {func(a *joinAttempt) { a.r.AikCertificate = nil }, wire.SubAIK, "AIK certificate", hresult.JoinAIKValidation},
		"AIK that is not ours":         {func(a *joinAttempt) { a.r.AikCertificate = a.p.ekCert }, wire.SubAIK, "AIK certificate", hresult.JoinAIKValidation},
		"AIK certificate that is over": {func(a *joinAttempt) { a.aikIsOver() }, wire.SubAIKExpired, "AIK certificate", hresult.JoinAIKCertificateExpired},
		"certificate for another use": {func(a *joinAttempt) {
			a.p.readAuthority()
			a.r.AikCertificate = a.p.otherUse().Raw
		}, wire.SubAIK, "AIK certificate", hresult.JoinAIKValidation},
		"attestation that is none": {func(a *joinAttempt) { a.r.AttestationData = []byte("KADS") }, wire.SubAttestation, "attestation format", hresult.JoinAttestation},
		"attestation that is a quote": {func(a *joinAttempt) {
			q := a.qualifying()
			a.r.AttestationData = a.p.withBlob(a.p.chip.quote(q[:]), a.p.chip.deviceKeyArea)
		}, wire.SubAttestation, "attestation attest type", hresult.JoinAttestation},
		"attestation with another key's public area": {func(a *joinAttempt) {
			a.r.AttestationData = a.p.withBlob(a.r.AttestationData, a.p.world.pc(1).chip.deviceKeyArea)
		}, wire.SubAttestation, "attestation name", hresult.JoinAttestation},
		"key that may leave its TPM": {func(a *joinAttempt) {
			loose, ticket := a.p.loose(), a.r.Attributes.DeviceTicket
			a.r = loose.attested(loose.joinRequest(), a.nonce)
			a.r.Attributes.DeviceTicket = ticket
		}, wire.SubAttestation, "attestation key policy", hresult.JoinAttestation},
		"attestation of another": {func(a *joinAttempt) { a.r.AttestationData = a.p.world.pc(1).chip.certify([]byte("x")) }, wire.SubAttestation, "attestation signature", hresult.JoinAttestation},
		"request whose key is not the attested one": {func(a *joinAttempt) {
			csr, err := wire.NewCertificateRequest(pki.RSAKey(keyForeign))
			must(a.p.t, err)
			a.r.CertificateRequest = csr
			parsed, err := x509.ParseCertificateRequest(csr.Data)
			must(a.p.t, err)
			q := wire.QualifyingData(parsed.RawSubjectPublicKeyInfo, a.nonce)
			a.r.AttestationData = a.p.chip.certify(q[:])
		}, wire.SubAttestation, "attestation subject key", hresult.JoinAttestation},
		"attestation over another nonce": {func(a *joinAttempt) { a.nonce = a.p.nonce() }, wire.SubAttestation, "attestation qualifyingData", hresult.JoinAttestation},
		"nonce that was not given":       {func(a *joinAttempt) { a.nonce = "guess" }, wire.SubAttestation, "attestation nonce", hresult.JoinAttestation},
		"nonce that was used": {func(a *joinAttempt) {
			_, refused := a.p.sendJoin(a.r, wire.HeaderNonce, a.nonce)
			NewWithT(a.p.t).Expect(refused).To(BeNil())
		}, wire.SubAttestation, "attestation nonce", hresult.JoinAttestation},
		"hardware that is not registered": {func(a *joinAttempt) { must(a.p.t, a.p.entra.Directory.Unregister(tenantID, ztdID[:35]+"0")) },
			wire.SubAutopilotDeviceNotKnown, "Autopilot registration", hresult.JoinServerNotAuthorized},
		"hardware of another tenant": {func(a *joinAttempt) { a.r.TargetDomain = "fabrikam.com"; a.rebind("fabrikam.com") }, wire.SubAutopilotDeviceNotKnown, "Autopilot registration", hresult.JoinServerNotAuthorized},
		"Autopilot object deleted": {func(a *joinAttempt) {
			d, err := a.p.entra.Directory.Devices(tenantID)[0], error(nil)
			must(a.p.t, err)
			must(a.p.t, a.p.entra.Directory.Delete(tenantID, d.ObjectID))
		}, wire.SubAutopilotDeviceDeleted, "Autopilot device object", hresult.JoinDeviceObjectDeleted},
		"device disabled": {func(a *joinAttempt) {
			_, err := a.p.entra.Directory.Update(tenantID, a.p.entra.Directory.Devices(tenantID)[0].ObjectID, func(d *tenant.Device) error { d.Enabled = false; return nil })
			must(a.p.t, err)
		}, "", "device enabled", hresult.JoinAuthorization},
		"tenant that is not there": {func(a *joinAttempt) { a.r.TargetDomain = "nowhere.test" }, wire.SubTenantNotFound, "tenant", hresult.JoinTenantNotFound},
		"no transport key":         {func(a *joinAttempt) { a.r.TransportKey = nil }, "", "transport key", hresult.JoinMessageFormat},
		"hybrid join":              {func(a *joinAttempt) { a.r.JoinType = wire.JoinHybrid }, "", "join type", hresult.JoinMessageFormat},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			p := newWorld(t).pc(0).ready()
			p.register()
			a := &joinAttempt{p: p, nonce: p.nonce()}
			a.r = p.attested(p.joinRequest(), a.nonce)
			a.r.Attributes.DeviceTicket = []byte(p.ticket(true))
			c.change(a)
			_, refused := p.sendJoin(a.r, wire.HeaderNonce, a.nonce)
			g.Expect(refused).NotTo(BeNil())
			g.Expect(refused.SubCode).To(Equal(c.sub), refused.Error())
			g.Expect(refused.HResult()).To(Equal(c.want), refused.Error())
			p.refused("drs", c.check)
		})
	}
}

// qualifying is what the AIK signs over in this attempt.
func (a *joinAttempt) qualifying() [32]byte {
	csr, err := x509.ParseCertificateRequest(a.r.CertificateRequest.Data)
	must(a.p.t, err)
	return wire.QualifyingData(csr.RawSubjectPublicKeyInfo, a.nonce)
}

// aikIsOver lets two years pass, and makes anew all that lives shorter than an
// AIK certificate.
func (a *joinAttempt) aikIsOver() {
	ticket := a.p.now.AddDate(2, 0, 0).Add(-time.Hour)
	a.p.now = ticket
	a.r.Attributes.DeviceTicket = []byte(a.p.ticket(true))
	a.p.now = ticket.Add(2 * time.Hour)
}

// withBlob is a statement with another public area in its key blob.
func (p *pc) withBlob(statement []byte, area *tpmattest.Public) []byte {
	k, err := tpmattest.ParseKeyAttestation(statement)
	must(p.t, err)
	k.KeyBlob = area.Marshal()
	return k.Marshal()
}

// rebind takes a nonce of another tenant and attests over it.
func (a *joinAttempt) rebind(domain string) {
	_, body := a.p.get(a.p.entra.DRS, "https://"+wire.Host+"/EnrollmentServer/nonce/"+domain+"/")
	var n wire.Nonce
	must(a.p.t, json.Unmarshal(body, &n))
	a.nonce = n.Value
	a.r = a.p.attested(a.r, a.nonce)
}

func TestUserJoins(t *testing.T) {
	g := NewWithT(t)
	p := newWorld(t).pc(0).ready()
	object := p.register()
	bearer := "Bearer " + p.userToken(oauth.ResourceDRS)
	r := p.joinRequest()
	r.Attributes.DeviceTicket = []byte(p.ticket(false))
	out, refused := p.sendJoin(r, "Authorization", bearer)
	g.Expect(refused).To(BeNil())
	p.take(out)
	g.Expect(p.device).To(Equal(object.DeviceID))
	g.Expect(out.User.UPN).To(Equal(adele))
	g.Expect(out.MembershipChanges[0].AddSIDs).To(HaveLen(2))
	d, err := p.entra.Directory.Device(tenantID, p.device)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(d.Owner).NotTo(BeEmpty())

	// Without ticket the hardware is nobody's: a new object.
	out, refused = p.sendJoin(p.joinRequest(), "Authorization", bearer)
	g.Expect(refused).To(BeNil())
	p.take(out)
	g.Expect(p.device).NotTo(Equal(object.DeviceID))
}

func TestUserJoinsThatAreRefused(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	p := w.pc(0)
	token := w.userToken(oauth.ResourceDRS)
	try := func(token string, change func(r *wire.JoinRequest), check string, want hresult.Code) {
		t.Helper()
		r := p.joinRequest()
		if change != nil {
			change(r)
		}
		_, refused := p.sendJoin(r, "Authorization", "Bearer "+token)
		g.Expect(refused).NotTo(BeNil())
		g.Expect(refused.HResult()).To(Equal(want))
		w.refused("drs", check)
	}
	try("forged", nil, "token", hresult.JoinAuthentication)
	try(w.userToken(oauth.ResourceMDM), nil, "token", hresult.JoinAuthentication)
	try(token, func(r *wire.JoinRequest) { r.TargetDomain = "fabrikam.com" }, "target domain", hresult.JoinAuthorization)
	try(token, func(r *wire.JoinRequest) { r.Attributes.DeviceTicket = []byte("forged") }, "ticket", hresult.JoinAuthorization)

	contoso, err := w.entra.Directory.Tenant(tenantID)
	g.Expect(err).NotTo(HaveOccurred())
	contoso.DevicesPerUser = 1
	g.Expect(w.entra.Directory.SetTenant(contoso)).To(Succeed())
	_, refused := p.sendJoin(p.joinRequest(), "Authorization", "Bearer "+token)
	g.Expect(refused).To(BeNil())
	try(token, nil, "device quota", hresult.JoinQuotaReached)

	contoso.JoinDenied = true
	g.Expect(w.entra.Directory.SetTenant(contoso)).To(Succeed())
	try(token, nil, "join permission", hresult.JoinAuthorization)
	w.now = w.now.Add(2 * time.Hour)
	try(token, nil, "token", hresult.JoinAuthentication)
}

func TestRejoinResetsComplianceAndLeaveKeepsTheAnchor(t *testing.T) {
	g := NewWithT(t)
	p := newWorld(t).pc(0).ready()
	object := p.register()
	p.joinAsDevice()
	_, err := p.entra.Directory.SetCompliance(tenantID, p.device, tenant.Yes, tenant.Yes)
	g.Expect(err).NotTo(HaveOccurred())

	r := p.joinRequest()
	r.Attributes.DeviceTicket = []byte(p.ticket(false))
	first := p.cert
	out, refused := p.sendJoin(r, "Authorization", "Bearer "+p.userToken(oauth.ResourceDRS))
	g.Expect(refused).To(BeNil())
	p.take(out)
	d, err := p.entra.Directory.Device(tenantID, object.DeviceID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(d.Compliant).To(Equal(tenant.No))
	g.Expect(d.Managed).To(Equal(tenant.Yes))

	_, err = p.entra.DRS.Device(parse(t, first), p.now)
	if string(first) != string(p.cert) {
		g.Expect(err).To(MatchError(drs.ErrCertificate), "an earlier join's certificate is over")
	}
	status, _ := p.leave(p.device, p.cert)
	g.Expect(status).To(Equal(http.StatusOK))
	d, err = p.entra.Directory.Device(tenantID, object.DeviceID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(d.Joined()).To(BeFalse())
	g.Expect(d.ZTDID()).NotTo(BeEmpty())
	status, _ = p.leave(p.device, p.cert)
	g.Expect(status).To(Equal(http.StatusBadRequest))
	p.refused("drs", "client certificate")
}

func (p *pc) leave(id string, cert []byte) (int, []byte) {
	r := httptest.NewRequest(http.MethodDelete, wire.DeviceURL(nil, id), nil)
	if cert != nil {
		withCert(r, parse(p.t, cert))
	}
	return p.do(p.entra.DRS, r)
}

func TestLeaveNeedsTheDevicesOwnCertificate(t *testing.T) {
	g := NewWithT(t)
	p := newWorld(t).pc(0).ready()
	p.register()
	p.joinAsDevice()
	for check, try := range map[string]func() (int, []byte){
		"client certificate": func() (int, []byte) { return p.leave(p.device, p.ekCert) },
		"device":             func() (int, []byte) { return p.leave("00000000-0000-4000-8000-000000000000", p.cert) },
	} {
		status, _ := try()
		g.Expect(status).To(Equal(http.StatusBadRequest))
		p.refused("drs", check)
	}
	status, _ := p.leave(p.device, nil)
	g.Expect(status).To(Equal(http.StatusBadRequest))
	// A device that is in no registration goes altogether.
	g.Expect(p.entra.Directory.Unregister(tenantID, ztdID[:35]+"0")).To(Succeed())
	status, _ = p.leave(p.device, p.cert)
	g.Expect(status).To(Equal(http.StatusOK))
	_, err := p.entra.Directory.Device(tenantID, p.device)
	g.Expect(err).To(MatchError(tenant.ErrNoDevice))
}

func TestZeroDRSServiceWorks(t *testing.T) {
	g := NewWithT(t)
	w := &world{t: t}
	var s drs.Service
	status, _ := w.get(&s, wire.DiscoverURL("contoso.com"))
	g.Expect(status).To(Equal(http.StatusBadRequest))
}

func TestEKHashOfModulus(t *testing.T) {
	g := NewWithT(t)
	pub := &pki.RSAKey(keyForeign).PublicKey
	want, err := service.EKHash(pub)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(service.EKHashOfModulus(pub.N.Bytes())).To(Equal(want))
	g.Expect(service.EKHashOfModulus(nil)).To(BeZero())
}
