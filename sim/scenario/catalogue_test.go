package scenario_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/scenario"
)

const catalogueFile = `
name: Catalogue
sites: [{name: office}]
fleet: {groups: [{name: a, count: 1, flow: user-driven, destinations: office}]}
tenant:
  domain: contoso.com
  users: [{userPrincipalName: adele@contoso.com, passwordProfile: {password: p}}]
  configurationPolicies:
    - name: Mixed
      platforms: windows10
      technologies: mdm
      settings:
        - settingInstance: {settingDefinitionId: Device_Vendor_MSFT_Policy_Config_DeviceLock_MinDevicePasswordLength, simpleSettingValue: {value: 8}}
        - settingInstance: {settingDefinitionId: device_vendor_msft_firewall_mdmstore_global_x, simpleSettingValue: {value: 1}}
`

// A setting of the catalogue that no node is known of reaches no device: who
// reads the scenario is told.
func TestSettingsWithoutNodes(t *testing.T) {
	g := NewWithT(t)
	s, problems := scenario.Load("catalogue.yaml", []byte(catalogueFile), scenario.Options{})
	g.Expect(problems).To(BeEmpty())
	g.Expect(s.NotModelled).To(ConsistOf("tenant.configurationPolicies[0].settings[1] (device_vendor_msft_firewall_mdmstore_global_x)"))
}
