package spec

import (
	"context"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/diag"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/ldap"
)

// hybridKeys are what a hybrid world has beside the standard one.
const hybridKeys = `
domain:
  name: corp.contoso.com
  netbios: CORP
  organizationalUnits: [OU=Autopilot]
connectors:
  - {name: odj1, organizationalUnits: [OU=Autopilot]}
entraConnect: {organizationalUnits: [OU=Autopilot]}
`

const joinConfiguration = `
- "@odata.type": "#microsoft.graph.windowsDomainJoinConfiguration"
  displayName: Join corp.contoso.com
  computerNameStaticPrefix: CORP-
  computerNameSuffixRandomCharCount: 8
  activeDirectoryDomainName: corp.contoso.com
  organizationalUnit: OU=Autopilot,DC=corp,DC=contoso,DC=com
  assignments: [{target: {"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Autopilot PCs}}]
`

// Hybrid makes the standard tenant's PCs join the domain corp.contoso.com, whose
// one controller, dc1, the office sees and bench and home do not. The domain has
// the unit Autopilot, an Intune Connector, odj1, whose account may make computers
// there, and directory synchronisation; the tenant's users have accounts in it.
// change changes the scenario before the world is made of it.
func Hybrid(change ...func(*scenario.Scenario)) Option {
	return func(s *setup) {
		s.keys += hybridKeys
		Resources("deviceConfigurations", joinConfiguration)(s)
		s.whole = append(s.whole, func(all *scenario.Scenario) {
			all.Tenant.Profiles[0].ODataType = graph.TypeHybridProfile
			for i := range all.Sites {
				all.Sites[i].SeesDC = all.Sites[i].Name == "office"
			}
		})
		s.whole = append(s.whole, change...)
	}
}

// JoinProfile gives the domain-join configuration of [Hybrid], so that a change
// may alter it.
func JoinProfile(s *scenario.Scenario) *graph.DeviceConfiguration {
	ginkgo.GinkgoHelper()
	for i := range s.Tenant.Configurations {
		if s.Tenant.Configurations[i].DomainJoin != nil {
			return &s.Tenant.Configurations[i]
		}
	}
	ginkgo.Fail("the tenant has no domain-join configuration")
	return nil
}

// ShipTo takes a PC to a site. The way takes so long.
func (w *World) ShipTo(pc *device.PC, site string, d time.Duration) {
	ginkgo.GinkgoHelper()
	gomega.Expect(pc.On()).To(gomega.BeFalse(), "%s is still on", pc.Name)
	gomega.Expect(w.Sites).To(gomega.HaveKey(site))
	pc.NIC.Move(w.Sites[site])
	w.Wait(d)
}

// InDomain has an administrator of the domain do something over LDAP.
func (w *World) InDomain(f func(a *sim.DomainAdministrator) error) {
	ginkgo.GinkgoHelper()
	gomega.Expect(w.try(func(ctx context.Context) error {
		a, err := w.DomainAdministrator(ctx)
		if err != nil {
			return err
		}
		defer a.Close()
		return f(a)
	})).To(gomega.Succeed())
}

// Computer is a PC's computer object with all of its attributes, and whether
// there is one.
func (w *World) Computer(pc *device.PC) (e ldap.Entry, ok bool) {
	ginkgo.GinkgoHelper()
	w.InDomain(func(a *sim.DomainAdministrator) (err error) {
		e, ok, err = a.Computer(pc)
		return err
	})
	return e, ok
}

// SyncNow has Entra Connect synchronise at once.
func (w *World) SyncNow() {
	ginkgo.GinkgoHelper()
	gomega.Expect(w.try(w.Connect.SyncNow)).To(gomega.Succeed())
}

// DSRegCmd is what `dsregcmd /status` says on a PC at this moment.
func (w *World) DSRegCmd(pc *device.PC) string {
	ginkgo.GinkgoHelper()
	s, err := diag.Of(pc)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return diag.DSRegCmd(s)
}
