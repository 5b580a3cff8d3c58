package ztd

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"windtunnel.test/sim/wire/graph"
)

// Profile is the deployment profile as a PC downloads and caches it (AutopilotDDSZTDFile.json). Key names and types
// are those of the file.
type Profile struct {
	CloudAssignedTenantID             string     `json:"CloudAssignedTenantId"`
	CloudAssignedTenantDomain         string     `json:"CloudAssignedTenantDomain"`
	CloudAssignedTenantUpn            string     `json:"CloudAssignedTenantUpn"` // assigned user, "" without one
	CloudAssignedOobeConfig           OobeConfig `json:"CloudAssignedOobeConfig"`
	CloudAssignedDomainJoinMethod     JoinMethod `json:"CloudAssignedDomainJoinMethod"`
	CloudAssignedForcedEnrollment     int        `json:"CloudAssignedForcedEnrollment"` // 1: no way out to a local account
	CloudAssignedMdmID                string     `json:"CloudAssignedMdmId,omitempty"`
	CloudAssignedRegion               string     `json:"CloudAssignedRegion,omitempty"`
	CloudAssignedLanguage             string     `json:"CloudAssignedLanguage,omitempty"`
	CloudAssignedDeviceName           string     `json:"CloudAssignedDeviceName,omitempty"` // template, see ExpandDeviceName
	HybridJoinSkipDCConnectivityCheck int        `json:"HybridJoinSkipDCConnectivityCheck"`
	CloudAssignedUpdateDisabled       int        `json:"CloudAssignedAutopilotUpdateDisabled"`
	CloudAssignedUpdateTimeout        int64      `json:"CloudAssignedAutopilotUpdateTimeout"` // milliseconds
	CloudAssignedPrivacyDiagnostics   int        `json:"CloudAssignedPrivacyDiagnostics"`
	DeploymentProfileName             string     `json:"DeploymentProfileName"`
	IsExplicitProfileAssignment       bool       `json:"IsExplicitProfileAssignment"`
	ZtdRegistrationID                 string     `json:"ZtdRegistrationId"` // id of Graph's windowsAutopilotDeviceIdentity
	AutopilotServiceCorrelationID     string     `json:"AutopilotServiceCorrelationId,omitempty"`
	AadDeviceID                       string     `json:"AadDeviceId,omitempty"`
	PolicyDownloadDate                time.Time  `json:"PolicyDownloadDate"`
	PolicyDownloadCorrelationVector   string     `json:"PolicyDownloadCorrelationVector,omitempty"`
}

// JoinMethod is what the PC joins.
type JoinMethod int

// Join methods.
const (
	JoinEntra  JoinMethod = 0
	JoinHybrid JoinMethod = 1 // Active Directory, registered with Entra afterwards
)

// OobeConfig is the bit field CloudAssignedOobeConfig, as "Windows Autopilot for existing devices"
// (learn.microsoft.com) and the community's Get-AutopilotDiagnostics name its bits. That pre-provisioning is allowed is not a bit here:
// the management service decides it at enrolment.
type OobeConfig int

// Bits of OobeConfig.
const (
	SkipCortanaOptIn OobeConfig = 1 << iota
	OobeUserNotLocalAdmin
	SkipExpressSettings // privacy page
	SkipOemRegistration
	SkipEula
	TPMAttestation
	EntraDeviceAuth
	EntraTPMRequired
	SkipWindowsUpgradeUX
	EnablePatchDownload
	SkipKeyboard
)

var oobeNames = []string{"SkipCortanaOptIn", "OobeUserNotLocalAdmin", "SkipExpressSettings", "SkipOemRegistration", "SkipEula",
	"TPMAttestation", "EntraDeviceAuth", "EntraTPMRequired", "SkipWindowsUpgradeUX", "EnablePatchDownload", "SkipKeyboard"}

// Has reports whether all bits of b are set.
func (c OobeConfig) Has(b OobeConfig) bool { return c&b == b }

// SelfDeploying reports whether the profile asks for the device to authenticate with its TPM instead of a user.
func (c OobeConfig) SelfDeploying() bool { return c.Has(TPMAttestation | EntraDeviceAuth) }

