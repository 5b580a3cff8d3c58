package domain_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/fakead"
	"windtunnel.test/fakead/connector"
	"windtunnel.test/fakead/directory"
	"windtunnel.test/fakeintune/authority"
	intuneodj "windtunnel.test/fakeintune/odj"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/odj"
)

// office is a simulated network in which an Intune Connector works for a domain
// whose controller listens on this machine.
type office struct {
	clock     *vclock.Virtual
	events    *journal.Memory
	tenant    *tenant.Tenant
	connector *connector.Connector
}

// odjTokens takes one word for an Intune administrator's.
type odjTokens struct{}

const odjTenant = "11111111-1111-4111-8111-111111111111"

func (odjTokens) Verify(context.Context, string, string, time.Time) (tenant.Claims, error) {
	return tenant.Claims{TenantID: odjTenant, Roles: []string{intuneodj.Permission}}, nil
}

// newOffice lets a connector with an account work for the domain of a
// controller, whose names lead to its ports on loopback.
func newOffice(domain, controller, account, secret, unit string) *office {
	GinkgoHelper()
	o := &office{clock: vclock.NewVirtual(vclock.Options{Seed: seed, Start: vclock.DefaultStart}), events: journal.NewMemory(0)}
	DeferCleanup(o.clock.Stop)
	log := journal.New(o.clock, o.events)
	network := vnet.New(o.clock, vnet.Options{Seed: seed, WebRoot: o.root(), Journal: log})
	service := tenant.New(tenant.Options{Clock: o.clock, Journal: log, Seed: seed, Since: vclock.DefaultStart, Tokens: odjTokens{}})
	var err error
	o.tenant, err = service.Add(odjTenant, "contoso.com")
	Expect(err).NotTo(HaveOccurred())
	authorities, err := authority.New(service)
	Expect(err).NotTo(HaveOccurred())
	network.Serve(hosts.ODJConnector, intuneodj.New(intuneodj.Options{Tenants: service, Authorities: authorities}), vnet.ClientCert(vnet.RequestClientCert))
	for _, host := range []string{controller + "." + domain, domain} {
		for _, port := range []uint16{53, 88, 389} {
			for _, kind := range []string{"udp", "tcp"} {
				Expect(network.Relay(host, port, vnet.Relay{Network: kind, Address: "127.0.0.1:" + strconv.Itoa(int(port))})).To(Succeed())
			}
		}
	}
	network.SetNameServers(controller + "." + domain)
	site, err := network.AddSite(vnet.SiteConfig{Name: "datacenter", Wired: true, SeesDC: true})
	Expect(err).NotTo(HaveOccurred())
	o.connector, err = connector.New(connector.Options{Clock: o.clock, Journal: log, Seed: seed, Net: network.Attach(vnet.NICOptions{Device: "server1", Site: site}),
		Name: "server1", Domain: domain, OUs: []string{unit}, Account: account, Password: secret, Now: wall.Now,
		Token: func(context.Context) (string, error) { return "administrator", nil }})
	Expect(err).NotTo(HaveOccurred())
	return o
}

func (o *office) root() *pki.CA {
	GinkgoHelper()
	root, err := pki.NewRoot(o.clock.Now(), seed, "Web Root", pki.Options{})
	Expect(err).NotTo(HaveOccurred())
	return root
}

// join has a device ask, the connector work for a while, and gives what came.
func (o *office) join(domain, unit string) tenant.DomainJoin {
	GinkgoHelper()
	_, err := o.tenant.RequestDomainJoin(context.Background(), "device", graph.DeviceConfiguration{ID: "profile", DomainJoin: &graph.DomainJoin{
		ComputerNameStaticPrefix: "AP-", ActiveDirectoryDomainName: domain, OrganizationalUnit: unit}})
	Expect(err).NotTo(HaveOccurred())
	ctx, cancel := o.clock.WithCancel(context.Background())
	o.clock.Go(vclock.Daemon(ctx), "connector", o.connector.Run)
	o.clock.Go(context.Background(), "spec", func(ctx context.Context) {
		Expect(o.clock.Sleep(ctx, 10*time.Minute, "spec")).To(Succeed())
		cancel(errors.New("over"))
	})
	Expect(o.clock.Run(context.Background(), time.Time{})).To(Succeed())
	d, ok := o.tenant.DomainJoinOf("device")
	Expect(ok).To(BeTrue())
	return d
}

