package hybrid_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/installer"
)

// gateway is the VPN's.
const gateway = "vpn.contoso.com"

// vpnClient has the app Agent bring a VPN client.
func vpnClient(certificate string, preLogon, plugin string) func(*scenario.Scenario) {
	return func(s *scenario.Scenario) {
		s.Domain.VPNGateways = []string{gateway}
		key := device.KeyVPNClients + `\Contoso VPN`
		agent := spec.AppNamed(&s.Tenant, "Agent")
		agent.Windtunnel.Registry = append(agent.Windtunnel.Registry,
			installer.RegistryValue{Key: key, Name: "Gateway", Value: gateway},
			installer.RegistryValue{Key: key, Name: "Certificate", Value: certificate},
			installer.RegistryValue{Key: key, Name: "PreLogon", Value: preLogon, DWORD: true},
			installer.RegistryValue{Key: key, Name: "Plugin", Value: plugin, DWORD: true})
	}
}

// unchecked has the profile skip the search for a controller.
func unchecked(s *scenario.Scenario) {
	s.Tenant.Profiles[0].HybridSkipConnectivityCheck = new(true)
}

// atHome is a pre-provisioned PC at home, past the first page.
func atHome(w *spec.World) *device.PC {
	GinkgoHelper()
	pc := newPC(w)
	w.Provision(pc)
	w.Ship(pc, 2*day)
	w.PowerOn(pc)
	w.Await(pc, oobe.ScreenLanguage)
	w.Press(pc, oobe.ButtonYes)
	return pc
}

// logOn types alex's name and password at the logon screen.
func logOn(w *spec.World, pc *device.PC) {
	GinkgoHelper()
	alex := w.User("alex")
	w.Fill(pc, oobe.ButtonNext, map[string]string{oobe.FieldUserName: alex.UPN, oobe.FieldPassword: alex.Password})
}

// offers is a proxy that this site's PCs find by WPAD, or not.
func offers(site string, wpad bool) func(*scenario.Scenario) {
	return func(s *scenario.Scenario) {
		for i := range s.Sites {
			if s.Sites[i].Name == site {
				s.Sites[i].Proxy = &scenario.Proxy{WPAD: &wpad}
			}
		}
	}
}

var _ = Describe("a hybrid PC's network", func() {
	It("H10: without a controller in sight ends with 0x80070774 and event 100, and goes on where there is one", func() {
		w := newWorld()
		pc := atHome(w)
		s := w.Await(pc, oobe.ScreenWrong)
		Expect(s.Line(oobe.LabelError)).To(Equal("0x80070774"))
		Expect(w.Texts(pc, "eventlog", "message")).To(ContainElement(ContainSubstring("no connectivity to a domain controller")), "event 100")
		pc.NIC.Move(w.Sites["office"])
		w.Press(pc, oobe.ButtonTryAgain)
		w.Await(pc, oobe.ScreenLogon)
		logOn(w, pc)
		Expect(w.Events(pc, "logon.kerberos")).NotTo(BeEmpty())
	})

	It("S23: a right for accounts of the domain fails the technician flow with 0x800706FD, unless the bench sees a controller", func() {
		rights := spec.Policy("Autopilot PCs", "./Device/Vendor/MSFT/Policy/Config/UserRights/DenyLocalLogOn", `CORP\Contractors`)
		w := spec.NewWorld(spec.Hybrid(), rights)
		pc := newPC(w)
		w.ToLanding(pc)
		w.Begin(pc)
		s := w.Await(pc, oobe.ScreenFailure)
		Expect(s.Line(oobe.LabelError)).To(Equal("0x800706FD"))
		Expect(w.Texts(pc, "eventlog", "message")).To(ContainElement(ContainSubstring("MDM PolicyManager: Merge string")), "event 809")
		pc.NIC.Move(w.Sites["office"])
		w.Press(pc, oobe.ButtonRetry)
		w.Await(pc, oobe.ScreenSuccess)
	})

	It("H11: without a controller and without the search for one gets to a logon screen that lets nobody in", func() {
		w := newWorld(unchecked)
		pc := atHome(w)
		w.Await(pc, oobe.ScreenLogon)
		logOn(w, pc)
		Expect(w.Texts(pc, "logon.failed", "code")).To(ConsistOf("0xC000005E"))
		Expect(pc.Screen().ID).To(Equal(oobe.ScreenLogon))
		pc.NIC.Move(w.Sites["office"])
		logOn(w, pc)
		Expect(w.Events(pc, "logon.kerberos")).NotTo(BeEmpty())
	})

	DescribeTable("a VPN at home", func(certificate, preLogon, plugin string, works bool) {
		w := newWorld(vpnClient(certificate, preLogon, plugin))
		pc := atHome(w)
		if works {
			w.Await(pc, oobe.ScreenLogon)
			logOn(w, pc)
			Expect(w.Events(pc, "logon.kerberos")).NotTo(BeEmpty())
			return
		}
		s := w.Await(pc, oobe.ScreenWrong)
		Expect(s.Line(oobe.LabelError)).To(Equal("0x80070774"))
		Expect(w.Events(pc, "vpn.failed")).NotTo(BeEmpty())
	},
		Entry("H13: of a UWP plug-in does not get to a controller", "machine", "1", "1", false),
		Entry("H13: of the user's certificate does not either", "user", "1", "0", false),
		Entry("H13: of a desktop client with the machine's certificate does", "machine", "1", "0", true),
	)

	It("H13: brings no controller to the technician", func() {
		w := spec.NewWorld(spec.Hybrid(vpnClient("machine", "1", "0")), spec.Timing(map[string]any{"hybrid.technicianDCCheck": true}))
		Expect(spec.FailureOf(w.TryProvision(newPC(w))).Code).To(Equal("0x80070774"), "its client comes later")
	})

	It("H35: with a way out only by a proxy, and no WPAD, is offline", func() {
		w := newWorld(offers("bench", false))
		pc := newPC(w)
		w.PowerOn(pc)
		w.Wait(day / 24)
		Expect(w.Events(pc, "autopilot.profile")).To(BeEmpty())
		Expect(pc.Screen().ID).NotTo(Equal(oobe.ScreenLanding))
		w.CutPower(pc)
		w.Sites["bench"].SetProxy(&vnet.ProxyConfig{})
		w.Provision(pc)
	})
})
