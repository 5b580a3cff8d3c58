package hybrid_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
)

// states are what dsregcmd says first: joined to Entra ID, to a domain's own
// registration service, to a domain.
func states(pc *device.PC) []string {
	rows := dsregcmd(pc)
	return []string{rows["AzureAdJoined"], rows["EnterpriseJoined"], rows["DomainJoined"]}
}

var _ = Describe("what dsregcmd says of a PC of the domain", func() {
	It("is nothing, then a domain's member, then a member that Entra ID knows, with a primary refresh token", func() {
		w := newWorld()
		pc := newPC(w)
		w.Provision(pc)
		Expect(states(pc)).To(Equal([]string{"NO", "NO", "NO"}), "resealed")
		w.ShipTo(pc, "office", 2*day)
		w.PowerOn(pc)
		w.Await(pc, oobe.ScreenLanguage)
		w.Press(pc, oobe.ButtonYes)
		w.Await(pc, oobe.ScreenLogon)
		Expect(states(pc)).To(Equal([]string{"NO", "NO", "YES"}), "before the sync")

		w.CutPower(pc)
		w.Unpack(pc, w.User("alex"))
		Expect(states(pc)).To(Equal([]string{"YES", "NO", "YES"}))
		rows := dsregcmd(pc)
		Expect(rows).To(HaveKeyWithValue("DeviceId", joinedObjects(w)[0]))
		Expect(rows).To(HaveKeyWithValue("AzureAdPrt", "YES"))
		Expect(rows).To(HaveKeyWithValue("TpmProtected", "YES"))
		Expect(rows["DomainName"]).To(Or(BeEquivalentTo("CORP"), BeEquivalentTo(domainName)))
	})

	It("names the phase and the error of a registration that does not come", func() {
		w := newWorld(notSynced)
		pc := newPC(w)
		w.Provision(pc)
		w.ShipTo(pc, "office", 2*day)
		Expect(w.TryUnpack(pc, w.User("alex"))).To(HaveOccurred())
		rows := dsregcmd(pc)
		Expect(rows).To(HaveKeyWithValue("Error Phase", "join"))
		Expect(rows["Client ErrorCode"]).To(BeEquivalentTo("0x801c03f2"))
		Expect(rows["Server ErrorCode"]).To(Equal("DirectoryError"))
		Expect(rows["AD Configuration Test"]).To(Equal("PASS"))
	})
})

var _ = Describe("the service connection point", func() {
	It("is what a PC looks for first, and finds once it is there", func() {
		w := newWorld(func(s *scenario.Scenario) { s.Domain.SCP = &scenario.ConnectionPoint{Missing: true} })
		pc := newPC(w)
		w.Provision(pc)
		w.ShipTo(pc, "office", 2*day)
		err := w.TryUnpack(pc, w.User("alex"))
		Expect(spec.FailureOf(err).Code).To(Equal("0x800705B4"))
		Expect(w.Texts(pc, "hybrid.failed", "code")).To(HaveEach("0x801C001D"))
		Expect(w.Texts(pc, "hybrid.failed", "phase")).To(HaveEach("discover"))
		w.InDomain(func(a *sim.DomainAdministrator) error { return a.SetSCP(w.Tenant.Domain, w.Tenant.ID) })
		w.AwaitEvent(pc, "hybrid.registered", nil)
	})
})

const tunnel = `
- "@odata.type": "#microsoft.graph.windows10VpnConfiguration"
  displayName: Way to the domain
  connectionName: Contoso VPN
  connectionType: ikEv2
  enableAlwaysOn: true
  enableDeviceTunnel: true
  servers: [{description: Head office, address: vpn.contoso.com, isDefaultServer: true}]
  identityCertificate: {id: Network access of PCs}
  assignments: [{target: {"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Autopilot PCs}}]
`

var _ = Describe("a PC at home, from where no controller is seen", func() {
	gateway := func(s *scenario.Scenario) { s.Domain.VPNGateways = []string{"vpn.contoso.com"} }
	skip := func(s *scenario.Scenario) { s.Tenant.Profiles[0].HybridSkipConnectivityCheck = new(true) }

	It("reaches the domain by a device tunnel with the machine's certificate", func() {
		w := spec.NewWorld(spec.Hybrid(gateway), spec.Resources("deviceConfigurations", tunnel))
		pc := newPC(w)
		w.Provision(pc)
		w.Ship(pc, 2*day)
		w.Unpack(pc, w.User("alex"))
		Expect(w.Texts(pc, "vpn.connected", "gateway")).To(ContainElement("vpn.contoso.com"))
		Expect(pc.Screen().ID).To(Equal(oobe.ScreenDesktop))
	})

	It("gets no further than the logon screen where the check is skipped and there is no VPN", func() {
		w := newWorld(skip)
		pc := newPC(w)
		w.Provision(pc)
		w.Ship(pc, 2*day)
		begin := w.Clock.Now()
		err := w.TryUnpack(pc, w.User("alex"))
		Expect(err).To(HaveOccurred())
		Expect(w.Events(pc, "domain.timeout")).To(BeEmpty())
		Expect(w.Events(pc, "logon.failed")).NotTo(BeEmpty())
		Expect(w.Clock.Now().Sub(begin)).To(BeNumerically(">", 10*time.Minute))
		Expect(pc.Screen().ID).To(Equal(oobe.ScreenLogon))
	})
})
