package odj_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/internal/rig"
	"windtunnel.test/fakeintune/odj"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/pki"
	wire "windtunnel.test/sim/wire/connector"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	blob "windtunnel.test/sim/wire/odj"
)

const domain = "corp.contoso.com"

// world is a rig with the connectors' surface.
type world struct {
	*rig.Rig
	*gomega.WithT
	service *odj.Service
}

func newWorld(t *testing.T) *world {
	r := rig.New(t)
	authorities, err := authority.New(r.Service)
	g := gomega.NewWithT(t)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	return &world{r, g, odj.New(odj.Options{Tenants: r.Service, Authorities: authorities})}
}

// server is a connector as the surface sees one.
type server struct {
	w    *world
	cert *x509.Certificate
	id   string
}

// post sends a message, and gives the status and what came.
func (w *world) post(cert *x509.Certificate, path, token string, in, out any) int {
	w.T.Helper()
	body, raw := in.([]byte)
	if !raw {
		var err error
		body, err = json.Marshal(in)
		w.Expect(err).NotTo(gomega.HaveOccurred())
	}
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	rec := w.With(cert, w.service, http.MethodPost, "https://"+hosts.ODJConnector+path, header, body)
	if out != nil {
		w.Expect(json.Unmarshal(rec.Body.Bytes(), out)).To(gomega.Succeed(), rec.Body.String())
	}
	return rec.Code
}

// enrol makes a connector of a tenant.
func (w *world) enrol(tenantID, name, ofDomain string) server {
	w.T.Helper()
	var got wire.Enrolled
	w.Expect(w.post(nil, wire.PathEnrol, w.Token(tenantID, odj.Permission), w.request(name, ofDomain, wire.Newest.String()), &got)).To(gomega.Equal(http.StatusOK))
	cert, err := x509.ParseCertificate(got.Certificate)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	return server{w, cert, got.ConnectorID}
}

func (w *world) request(name, ofDomain, version string) wire.Enrol {
	return wire.Enrol{Name: name, Domain: ofDomain, Version: version, CSR: w.CSR(pki.Key(7, name))}
}

// poll gives the requests that a connector gets.
func (s server) poll() []wire.Request {
	s.w.T.Helper()
	var work wire.Work
	s.w.Expect(s.w.post(s.cert, wire.PathPoll, "", wire.Poll{Version: wire.Newest.String(), Domain: domain}, &work)).To(gomega.Equal(http.StatusOK))
	return work.Requests
}

// ask has a device ask for a domain join.
func (w *world) ask(t *tenant.Tenant, device string) tenant.DomainJoin {
	w.T.Helper()
	d, err := t.RequestDomainJoin(w.T.Context(), device, graph.DeviceConfiguration{ID: "profile", DomainJoin: &graph.DomainJoin{
		ComputerNameStaticPrefix: "AP-", ActiveDirectoryDomainName: "Corp.Contoso.com", OrganizationalUnit: "OU=A,DC=corp,DC=contoso,DC=com"}})
	w.Expect(err).NotTo(gomega.HaveOccurred())
	return d
}

// made is a blob of a computer.
func (w *world) made(name, ofDomain string) []byte {
	b, err := blob.Encode(blob.Win7{Domain: ofDomain, MachineName: name, MachinePassword: "secret", DNSDomain: blob.DomainInfo{DNS: ofDomain}})
	w.Expect(err).NotTo(gomega.HaveOccurred())
	return b
}

func TestEnrol(t *testing.T) {
	w := newWorld(t)
	s := w.enrol(rig.TenantID, "server1", domain)
	c, err := w.Tenant.Connector(s.id)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.Expect([]string{c.Name, c.Domain, c.Version}).To(gomega.Equal([]string{"server1", domain, wire.Newest.String()}))
	w.Expect(s.poll()).To(gomega.BeEmpty())
	// It is enrolled again, and the old certificate proves nothing any more.
	again := w.enrol(rig.TenantID, "server1", domain)
	w.Expect(w.post(s.cert, wire.PathPoll, "", wire.Poll{Version: wire.Newest.String(), Domain: domain}, nil)).To(gomega.Equal(http.StatusForbidden))
	w.Expect(again.poll()).To(gomega.BeEmpty())
	w.Expect(w.Tenant.Connectors()).To(gomega.HaveLen(1))
	w.Pass(31 * 24 * time.Hour)
	w.Expect(w.Tenant.Connectors()).To(gomega.BeEmpty(), "inactive connectors go after 30 days")
}

