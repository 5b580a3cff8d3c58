// Package rig is a small world for the tests of fakeintune: a virtual clock, a
// directory whose groups follow rules, issuers of tokens and device tickets,
// and PCs' hardware hashes. Only tests import it.
package rig

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/store/sqlite"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/hwhash"
	"windtunnel.test/sim/wire/msa"
	"windtunnel.test/sim/wire/oauth"
)

// Tenants of a rig.
const (
	TenantID = "11111111-1111-4111-8111-111111111111"
	OtherID  = "22222222-2222-4222-8222-222222222222"
	Domain   = "contoso.example"
)

// Rig is the world.
type Rig struct {
	T         testing.TB
	Clock     *vclock.Virtual
	Events    *journal.Memory
	Service   *tenant.Service
	Tenant    *tenant.Tenant // of TenantID
	Other     *tenant.Tenant // of OtherID
	Directory *Directory

	signer  *oauth.Signer
	keys    *oauth.JWKS
	tickets *ecdsa.PrivateKey
}

// New makes a world.
func New(t testing.TB) *Rig { return begin(t, vclock.DefaultStart, nil) }

// Kept is New with rows that outlive it, in a file.
func Kept(t testing.TB, path string) *Rig { return begin(t, vclock.DefaultStart, open(t, path)) }

// After is the world in which another process goes on with the rows of a file,
// that much later than where r was left. The directory goes on as well; what r
// had planned does not.
func (r *Rig) After(d time.Duration, path string) *Rig {
	r.T.Helper()
	r.Clock.Stop()
	r.must(r.Service.DB.Close())
	next := begin(r.T, r.Clock.Now().Add(d), open(r.T, path))
	r.Directory.clock, next.Directory = next.Clock, r.Directory
	next.Service.Directory = r.Directory
	r.must(next.Service.DB.Err())
	return next
}

