package graph_test

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	wire "windtunnel.test/sim/wire/graph"
)

var update = flag.Bool("update", false, "write the golden files")

// detection is a rule that the service has nothing against.
var detection = []any{map[string]any{"@odata.type": wire.RuleFile, "ruleType": "detection", "path": `C:\Program Files\7-Zip`, "fileOrFolderName": "7z.exe", "operationType": "exists"}}

func win32(name string, more map[string]any) map[string]any {
	m := map[string]any{"@odata.type": wire.TypeWin32LobApp, "displayName": name, "rules": detection}
	for k, v := range more {
		m[k] = v
	}
	return m
}

func rule(kind string, members map[string]any) map[string]any {
	members["@odata.type"], members["ruleType"] = kind, "detection"
	return win32("Tool", map[string]any{"rules": []any{members}})
}

// What Graph refuses, and what it says then: the scenario file is checked by the
// same functions.
func TestRefusals(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	const apps, configurations, scripts = "/v1.0/deviceAppManagement/mobileApps", "/v1.0/deviceManagement/deviceConfigurations", "/beta/deviceManagement/deviceManagementScripts"
	var many []string
	for i := range 101 {
		many = append(many, fmt.Sprintf("00000000-0000-0000-0000-%012d", i))
	}
	var store wire.MobileApp
	a.call(201, "POST", apps, map[string]any{"@odata.type": wire.TypeStoreApp, "displayName": "Calculator", "packageIdentityName": "Calc_1", "productKey": "9W", "licenseType": "online"}, &store)
	setting := func(uri string, value any) map[string]any {
		return map[string]any{"@odata.type": wire.TypeCustomConfiguration, "displayName": "Policy", "omaSettings": []any{map[string]any{"@odata.type": "#microsoft.graph.omaSettingInteger", "omaUri": uri, "value": value}}}
	}
	var out strings.Builder
	for _, tc := range []struct {
		name, path string
		body       map[string]any
	}{
		{"no detection rule", apps, map[string]any{"@odata.type": wire.TypeWin32LobApp, "displayName": "Tool"}},
		{"rule of another type", apps, rule("#microsoft.graph.win32LobAppFolderRule", map[string]any{})},
		{"key of no hive", apps, rule(wire.RuleRegistry, map[string]any{"keyPath": `HKLX\SOFTWARE\Tool`, "operationType": "exists"})},
		{"version that is none", apps, rule(wire.RuleFile, map[string]any{"path": `C:\Tool`, "fileOrFolderName": "tool.exe", "operationType": "version", "operator": "greaterThanOrEqual", "comparisonValue": "four.2"})},
		{"comparison without operator", apps, rule(wire.RuleRegistry, map[string]any{"keyPath": `HKLM\SOFTWARE\Tool`, "operationType": "integer", "comparisonValue": "4"})},
		{"script that is no base64", apps, rule(wire.RulePowerShell, map[string]any{"scriptContent": "exit 0"})},
		{"product code that is none", apps, rule(wire.RuleProduct, map[string]any{"productCode": "7-Zip"})},
		{"user context of a machine's MSI", apps, win32("Tool", map[string]any{"installExperience": map[string]any{"runAsAccount": "user"}, "msiInformation": map[string]any{"packageType": "perMachine"}})},
		{"LOB MSI without product code", apps, map[string]any{"@odata.type": wire.TypeMobileMSI, "displayName": "MSI"}},
		{"more blocking apps than 100", "/v1.0/deviceManagement/deviceEnrollmentConfigurations", map[string]any{"@odata.type": wire.TypeESP, "displayName": "Page", "selectedMobileAppIds": many}},
		{"page for an app that it cannot wait for", "/v1.0/deviceManagement/deviceEnrollmentConfigurations", map[string]any{"@odata.type": wire.TypeESP, "displayName": "Page", "selectedMobileAppIds": []string{store.ID}}},
		{"name with a macro in lower case", "/beta/deviceManagement/windowsAutopilotDeploymentProfiles", map[string]any{"@odata.type": wire.TypeEntraProfile, "displayName": "P", "deviceNameTemplate": "PC-%serial%"}},
		{"name with a macro that is none", "/beta/deviceManagement/windowsAutopilotDeploymentProfiles", map[string]any{"@odata.type": wire.TypeEntraProfile, "displayName": "P", "deviceNameTemplate": "PC-%USERNAME%"}},
		{"name over 15 characters", "/beta/deviceManagement/windowsAutopilotDeploymentProfiles", map[string]any{"@odata.type": wire.TypeEntraProfile, "displayName": "P", "deviceNameTemplate": "CONTOSO-NOTEBOOK-%RAND:4%"}},
		{"setting without a LocURI", configurations, setting("Policy/Config/A", 1)},
		{"SCEP without a server", configurations, map[string]any{"@odata.type": wire.TypeSCEPCertificate, "displayName": "SCEP"}},
		{"key of a network that is too short", configurations, map[string]any{"@odata.type": wire.TypeWiFi, "displayName": "WLAN", "ssid": "lab", "wifiSecurityType": "wpa2Personal", "preSharedKey": "short"}},
		{"VPN without a server", configurations, map[string]any{"@odata.type": wire.TypeVPN, "displayName": "VPN", "connectionName": "Head office"}},
		{"script without a text", scripts, map[string]any{"displayName": "S", "fileName": "a.ps1"}},
		{"script that is none", scripts, map[string]any{"displayName": "S", "fileName": "a.cmd", "scriptContent": base64.StdEncoding.EncodeToString([]byte("exit 0"))}},
	} {
		fmt.Fprintf(&out, "%s: %s\n", tc.name, refusal(a, "POST", tc.path, tc.body))
	}
	for name, body := range map[string]any{"available for all devices": wire.AppAssignRequest{Assignments: []wire.MobileAppAssignment{{Intent: wire.IntentAvailable, Target: wire.AllDevices()}}}} {
		var tool wire.MobileApp
		a.call(201, "POST", apps, win32("Tool", nil), &tool)
		fmt.Fprintf(&out, "%s: %s\n", name, refusal(a, "POST", apps+"/"+tool.ID+"/assign", body))
	}
	const golden = "testdata/refusals.txt"
	if *update {
		g.Expect(os.WriteFile(golden, []byte(out.String()), 0o644)).To(Succeed())
	}
	want, err := os.ReadFile(golden)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(out.String()).To(Equal(string(want)))
}

