package fakeentra_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeentra"
	"windtunnel.test/fakeentra/drs"
	"windtunnel.test/fakeentra/service"
	"windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/pki"
	wire "windtunnel.test/sim/wire/drs"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/oauth"
)

func TestContract(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	url := "https://" + wire.Host + "/enrollmentserver/Contract?api-version="
	for version, joins := range map[string]bool{"1.0": false, "1.2": true} {
		status, body := w.get(w.entra.DRS, url+version)
		g.Expect(status).To(Equal(http.StatusOK))
		var doc wire.Contract
		g.Expect(xml.Unmarshal(body, &doc)).To(Succeed())
		g.Expect(doc.DeviceRegistrationService.RegistrationResourceID).To(Equal(wire.Resource))
		g.Expect(doc.DeviceJoinService != nil).To(Equal(joins))
		if joins {
			g.Expect(doc.WebBrowserZones.Intranet.Endpoints).To(HaveLen(1))
		}
	}
	r := httptest.NewRequest("GET", url+"1.2", nil)
	r.Header.Set("Accept", "application/json")
	_, body := w.do(w.entra.DRS, r)
	g.Expect(string(body)).To(ContainSubstring(`"KeyProvisionResourceId":"` + wire.Resource))
	status, _ := w.get(w.entra.DRS, url+"7.0")
	g.Expect(status).To(Equal(http.StatusBadRequest))
	w.refused("drs", "api-version")
	status, _ = w.get(w.entra.DRS, "https://"+wire.Host+"/contoso.com/Discover?api-version=9.9")
	g.Expect(status).To(Equal(http.StatusBadRequest))
	w.refused("drs", "api-version")
}

// TestJoinsInOtherForms: what open clients send, and what has its place in the
// list of keys of version 3.
func TestJoinsInOtherForms(t *testing.T) {
	w := newWorld(t)
	p := w.pc(0)
	token := "Bearer " + w.userToken(oauth.ResourceDRS)
	jwk, err := json.Marshal(map[string]string{"kty": "RSA", "n": base64.RawURLEncoding.EncodeToString(p.transport.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(p.transport.E)).Bytes())})
	must(t, err)
	for name, c := range map[string]struct {
		path   string
		change func(map[string]any)
		trust  string
	}{
		"version 1.0": {"device?api-version=1.0", func(map[string]any) {}, graph.TrustEntra},
		"no version":  {"device/", func(map[string]any) {}, graph.TrustEntra},
		"version 2.0": {"DEVICE/?api-version=2.0", func(m map[string]any) { m["JoinType"] = 8 }, graph.TrustEntra},
		"registered":  {"device/?api-version=2.0", func(m map[string]any) { m["JoinType"] = 4 }, graph.TrustWorkplace},
		"key list": {"device/?api-version=3.0", func(m map[string]any) {
			m["DeviceKeys"] = []any{map[string]any{"KeyType": "TransportKey", "KeyData": m["TransportKey"]}}
			delete(m, "TransportKey")
		}, graph.TrustEntra},
		"JSON web key": {"device/?api-version=2.0", func(m map[string]any) { m["TransportKey"] = base64.StdEncoding.EncodeToString(jwk) }, graph.TrustEntra},
		"booleans, big letter": {"device/?api-version=2.0", func(m map[string]any) {
			delete(m, "attributes")
			m["Attributes"] = map[string]any{"ReuseDevice": true, "ReturnClientSid": true, "SharedDevice": false}
		}, graph.TrustEntra},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var m map[string]any
			body, err := json.Marshal(p.joinRequest())
			must(t, err)
			must(t, json.Unmarshal(body, &m))
			c.change(m)
			body, err = json.Marshal(m)
			must(t, err)
			r := httptest.NewRequest("POST", "https://"+wire.Host+"/EnrollmentServer/"+c.path, bytes.NewReader(body))
			r.Header.Set("Authorization", token)
			status, answer := w.do(w.entra.DRS, r)
			g.Expect(status).To(Equal(http.StatusOK), string(answer))
			p.take(func() *wire.JoinResponse { out := decoded[wire.JoinResponse](t, answer); return &out }())
			d, err := w.entra.Directory.Device(tenantID, p.device)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(d.TrustType).To(Equal(c.trust))
			g.Expect(d.TransportKey).To(Equal(wire.EncodeRSA1(&p.transport.PublicKey)))
			g.Expect(d.Ownership()).To(Equal(map[string]string{graph.TrustEntra: "Company", graph.TrustWorkplace: "Personal"}[c.trust]))
		})
	}
}

