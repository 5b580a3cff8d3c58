package connector_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/fakead"
	"windtunnel.test/fakead/connector"
	"windtunnel.test/fakead/directory"
	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/odj"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/ldap"
)

const (
	tenantID = "11111111-1111-4111-8111-111111111111"
	domain   = "corp.contoso.com"
	unit     = "OU=Autopilot,DC=corp,DC=contoso,DC=com"
	account  = "msaODJ12345$"
	password = "Conn3ctor's own"
)

// world is a network with an Intune that knows nothing but connectors, and a
// domain.
type world struct {
	*gomega.WithT
	t      *testing.T
	clock  *vclock.Virtual
	net    *vnet.Network
	events *journal.Memory
	log    *journal.Journal
	tenant *tenant.Tenant
	forest *fakead.Forest
	nic    *vnet.NIC
}

// tokens knows one administrator.
type tokens struct{}

var errToken = errors.New("not the administrator's token")

func (tokens) Verify(_ context.Context, token, _ string, _ time.Time) (tenant.Claims, error) {
	if token != "administrator" {
		return tenant.Claims{}, errToken
	}
	return tenant.Claims{TenantID: tenantID, Roles: []string{odj.Permission}}, nil
}

// newWorld makes one with a forest.
func newWorld(t *testing.T, o fakead.Options) *world { return newWorldAt(t, vnet.Direct, o) }

// newWorldAt is newWorld in one of the network's homes.
func newWorldAt(t *testing.T, home vnet.Home, o fakead.Options) *world {
	w := newIntune(t, home)
	o.Clock, o.Journal, o.Seed, o.Domain = w.clock, w.log, 7, domain
	if len(o.Controllers) == 0 {
		o.Controllers = []fakead.Controller{{Name: "dc1"}}
	}
	var err error
	w.forest, err = fakead.New(o)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.Expect(w.forest.Attach(w.net)).To(gomega.Succeed())
	w.Expect(w.forest.AddOU(unit)).To(gomega.Succeed())
	return w
}

// newIntune makes one without a domain.
func newIntune(t *testing.T, home vnet.Home) *world {
	w := &world{WithT: gomega.NewWithT(t), t: t, clock: vclock.NewVirtual(vclock.Options{Seed: 7, Start: vclock.DefaultStart}), events: journal.NewMemory(0)}
	t.Cleanup(w.clock.Stop)
	w.log = journal.New(w.clock, w.events)
	root, err := pki.NewRoot(w.clock.Now(), 7, "Web Root", pki.Options{})
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.net = vnet.New(w.clock, vnet.Options{Home: home, Seed: 7, WebRoot: root, Journal: w.log})
	service := tenant.New(tenant.Options{Clock: w.clock, Journal: w.log, Seed: 7, Since: vclock.DefaultStart, Tokens: tokens{}})
	w.tenant, err = service.Add(tenantID, "contoso.com")
	w.Expect(err).NotTo(gomega.HaveOccurred())
	authorities, err := authority.New(service)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.net.Serve(hosts.ODJConnector, odj.New(odj.Options{Tenants: service, Authorities: authorities}), vnet.ClientCert(vnet.RequestClientCert))
	site, err := w.net.AddSite(vnet.SiteConfig{Name: "datacenter", Wired: true, SeesDC: true})
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.nic = w.net.Attach(vnet.NICOptions{Device: "server1", Site: site})
	return w
}

// account makes the connectors' account, with the right to make computers where
// that is said.
func (w *world) account(delegated ...string) {
	w.t.Helper()
	_, err := w.forest.AddServiceAccount(account, password)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	for _, dn := range delegated {
		w.Expect(w.forest.Delegate(dn, account, directory.CreateComputer)).To(gomega.Succeed())
	}
}

// administrator is who may do all.
func (w *world) administrator() directory.Identity {
	w.t.Helper()
	a, ok := w.forest.Primary().AccountBySAM("Administrator")
	w.Expect(ok).To(gomega.BeTrue())
	id := w.forest.Primary().Identify(a)
	id.Confidential = true
	return id
}

