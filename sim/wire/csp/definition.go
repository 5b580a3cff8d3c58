package csp

import (
	"slices"
	"strings"
)

// SettingNode is the node that a setting of the settings catalogue sets.
type SettingNode struct {
	URI      string // in Windows' own spelling where that is known
	Template bool   // its value is that of an administrative template's policy
}

// NodeOfSetting is the node that a setting definition is about. Its id is the node's
// LocURI in lower case, with underscores; only the pattern of the Policy CSP,
// and BitLocker's and LAPS's nodes are read (our model: the catalogue's own
// table, with offsetUri, is not public as a whole).
func NodeOfSetting(definition string) (SettingNode, bool) {
	rest, scope := strings.ToLower(definition), Device
	switch {
	case strings.HasPrefix(rest, "device_vendor_msft_"):
		rest = strings.TrimPrefix(rest, "device_vendor_msft_")
	case strings.HasPrefix(rest, "vendor_msft_"):
		rest = strings.TrimPrefix(rest, "vendor_msft_")
	case strings.HasPrefix(rest, "user_vendor_msft_"):
		rest, scope = strings.TrimPrefix(rest, "user_vendor_msft_"), User
	default:
		return SettingNode{}, false
	}
	if n := slices.IndexFunc(otherNodes, func(uri string) bool { return definitionOf(uri) == rest }); n >= 0 && scope == Device {
		return SettingNode{URI: otherNodes[n], Template: otherNodes[n] == BitLockerMethod}, true
	}
	rest, ok := strings.CutPrefix(rest, "policy_config_")
	if !ok {
		return SettingNode{}, false
	}
	area, name, ok := cutArea(rest)
	if !ok || name == "" {
		return SettingNode{}, false
	}
	p := Policy{Scope: scope, Area: area, Name: name}
	for _, known := range knownPolicies {
		if a, n, _ := strings.Cut(known, "/"); strings.EqualFold(a, area) && strings.EqualFold(n, name) {
			p.Area, p.Name = a, n
		} else if strings.EqualFold(a, area) {
			p.Area = a
		}
	}
	return SettingNode{URI: p.Config(), Template: strings.HasPrefix(area, "admx_") || strings.Contains(area, "~policy~")}, true
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
	BitLockerRequire, BitLockerMethod, BitLockerWarning, BitLockerStandard, BitLockerRotation,
	LAPSBackup, LAPSAge, LAPSLength, LAPSAccount,
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
