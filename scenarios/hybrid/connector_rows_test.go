package hybrid_test

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/fakead/connector"
	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vnet"
	wire "windtunnel.test/sim/wire/connector"
)

// withConnector is a hybrid world whose connector is changed.
func withConnector(change func(c *scenario.Connector)) *spec.World {
	GinkgoHelper()
	return newWorld(func(s *scenario.Scenario) { change(&s.Connectors[0]) })
}

// connectorSaid are texts of the connector's events with a number.
func connectorSaid(w *spec.World, id int, field string) (texts []string) {
	for _, e := range w.EventsOf(w.Connectors[0].Name(), connector.EventKind) {
		if e.Text("id") == fmt.Sprint(id) {
			texts = append(texts, e.Text(field))
		}
	}
	return texts
}

// waitsInVain is a technician flow that gets no blob.
func waitsInVain(w *spec.World) *device.PC {
	GinkgoHelper()
	pc := newPC(w)
	failure := spec.FailureOf(w.TryProvision(pc))
	Expect(failure).NotTo(BeNil())
	Expect(failure.Code).To(Equal(hresult.DomainControllerNone.Hex()))
	state, _ := pc.Disk.Registry.DWORD(device.KeyODJ, "State")
	Expect(device.ODJState(state)).To(Equal(device.ODJTimedOut))
	_, staged := pc.DomainStaged()
	Expect(staged).To(BeFalse())
	w.CutPower(pc)
	return pc
}

var _ = Describe("the connector", func() {
	It("H01: that does not run lets a PC wait for 25 minutes in vain, and one started in time does not", func() {
		w := withConnector(func(c *scenario.Connector) { c.Stopped = true })
		pc := waitsInVain(w)
		waits, ends := w.Events(pc, "domain.wait"), w.Events(pc, "domain.timeout")
		Expect(ends[0].Time.Sub(waits[0].Time)).To(BeNumerically("~", w.Timing.Hybrid.ConnectivityBudget, time.Minute))

		next := newPC(w)
		w.ToLanding(next)
		w.Begin(next)
		w.AwaitEvent(next, "domain.wait", nil)
		w.Wait(10 * time.Minute)
		w.Connectors[0].Start()
		w.AwaitEvent(next, "device.domain.staged", nil)
	})

	It("H02: of a version that Intune no longer serves is not enrolled", func() {
		w := withConnector(func(c *scenario.Connector) { c.Version = "6.2204.38.3" })
		waitsInVain(w)
		Expect(connectorSaid(w, connector.EventSetupFailed, "text")).To(ConsistOf(ContainSubstring(wire.CodeVersion)))
		w.Connectors[0].Restart(func(o *connector.Options) { o.Version = wire.Minimum.String() })
		w.Provision(newPC(w))
	})

	It("H03: without the right to make computers in the unit logs 30132 with error 5", func() {
		w := withConnector(func(c *scenario.Connector) { c.Delegated = scenario.Units{} })
		waitsInVain(w)
		Expect(connectorSaid(w, connector.EventJoinFailed, "errorCode")).To(HaveEach("5"))
		Expect(connectorSaid(w, connector.EventJoinFailed, "diagnosticCode")).To(ContainElement("0x00000800"))
		Expect(connectorSaid(w, connector.EventJoinFailed, "message")).To(ContainElement(ContainSubstring("RequestOfflineDomainJoinBlob_Failure")))
		w.InDomain(func(a *sim.DomainAdministrator) error { return a.Delegate(unit, "msaODJA$") })
		w.Provision(newPC(w))
	})

	DescribeTable("with a unit in the profile", func(ou, says string) {
		w := newWorld(func(s *scenario.Scenario) { spec.JoinProfile(s).OrganizationalUnit = ou })
		waitsInVain(w)
		Expect(connectorSaid(w, connector.EventJoinFailed, "text")).To(ContainElement(ContainSubstring(says)))
	},
		Entry("H05: that is not in its configuration makes no computer", "OU=Other,"+domainDN, "OrganizationalUnitsUsedForOfflineDomainJoin"),
		Entry("H05: that is a container makes none", "CN=Computers,"+domainDN, "not an organizational unit"),
		Entry("H05: without the domain's part makes none", "OU=Autopilot", "not in the domain"),
	)

	DescribeTable("on a server that is not ready", func(says string, wrong func(c *scenario.Connector), mend func(o *connector.Options)) {
		w := withConnector(wrong)
		waitsInVain(w)
		Expect(connectorSaid(w, connector.EventSetupFailed, "text")).To(ConsistOf(ContainSubstring(says)))
		w.Connectors[0].Restart(mend)
		w.Provision(newPC(w))
	},
		Entry("H29: does not start while its account may not log on as a service", "ODJConnectorSvc",
			func(c *scenario.Connector) { c.NoLogOnAsService = true }, func(o *connector.Options) { o.NoLogOnAsService = false }),
		Entry("H32: does not pass the check of its privileges before they are there, unless the newest skips it", "SeLogonAsServicePrivilegeMissing",
			func(c *scenario.Connector) { c.PrivilegesPending, c.Version = true, wire.AwaitsReplication.String() },
			func(o *connector.Options) { o.Version, o.SkipPrivilegeCheck = wire.Newest.String(), true }),
		Entry("H34: cannot connect securely without a key exchange of Intune's", "can't connect securely",
			func(c *scenario.Connector) { c.NoModernTLS = true }, func(o *connector.Options) { o.NoModernTLS = false }),
	)

	It("H33: behind a proxy needs more memory from hour to hour, until it is restarted", func() {
		w := newWorld(func(s *scenario.Scenario) {
			s.Connectors[0].Site = "home"
			for i := range s.Sites {
				s.Sites[i].SeesDC = s.Sites[i].SeesDC || s.Sites[i].Name == "home"
			}
		})
		w.Sites["home"].SetProxy(&vnet.ProxyConfig{})
		w.Wait(day)
		Expect(w.Connectors[0].Status().Memory).To(BeNumerically(">", w.Timing.Hybrid.ConnectorMemory+20*w.Timing.Hybrid.ConnectorLeak))
		w.Connectors[0].Restart(nil)
		w.Wait(time.Minute)
		Expect(w.Connectors[0].Status().Memory).To(BeNumerically("<", w.Timing.Hybrid.ConnectorMemory+w.Timing.Hybrid.ConnectorLeak))
	})
})