// refusal is the text of an answer 400.
func refusal(a *admin, method, path string, body any) string {
	var e wire.Error
	a.call(400, method, path, body, &e)
	var m wire.IntuneMessage
	if json.Unmarshal([]byte(e.Error.Message), &m) != nil {
		return e.Error.Message
	}
	return m.Message
}

// Apps and what they need: a circle is refused by the call that would close it,
// and both ends show a relation.
func TestRelationships(t *testing.T) {
	g := NewWithT(t)
	a := newAdmin(t)
	const apps = "/beta/deviceAppManagement/mobileApps"
	ids := map[string]string{}
	for _, name := range []string{"Runtime", "Suite", "Old suite"} {
		var app wire.MobileApp
		a.call(201, "POST", apps, win32(name, map[string]any{"relationships": []any{map[string]any{"targetId": "x"}}}), &app)
		ids[name] = app.ID
	}
	update := func(status int, name string, relations ...wire.MobileAppRelationship) {
		a.call(status, "POST", apps+"/"+ids[name]+"/updateRelationships", map[string]any{"relationships": relations}, nil)
	}
	needs := func(name string) wire.MobileAppRelationship {
		return wire.MobileAppRelationship{ODataType: wire.TypeDependency, TargetID: ids[name], DependencyType: wire.DependencyInstall}
	}
	update(200, "Suite", needs("Runtime"), wire.MobileAppRelationship{ODataType: wire.TypeSupersedence, TargetID: ids["Old suite"], SupersedenceType: wire.SupersedenceReplace})
	update(400, "Runtime", needs("Suite"))
	update(400, "Runtime", needs("Runtime"))
	update(400, "Runtime", wire.MobileAppRelationship{ODataType: wire.TypeDependency, TargetID: "nobody"})

	var of wire.Collection[wire.MobileAppRelationship]
	a.call(200, "GET", apps+"/"+ids["Suite"]+"/relationships", nil, &of)
	g.Expect(of.Value).To(HaveLen(2))
	a.call(200, "GET", apps+"/"+ids["Runtime"]+"/relationships", nil, &of)
	g.Expect(of.Value).To(HaveLen(1))
	g.Expect(of.Value[0].TargetType + " " + of.Value[0].TargetDisplayName).To(Equal("parent Suite"))
	var app wire.MobileApp
	a.call(200, "GET", apps+"/"+ids["Suite"], nil, &app)
	g.Expect(app.Relationships).To(BeEmpty(), "not asked for")
	a.call(200, "GET", apps+"/"+ids["Suite"]+"?$expand=relationships", nil, &app)
	g.Expect(app.Relationships).To(HaveLen(2))
	update(200, "Suite")
	update(200, "Runtime", needs("Suite"))
}
