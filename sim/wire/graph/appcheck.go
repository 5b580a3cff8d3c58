package graph

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	productCode = regexp.MustCompile(`^\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}$`)
	runAs       = []string{string(RunAsSystem), string(RunAsUser)}
	restarts    = []string{"basedOnReturnCode", "allow", "suppress", "force"}
	codeTypes   = []string{string(ReturnFailed), string(ReturnSuccess), string(ReturnSoftReboot), string(ReturnHardReboot), string(ReturnRetry)}
	intents     = []string{string(IntentRequired), string(IntentAvailable), string(IntentUninstall), string(IntentAvailableWithoutEnrollment)}
)

// optional is member for one that may be missing.
func (r *Report) optional(path, value string, known []string) {
	if value != "" {
		r.member(path, value, known)
	}
}

// Mistakes says what is wrong with an app by itself, as the service would
// refuse it, with what to do about it. What is wrong with its relations only the
// other apps tell: [RelationMistakes].
func (a MobileApp) Mistakes() []Mistake {
	var r Report
	a = complete(a, a.ODataType)
	switch {
	case a.WinGetApp != nil:
		if a.PackageIdentifier == "" {
			r.wrong("packageIdentifier", "is missing; it names the package in its source, such as 9WZDNCRFJ3PZ")
		}
	case a.Win32LobApp != nil:
		a.win32Mistakes(&r)
	case a.WindowsMobileMSI != nil:
		a.msiMistakes(&r)
	case a.OfficeSuiteApp != nil:
		if len(a.ProductIDs) == 0 {
			r.wrong("productIds", "is empty; name a product, such as o365ProPlusRetail")
		}
		r.optional("officePlatformArchitecture", a.OfficePlatformArchitecture, []string{"none", "x86", "x64", "arm", "neutral", "arm64"})
	case a.StoreApp != nil:
		r.optional("licenseType", a.LicenseType, []string{"offline", "online"})
	}
	if a.Win32LobApp != nil && a.InstallExperience != nil {
		x := a.InstallExperience
		r.optional("installExperience.runAsAccount", string(x.RunAsAccount), runAs)
		r.optional("installExperience.deviceRestartBehavior", x.DeviceRestartBehavior, restarts)
	}
	a.assignmentMistakes(&r)
	return r.Mistakes
}

func (a MobileApp) msiMistakes(r *Report) {
	switch {
	case a.WindowsMobileMSI.ProductCode == "":
		r.wrong("productCode", "is missing; device management finds a line-of-business MSI by it: copy the MSI's ProductCode, {XXXXXXXX-XXXX-...}")
	case !productCode.MatchString(a.WindowsMobileMSI.ProductCode):
		r.wrong("productCode", "%q is no product code; write the MSI's, a GUID in braces", a.WindowsMobileMSI.ProductCode)
	}
}

func (a MobileApp) win32Mistakes(r *Report) {
	if len(a.Detections()) == 0 {
		r.wrong("rules", "has no detection rule; the agent could never tell that the app is there: add one with ruleType detection")
	}
	for name, list := range map[string][]Rule{"rules": a.Rules, "detectionRules": a.DetectionRules, "requirementRules": a.RequirementRules} {
		for i, rule := range list {
			rule.mistakes(r, fmt.Sprintf("%s[%d]", name, i))
		}
	}
	slices.SortStableFunc(r.Mistakes, func(a, b Mistake) int { return strings.Compare(a.Path, b.Path) })
	seen := map[int]bool{}
	for i, c := range a.ReturnCodes {
		at := fmt.Sprintf("returnCodes[%d]", i)
		r.member(at+".type", string(c.Type), codeTypes)
		if seen[c.ReturnCode] {
			r.wrong(at+".returnCode", "%d is there twice; give each code one meaning", c.ReturnCode)
		}
		seen[c.ReturnCode] = true
	}
	x := a.InstallExperience
	if x == nil {
		return
	}
	if m := a.MSIInformation; m != nil && m.PackageType == "perMachine" && x.RunAsAccount == RunAsUser {
		r.wrong("installExperience.runAsAccount", "is user, and the package is perMachine, which only the system can install: write system")
	}
	if x.MaxRunTimeInMinutes < 0 || x.MaxRunTimeInMinutes > maxRunMinutes {
		r.wrong("installExperience.maxRunTimeInMinutes", "%d is not between 1 and %d", x.MaxRunTimeInMinutes, maxRunMinutes)
	}
}

// maxRunMinutes is the longest time that an installer may be given
// (learn.microsoft.com/mem/intune/apps/apps-win32-add, "Installation time
// required").
const maxRunMinutes = 1440

func (a MobileApp) assignmentMistakes(r *Report) {
	for i, as := range a.Assignments {
		at := fmt.Sprintf("assignments[%d]", i)
		r.optional(at+".intent", string(as.Intent), intents)
		available := as.Intent == IntentAvailable || as.Intent == IntentAvailableWithoutEnrollment
		switch {
		case available && as.Target.ODataType == TargetAllDevices:
			r.wrong(at+".intent", "%s is an offer in the Company Portal, which is made to users: assign to a group of users or to all users, or write required", as.Intent)
		case available && a.WindowsMobileMSI != nil:
			r.wrong(at+".intent", "a line-of-business MSI cannot be made available; write required or uninstall")
		case as.Intent == IntentAvailableWithoutEnrollment && a.Win32LobApp != nil:
			r.wrong(at+".intent", "the management extension is on enrolled PCs only; write available")
		}
	}
}

// Blockable tells whether a status page can wait for an app, and why not
// (learn.microsoft.com/mem/intune/enrollment/windows-enrollment-status, "Apps").
func (a MobileApp) Blockable() (why string, ok bool) {
	if a.StoreApp != nil && a.LicenseType != "offline" {
		return "an app of the Store with an online licence, which the page does not track; choose one with an offline licence, or a winGetApp", false
	}
	return "", true
}

// Mistakes says what is wrong with a status page, as the service would refuse
// it. limit is how many apps may be selected; find gives the tenant's apps, false
// for one that is not there, which is passed over.
func (p EnrollmentStatusPage) Mistakes(limit int, find func(id string) (MobileApp, bool)) []Mistake {
	var r Report
	if n := len(p.SelectedMobileAppIDs); n > limit {
		r.wrong("selectedMobileAppIds", "%d blocking apps are selected; Intune takes %d: take some off the list, or leave it empty to wait for all required apps", n, limit)
	}
	if p.InstallProgressTimeoutInMinutes < 0 {
		r.wrong("installProgressTimeoutInMinutes", "%d is too little", p.InstallProgressTimeoutInMinutes)
	}
	if p.Priority < 0 {
		r.wrong("priority", "%d is negative", p.Priority)
	}
	for i, id := range p.SelectedMobileAppIDs {
		if a, ok := find(id); ok {
			if why, ok := a.Blockable(); !ok {
				r.wrong(fmt.Sprintf("selectedMobileAppIds[%d]", i), "%q is %s", a.DisplayName, why)
			}
		}
	}
	return r.Mistakes
}
