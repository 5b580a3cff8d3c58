package mdm

import (
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/csp"
)

// effect is what a policy of the device changes in Windows beyond being
// readable. Policies without one are in force for whoever reads them.
type effect struct {
	takes  func(value string) bool // whether it is a value of the policy; another one is refused
	apply  func(w *device.Windows, value string)
	remove func(w *device.Windows)
}

const (
	keyDeviceGuard = `HKLM\SYSTEM\CurrentControlSet\Control\DeviceGuard`
	keyLsa         = `HKLM\SYSTEM\CurrentControlSet\Control\Lsa`
	options        = "LocalPoliciesSecurityOptions/"
)

// effects are by area and name. Registry values are those of the policy's
// "Group policy mapping", learn.microsoft.com, Policy CSP.
var effects = map[string]effect{
	"Accounts/AllowMicrosoftAccountSignInAssistant": signInAssistant,

	options + "InteractiveLogon_MessageTextForUsersAttemptingToLogOn":                text(device.KeyPoliciesSystem, "legalnoticetext"),
	options + "InteractiveLogon_MessageTitleForUsersAttemptingToLogOn":               text(device.KeyPoliciesSystem, "legalnoticecaption"),
	options + "InteractiveLogon_RequireWindowsHelloForBusinessOrSmartCard":           dword(device.KeyPoliciesSystem, "scforceoption"),
	options + "UserAccountControl_BehaviorOfTheElevationPromptForAdministrators":     dword(device.KeyPoliciesSystem, "ConsentPromptBehaviorAdmin"),
	options + "UserAccountControl_BehaviorOfTheElevationPromptForStandardUsers":      dword(device.KeyPoliciesSystem, "ConsentPromptBehaviorUser"),
	options + "UserAccountControl_SwitchToTheSecureDesktopWhenPromptingForElevation": dword(device.KeyPoliciesSystem, "PromptOnSecureDesktop"),
	options + "UserAccountControl_RunAllAdministratorsInAdminApprovalMode":           dword(device.KeyPoliciesSystem, "EnableLUA"),
	options + "UserAccountControl_UseAdminApprovalMode":                              dword(device.KeyPoliciesSystem, "FilterAdministratorToken"),

	"ADMX_MSS-legacy/Pol_MSS_AutoAdminLogon": admx(device.KeyWinlogon, "AutoAdminLogon"),

	"DeviceGuard/EnableVirtualizationBasedSecurity": dword(keyDeviceGuard, "EnableVirtualizationBasedSecurity"),
	"DeviceGuard/RequirePlatformSecurityFeatures":   dword(keyDeviceGuard, "RequirePlatformSecurityFeatures"),
	"DeviceGuard/LsaCfgFlags":                       dword(keyLsa, "LsaCfgFlags"),

	"TimeLanguageSettings/ConfigureTimeZone": timeZone,

	// Password rules of the engine that Exchange's policies use as well. Which
	// values ask nothing of anybody: Policy CSP - DeviceLock.
	"DeviceLock/DevicePasswordEnabled":              lock("DevicePasswordEnabled", 1),
	"DeviceLock/AllowSimpleDevicePassword":          lock("AllowSimpleDevicePassword", 1),
	"DeviceLock/AlphanumericDevicePasswordRequired": lock("AlphanumericDevicePasswordRequired", 2),
	"DeviceLock/MinDevicePasswordLength":            lock("MinDevicePasswordLength", 0),
	"DeviceLock/MinDevicePasswordComplexCharacters": lock("MinDevicePasswordComplexCharacters", 1),
	"DeviceLock/DevicePasswordExpiration":           lock("DevicePasswordExpiration", 0),
	"DeviceLock/DevicePasswordHistory":              lock("DevicePasswordHistory", 0),
	"DeviceLock/MaxDevicePasswordFailedAttempts":    lock("MaxDevicePasswordFailedAttempts", 0),
	"DeviceLock/MaxInactivityTimeDeviceLock":        lock("MaxInactivityTimeDeviceLock", 0),
}

// effectsFolded is effects by names in small letters: nodes of Windows' own are
// found in any case, as the settings catalogue's ids need it, which have small
// letters alone.
var effectsFolded = func() map[string]effect {
	folded := make(map[string]effect, len(effects))
	for name, e := range effects {
		folded[strings.ToLower(name)] = e
	}
	return folded
}()

// effectOf is what a policy changes, if it is one of those that do.
func effectOf(p csp.Policy) (effect, bool) {
	e, known := effectsFolded[strings.ToLower(p.Area+"/"+p.Name)]
	return e, known
}

func isNumber(value string) bool { _, ok := number(value); return ok }
func isAnything(string) bool     { return true }

// dword is a policy that is a REG_DWORD of Windows.
func dword(key, name string) effect {
	return effect{
		takes:  isNumber,
		apply:  func(w *device.Windows, value string) { n, _ := number(value); w.Registry().SetDWORD(key, name, n) },
		remove: func(w *device.Windows) { w.Registry().Delete(key, name) },
	}
}

// text is one that is a REG_SZ.
func text(key, name string) effect {
	return effect{
		takes:  isAnything,
		apply:  func(w *device.Windows, value string) { w.Registry().SetString(key, name, value) },
		remove: func(w *device.Windows) { w.Registry().Delete(key, name) },
	}
}

// admx is a policy of the form that administrative templates have, on or off
// (learn.microsoft.com, "Understanding ADMX policies").
func admx(key, name string) effect {
	on := func(value string) bool { return strings.Contains(strings.ToLower(value), "<enabled") }
	return effect{
		takes: func(value string) bool { return on(value) || strings.Contains(strings.ToLower(value), "<disabled") },
		apply: func(w *device.Windows, value string) {
			n := "0"
			if on(value) {
				n = "1"
			}
			w.Registry().SetString(key, name, n)
		},
		remove: func(w *device.Windows) { w.Registry().Delete(key, name) },
	}
}

// lock is a rule about passwords. While there is one, Windows signs nobody on by
// itself (learn.microsoft.com, "Configure Windows to automate logon"); free is
// the value that is none.
func lock(name string, free uint32) effect {
	remove := func(w *device.Windows) { w.Registry().Delete(device.KeyEAS, name) }
	return effect{
		takes: isNumber,
		apply: func(w *device.Windows, value string) {
			n, _ := number(value)
			if n == free {
				remove(w)
				return
			}
			w.Registry().SetDWORD(device.KeyEAS, name, n)
			w.Registry().SetString(device.KeyWinlogon, "AutoAdminLogon", "0")
		},
		remove: remove,
	}
}

// signInAssistant: 0 disables wlidsvc, 1 leaves it to start when it is asked
// for (learn.microsoft.com, Policy CSP - Accounts).
var signInAssistant = effect{
	takes: isNumber,
	apply: func(w *device.Windows, value string) {
		start := device.StartManual
		if value == "0" {
			start = device.StartDisabled
		}
		w.Registry().SetDWORD(device.KeyServices+`\`+device.ServiceWLID, "Start", start)
	},
	remove: func(w *device.Windows) {
		w.Registry().SetDWORD(device.KeyServices+`\`+device.ServiceWLID, "Start", device.StartManual)
	},
}

// timeZone sets the clock's zone by its name in the registry. One that Windows
// does not know is refused.
var timeZone = effect{
	takes:  func(value string) bool { _, ok := device.FindZone(value); return ok },
	apply:  func(w *device.Windows, value string) { w.SetZone(value) },
	remove: func(*device.Windows) {},
}