func TestWhoMayJoin(t *testing.T) {
	g := NewWithT(t)
	w := newWorld(t)
	p := w.pc(0)
	token := w.userToken(oauth.ResourceDRS)
	set := func(change func(*tenant.Tenant)) {
		contoso, err := w.entra.Directory.Tenant(tenantID)
		must(t, err)
		change(&contoso)
		must(t, w.entra.Directory.SetTenant(contoso))
	}
	try := func(kind wire.JoinType) *wire.ErrorDetails {
		r := p.joinRequest()
		r.JoinType = kind
		_, refused := p.sendJoin(r, "Authorization", "Bearer "+token)
		return refused
	}
	grp, err := w.entra.Directory.PutGroup(tenantID, graph.DirectoryGroup{DisplayName: "Joiners"})
	g.Expect(err).NotTo(HaveOccurred())
	set(func(t *tenant.Tenant) {
		t.Join, t.Register = tenant.Allowed{Kind: tenant.AllowSelected, Groups: []string{grp.Resource.ID}}, tenant.Allowed{Kind: tenant.AllowNone}
	})
	g.Expect(try(wire.JoinEntra).HResult()).To(Equal(hresult.JoinAuthorization))
	w.refused("drs", "join permission")
	u, err := w.entra.Directory.User(tenantID, adele)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(w.entra.Directory.SetMember(tenantID, grp.Resource.ID, u.Resource.ID, true)).To(Succeed())
	g.Expect(try(wire.JoinEntra)).To(BeNil())
	g.Expect(try(wire.JoinRegister).HResult()).To(Equal(hresult.JoinAuthorization))
	set(func(t *tenant.Tenant) { t.JoinMFA = true })
	g.Expect(try(wire.JoinEntra).HResult()).To(Equal(hresult.JoinAuthorization))
	w.refused("drs", "join multifactor")
	g.Expect(try(wire.JoinHybrid).HResult()).To(Equal(hresult.JoinMessageFormat))
}

// claimed verifies every token as one of these claims.
type claimed struct{ c oauth.Claims }

func (v claimed) VerifyToken(token, audience string, _ time.Time) (*oauth.Claims, error) {
	if token == "" || !oauth.SameAudience(v.c.Audience, audience) {
		return nil, errors.New("no token")
	}
	return &v.c, nil
}