func TestEnrolRefuses(t *testing.T) {
	w := newWorld(t)
	good := w.request("server1", domain, wire.Newest.String())
	admin := w.Token(rig.TenantID, odj.Permission)
	for _, tc := range []struct {
		name, token string
		in          any
		status      int
		code        string
	}{
		{"no token", "", good, 401, wire.CodeToken}, {"forged", w.ForgedToken(rig.TenantID, odj.Permission), good, 401, wire.CodeToken},
		{"no customer", w.Token("99999999-1111-4111-8111-111111111111", odj.Permission), good, 401, wire.CodeToken},
		{"no administrator", w.Token(rig.TenantID, "DeviceManagementApps.Read.All"), good, 403, wire.CodeForbidden},
		{"no JSON", admin, []byte("{"), 400, wire.CodeInvalid}, {"no request", admin, wire.Enrol{Name: "a", Domain: domain, Version: wire.Newest.String()}, 400, wire.CodeInvalid},
		{"long", admin, []byte(strings.Repeat(" ", wire.MaxBody+1)), 413, wire.CodeInvalid},
	} {
		var r wire.Refusal
		w.Expect(w.post(nil, wire.PathEnrol, tc.token, tc.in, &r)).To(gomega.Equal(tc.status), tc.name)
		w.Expect(r.Code).To(gomega.Equal(tc.code), tc.name)
	}
	w.Expect(w.post(nil, "/elsewhere", admin, good, nil)).To(gomega.Equal(404))
	w.Expect(w.Tenant.Connectors()).To(gomega.BeEmpty())
}

// Versions before the managed service account are served no more.
func TestOldConnector(t *testing.T) {
	w := newWorld(t)
	var r wire.Refusal
	w.Expect(w.post(nil, wire.PathEnrol, w.Token(rig.TenantID, odj.Permission), w.request("old", domain, "6.2204.38.3"), &r)).To(gomega.Equal(403))
	w.Expect(r.Code).To(gomega.Equal(wire.CodeVersion))
	s := w.enrol(rig.TenantID, "server1", domain)
	w.ask(w.Tenant, "d1")
	for version, status := range map[string]int{"6.2501.2000.4": 403, "6.2501.2000.5": 200, "newest": 400} {
		w.Expect(w.post(s.cert, wire.PathPoll, "", wire.Poll{Version: version, Domain: domain}, &r)).To(gomega.Equal(status), version)
	}
}

// Each request goes to one connector of its domain and customer.
func TestConnectorsShareTheRequests(t *testing.T) {
	w := newWorld(t)
	one, two := w.enrol(rig.TenantID, "server1", domain), w.enrol(rig.TenantID, "server2", domain)
	other, far := w.enrol(rig.OtherID, "server1", domain), w.enrol(rig.TenantID, "server3", "emea.contoso.com")
	for _, d := range []string{"d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9", "d10", "d11", "d12"} {
		w.ask(w.Tenant, d)
		w.ask(w.Tenant, d) // still the same
	}
	first, second := one.poll(), two.poll()
	w.Expect(first).To(gomega.HaveLen(10))
	w.Expect(second).To(gomega.HaveLen(2))
	w.Expect(first[0]).To(gomega.Equal(wire.Request{ID: first[0].ID, DeviceID: first[0].DeviceID, Domain: domain, OrganizationalUnit: "OU=A,DC=corp,DC=contoso,DC=com",
		NamePrefix: "AP-", RandomCharacters: 12, Lease: w.Clock.Now().Add(w.Service.Timing.Hybrid.ConnectorLease)}))
	w.Expect(one.poll()).To(gomega.BeEmpty())
	w.Expect(other.poll()).To(gomega.BeEmpty())
	w.Expect(w.post(far.cert, wire.PathPoll, "", wire.Poll{Version: wire.Newest.String(), Domain: domain}, nil)).To(gomega.Equal(403), "not the domain that it enrolled for")
}