// sambaClient writes the configuration of a Samba client that is the computer.
func (l *lab) sambaClient(computer, domain string) (conf string) {
	GinkgoHelper()
	state := l.path("state")
	Expect(os.MkdirAll(state, 0o700)).To(Succeed())
	text := []string{"[global]", "workgroup = CORP", "realm = " + strings.ToUpper(domain), "security = ads", "netbios name = " + computer, "interfaces = lo", "bind interfaces only = yes"}
	for _, dir := range []string{"private dir", "lock directory", "state directory", "cache directory"} {
		text = append(text, dir+" = "+state)
	}
	conf = l.path("smb.conf")
	Expect(os.WriteFile(conf, []byte(strings.Join(text, "\n")+"\n"), 0o600)).To(Succeed())
	return conf
}

// connectorAccount is the connector's, and its unit.
const (
	connectorAccount  = "msaODJ12345$"
	connectorPassword = "Conn3ctor's own"
	connectorUnit     = "OU=Autopilot,DC=corp,DC=contoso,DC=com"
)

var _ = Describe("offline domain join", func() {
	// connected is a forest with a connector's account that may make computers
	// where it says.
	connected := func(delegated bool) *lab {
		l := newForest(func(o *fakead.Options) {})
		Expect(l.AddOU(connectorUnit)).To(Succeed())
		_, err := l.AddServiceAccount(connectorAccount, connectorPassword)
		Expect(err).NotTo(HaveOccurred())
		if delegated {
			Expect(l.Delegate(connectorUnit, connectorAccount, directory.CreateComputer)).To(Succeed())
		}
		return l
	}

	It("gives a blob with which MIT Kerberos and OpenLDAP are the computer", func() {
		l := connected(true)
		d := newOffice(domainName, "dc1", connectorAccount, connectorPassword, connectorUnit).join(domainName, connectorUnit)
		Expect(d.State).To(Equal(tenant.JoinReady), d.Diagnostic)
		join, err := odj.Decode(d.Blob)
		Expect(err).NotTo(HaveOccurred())
		l.kinit(join.MachineName+"$@"+realm, join.MachinePassword)
		entry := l.ldapsearch(connectorUnit, "(sAMAccountName="+join.MachineName+"$)", "dNSHostName", "servicePrincipalName", "userAccountControl")
		Expect(entry).To(ContainSubstring("dNSHostName: " + strings.ToLower(join.MachineName) + "." + domainName))
		Expect(entry).To(ContainSubstring("servicePrincipalName: HOST/" + join.MachineName))
		Expect(entry).To(ContainSubstring("userAccountControl: 4096"))
		l.run("kvno", "host/"+strings.ToLower(join.MachineName)+"."+domainName+"@"+realm)
	})

	It("gives a blob that Samba's client joins with, and finds the join in order", func() {
		l := connected(true)
		d := newOffice(domainName, "dc1", connectorAccount, connectorPassword, connectorUnit).join(domainName, connectorUnit)
		Expect(d.State).To(Equal(tenant.JoinReady), d.Diagnostic)
		file := l.path("blob.txt")
		Expect(os.WriteFile(file, odj.File(d.Blob), 0o600)).To(Succeed())
		conf := l.sambaClient(d.ComputerName, domainName)
		Expect(l.run("net", "-s", conf, "offlinejoin", "requestodj", "loadfile="+file)).To(ContainSubstring("Successfully requested Offline Domain Join"))
		Expect(l.run("net", "-s", conf, "ads", "testjoin")).To(ContainSubstring("Join is OK"))
	})

	It("does not make an account where the connector has no right", func() {
		l := connected(false)
		o := newOffice(domainName, "dc1", connectorAccount, connectorPassword, connectorUnit)
		d := o.join(domainName, connectorUnit)
		Expect(d.State).To(Equal(tenant.JoinFailed))
		Expect([]uint32{d.ErrorCode, d.DiagnosticCode}).To(Equal([]uint32{5, 0x800}))
		failed := o.events.Find(func(e journal.Event) bool {
			id, _ := e.Get("id")
			return e.Kind == connector.EventKind && id == connector.EventJoinFailed
		})
		Expect(failed).To(HaveLen(3))
		Expect(failed[0].Text("message")).To(ContainSubstring("The ODJ connector does not have sufficient privileges"))
		l.asAdministrator()
		Expect(l.ldapsearch(connectorUnit, "(objectClass=computer)", "cn")).To(BeEmpty())
	})
})
