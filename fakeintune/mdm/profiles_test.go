package mdm_test

import (
	"encoding/json"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/scep"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/syncml"
)

var (
	toDevices = []graph.Assignment{{Target: graph.AllDevices()}}
	toUsers   = []graph.Assignment{{Target: graph.AllUsers()}}
)

// withSCEP lets the gateway give challenges.
func (w *world) withSCEP() *world {
	w.h.SCEP = scep.New(scep.Options{Tenants: w.Service, Authorities: w.ca})
	return w
}

func (w *world) certificate(store string, to []graph.Assignment) string {
	w.load(tenant.Resources{Configurations: []graph.DeviceConfiguration{{ODataType: graph.TypeSCEPCertificate, DisplayName: "scep " + store, Assignments: to,
		PKCSCertificate: &graph.PKCSCertificate{CertificateStore: store}, SCEPCertificate: &graph.SCEPCertificate{KeySize: "size2048"}}}})
	all := w.Tenant.Configurations().List()
	return all[len(all)-1].ID
}

// What reaches a device and what its user: by assignment and store.
func TestSCEPProfiles(t *testing.T) {
	for _, tc := range []struct {
		store  string
		to     []graph.Assignment
		device bool // in the device's session; else in the user's
	}{{"machine", toDevices, true}, {"user", toDevices, false}, {"user", toUsers, false}} {
		g, w := NewWithT(t), newWorld(t).withSCEP()
		id := w.certificate(tc.store, tc.to)
		p := w.enroll(tenant.EnrolledByUser, "one")
		p.sync(bootstrap, "")
		scope := csp.Device
		lists := csp.SplitList(p.node(csp.Device, csp.ExpectedSCEPCerts))
		if !tc.device {
			g.Expect(lists).To(BeEmpty(), tc.store)
			p.sync(userFirst, w.UserToken(w.Tenant.ID, ada, "dev-one"))
			scope, lists = csp.User, csp.SplitList(p.node(csp.User, csp.ExpectedSCEPCerts))
		}
		node, _ := csp.Canonical(csp.SCEP{Scope: scope, ID: id}.Node(""))
		g.Expect(lists).To(ConsistOf(node), tc.store)
		g.Expect(p.nodes[node+"/Install/Challenge"]).To(MatchRegexp("^[0-9A-F]{32}$"))
		g.Expect(p.nodes[node+"/Install/ServerURL"]).To(Equal("https://ndes." + w.Tenant.Domain + "/certsrv/mscep/mscep.dll"))
		g.Expect(p.nodes[node+"/Install/CAThumbprint"]).To(HaveLen(40))
		g.Expect(p.order[len(p.order)-1]).To(HaveSuffix(csp.ServerHasFinishedProvisioning))
		state := func() int {
			for _, s := range p.device().Settings {
				if s.OwnerID == id {
					return s.Status
				}
			}
			return 0
		}
		g.Expect(state()).To(Equal(202), "the device is at it")
		for data, want := range map[string]int{"1": 200} {
			result := syncml.NewAlert(syncml.AlertGeneric, syncml.TypeInstallResult, data)
			result.Items[0].Source = node + "/Install/Enroll"
			l := p.line("s")
			l.say(true, l.open(result)...)
			g.Expect(state()).To(Equal(want))
		}
	}
}