// A connector that is ready to wait is answered when there is something, when
// another one's lease ends, or when it has waited for as long as Intune lets it.
func TestPollIsHeld(t *testing.T) {
	w := newWorld(t)
	one, two := w.enrol(rig.TenantID, "server1", domain), w.enrol(rig.TenantID, "server2", domain)
	timing := w.Service.Timing.Hybrid
	hold := func(s server, wait time.Duration) (requests []wire.Request, after time.Duration) {
		t.Helper()
		var work wire.Work
		began := w.Clock.Now()
		m := wire.Poll{Version: wire.Newest.String(), Domain: domain, Wait: int(wait / time.Second)}
		w.Expect(w.post(s.cert, wire.PathPoll, "", m, &work)).To(gomega.Equal(http.StatusOK))
		return work.Requests, w.Clock.Now().Sub(began)
	}
	for wait, want := range map[time.Duration]time.Duration{-time.Hour: 0, 0: 0, time.Minute: time.Minute, 1 << 62: timing.ConnectorHold} {
		requests, after := hold(one, wait)
		w.Expect(requests).To(gomega.BeEmpty())
		w.Expect(after).To(gomega.Equal(want), "%s", wait)
	}
	w.Clock.AfterFunc(t.Context(), time.Minute, "test", func(context.Context) { w.ask(w.Other, "elsewhere") })
	w.Clock.AfterFunc(t.Context(), 2*time.Minute, "test", func(context.Context) { w.ask(w.Tenant, "d1") })
	requests, after := hold(one, time.Hour)
	w.Expect(requests).To(gomega.HaveLen(1))
	w.Expect(after).To(gomega.Equal(2 * time.Minute))
	requests, after = hold(two, time.Hour)
	w.Expect(requests).To(gomega.HaveLen(1), "the first has not brought it to an end")
	w.Expect(after).To(gomega.Equal(timing.ConnectorLease))
	w.Clock.AfterFunc(t.Context(), time.Minute, "test", func(context.Context) {
		c, err := w.Tenant.Connector(two.id)
		w.Expect(err).NotTo(gomega.HaveOccurred())
		w.Expect(w.Tenant.DomainJoinFailed(t.Context(), c, requests[0].ID, 5, 0x800, "no", false)).To(gomega.Succeed())
	})
	requests, after = hold(one, time.Hour)
	w.Expect(requests).To(gomega.HaveLen(1), "another try")
	w.Expect(after).To(gomega.Equal(time.Minute))
}

// Over real connections a poll that is held ends with its client, and one whose
// request comes is answered.
func TestPollIsHeldOverRealConnections(t *testing.T) {
	g := gomega.NewWithT(t)
	service := tenant.New(tenant.Options{Tokens: anybody{}})
	customer, err := service.Add(rig.TenantID, "contoso.com")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	authorities, err := authority.New(service)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	w := &world{&rig.Rig{T: t, Service: service, Tenant: customer}, g, odj.New(odj.Options{Tenants: service, Authorities: authorities})}
	began, ended := make(chan bool), make(chan bool)
	var cert *x509.Certificate
	here := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == wire.PathPoll {
			r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
			began <- true
			defer func() { ended <- true }()
		}
		w.service.ServeHTTP(rw, r)
	}))
	t.Cleanup(here.Close)
	post := func(ctx context.Context, path string, in, out any) error {
		body, err := json.Marshal(in)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, here.URL+path, bytes.NewReader(body))
		g.Expect(err).NotTo(gomega.HaveOccurred())
		r.Header.Set("Authorization", "Bearer any")
		resp, err := here.Client().Do(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		return json.NewDecoder(resp.Body).Decode(out)
	}
	var enrolled wire.Enrolled
	g.Expect(post(t.Context(), wire.PathEnrol, w.request("server1", domain, wire.Newest.String()), &enrolled)).To(gomega.Succeed())
	cert, err = x509.ParseCertificate(enrolled.Certificate)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	poll := wire.Poll{Version: wire.Newest.String(), Domain: domain, Wait: 600}
	ctx, leave := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() { failed <- post(ctx, wire.PathPoll, poll, new(wire.Work)) }()
	<-began
	leave()
	g.Expect(<-failed).To(gomega.MatchError(context.Canceled))
	<-ended
	var work wire.Work
	go func() { failed <- post(t.Context(), wire.PathPoll, poll, &work) }()
	<-began
	w.ask(customer, "d1")
	<-ended
	g.Expect(<-failed).To(gomega.Succeed())
	g.Expect(work.Requests).To(gomega.HaveLen(1))
}

