package mdm

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/syncml"
)

// parsed is a policy of the settings catalogue that was read. The policy's own
// list is kept to tell whether it is still the same one.
type parsed struct {
	from  []json.RawMessage
	items []item
}

// settingsOf are the nodes that a policy of the settings catalogue sets. It is
// read once, however many devices it reaches.
func (s *Service) settingsOf(t *tenant.Tenant, p graph.ConfigurationPolicy) []item {
	if len(p.Settings) == 0 {
		return nil
	}
	key := t.ID + "/" + p.ID
	s.mu.Lock()
	known, ok := s.catalogue[key]
	s.mu.Unlock()
	if ok && len(known.from) == len(p.Settings) && &known.from[0] == &p.Settings[0] {
		return known.items
	}
	fresh := parsed{from: p.Settings}
	for _, raw := range p.Settings {
		var one struct {
			SettingInstance instance `json:"settingInstance"`
		}
		if json.Unmarshal(raw, &one) == nil {
			fresh.items = one.SettingInstance.items(p.ID, fresh.items, 0)
		}
	}
	s.mu.Lock()
	s.catalogue[key] = fresh
	s.mu.Unlock()
	return fresh.items
}

// NotModelled are the setting definitions of a policy that no node is known of.
// Devices are not told of them.
func NotModelled(p graph.ConfigurationPolicy) []string {
	var out []string
	for _, raw := range p.Settings {
		var one struct {
			SettingInstance instance `json:"settingInstance"`
		}
		if json.Unmarshal(raw, &one) == nil {
			if _, ok := nodeOf(one.SettingInstance.DefinitionID); !ok {
				out = append(out, one.SettingInstance.DefinitionID)
			}
		}
	}
	return out
}

// instance is deviceManagementConfigurationSettingInstance with its concrete
// types, as far as values go.
type instance struct {
	DefinitionID string         `json:"settingDefinitionId"`
	Choice       *choice        `json:"choiceSettingValue"`
	Simple       *simple        `json:"simpleSettingValue"`
	Simples      []simple       `json:"simpleSettingCollectionValue"`
	Group        *instanceGroup `json:"groupSettingValue"`
	Groups       []struct {
		Children []instance `json:"children"`
	} `json:"groupSettingCollectionValue"`
}

type choice struct {
	Value    string     `json:"value"` // the id of an option: the definition's and a suffix
	Children []instance `json:"children"`
}

type simple struct {
	Value any `json:"value"`
}

type instanceGroup struct {
	Children []instance `json:"children"`
}

// maxNesting bounds groups in groups; Graph's own are two deep.
const maxNesting = 8

// items adds the nodes of an instance and of those below it.
func (i instance) items(owner string, out []item, depth int) []item {
	if depth > maxNesting {
		return out
	}
	children := []instance{}
	if i.Group != nil {
		children = append(children, i.Group.Children...)
	}
	for _, g := range i.Groups {
		children = append(children, g.Children...)
	}
	if n, ok := nodeOf(i.DefinitionID); ok {
		if format, value, ok := i.value(n); ok {
			out = append(out, item{owner: owner, uri: canonical(n.uri), digest: digest(string(format), value), format: format, value: value})
		}
	}
	if i.Choice != nil {
		for _, c := range i.Choice.Children {
			if _, ok := nodeOf(c.DefinitionID); ok && !strings.HasPrefix(c.DefinitionID, i.DefinitionID+"_") {
				children = append(children, c) // a setting of its own, not a part of this one's value
			}
		}
	}
	for _, c := range children {
		out = c.items(owner, out, depth+1)
	}
	return out
}

// value is what an instance sets its node to.
func (i instance) value(n settingNode) (format syncml.Format, value string, ok bool) {
	switch {
	case i.Choice != nil && n.template:
		return syncml.Chr, i.Choice.template(i.DefinitionID), true
	case i.Choice != nil:
		option := strings.TrimPrefix(strings.TrimPrefix(i.Choice.Value, i.DefinitionID), "_")
		if _, err := strconv.Atoi(option); err == nil {
			return syncml.Int, option, true
		}
		return syncml.Chr, option, option != ""
	case i.Simple != nil:
		return i.Simple.text()
	case len(i.Simples) > 0:
		texts := make([]string, len(i.Simples))
		for n, s := range i.Simples {
			_, texts[n], _ = s.text()
		}
		return syncml.Chr, csp.JoinList(texts), true
	}
	return "", "", false
}

func (s simple) text() (syncml.Format, string, bool) {
	switch v := s.Value.(type) {
	case string:
		return syncml.Chr, v, true
	case float64:
		return syncml.Int, strconv.FormatFloat(v, 'f', -1, 64), true
	case bool:
		return syncml.Bool, strconv.FormatBool(v), true
	}
	return "", "", false
}

// template is the value of a policy that comes from an administrative template
// (learn.microsoft.com, "Understanding ADMX policies").
func (c choice) template(definition string) string {
	if !strings.HasSuffix(c.Value, "_1") {
		return "<disabled/>"
	}
	var b strings.Builder
	b.WriteString("<enabled/>")
	for _, child := range c.Children {
		id := strings.TrimPrefix(child.DefinitionID, definition+"_")
		if _, value, ok := child.value(settingNode{}); ok {
			fmt.Fprintf(&b, `<data id="%s" value="%s"/>`, escape.Replace(id), escape.Replace(value))
		}
	}
	return b.String()
}

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