// late makes an account at the first controller; the others learn of it when
// they replicate.
func (w *world) late(sam string) {
	w.t.Helper()
	text := func(name, value string) ldap.Attribute {
		return ldap.Attribute{Type: name, Values: [][]byte{[]byte(value)}}
	}
	var secret []byte
	for _, c := range `"` + password + `"` {
		secret = append(secret, byte(c), 0)
	}
	err := w.forest.Primary().Add(w.t.Context(), w.administrator(), "CN="+sam+",CN=Users,"+w.forest.DN(), []ldap.Attribute{text("objectClass", "user"), text("sAMAccountName", sam),
		text("userAccountControl", "512"), {Type: "unicodePwd", Values: [][]byte{secret}}})
	w.Expect(err).NotTo(gomega.HaveOccurred())
}

// setPassword gives an account another password.
func (w *world) setPassword(sam, password string) {
	w.t.Helper()
	a, ok := w.forest.Primary().AccountBySAM(sam)
	w.Expect(ok).To(gomega.BeTrue())
	w.Expect(w.forest.Primary().SetPassword(w.t.Context(), w.administrator(), a, password)).To(gomega.Succeed())
}

// connector makes a connector on a server.
func (w *world) connector(name string, change func(*connector.Options)) *connector.Connector {
	w.t.Helper()
	nic := w.nic
	if name != "server1" {
		nic = w.net.Attach(vnet.NICOptions{Device: name, Site: w.nic.Site()})
	}
	o := connector.Options{Clock: w.clock, Journal: w.log, Seed: 7, Net: nic, Name: name, Domain: domain, OUs: []string{unit}, Account: account, Password: password,
		Token: func(context.Context) (string, error) { return "administrator", nil }}
	if change != nil {
		change(&o)
	}
	c, err := connector.New(o)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	return c
}

// during runs connectors for a while.
func (w *world) during(d time.Duration, connectors ...*connector.Connector) {
	w.t.Helper()
	ctx, cancel := w.clock.WithCancel(w.t.Context())
	for _, c := range connectors {
		w.clock.Go(vclock.Daemon(ctx), c.Name(), c.Run)
	}
	w.clock.Go(w.t.Context(), "test", func(ctx context.Context) {
		if err := w.clock.Sleep(ctx, d, "test"); err != nil {
			w.t.Error(err)
		}
		cancel(errors.New("over"))
	})
	w.Expect(w.clock.Run(w.t.Context(), time.Time{})).To(gomega.Succeed())
}

// profile is a domain-join profile.
func profile(change func(*graph.DeviceConfiguration)) graph.DeviceConfiguration {
	p := graph.DeviceConfiguration{ID: "profile", DisplayName: "Domain join", ODataType: graph.TypeDomainJoin,
		DomainJoin: &graph.DomainJoin{ComputerNameStaticPrefix: "AP-", ActiveDirectoryDomainName: domain, OrganizationalUnit: unit}}
	if change != nil {
		change(&p)
	}
	return p
}

// request has a device ask for a join.
func (w *world) request(device string, p graph.DeviceConfiguration) {
	w.t.Helper()
	_, err := w.tenant.RequestDomainJoin(w.t.Context(), device, p)
	w.Expect(err).NotTo(gomega.HaveOccurred())
}

// state is how a device's request is.
func (w *world) state(device string) tenant.DomainJoin {
	w.t.Helper()
	d, ok := w.tenant.DomainJoinOf(device)
	w.Expect(ok).To(gomega.BeTrue(), device)
	return d
}

// told are the events of a connector with an id.
func (w *world) told(name string, id int) []journal.Event {
	return w.events.Find(func(e journal.Event) bool {
		n, _ := e.Get("id")
		return e.Kind == connector.EventKind && e.Device == name && n == id
	})
}

// hybrid is what the timing profile says.
func hybrid() timing.Hybrid { return timing.Default().Hybrid }