// anybody is the customer's administrator.
type anybody struct{}

func (anybody) Verify(context.Context, string, string, time.Time) (tenant.Claims, error) {
	return tenant.Claims{TenantID: rig.TenantID, Roles: []string{odj.Permission}}, nil
}

func TestBlob(t *testing.T) {
	w := newWorld(t)
	one, two, other := w.enrol(rig.TenantID, "server1", domain), w.enrol(rig.TenantID, "server2", domain), w.enrol(rig.OtherID, "server1", domain)
	d := w.ask(w.Tenant, "d1")
	send := func(s server, m wire.Blob) (int, string) {
		var r wire.Refusal
		status := w.post(s.cert, wire.PathBlob, "", m, &r)
		return status, r.Code
	}
	good := wire.Blob{RequestID: d.ID, ComputerName: "AP-1", Blob: w.made("AP-1", domain)}
	refused := func(s server, m wire.Blob, status int, code string) {
		t.Helper()
		got, why := send(s, m)
		w.Expect(got).To(gomega.Equal(status))
		w.Expect(why).To(gomega.Equal(code))
	}
	refused(one, good, 409, wire.CodeLease) // nobody has taken it
	w.Expect(one.poll()).To(gomega.HaveLen(1))
	refused(two, good, 409, wire.CodeLease)
	refused(other, good, 404, wire.CodeUnknown)
	refused(one, wire.Blob{RequestID: d.ID, ComputerName: "AP-2", Blob: good.Blob}, 400, wire.CodeBlob)
	refused(one, wire.Blob{RequestID: d.ID, ComputerName: "AP-1", Blob: w.made("AP-1", "elsewhere.com")}, 400, wire.CodeBlob)
	refused(one, wire.Blob{RequestID: d.ID, ComputerName: "AP-1", Blob: []byte("blob")}, 400, wire.CodeBlob)
	refused(one, wire.Blob{RequestID: d.ID, ComputerName: "AP-1", Blob: make([]byte, wire.MaxBlob+1)}, 413, wire.CodeBlob)
	w.Expect(w.post(nil, wire.PathBlob, "", good, nil)).To(gomega.Equal(401), "no certificate")
	stranger, err := pki.NewRoot(w.Clock.Now(), 9, "Microsoft Intune Connector CA", pki.Options{})
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.Expect(w.post(stranger.Cert, wire.PathBlob, "", good, nil)).To(gomega.Equal(403), "of another authority")

	status, _ := send(one, good)
	w.Expect(status).To(gomega.Equal(200))
	now, _ := w.Tenant.DomainJoinOf("d1")
	w.Expect(now.State).To(gomega.Equal(tenant.JoinReady))
	w.Expect(now.Blob).To(gomega.Equal(good.Blob))
	refused(one, good, 409, wire.CodeLease) // once is enough
	w.Expect(w.Tenant.DomainJoinDelivered(t.Context(), d.ID, true)).To(gomega.Succeed())
	now, _ = w.Tenant.DomainJoinOf("d1")
	w.Expect(now.Blob).To(gomega.BeNil(), "the password is not kept")
	w.Expect(w.ask(w.Tenant, "d1").ID).To(gomega.Equal(d.ID))
}