// String names the bits, "1308 (SkipExpressSettings SkipOemRegistration ...)".
func (c OobeConfig) String() string {
	var set []string
	for i, name := range oobeNames {
		if c.Has(1 << i) {
			set = append(set, name)
		}
	}
	return fmt.Sprintf("%d (%s)", int(c), strings.Join(set, " "))
}

// updateTimeout is the CloudAssignedAutopilotUpdateTimeout that every profile carries, in milliseconds.
const updateTimeout = 1_800_000

// OobeConfigFor gives the bit field of a profile, by the rule of the WindowsAutoPilotIntune module's
// ConvertTo-AutopilotConfigurationJSON: 1308 is user-driven, administrator, with privacy, licence and keyboard pages
// hidden; 1310 the same for a standard user.
func OobeConfigFor(s graph.OutOfBoxExperienceSetting) OobeConfig {
	c := SkipOemRegistration | SkipWindowsUpgradeUX
	for _, r := range []struct {
		when bool
		bits OobeConfig
	}{
		{s.UserType == graph.UserStandard, OobeUserNotLocalAdmin},
		{s.PrivacySettingsHidden, SkipExpressSettings},
		{s.EulaHidden, SkipEula},
		{s.DeviceUsageType == graph.UsageShared, TPMAttestation | EntraDeviceAuth},
		{s.KeyboardSelectionSkipped, SkipKeyboard},
	} {
		if r.when {
			c |= r.bits
		}
	}
	return c
}

// FromGraphProfile gives what a PC downloads for a deployment profile. Tenant, device and cache members are the
// caller's.
func FromGraphProfile(p graph.DeploymentProfile) Profile {
	out := Profile{
		CloudAssignedOobeConfig: OobeConfigFor(p.OutOfBoxExperienceSetting),
		CloudAssignedDeviceName: p.DeviceNameTemplate,
		CloudAssignedLanguage:   p.Locale,
		DeploymentProfileName:   p.DisplayName,

		CloudAssignedForcedEnrollment: bit(p.OutOfBoxExperienceSetting.EscapeLinkHidden),
		CloudAssignedUpdateDisabled:   1,
		CloudAssignedUpdateTimeout:    updateTimeout,
	}
	if p.Locale == "os-default" {
		out.CloudAssignedLanguage, out.CloudAssignedRegion = "", "os-default"
	}
	if p.Hybrid() {
		out.CloudAssignedDomainJoinMethod = JoinHybrid
		out.CloudAssignedDeviceName = "" // named by the domain join profile
		out.HybridJoinSkipDCConnectivityCheck = bit(p.SkipsConnectivityCheck())
	}
	return out
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// OfflineProfile is AutopilotConfigurationFile.json, the form that is put on a disk image instead of being downloaded.
type OfflineProfile struct {
	Profile
	Version                    int    `json:"Version"` // 2049
	CommentFile                string `json:"Comment_File"`
	ZtdCorrelationID           string `json:"ZtdCorrelationId"`
	CloudAssignedAadServerData string `json:"CloudAssignedAadServerData"` // JSON in a string, see AadServerData
}

// OfflineVersion is the Version of OfflineProfile.
const OfflineVersion = 2049

// Offline gives the disk form of a profile.
func (p Profile) Offline(correlationID string) OfflineProfile {
	return OfflineProfile{Profile: p, Version: OfflineVersion, CommentFile: "Profile " + p.DeploymentProfileName,
		ZtdCorrelationID: correlationID, CloudAssignedAadServerData: p.aadServerData()}
}

func (p Profile) aadServerData() string {
	var d struct {
		ZeroTouchConfig struct {
			CloudAssignedTenantUpn    string
			ForcedEnrollment          int
			CloudAssignedTenantDomain string
		}
	}
	z := &d.ZeroTouchConfig
	z.CloudAssignedTenantUpn, z.ForcedEnrollment, z.CloudAssignedTenantDomain = p.CloudAssignedTenantUpn, p.CloudAssignedForcedEnrollment, p.CloudAssignedTenantDomain
	b, err := json.Marshal(d)
	if err != nil {
		// Strings and an int always marshal.
		return ""
	}
	return string(b)
}