type settingNode struct {
	uri      string
	template bool // its value is that of an administrative template's policy
}

// nodeOf is the node that a setting definition is about. Its id is the node's
// LocURI in lower case, with underscores; only the pattern of the Policy CSP,
// and BitLocker's and LAPS's nodes are read (our model: the catalogue's own
// table, with offsetUri, is not public as a whole).
func nodeOf(definition string) (settingNode, bool) {
	rest, scope := definition, csp.Device
	switch {
	case strings.HasPrefix(rest, "device_vendor_msft_"):
		rest = strings.TrimPrefix(rest, "device_vendor_msft_")
	case strings.HasPrefix(rest, "vendor_msft_"):
		rest = strings.TrimPrefix(rest, "vendor_msft_")
	case strings.HasPrefix(rest, "user_vendor_msft_"):
		rest, scope = strings.TrimPrefix(rest, "user_vendor_msft_"), csp.User
	default:
		return settingNode{}, false
	}
	if n := slices.IndexFunc(otherNodes, func(uri string) bool { return definitionOf(uri) == rest }); n >= 0 && scope == csp.Device {
		return settingNode{uri: otherNodes[n], template: otherNodes[n] == csp.BitLockerMethod}, true
	}
	rest, ok := strings.CutPrefix(rest, "policy_config_")
	if !ok {
		return settingNode{}, false
	}
	area, name, ok := cutArea(rest)
	if !ok || name == "" {
		return settingNode{}, false
	}
	p := csp.Policy{Scope: scope, Area: area, Name: name}
	for _, known := range knownPolicies {
		if a, n, _ := strings.Cut(known, "/"); strings.EqualFold(a, area) && strings.EqualFold(n, name) {
			p.Area, p.Name = a, n
		} else if strings.EqualFold(a, area) {
			p.Area = a
		}
	}
	return settingNode{uri: p.Config(), template: strings.HasPrefix(area, "admx_") || strings.Contains(area, "~policy~")}, true
}

// cutArea takes area and name apart. Areas of administrative templates have
// underscores of their own.
func cutArea(rest string) (area, name string, ok bool) {
	switch {
	case strings.HasPrefix(rest, "admx_"):
		area, name, ok = strings.Cut(rest[len("admx_"):], "_")
		return "admx_" + area, name, ok
	case strings.Contains(rest, "~policy~microsoft_edge_"):
		area, name, ok = strings.Cut(rest, "~policy~microsoft_edge_")
		return area + "~policy~microsoft_edge", name, ok
	}
	return strings.Cut(rest, "_")
}

// otherNodes are nodes outside the Policy CSP that the catalogue sets.
var otherNodes = []string{
	csp.BitLockerRequire, csp.BitLockerMethod, csp.BitLockerWarning, csp.BitLockerStandard, csp.BitLockerRotation,
	csp.LAPSBackup, csp.LAPSAge, csp.LAPSLength, csp.LAPSAccount,
}

// definitionOf is the part of a node's definition id behind its root.
func definitionOf(uri string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(uri, "./Device/Vendor/MSFT/"), "/", "_"))
}

// knownPolicies are policies whose name's capitals matter to somebody: an id has
// none. Others stay in lower case, which Windows does not mind.
var knownPolicies = []string{
	"Accounts/AllowMicrosoftAccountSignInAssistant", "ADMX_MSS-legacy/Pol_MSS_AutoAdminLogon", "AppLocker/", "AssignedAccess/", "Browser/AllowPopups",
	"DeviceGuard/EnableVirtualizationBasedSecurity", "DeviceGuard/RequirePlatformSecurityFeatures", "DeviceGuard/LsaCfgFlags",
	"DeviceLock/DevicePasswordEnabled", "DeviceLock/AllowSimpleDevicePassword", "DeviceLock/AlphanumericDevicePasswordRequired", "DeviceLock/MinDevicePasswordLength",
	"DeviceLock/MinDevicePasswordComplexCharacters", "DeviceLock/DevicePasswordExpiration", "DeviceLock/DevicePasswordHistory",
	"DeviceLock/MaxDevicePasswordFailedAttempts", "DeviceLock/MaxInactivityTimeDeviceLock", "Experience/AllowCortana", "KioskBrowser/",
	"LocalPoliciesSecurityOptions/InteractiveLogon_MessageTextForUsersAttemptingToLogOn", "LocalPoliciesSecurityOptions/InteractiveLogon_MessageTitleForUsersAttemptingToLogOn",
	"LocalPoliciesSecurityOptions/InteractiveLogon_RequireWindowsHelloForBusinessOrSmartCard",
	"LocalPoliciesSecurityOptions/UserAccountControl_BehaviorOfTheElevationPromptForAdministrators",
	"LocalPoliciesSecurityOptions/UserAccountControl_BehaviorOfTheElevationPromptForStandardUsers",
	"LocalPoliciesSecurityOptions/UserAccountControl_SwitchToTheSecureDesktopWhenPromptingForElevation",
	"LocalPoliciesSecurityOptions/UserAccountControl_RunAllAdministratorsInAdminApprovalMode", "LocalPoliciesSecurityOptions/UserAccountControl_UseAdminApprovalMode",
	"TimeLanguageSettings/ConfigureTimeZone", "Update/DeferQualityUpdatesPeriodInDays", "Update/DeferFeatureUpdatesPeriodInDays",
}