// A network profile waits for its certificate, and comes after it.
func TestNetworkProfiles(t *testing.T) {
	g, w := NewWithT(t), newWorld(t).withSCEP()
	users := w.certificate("user", toUsers)
	machines := w.certificate("machine", toDevices)
	wifi := func(ssid, needs string) graph.DeviceConfiguration {
		c := graph.DeviceConfiguration{ODataType: graph.TypeWiFiEnterprise, DisplayName: ssid, Assignments: toDevices,
			WiFi: &graph.WiFi{SSID: ssid, NetworkName: ssid, WiFiSecurityType: "wpa2Enterprise", ConnectAutomatically: true}}
		if needs != "" {
			c.IdentityCertificateForEAP = &graph.ConfigurationReference{ID: needs}
		}
		return c
	}
	w.load(tenant.Resources{Configurations: []graph.DeviceConfiguration{
		wifi("Plant", machines), wifi("Lost", users), wifi("Guest", ""),
		{ODataType: graph.TypeVPN, DisplayName: "Tunnel", Assignments: toDevices, VPN: &graph.VPN{ConnectionName: "Tunnel", ConnectionType: "ikEv2", Servers: []graph.VPNServer{{Address: "vpn.contoso.example"}}}},
	}})
	p := w.enroll(tenant.EnrolledWhiteGlove, "one")
	p.sync(bootstrap, "")
	g.Expect(csp.SplitList(p.node(csp.Device, csp.ExpectedNetworkProfiles))).To(ConsistOf(HaveSuffix("/Profile/Plant"), HaveSuffix("/Profile/Guest"), HaveSuffix("/VPNv2/Tunnel")))
	order := strings.Join(p.order, "\n")
	g.Expect(strings.Index(order, "Install/Enroll")).To(BeNumerically("<", strings.Index(order, "Profile/Plant/WlanXml")))
	g.Expect(p.nodes["./Device/Vendor/MSFT/WiFi/Profile/Plant/WlanXml"]).To(ContainSubstring("<authentication>WPA2</authentication>"))
	g.Expect(order).NotTo(ContainSubstring("Profile/Lost"), "its certificate is the user's")
	p.sync(scheduled, "")
	g.Expect(strings.Join(p.order, "\n")).NotTo(ContainSubstring("WlanXml"))
}

func TestOtherProfiles(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	w.load(tenant.Resources{Configurations: []graph.DeviceConfiguration{
		{ODataType: graph.TypeTrustedRoot, DisplayName: "root", Assignments: toDevices, TrustedRoot: &graph.TrustedRoot{TrustedRootCertificate: []byte{0x30, 0}, DestinationStore: "computerCertStoreRoot"}},
		{ODataType: graph.TypeEndpointProtection, DisplayName: "BitLocker", Assignments: toDevices, EndpointProtection: &graph.EndpointProtection{BitLockerEncryptDevice: true,
			BitLockerDisableWarning: true, BitLockerSystemDrivePolicy: &graph.BitLockerSystemDrivePolicy{EncryptionMethod: "xtsAes256"}}},
		{ODataType: graph.TypeUpdateRing, DisplayName: "ring", Assignments: toDevices, UpdateRing: &graph.UpdateRing{QualityUpdatesDeferralPeriodInDays: 7}},
	}})
	p := w.managed("one")
	g.Expect(p.nodes).To(HaveKey(MatchRegexp(`RootCATrustedCertificates/Root/[0-9A-F]{40}/EncodedCertificate$`)))
	g.Expect(p.nodes).To(HaveKeyWithValue(csp.BitLockerRequire, "1"))
	g.Expect(p.nodes).To(HaveKeyWithValue(csp.BitLockerMethod, ContainSubstring(`value="7"`)))
	g.Expect(p.nodes).To(HaveKeyWithValue("./Device/Vendor/MSFT/Policy/Config/Update/DeferQualityUpdatesPeriodInDays", "7"))
}

func TestSettingsCatalogue(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	setting := func(text string) json.RawMessage { return json.RawMessage(`{"settingInstance":` + text + `}`) }
	policy := graph.ConfigurationPolicy{Name: "catalogue", Assignments: toDevices, Settings: []json.RawMessage{
		setting(`{"settingDefinitionId":"device_vendor_msft_policy_config_devicelock_mindevicepasswordlength","simpleSettingValue":{"value":8}}`),
		setting(`{"settingDefinitionId":"device_vendor_msft_policy_config_devicelock_devicepasswordenabled","choiceSettingValue":{"value":"device_vendor_msft_policy_config_devicelock_devicepasswordenabled_0",
			"children":[{"settingDefinitionId":"device_vendor_msft_policy_config_devicelock_devicepasswordhistory","simpleSettingValue":{"value":3}}]}}`),
		setting(`{"settingDefinitionId":"device_vendor_msft_laps_policies_backupdirectory","choiceSettingValue":{"value":"device_vendor_msft_laps_policies_backupdirectory_1"}}`),
		setting(`{"settingDefinitionId":"device_vendor_msft_policy_config_microsoft_edgev80~policy~microsoft_edge_homepage","choiceSettingValue":{"value":"x_1",
			"children":[{"settingDefinitionId":"device_vendor_msft_policy_config_microsoft_edgev80~policy~microsoft_edge_homepage_url","simpleSettingValue":{"value":"<&"}}]}}`),
		setting(`{"settingDefinitionId":"user_vendor_msft_policy_config_start_hidelock","simpleSettingValue":{"value":1}}`),
		setting(`{"settingDefinitionId":"linux_something","simpleSettingValue":{"value":1}}`),
	}}
	w.load(tenant.Resources{SettingsPolicies: []graph.ConfigurationPolicy{policy}})
	p := w.managed("one")
	const root = "./Device/Vendor/MSFT/Policy/Config/"
	g.Expect(p.nodes).To(HaveKeyWithValue(root+"DeviceLock/MinDevicePasswordLength", "8"))
	g.Expect(p.nodes).To(HaveKeyWithValue(root+"DeviceLock/DevicePasswordEnabled", "0"))
	g.Expect(p.nodes).To(HaveKeyWithValue(root+"DeviceLock/DevicePasswordHistory", "3"))
	g.Expect(p.nodes).To(HaveKeyWithValue(csp.LAPSBackup, "1"))
	g.Expect(p.nodes).To(ContainElement(`<enabled/><data id="url" value="&lt;&amp;"/>`))
	g.Expect(p.nodes).NotTo(HaveKey(ContainSubstring("hidelock")), "the user's")
}

