package fakeentra_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/dirsync"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/oauth"
)

// request is a device's certificate request about any key.
func request(t testing.TB, key crypto.Signer) drs.CertificateRequest {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: drs.RequestSubject}}, key)
	must(t, err)
	return drs.CertificateRequest{Type: "pkcs10", Data: der}
}

// syncedWith makes the computer's object with another certificate.
func (w *world) syncedWith(certificate []byte, enabled bool) {
	w.t.Helper()
	_, _, err := w.entra.Directory.SyncComputer(tenant.SyncedComputer{TenantID: tenantID, GUID: computerGUID, SID: computerSID, Name: "AP-1",
		Certificate: certificate, Enabled: enabled})
	must(w.t, err)
}

// Claims with keys that no device has, or of a computer that may not: the object
// stays as it was, and nobody gets a certificate.
func TestClaimsWithWrongKeysChangeNothing(t *testing.T) {
	own := pki.RSAKey(keyTransport)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	must(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	for name, c := range map[string]struct {
		synced func(w *world)
		change func(r *drs.SyncJoinRequest)
		code   string
		result hresult.Code
		check  string
	}{
		"EC device key": {(*world).synced, func(r *drs.SyncJoinRequest) { r.CertificateRequest = request(t, curve) },
			drs.MalformedMessage, hresult.JoinMessageFormat, "device key"},
		"short device key": {(*world).synced, func(r *drs.SyncJoinRequest) { r.CertificateRequest = request(t, short) },
			drs.MalformedMessage, hresult.JoinMessageFormat, "device key"},
		"short transport key": {(*world).synced, func(r *drs.SyncJoinRequest) {
			r.ServerAdJoinData.TransportKey = drs.EncodeRSA1(&short.PublicKey)
		}, drs.MalformedMessage, hresult.JoinMessageFormat, "transport key"},
		"no transport key": {(*world).synced, func(r *drs.SyncJoinRequest) { r.ServerAdJoinData.TransportKey = nil },
			drs.MalformedMessage, hresult.JoinMessageFormat, "transport key"},
		"EC key on the computer's object": {func(w *world) {
			template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: computerGUID}, NotBefore: w.now, NotAfter: w.now.AddDate(10, 0, 0)}
			der, err := x509.CreateCertificate(rand.Reader, template, template, &curve.PublicKey, curve)
			must(w.t, err)
			w.syncedWith(der, true)
		}, nil, drs.AuthenticationError, hresult.JoinAuthentication, "client identity certificate"},
		"no certificate on the computer's object": {func(w *world) { w.syncedWith([]byte("certificate"), true) },
			nil, drs.AuthenticationError, hresult.JoinAuthentication, "client identity certificate"},
		"disabled object": {func(w *world) { w.syncedWith(selfSigned(w.t, w.now, own), false) },
			nil, drs.AuthorizationError, hresult.JoinAuthorization, "device enabled"},
		"another kind of join": {(*world).synced, func(r *drs.SyncJoinRequest) { r.JoinType = drs.JoinEntra },
			drs.InvalidRequest, hresult.JoinMessageFormat, "join type"},
	} {
		t.Run(name, func(t *testing.T) {
			g, w := NewWithT(t), newWorld(t)
			c.synced(w)
			before := w.state()
			r := claimOf(t, own, computerSID, w.now)
			if c.change != nil {
				c.change(r)
			}
			out, refused := w.claim(r)
			g.Expect(out).To(BeNil())
			g.Expect(refused.Code).To(Equal(c.code))
			g.Expect(refused.HResult()).To(Equal(c.result))
			g.Expect(w.state()).To(Equal(before))
			w.refused("drs", c.check)
		})
	}
}

// tokenOf is an access token of a user for what an export is made out to.
func (w *world) tokenOf(upn, resource string) string {
	w.t.Helper()
	out, refused, _ := w.token("/common/oauth2/token", oauth.TokenRequest{GrantType: oauth.GrantPassword, ClientID: oauth.ClientBroker,
		Username: upn, Password: password, Resource: resource}.Form())
	NewWithT(w.t).Expect(refused).To(BeNil())
	return out.AccessToken
}