func TestHelloKeyRegistration(t *testing.T) {
	g := NewWithT(t)
	p := joined(t)
	u, err := p.entra.Directory.User(tenantID, adele)
	g.Expect(err).NotTo(HaveOccurred())
	good := oauth.Claims{Audience: oauth.ResourceDRS, TenantID: tenantID, ObjectID: u.Resource.ID, DeviceID: p.device, AuthMethods: []string{"pwd", "rsa", "ngcmfa"}}
	blob := wire.EncodeRSA1(&pki.RSAKey(keyHello).PublicKey)
	body := `{"kngc":"` + base64.StdEncoding.EncodeToString(blob) + `"}`
	post := func(c oauth.Claims, body string) (int, []byte, *drs.Service) {
		s := drs.New(drs.Options{Options: service.Options{Seed: 1, Now: func() time.Time { return p.now }}, Directory: p.entra.Directory, Tokens: claimed{c}})
		r := httptest.NewRequest("POST", "https://"+wire.Host+"/EnrollmentServer/key/?api-version=1.0", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer token")
		status, answer := p.do(s, r)
		return status, answer, s
	}
	status, answer, _ := post(good, body)
	g.Expect(status).To(Equal(http.StatusOK), string(answer))
	key := decoded[wire.KeyResponse](t, answer)
	g.Expect(key.UPN).To(Equal(adele))
	stored, err := p.entra.Directory.HelloKey(tenantID, u.Resource.ID, p.device, wire.KeyID(blob))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(stored.ID).To(Equal(key.KeyID))

	for name, c := range map[string]struct {
		change func(*oauth.Claims)
		body   string
		want   hresult.Code
	}{
		"no second factor":  {func(c *oauth.Claims) { c.AuthMethods = []string{"pwd", "rsa"} }, body, hresult.JoinAuthorization},
		"no device":         {func(c *oauth.Claims) { c.DeviceID = "" }, body, hresult.JoinDirectoryFailure},
		"another's device":  {func(c *oauth.Claims) { c.TenantID = strangeID; c.ObjectID = "adele@fabrikam.com" }, body, hresult.JoinDirectoryFailure},
		"other audience":    {func(c *oauth.Claims) { c.Audience = oauth.ResourceGraph }, body, hresult.JoinAuthentication},
		"no such user":      {func(c *oauth.Claims) { c.ObjectID = "x" }, body, hresult.JoinAuthentication},
		"no key":            {func(*oauth.Claims) {}, `{}`, hresult.JoinMessageFormat},
		"a body of no JSON": {func(*oauth.Claims) {}, `<key/>`, hresult.JoinMessageFormat},
		"too long":          {func(*oauth.Claims) {}, `{"kngc":"` + strings.Repeat("A", 1<<20) + `"}`, hresult.JoinMessageFormat},
	} {
		claims := good
		c.change(&claims)
		status, answer, _ := post(claims, c.body)
		g.Expect(status).NotTo(Equal(http.StatusOK), name)
		refused := decoded[wire.ErrorDetails](t, answer)
		g.Expect(refused.HResult()).To(Equal(c.want), name)
	}
	// A real token of a password is not one for keys.
	r := httptest.NewRequest("POST", "https://"+wire.Host+"/EnrollmentServer/key/?api-version=1.0", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+p.userToken(oauth.ResourceDRS))
	status, _ = p.do(p.entra.DRS, r)
	g.Expect(status).To(Equal(http.StatusBadRequest))
	p.refused("drs", "multifactor")
}

// TestErrorTable: each result that the registration service can cause at a
// device is caused once, over the wire.
func TestErrorTable(t *testing.T) {
	for want, cause := range map[hresult.Code]func(*pc) *wire.ErrorDetails{
		hresult.JoinMessageFormat: func(p *pc) *wire.ErrorDetails {
			r := p.joinRequest()
			r.TransportKey = []byte("RSA1")
			_, e := p.sendJoin(r, "Authorization", "Bearer "+p.userToken(oauth.ResourceDRS))
			return e
		},
		hresult.JoinAuthentication: func(p *pc) *wire.ErrorDetails {
			_, e := p.sendJoin(p.joinRequest(), "Authorization", "Bearer forged")
			return e
		},
		hresult.JoinAuthorization: func(p *pc) *wire.ErrorDetails {
			contoso, err := p.entra.Directory.Tenant(tenantID)
			must(p.t, err)
			contoso.JoinDenied = true
			must(p.t, p.entra.Directory.SetTenant(contoso))
			_, e := p.sendJoin(p.joinRequest(), "Authorization", "Bearer "+p.userToken(oauth.ResourceDRS))
			return e
		},
		hresult.JoinQuotaReached: func(p *pc) *wire.ErrorDetails {
			contoso, err := p.entra.Directory.Tenant(tenantID)
			must(p.t, err)
			contoso.DevicesPerUser = 1
			must(p.t, p.entra.Directory.SetTenant(contoso))
			token := "Bearer " + p.userToken(oauth.ResourceDRS)
			_, e := p.sendJoin(p.joinRequest(), "Authorization", token)
			NewWithT(p.t).Expect(e).To(BeNil())
			_, e = p.sendJoin(p.joinRequest(), "Authorization", token)
			return e
		},
		hresult.JoinTenantNotFound: func(p *pc) *wire.ErrorDetails {
			status, body := p.get(p.entra.DRS, "https://"+hosts.Registration+"/nowhere.test/Discover?api-version=1.9")
			NewWithT(p.t).Expect(status).To(Equal(http.StatusBadRequest))
			var e wire.ErrorDetails
			must(p.t, json.Unmarshal(body, &e))
			NewWithT(p.t).Expect(wire.DiscoveryResult(status, &e)).To(Equal(hresult.JoinTenantNotFound))
			return &e
		},
		hresult.JoinAIKValidation: func(p *pc) *wire.ErrorDetails {
			return p.deviceJoin(func(r *wire.JoinRequest) { r.AikCertificate = p.ekCert })
		},
		hresult.JoinAttestation: func(p *pc) *wire.ErrorDetails {
			return p.deviceJoin(func(r *wire.JoinRequest) { r.AttestationData = []byte("KADS") })
		},
		hresult.JoinServerNotAuthorized: func(p *pc) *wire.ErrorDetails {
			d, err := p.entra.Directory.ByHardware(tenantID, "", must2(service.EKHash(p.chip.ekPublic)))
			must(p.t, err)
			must(p.t, p.entra.Directory.Unregister(tenantID, d.ZTDID()))
			return p.deviceJoin(func(*wire.JoinRequest) {})
		},
		hresult.JoinDeviceObjectDeleted: func(p *pc) *wire.ErrorDetails {
			d, err := p.entra.Directory.ByHardware(tenantID, "", must2(service.EKHash(p.chip.ekPublic)))
			must(p.t, err)
			must(p.t, p.entra.Directory.Delete(tenantID, d.DeviceID))
			return p.deviceJoin(func(*wire.JoinRequest) {})
		},
		hresult.JoinDirectoryFailure: func(p *pc) *wire.ErrorDetails {
			// A certificate outlives its object: the device is not found.
			p.joinAsDevice()
			must(p.t, p.entra.Directory.Delete(tenantID, p.device))
			status, body := p.leave(p.device, p.cert)
			NewWithT(p.t).Expect(status).To(Equal(http.StatusBadRequest))
			var e wire.ErrorDetails
			must(p.t, json.Unmarshal(body, &e))
			return &e
		},
	} {
		t.Run(want.Hex(), func(t *testing.T) {
			g := NewWithT(t)
			p := newWorld(t).pc(0).ready()
			p.register()
			e := cause(p)
			g.Expect(e).NotTo(BeNil())
			g.Expect(e.HResult()).To(Equal(want), e.Error())
			g.Expect(e.TraceID).NotTo(BeEmpty())
		})
	}
}

func must2[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// deviceJoin is a technician's join with a change.
func (p *pc) deviceJoin(change func(*wire.JoinRequest)) *wire.ErrorDetails {
	p.t.Helper()
	nonce := p.nonce()
	r := p.attested(p.joinRequest(), nonce)
	r.Attributes.DeviceTicket = []byte(p.ticket(true))
	change(r)
	_, refused := p.sendJoin(r, wire.HeaderNonce, nonce)
	return refused
}

// TestServiceResults: results that no request can cause, and those of a failed
// discovery.
func TestServiceResults(t *testing.T) {
	g := NewWithT(t)
	for code, want := range map[string]hresult.Code{wire.InternalServerError: hresult.JoinInternalService, wire.ServiceBusy: hresult.JoinServerBusy, "New": hresult.JoinInternalService} {
		e := wire.NewError(code, "", "DeviceJoin", "", "id", time.Time{})
		g.Expect(e.HResult()).To(Equal(want))
	}
	g.Expect(wire.DiscoveryResult(http.StatusServiceUnavailable, nil)).To(Equal(hresult.JoinServerBusy))
	g.Expect(wire.DiscoveryResult(0, nil)).To(Equal(hresult.AutoJoinDiscoveryTimeout))
	g.Expect(wire.DiscoveryResult(http.StatusInternalServerError, nil)).To(Equal(hresult.AutoJoinDiscoveryFailed))
}

// TestDeviceOfAnotherTenant: a certificate of one tenant's device opens nothing
// in another, whoever issued it.
func TestDeviceOfAnotherTenant(t *testing.T) {
	g := NewWithT(t)
	p := joined(t)
	stranger := newWorld(t, func(o *fakeentra.Options) { o.Seed = 2 })
	_, err := stranger.entra.DRS.Device(parse(t, p.cert), p.now)
	g.Expect(err).To(MatchError(drs.ErrCertificate), "another authority's")
	r := httptest.NewRequest(http.MethodDelete, wire.DeviceURL(nil, p.device), nil)
	status, body := stranger.do(stranger.entra.DRS, withCert(r, parse(t, p.cert)))
	g.Expect(status).To(Equal(http.StatusBadRequest))
	g.Expect(decoded[wire.ErrorDetails](t, body).Code).To(Equal(wire.AuthenticationError))
	_, err = p.entra.Directory.Device(strangeID, p.device)
	g.Expect(err).To(MatchError(tenant.ErrNoDevice))
	status, _ = p.do(p.entra.DRS, httptest.NewRequest(http.MethodPut, "https://"+wire.Host+"/EnrollmentServer/device/x", io.NopCloser(strings.NewReader("{}"))))
	g.Expect(status).To(Equal(http.StatusBadRequest))
}

// FuzzKeyRequest sends any body to key registration.
func FuzzKeyRequest(f *testing.F) {
	f.Add([]byte(`{"kngc":"UlNBMQ=="}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, key, err := wire.ParseKeyRequest(body)
		if err == nil && key.N.Sign() <= 0 {
			t.Fatal("a key without a modulus")
		}
	})
}
