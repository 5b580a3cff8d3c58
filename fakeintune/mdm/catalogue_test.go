package mdm

import (
	"encoding/json"
	"strings"
	"testing"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
)

// Settings are an administrator's JSON: whatever stands there, what comes of it
// are nodes that a message can carry, and no more than it has instances.
func FuzzCatalogue(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `[]`, `{"settingInstance":{"settingDefinitionId":"device_vendor_msft_policy_config_a_b","simpleSettingValue":{"value":1e300}}}`,
		`{"settingInstance":{"settingDefinitionId":"Device_Vendor_MSFT_Policy_Config_DeviceLock_DevicePasswordEnabled","choiceSettingValue":{"value":"_"}}}`,
		`{"settingInstance":{"settingDefinitionId":"device_vendor_msft_policy_config_admx__","choiceSettingValue":{"value":"_1","children":[{"settingDefinitionId":"]]>","simpleSettingValue":{"value":"\u0000"}}]}}}`,
		`{"settingInstance":{"settingDefinitionId":"device_vendor_msft_policy_config_a_../..","simpleSettingCollectionValue":[{"value":{}},{"value":null}]}}`,
		strings.Repeat(`{"settingInstance":{"groupSettingValue":{"children":[`, 1) + strings.Repeat(`{"groupSettingCollectionValue":[{"children":[`, 40) + strings.Repeat(`]}]}`, 40) + `]}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := &Service{catalogue: map[string]parsed{}}
		items := s.settingsOf(&tenant.Tenant{}, graph.ConfigurationPolicy{ID: "p", Settings: []json.RawMessage{raw}})
		if len(items) > len(raw) {
			t.Fatalf("%d nodes of %d bytes", len(items), len(raw))
		}
		for _, i := range items {
			if !strings.HasPrefix(i.uri, "./") {
				t.Errorf("node %q", i.uri)
			}
			if _, err := csp.Parse(i.uri); err == nil && canonical(i.uri) != i.uri {
				t.Errorf("node %q is not canonical", i.uri)
			}
		}
	})
}