// twoControllers is a domain whose connector stands at another controller than
// the office does, which learns of changes six hours later.
func twoControllers(s *scenario.Scenario) {
	s.Domain.Controllers = []scenario.Controller{{Name: "dc1", Site: "home"}, {Name: "dc2", Site: "office"}}
	s.Domain.Replication = 6 * time.Hour
	s.Connectors[0].Site = "home"
	for i := range s.Sites {
		s.Sites[i].SeesDC = s.Sites[i].Name != "bench"
	}
}

var _ = Describe("replication between controllers", func() {
	It("H28: that has not brought the computer to the user's controller refuses the logon", func() {
		w := newWorld(twoControllers)
		pc := newPC(w)
		w.Provision(pc)
		w.ShipTo(pc, "office", time.Hour)
		Expect(w.TryUnpack(pc, w.User("alex"))).NotTo(Succeed())
		Expect(pc.Screen().String()).To(ContainSubstring(hresult.STATUSNoTrustSAMAccount.Hex()))
		w.CutPower(pc)
		w.Wait(6 * time.Hour)
		Expect(w.Events(pc, "logon.kerberos")).To(BeEmpty())
		w.Unpack(pc, w.User("alex"))
		Expect(w.Events(pc, "logon.kerberos")).NotTo(BeEmpty())
	})
})

// The domain-join profile is assigned to a group of device objects: one whose
// object is gone is in none.
var _ = Describe("the Autopilot device's object in Entra ID", func() {
	DescribeTable("H08: that is deleted before the join is asked for, leaves the PC without one", func(deleted bool, screen string) {
		w := newWorld()
		pc := newPC(w)
		w.ToLanding(pc)
		w.Begin(pc)
		w.AwaitEvent(pc, "entra.left", nil) // enrolled, and about to ask
		if deleted {
			for _, d := range w.Entra.Directory.Devices(w.Tenant.ID) {
				Expect(w.Entra.Directory.Delete(d.TenantID, d.DeviceID)).To(Succeed())
			}
		}
		s := w.Await(pc, oobe.ScreenSuccess, oobe.ScreenFailure)
		Expect(s.ID).To(Equal(screen))
		if deleted {
			Expect(s.Line(oobe.LabelError)).To(Equal("0x80070774"))
		}
	},
		Entry("deleted", true, oobe.ScreenFailure),
		Entry("there", false, oobe.ScreenSuccess),
	)
})
