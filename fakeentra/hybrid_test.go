package fakeentra_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/dirsync"
	"windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/graph"
)

const (
	computerGUID = "6f1f3c52-8f0b-4a54-9d0e-000000000001"
	computerSID  = "S-1-5-21-1-2-3-1104"
)

// selfSigned is a computer's certificate about a key of the pool.
func selfSigned(t testing.TB, now time.Time, key *rsa.PrivateKey) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: computerGUID}, NotBefore: now, NotAfter: now.AddDate(10, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	return der
}

// synced makes the device object of the computer whose key is the transport key
// of the tests.
func (w *world) synced() {
	w.t.Helper()
	_, _, err := w.entra.Directory.SyncComputer(tenant.SyncedComputer{TenantID: tenantID, GUID: computerGUID, SID: computerSID, Name: "AP-1",
		Certificate: selfSigned(w.t, w.now, pki.RSAKey(keyTransport)), Enabled: true})
	must(w.t, err)
}

// claimOf is a claim that a key signs.
func claimOf(t testing.TB, key *rsa.PrivateKey, sid string, at time.Time) *drs.SyncJoinRequest {
	t.Helper()
	csr, err := drs.NewCertificateRequest(pki.RSAKey(keyThrowAway))
	must(t, err)
	text := drs.SignedSID(sid, at)
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	must(t, err)
	return &drs.SyncJoinRequest{CertificateRequest: csr, JoinType: drs.JoinHybrid, ServerAdJoinData: drs.ServerAdJoinData{
		TransportKey: drs.EncodeRSA1(&key.PublicKey), TargetDomain: "contoso.com", TargetDomainID: tenantID, DeviceType: "Windows",
		OSVersion: "10.0.26100.1", DeviceDisplayName: "AP-1",
		ClientIdentity: drs.ClientIdentity{Type: drs.ClientIdentitySigned, SID: text, SignedBlob: signature},
	}}
}

func (w *world) claim(r *drs.SyncJoinRequest) (*drs.JoinResponse, *drs.ErrorDetails) {
	w.t.Helper()
	body, err := json.Marshal(r)
	must(w.t, err)
	status, answer := w.do(w.entra.DRS, httptest.NewRequest(http.MethodPut, drs.SyncJoinURL(nil, computerGUID), bytes.NewReader(body)))
	if status != http.StatusOK {
		var e drs.ErrorDetails
		must(w.t, json.Unmarshal(answer, &e))
		return nil, &e
	}
	var out drs.JoinResponse
	must(w.t, json.Unmarshal(answer, &out))
	return &out, nil
}

// A computer claims the one object that the sync made: it is pending before and
// registered afterwards, under the computer's own GUID.
func TestComputerClaimsItsDevice(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.synced()
	before, err := w.entra.Directory.Device(tenantID, computerGUID)
	must(t, err)
	g.Expect(before.Joined()).To(BeFalse())
	g.Expect(before.Registered.IsZero()).To(BeTrue())
	out, refused := w.claim(claimOf(t, pki.RSAKey(keyTransport), computerSID, w.now))
	g.Expect(refused).To(BeNil())
	cert, err := pki.Parse(out.Certificate.RawBody)
	must(t, err)
	id, err := drs.ParseIdentity(cert)
	must(t, err)
	g.Expect(id.DeviceID).To(Equal(computerGUID))
	after, err := w.entra.Directory.Device(tenantID, computerGUID)
	must(t, err)
	g.Expect(after.Joined()).To(BeTrue())
	g.Expect(after.TrustType).To(Equal(graph.TrustHybrid))
	g.Expect(after.Compliant).To(Equal(tenant.Unknown))
	g.Expect(w.entra.Directory.Devices(tenantID)).To(HaveLen(1))
}