func TestFailure(t *testing.T) {
	w := newWorld(t)
	s := w.enrol(rig.TenantID, "server1", domain)
	d := w.ask(w.Tenant, "d1")
	fail := func(final bool) tenant.DomainJoin {
		t.Helper()
		w.Expect(s.poll()).To(gomega.HaveLen(1))
		w.Expect(w.post(s.cert, wire.PathFailure, "", wire.Failure{RequestID: d.ID, ErrorCode: 5, DiagnosticCode: 0x800, DiagnosticText: "no", Final: final}, nil)).To(gomega.Equal(200))
		now, _ := w.Tenant.DomainJoinOf("d1")
		return now
	}
	w.Expect(fail(false).State).To(gomega.Equal(tenant.JoinWaiting))
	w.Expect(fail(false).State).To(gomega.Equal(tenant.JoinWaiting))
	last := fail(false)
	w.Expect(last.State).To(gomega.Equal(tenant.JoinFailed), "three tries")
	w.Expect(last.ErrorCode).To(gomega.BeEquivalentTo(5))
	w.Expect(s.poll()).To(gomega.BeEmpty())
	// The device's next sessions don't bring a storm of them; one a while later asks
	// anew, as after "Retry", and that fails for good at once.
	w.Expect(w.ask(w.Tenant, "d1").ID).To(gomega.Equal(d.ID))
	w.Pass(w.Service.Timing.Hybrid.JoinRetry)
	first := d.ID
	d = w.ask(w.Tenant, "d1")
	w.Expect(d.ID).NotTo(gomega.Equal(first))
	w.Expect(fail(true).State).To(gomega.Equal(tenant.JoinFailed))
}

// A connector that dies leaves its request to another one, and one that nobody
// brings to an end is given up.
func TestLease(t *testing.T) {
	w := newWorld(t)
	one, two := w.enrol(rig.TenantID, "server1", domain), w.enrol(rig.TenantID, "server2", domain)
	d := w.ask(w.Tenant, "d1")
	w.Expect(one.poll()).To(gomega.HaveLen(1))
	w.Expect(two.poll()).To(gomega.BeEmpty())
	w.Pass(w.Service.Timing.Hybrid.ConnectorLease)
	got := two.poll()
	w.Expect(got).To(gomega.HaveLen(1))
	w.Expect(got[0].Try).To(gomega.Equal(1))
	m := wire.Blob{RequestID: d.ID, ComputerName: "AP-1", Blob: w.made("AP-1", domain)}
	w.Expect(w.post(one.cert, wire.PathBlob, "", m, nil)).To(gomega.Equal(409), "it comes back too late")
	w.Expect(w.post(two.cert, wire.PathBlob, "", m, nil)).To(gomega.Equal(200))

	w.ask(w.Tenant, "d2")
	for range w.Service.Timing.Hybrid.ConnectorTries {
		w.Expect(one.poll()).To(gomega.HaveLen(1))
		w.Pass(w.Service.Timing.Hybrid.ConnectorLease)
	}
	w.Expect(one.poll()).To(gomega.BeEmpty())
	failed := second(w.Tenant.DomainJoinOf("d2"))
	w.Expect(failed.State).To(gomega.Equal(tenant.JoinFailed))
	w.Pass(w.Service.Timing.Hybrid.JoinRetry)
	w.Expect(w.ask(w.Tenant, "d2").ID).NotTo(gomega.Equal(failed.ID))
	w.Expect(one.poll()).To(gomega.HaveLen(1))
	// A blob that the device could not apply is no better.
	d = w.ask(w.Tenant, "d4")
	w.Expect(one.poll()).To(gomega.HaveLen(1))
	w.Expect(w.post(one.cert, wire.PathBlob, "", wire.Blob{RequestID: d.ID, ComputerName: "AP-4", Blob: w.made("AP-4", domain)}, nil)).To(gomega.Equal(200))
	w.Expect(w.Tenant.DomainJoinDelivered(t.Context(), d.ID, false)).To(gomega.Succeed())
	w.Expect(w.ask(w.Tenant, "d4").ID).To(gomega.Equal(d.ID))
	w.Pass(w.Service.Timing.Hybrid.JoinRetry)
	w.Expect(w.ask(w.Tenant, "d4").ID).NotTo(gomega.Equal(d.ID))

	w.ask(w.Tenant, "d3")
	w.Pass(w.Service.Timing.Hybrid.JoinRequestLife)
	w.Expect(one.poll()).To(gomega.BeEmpty())
	w.Expect(second(w.Tenant.DomainJoinOf("d3")).State).To(gomega.Equal(tenant.JoinExpired))
}

func second(d tenant.DomainJoin, _ bool) tenant.DomainJoin { return d }
