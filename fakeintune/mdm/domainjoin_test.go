package mdm_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/odj"
)

// join is a domain-join profile for some devices.
func join(name, domain string, to []graph.Assignment) graph.DeviceConfiguration {
	return graph.DeviceConfiguration{ODataType: graph.TypeDomainJoin, DisplayName: name, Assignments: to,
		DomainJoin: &graph.DomainJoin{ComputerNameStaticPrefix: "AP-", ActiveDirectoryDomainName: domain, OrganizationalUnit: "OU=A,DC=corp,DC=contoso,DC=com"}}
}

// hybrid makes a device one that joins a domain.
func (p *pc) hybrid() *pc {
	p.w.T.Helper()
	_, err := p.w.Tenant.UpdateDevice(p.id, func(m *tenant.ManagedDevice) error { m.Hybrid = true; return nil })
	if err != nil {
		p.w.T.Fatal(err)
	}
	return p
}

// blob is what came by the CSP.
func (p *pc) blob() string {
	uri, err := csp.Canonical(csp.ODJBlob)
	if err != nil {
		p.w.T.Fatal(err)
	}
	return p.nodes[uri]
}

// A hybrid device's blob is asked for at its first session and comes with the
// first one after a connector has made it, once.
func TestDomainJoin(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.load(tenant.Resources{Configurations: []graph.DeviceConfiguration{
		join("join", "corp.contoso.com", toDevices), join("younger", "emea.contoso.com", toDevices), join("the user's", "apac.contoso.com", toUsers)}})
	p := w.enroll(tenant.EnrolledWhiteGlove, "one").hybrid()
	g.Expect(p.sync(bootstrap, "")).To(Equal(200))
	d, ok := w.Tenant.DomainJoinOf(p.id)
	g.Expect(ok).To(BeTrue())
	g.Expect([]any{d.State, d.Domain, d.Prefix, d.Random}).To(Equal([]any{tenant.JoinWaiting, "corp.contoso.com", "AP-", 12}))
	p.sync(scheduled, "")
	g.Expect(p.blob()).To(BeEmpty())

	made, err := odj.Encode(odj.Win7{Domain: "corp.contoso.com", MachineName: "AP-1", MachinePassword: "secret", DNSDomain: odj.DomainInfo{DNS: "corp.contoso.com"}})
	g.Expect(err).NotTo(HaveOccurred())
	c, err := w.Tenant.AddConnector(t.Context(), tenant.Connector{Name: "server1", Domain: "corp.contoso.com"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(w.Tenant.TakeDomainJoins(t.Context(), c, 1)).To(HaveLen(1))
	g.Expect(w.Tenant.DomainJoinReady(t.Context(), c, d.ID, "AP-1", made)).To(Succeed())
	p.sync(scheduled, "")
	g.Expect(p.blob()).To(Equal(odj.Text(made)))
	d, _ = w.Tenant.DomainJoinOf(p.id)
	g.Expect(d.State).To(Equal(tenant.JoinDelivered))
	g.Expect(d.Blob).To(BeNil())
	g.Expect(p.device().DeviceName).To(Equal("AP-1"))

	p.nodes = map[string]string{}
	w.Pass(w.Service.Timing.Hybrid.JoinRequestLife)
	p.sync(bootstrap, "") // it has begun anew, and is a member all the same
	p.sync(scheduled, "")
	g.Expect(p.blob()).To(BeEmpty())
	for _, e := range w.Events.Find(func(journal.Event) bool { return true }) {
		g.Expect(e.String()).NotTo(ContainSubstring(odj.Text(made)[:40]))
	}
}

// Without a profile for the device nobody asks for anything, and a request that
// nobody serves is made anew.
func TestDomainJoinNotDelivered(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.load(tenant.Resources{Configurations: []graph.DeviceConfiguration{join("the user's", "apac.contoso.com", toUsers)}})
	p := w.enroll(tenant.EnrolledWhiteGlove, "one").hybrid()
	p.sync(bootstrap, "")
	_, ok := w.Tenant.DomainJoinOf(p.id)
	g.Expect(ok).To(BeFalse())
	g.Expect(w.Events.Find(func(e journal.Event) bool { return e.Kind == "odj.noprofile" })).NotTo(BeEmpty())

	w.load(tenant.Resources{Configurations: []graph.DeviceConfiguration{join("join", "corp.contoso.com", toDevices)}})
	other := w.enroll(tenant.EnrolledByUser, "two") // joins Entra ID
	other.sync(bootstrap, "")
	_, ok = w.Tenant.DomainJoinOf(other.id)
	g.Expect(ok).To(BeFalse())

	p.sync(scheduled, "")
	first, _ := w.Tenant.DomainJoinOf(p.id)
	w.Pass(w.Service.Timing.Hybrid.JoinRequestLife + time.Second)
	p.sync(scheduled, "")
	again, _ := w.Tenant.DomainJoinOf(p.id)
	g.Expect(again.ID).NotTo(Equal(first.ID))
}