// export sends one, as whoever has the token.
func (w *world) export(token string, e dirsync.Export) (int, dirsync.Result) {
	w.t.Helper()
	body, err := json.Marshal(e)
	must(w.t, err)
	r := httptest.NewRequest(http.MethodPost, dirsync.URL, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	status, answer := w.do(w.entra.Provisioning, r)
	var out dirsync.Result
	if status == http.StatusOK {
		must(w.t, json.Unmarshal(answer, &out))
	}
	return status, out
}

// synchronises gives a user of a tenant the role of a directory sync.
func (w *world) synchronises(tenantID, upn string) {
	w.t.Helper()
	_, err := w.entra.Directory.UpdateUser(tenantID, upn, func(u *tenant.User) error { u.Roles = []string{dirsync.Role}; return nil })
	must(w.t, err)
}

// Who is no directory sync of the tenant changes nothing in it.
func TestExportsOfOthersChangeNothing(t *testing.T) {
	const stranger = "adele@fabrikam.com"
	g, p := NewWithT(t), joined(t)
	p.synced()
	all := dirsync.Export{Server: "evil", Deleted: []string{computerGUID, p.device},
		Computers: []dirsync.Computer{{GUID: computerGUID, SID: computerSID, Name: "mine", Certificate: selfSigned(t, p.now, pki.RSAKey(keyForeign)), Enabled: true}},
		Users:     []dirsync.User{{UPN: adele, Anchor: "AAECAwQFBgcICQoLDA0ODw==", SAM: "mallory", SID: "S-1-5-21-1-2-3-500"}}}
	before := p.state()
	for name, c := range map[string]struct {
		token  string
		status int
	}{
		"an ordinary user":           {p.tokenOf(adele, dirsync.Resource), http.StatusForbidden},
		"for another service":        {p.tokenOf(adele, oauth.ResourceGraph), http.StatusUnauthorized},
		"an application":             {p.appToken("contoso.com"), http.StatusUnauthorized},
		"an ordinary foreign user":   {p.tokenOf(stranger, dirsync.Resource), http.StatusForbidden},
		"a token that nobody signed": {"eyJhbGciOiJub25lIn0.e30.", http.StatusUnauthorized},
	} {
		status, _ := p.export(c.token, all)
		g.Expect(status).To(Equal(c.status), name)
		g.Expect(p.state()).To(Equal(before), name)
	}

	// Another tenant's directory sync reaches its own objects only.
	p.synchronises(strangeID, stranger)
	status, out := p.export(p.tokenOf(stranger, dirsync.Resource), all)
	g.Expect(status).To(Equal(http.StatusOK))
	g.Expect(out.Rejected).To(HaveLen(1), "the user is no one of its own")
	g.Expect(p.state()).To(Equal(before))
	_, refused := p.claim(claimOf(t, pki.RSAKey(keyForeign), computerSID, p.now))
	g.Expect(refused.Code).To(Equal(drs.AuthenticationError), "its certificate counts for nothing here")

	// The tenant's own leaves devices alone that it has not brought.
	p.synchronises(tenantID, adele)
	device := func() tenant.Device {
		d, err := p.entra.Directory.Device(tenantID, p.device)
		must(t, err)
		return d
	}
	was := device()
	status, out = p.export(p.tokenOf(adele, dirsync.Resource), dirsync.Export{Server: "dc1", Deleted: []string{p.device, was.ObjectID},
		Computers: []dirsync.Computer{{GUID: p.device, SID: computerSID, Name: "mine", Certificate: all.Computers[0].Certificate, Enabled: true}}})
	g.Expect(status).To(Equal(http.StatusOK))
	g.Expect(out.Added + out.Updated + out.Deleted).To(BeZero())
	g.Expect(device()).To(Equal(was))

	// A token outlives neither the role nor the account.
	token := p.tokenOf(adele, dirsync.Resource)
	_, err := p.entra.Directory.UpdateUser(tenantID, adele, func(u *tenant.User) error { u.Resource.AccountEnabled = new(false); return nil })
	must(t, err)
	status, _ = p.export(token, all)
	g.Expect(status).To(Equal(http.StatusForbidden))
	told := p.events.Find(func(e journal.Event) bool {
		return e.Kind == journal.Refused && strings.Contains(e.Text("service"), "provisioning")
	})
	g.Expect(told).To(HaveLen(6))
}