func open(t testing.TB, path string) *store.DB {
	t.Helper()
	db, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func begin(t testing.TB, start time.Time, db *store.DB) *Rig {
	t.Helper()
	clock := vclock.NewVirtual(vclock.Options{Seed: 7, Start: start})
	t.Cleanup(clock.Stop)
	r := &Rig{T: t, Clock: clock, Events: journal.NewMemory(0), tickets: pki.Key(7, "tickets")}
	r.signer = r.newSigner(0)
	r.keys = oauth.NewJWKS(r.signer)
	r.Directory = &Directory{Users: map[string]tenant.DirectoryUser{}, devices: map[string]tenant.AutopilotDevice{}, clock: clock}
	r.Service = tenant.New(tenant.Options{Clock: clock, Journal: journal.New(clock, r.Events), Seed: 7, DB: db, Since: vclock.DefaultStart,
		Directory: r.Directory, Tokens: tokens{r}, Tickets: tickets{r}})
	r.Tenant, r.Other = r.add(TenantID, Domain), r.add(OtherID, "fabrikam.example")
	return r
}

func (r *Rig) add(id, domain string) *tenant.Tenant {
	t, err := r.Service.Add(id, domain)
	r.must(err)
	return t
}

func (r *Rig) must(err error) {
	r.T.Helper()
	if err != nil {
		r.T.Fatal(err)
	}
}

// Do runs f as an actor, to its end.
func (r *Rig) Do(f func(ctx context.Context)) {
	r.T.Helper()
	r.Clock.Go(r.T.Context(), "test", f)
	r.must(r.Clock.Run(r.T.Context(), time.Time{}))
}

// Pass lets time pass, with all that is to happen in it.
func (r *Rig) Pass(d time.Duration) {
	r.T.Helper()
	r.Do(func(ctx context.Context) {
		if err := r.Clock.Sleep(ctx, d, "test"); err != nil {
			r.T.Error(err)
		}
	})
}

// Call sends a request with a JSON body (nil: none; []byte: as it is) and
// decodes the answer into out (nil: not).
func (r *Rig) Call(h http.Handler, method, address string, header http.Header, body, out any) *httptest.ResponseRecorder {
	r.T.Helper()
	var rec *httptest.ResponseRecorder
	r.Do(func(ctx context.Context) {
		raw, ok := body.([]byte)
		if !ok && body != nil {
			var err error
			raw, err = json.Marshal(body)
			if err != nil {
				r.T.Error(err)
			}
		}
		req := httptest.NewRequestWithContext(ctx, method, address, bytes.NewReader(raw))
		for k, v := range header {
			req.Header[k] = v
		}
		rec = httptest.NewRecorder()
		h.ServeHTTP(rec, req)
	})
	if out != nil {
		if err := json.Unmarshal(rec.Body.Bytes(), out); err != nil {
			r.T.Fatalf("%s %s: %d %s: %v", method, address, rec.Code, rec.Body, err)
		}
	}
	return rec
}

// Refusals lists the check of each refusal in the journal.
func (r *Rig) Refusals() []string {
	var out []string
	for _, e := range r.Events.Find(func(e journal.Event) bool { return e.Kind == journal.Refused }) {
		out = append(out, e.Text("check")+" "+e.Text("code"))
	}
	return out
}

func (r *Rig) newSigner(n int) *oauth.Signer {
	key := pki.RSAKey(n)
	ca, err := pki.NewRoot(r.Clock.Now(), 7, fmt.Sprintf("tokens %d", n), pki.Options{})
	r.must(err)
	cert, err := ca.Issue(r.Clock.Now(), &x509.Certificate{Subject: pkix.Name{CommonName: "tokens"}, NotAfter: r.Clock.Now().AddDate(10, 0, 0)}, &key.PublicKey)
	r.must(err)
	s, err := oauth.NewSigner(key, cert.Raw)
	r.must(err)
	return s
}

// Token makes an access token for Graph of a tenant's application with roles.
func (r *Rig) Token(tenantID string, roles ...string) string {
	return r.sign(r.signer, oauth.Claims{Audience: "https://graph.microsoft.com", TenantID: tenantID, Roles: roles})
}

// TokenFor makes one for another audience.
func (r *Rig) TokenFor(audience, tenantID string, roles ...string) string {
	return r.sign(r.signer, oauth.Claims{Audience: audience, TenantID: tenantID, Roles: roles})
}

// ForgedToken is one that nobody knows the key of.
func (r *Rig) ForgedToken(tenantID string, roles ...string) string {
	return r.sign(r.newSigner(1), oauth.Claims{Audience: "https://graph.microsoft.com", TenantID: tenantID, Roles: roles})
}

func (r *Rig) sign(s *oauth.Signer, c oauth.Claims) string {
	now := r.Clock.Now()
	c.Issuer, c.IssuedAt, c.NotBefore, c.Expires = oauth.Issuer(c.TenantID, "1.0"), now.Unix(), now.Unix(), now.Add(time.Hour).Unix()
	token, err := s.Sign(c)
	r.must(err)
	return token
}

// Ticket makes a device ticket of a PC, good for an hour.
func (r *Rig) Ticket(pc PC, validated bool) string {
	c := msa.Claims{Audience: msa.ScopeDeployment, PUID: "0018000000000001", HardwareID: msa.HardwareID(pc.Hardware.SMBIOS.UUID.String(), pc.Hardware.SMBIOS.Serial)}
	if validated {
		c.TPMValidated, c.EKHash = true, pc.EKHash()
	}
	ticket, err := msa.Issue(r.tickets, c, r.Clock.Now(), time.Hour)
	r.must(err)
	return ticket
}

// PC is hardware with its hash.
type PC struct{ Hardware hwhash.Hardware }

// NewPC makes the n-th PC.
func NewPC(n byte) PC {
	sum := sha256.Sum256([]byte{n})
	ek := bytes.Repeat(sum[:], 8)
	ek[0] |= 0x80
	return PC{hwhash.Hardware{
		OSVersion: hwhash.Version{Major: 10, Build: 26100}, Taken: vclock.DefaultStart, OSType: hwhash.OSFull, OSArch: hwhash.ArchX64, ToolFormat: 5,
		SMBIOS: hwhash.SMBIOS{UUID: hwhash.UUID(sum[:16]), Serial: fmt.Sprintf("PC-%03d", n), Manufacturer: "Contoso Devices", Product: "Aero 14 G3", SKU: "AE14G3", Family: "Aero"},
		TPM:    hwhash.TPMText{Version: "2.0", Level: "0", Revision: "1.38", VendorID: "IFX ", Firmware: "15.23"}.String(), EKModulus: ek, OfflineID: hwhash.OfflineIDFromEK(ek),
	}}
}

// Hash is the hardware hash.
func (p PC) Hash() []byte {
	b, err := hwhash.Encode(p.Hardware)
	if err != nil {
		panic(err) // the hardware above always fits
	}
	return b
}

// EKHash is how a device ticket names the endorsement key.
func (p PC) EKHash() string {
	spki, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: new(big.Int).SetBytes(p.Hardware.EKModulus), E: 65537})
	if err != nil {
		panic(err) // a modulus and 65537 always marshal
	}
	sum := sha256.Sum256(spki)
	return hex.EncodeToString(sum[:])
}

type tokens struct{ r *Rig }

func (t tokens) Verify(_ context.Context, token, audience string, now time.Time) (tenant.Claims, error) {
	c, err := oauth.Verify(t.r.keys, token, audience, now)
	if err != nil {
		return tenant.Claims{}, err
	}
	return tenant.Claims{TenantID: c.TenantID, ObjectID: c.ObjectID, UPN: c.UPN, DeviceID: c.DeviceID, Roles: c.Roles}, nil
}

type tickets struct{ r *Rig }

func (t tickets) VerifyTicket(_ context.Context, ticket string, now time.Time) (tenant.TicketInfo, error) {
	c, err := msa.Verify(ticket, &t.r.tickets.PublicKey, msa.ScopeDeployment, now)
	if err != nil {
		return tenant.TicketInfo{}, err
	}
	return tenant.TicketInfo{PUID: c.PUID, HardwareID: c.HardwareID, TPMValidated: c.TPMValidated, EKHash: c.EKHash}, nil
}