// Claims of attackers and of those who are too early.
func TestClaimsThatAreRefused(t *testing.T) {
	own, stranger := pki.RSAKey(keyTransport), pki.RSAKey(keyForeign)
	for name, c := range map[string]struct {
		prepare func(w *world) *drs.SyncJoinRequest
		code    string
		result  hresult.Code
	}{
		"not synced": {func(w *world) *drs.SyncJoinRequest { return claimOf(t, own, computerSID, w.now) }, drs.DirectoryError, hresult.JoinDirectoryFailure},
		"a stranger's key": {func(w *world) *drs.SyncJoinRequest {
			w.synced()
			return claimOf(t, stranger, computerSID, w.now)
		}, drs.AuthenticationError, hresult.JoinAuthentication},
		"another SID": {func(w *world) *drs.SyncJoinRequest {
			w.synced()
			return claimOf(t, own, computerSID+"0", w.now)
		}, drs.AuthenticationError, hresult.JoinAuthentication},
		"stale": {func(w *world) *drs.SyncJoinRequest {
			w.synced()
			return claimOf(t, own, computerSID, w.now.Add(-time.Hour))
		}, drs.AuthenticationError, hresult.JoinAuthentication},
		"replayed": {func(w *world) *drs.SyncJoinRequest {
			w.synced()
			r := claimOf(t, own, computerSID, w.now)
			_, refused := w.claim(r)
			NewWithT(t).Expect(refused).To(BeNil())
			return r
		}, drs.AuthenticationError, hresult.JoinAuthentication},
		"unknown tenant": {func(w *world) *drs.SyncJoinRequest {
			w.synced()
			r := claimOf(t, own, computerSID, w.now)
			r.ServerAdJoinData.TargetDomainID = computerGUID
			return r
		}, drs.DirectoryError, hresult.JoinTenantNotFound},
		"another tenant": {func(w *world) *drs.SyncJoinRequest {
			w.synced()
			r := claimOf(t, own, computerSID, w.now)
			r.ServerAdJoinData.TargetDomainID, r.ServerAdJoinData.TargetDomain = strangeID, "fabrikam.com"
			return r
		}, drs.DirectoryError, hresult.JoinDirectoryFailure},
	} {
		t.Run(name, func(t *testing.T) {
			g, w := NewWithT(t), newWorld(t)
			out, refused := w.claim(c.prepare(w))
			g.Expect(out).To(BeNil())
			g.Expect(refused.Code).To(Equal(c.code))
			g.Expect(refused.HResult()).To(Equal(c.result))
		})
	}
}

// Too many claims in a short time are put off.
func TestClaimsInABurst(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	for range w.entra.DRS.Timing.Join.ThrottleBurst {
		_, refused := w.claim(claimOf(t, pki.RSAKey(keyTransport), computerSID, w.now))
		g.Expect(refused.Message).To(ContainSubstring("not found"))
	}
	_, refused := w.claim(claimOf(t, pki.RSAKey(keyTransport), computerSID, w.now))
	g.Expect(refused.Message).To(ContainSubstring("retry after 300 seconds"))
}

// Nobody exports without a token.
func TestExportNeedsAToken(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	status, _ := w.post(w.entra.Provisioning, dirsync.URL, []byte("{}"))
	g.Expect(status).To(Equal(http.StatusUnauthorized))
}

// FuzzSyncJoinBody sends any body to a computer's object.
func FuzzSyncJoinBody(f *testing.F) {
	w := newWorld(f)
	w.synced()
	body, err := json.Marshal(claimOf(f, pki.RSAKey(keyTransport), computerSID, w.now))
	must(f, err)
	f.Add(string(body))
	f.Add("{}")
	f.Fuzz(func(t *testing.T, body string) {
		w.t = t
		r := httptest.NewRequest(http.MethodPut, drs.SyncJoinURL(nil, computerGUID), strings.NewReader(body))
		if status, answer := w.do(w.entra.DRS, r); status >= http.StatusInternalServerError {
			t.Fatalf("the service broke: %s", answer)
		}
	})
}