// Two configurations of one node: the older one's value is sent, the other has a
// conflict, and nothing goes to and fro.
func TestConflicts(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	const uri = "./Device/Vendor/MSFT/Policy/Config/Experience/AllowCortana"
	other, same := custom("other", toDevices, uri), custom("same", toDevices, uri)
	other.OmaSettings[0].Value = 0
	w.load(tenant.Resources{Configurations: []graph.DeviceConfiguration{other, same}})
	p := w.managed("one")
	g.Expect(p.nodes).To(HaveKeyWithValue(uri, "1"))
	var conflicts, applied int
	for _, s := range p.device().Settings {
		switch {
		case s.URI == uri && s.Conflict:
			conflicts++
		case s.URI == uri && s.Status == 200:
			applied++
		}
	}
	g.Expect([]int{conflicts, applied}).To(Equal([]int{1, 2}))
	p.sync(scheduled, "")
	g.Expect(strings.Join(p.order, "\n")).NotTo(ContainSubstring("AllowCortana"))
}

func TestStoreAndOffice(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	to := []graph.MobileAppAssignment{{Intent: graph.IntentRequired, Target: graph.AllDevices(), Settings: &graph.AppAssignmentSettings{UseDeviceContext: true}}}
	w.load(tenant.Resources{Apps: []graph.MobileApp{
		{ODataType: graph.TypeStoreApp, DisplayName: "Portal", StoreApp: &graph.StoreApp{PackageIdentityName: "Contoso.Portal_8wekyb3d8bbwe", ProductKey: "9WZDNCRFJ3PZ"}, Assignments: to},
		{ODataType: graph.TypeOfficeSuite, DisplayName: "Office", OfficeSuiteApp: &graph.OfficeSuiteApp{ExcludedApps: map[string]bool{"teams": true, "access": true}}, Assignments: to},
	}})
	p := w.enroll(tenant.EnrolledWhiteGlove, "one")
	p.sync(bootstrap, "")
	g.Expect(p.node(csp.Device, csp.ExpectedModernAppPackages)).To(ContainSubstring("Contoso.Portal_8wekyb3d8bbwe/Status;1"))
	g.Expect(p.node(csp.Device, csp.ExpectedMSIAppPackages)).To(ContainSubstring("/Office/Installation/"))
	g.Expect(p.nodes).To(ContainElement(ContainSubstring(`<ExcludeApp ID="Access"></ExcludeApp><ExcludeApp ID="Teams"></ExcludeApp>`)))
	for uri := range p.nodes {
		for _, tc := range []struct{ end, status string }{{"/StoreInstall", "2"}, {"/Install", "0"}} {
			if base, ok := strings.CutSuffix(uri, tc.end); ok {
				p.nodes[base+"/Status"] = tc.status
			}
		}
	}
	p.sync(scheduled, "")
	states := []int{}
	for _, a := range p.device().Apps {
		states = append(states, a.State)
	}
	g.Expect(states).To(ContainElements(60, 70))
	p.sync(scheduled, "")
	g.Expect(p.order).To(BeEmpty(), "%v", p.order)
}
