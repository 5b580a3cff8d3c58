package graph

import "encoding/json"

// OData types of the deployment profiles.
const (
	TypeEntraProfile  = "#microsoft.graph.azureADWindowsAutopilotDeploymentProfile"
	TypeHybridProfile = "#microsoft.graph.activeDirectoryWindowsAutopilotDeploymentProfile"
)

// DeploymentProfile is windowsAutopilotDeploymentProfile with its two concrete types (beta). Members that Graph has
// renamed are read under both names and written under both.
type DeploymentProfile struct {
	ODataType                     string                    `json:"@odata.type"`
	ID                            string                    `json:"id,omitempty"`
	DisplayName                   string                    `json:"displayName"`
	Description                   string                    `json:"description"`
	Language                      string                    `json:"language"` // old
	Locale                        string                    `json:"locale"`   // os-default, "" or a tag such as de-DE
	CreatedDateTime               Time                      `json:"createdDateTime"`
	LastModifiedDateTime          Time                      `json:"lastModifiedDateTime"`
	OutOfBoxExperienceSetting     OutOfBoxExperienceSetting `json:"outOfBoxExperienceSetting"`
	OldOutOfBoxExperience         oldOutOfBoxExperience     `json:"outOfBoxExperienceSettings"`
	PreprovisioningAllowed        bool                      `json:"preprovisioningAllowed"`
	EnableWhiteGlove              bool                      `json:"enableWhiteGlove"` // old
	HardwareHashExtractionEnabled bool                      `json:"hardwareHashExtractionEnabled"`
	ExtractHardwareHash           bool                      `json:"extractHardwareHash"` // old
	DeviceNameTemplate            string                    `json:"deviceNameTemplate"`
	DeviceType                    string                    `json:"deviceType"` // windowsPc, surfaceHub2, holoLens
	ManagementServiceAppID        string                    `json:"managementServiceAppId"`
	RoleScopeTagIDs               []string                  `json:"roleScopeTagIds"`
	HybridSkipConnectivityCheck   *bool                     `json:"hybridAzureADJoinSkipConnectivityCheck,omitempty"` // hybrid type
	Assignments                   []Assignment              `json:"assignments,omitempty"`
}

// OutOfBoxExperienceSetting is the type of that name.
type OutOfBoxExperienceSetting struct {
	PrivacySettingsHidden    bool   `json:"privacySettingsHidden"`
	EulaHidden               bool   `json:"eulaHidden"`
	UserType                 string `json:"userType"`        // administrator, standard
	DeviceUsageType          string `json:"deviceUsageType"` // singleUser; shared is self-deploying
	KeyboardSelectionSkipped bool   `json:"keyboardSelectionPageSkipped"`
	EscapeLinkHidden         bool   `json:"escapeLinkHidden"`
}

// oldOutOfBoxExperience is outOfBoxExperienceSettings, the deprecated form.
type oldOutOfBoxExperience struct {
	PrivacySettingsHidden    bool   `json:"hidePrivacySettings"`
	EulaHidden               bool   `json:"hideEULA"`
	UserType                 string `json:"userType"`
	DeviceUsageType          string `json:"deviceUsageType"`
	KeyboardSelectionSkipped bool   `json:"skipKeyboardSelectionPage"`
	EscapeLinkHidden         bool   `json:"hideEscapeLink"`
}

// Values of userType and deviceUsageType.
const (
	UserAdministrator = "administrator"
	UserStandard      = "standard"
	UsageSingleUser   = "singleUser"
	UsageShared       = "shared"
)

// Hybrid reports whether devices join Active Directory.
func (p DeploymentProfile) Hybrid() bool { return p.ODataType == TypeHybridProfile }

// SkipsConnectivityCheck reports hybridAzureADJoinSkipConnectivityCheck.
func (p DeploymentProfile) SkipsConnectivityCheck() bool {
	return p.HybridSkipConnectivityCheck != nil && *p.HybridSkipConnectivityCheck
}

// SelfDeploying reports whether devices are deployed without a user.
func (p DeploymentProfile) SelfDeploying() bool {
	return p.OutOfBoxExperienceSetting.DeviceUsageType == UsageShared
}

type plainProfile DeploymentProfile

// twins sets the old members from the new ones.
func (p *DeploymentProfile) twins() {
	p.Language, p.EnableWhiteGlove, p.ExtractHardwareHash = p.Locale, p.PreprovisioningAllowed, p.HardwareHashExtractionEnabled
	p.OldOutOfBoxExperience = oldOutOfBoxExperience(p.OutOfBoxExperienceSetting)
}

// MarshalJSON writes the renamed members under both names.
func (p DeploymentProfile) MarshalJSON() ([]byte, error) {
	p.twins()
	if p.RoleScopeTagIDs == nil {
		p.RoleScopeTagIDs = []string{}
	}
	return json.Marshal(plainProfile(p))
}

// UnmarshalJSON reads the old name of a member where the new one is missing.
func (p *DeploymentProfile) UnmarshalJSON(b []byte) error {
	p.twins()
	if err := json.Unmarshal(b, (*plainProfile)(p)); err != nil {
		return err
	}
	var has map[string]json.RawMessage
	if err := json.Unmarshal(b, &has); err != nil {
		return err
	}
	onlyOld := func(was, is string) bool {
		_, a := has[was]
		_, b := has[is]
		return a && !b
	}
	if onlyOld("language", "locale") {
		p.Locale = p.Language
	}
	if onlyOld("enableWhiteGlove", "preprovisioningAllowed") {
		p.PreprovisioningAllowed = p.EnableWhiteGlove
	}
	if onlyOld("extractHardwareHash", "hardwareHashExtractionEnabled") {
		p.HardwareHashExtractionEnabled = p.ExtractHardwareHash
	}
	if onlyOld("outOfBoxExperienceSettings", "outOfBoxExperienceSetting") {
		p.OutOfBoxExperienceSetting = OutOfBoxExperienceSetting(p.OldOutOfBoxExperience)
	}
	p.twins()
	return nil
}
