package graph

import "strings"

// OData types of apps.
const (
	TypeWin32LobApp = "#microsoft.graph.win32LobApp"
	TypeCatalogApp  = "#microsoft.graph.win32CatalogApp" // of the Enterprise App Catalog
	TypeWinGetApp   = "#microsoft.graph.winGetApp"       // of the Microsoft Store, by WinGet
	TypeMobileMSI   = "#microsoft.graph.windowsMobileMSI"
	TypeOfficeSuite = "#microsoft.graph.officeSuiteApp"
)

// MobileApp is mobileApp with the concrete types above.
type MobileApp struct {
	ODataType            string                `json:"@odata.type"`
	ID                   string                `json:"id,omitempty"`
	DisplayName          string                `json:"displayName"`
	Description          string                `json:"description"`
	Publisher            string                `json:"publisher"`
	CreatedDateTime      Time                  `json:"createdDateTime"`
	LastModifiedDateTime Time                  `json:"lastModifiedDateTime"`
	PublishingState      string                `json:"publishingState,omitempty"` // notPublished, processing, published
	Assignments          []MobileAppAssignment `json:"assignments,omitempty"`

	Relationships []MobileAppRelationship `json:"relationships,omitempty"` // to apps that it needs or takes the place of

	// Of mobileLobApp.
	CommittedContentVersion string `json:"committedContentVersion,omitempty"`
	FileName                string `json:"fileName,omitempty"`
	Size                    int64  `json:"size"` // bytes; what download and disk are charged

	*Win32LobApp // of a winGetApp as well: how it is installed
	*WinGetApp
	*WindowsMobileMSI
	*OfficeSuiteApp
	*StoreApp
}

// OfficeSuiteApp is what officeSuiteApp adds: Microsoft 365 Apps, which Windows fetches itself.
type OfficeSuiteApp struct {
	AutoAcceptEula               bool            `json:"autoAcceptEula"`
	ProductIDs                   []string        `json:"productIds"`
	ExcludedApps                 map[string]bool `json:"excludedApps,omitempty"`
	OfficePlatformArchitecture   string          `json:"officePlatformArchitecture,omitempty"` // x86, x64
	UpdateChannel                string          `json:"updateChannel,omitempty"`              // current, monthlyEnterprise, ...
	UseSharedComputerActivation  bool            `json:"useSharedComputerActivation"`
	LocalesToInstall             []string        `json:"localesToInstall,omitempty"`
	ShouldUninstallOlderVersions bool            `json:"shouldUninstallOlderVersionsOfOffice"`
}

// Win32LobApp is what win32LobApp adds.
type Win32LobApp struct {
	InstallCommandLine             string             `json:"installCommandLine"`
	UninstallCommandLine           string             `json:"uninstallCommandLine"`
	ApplicableArchitectures        string             `json:"applicableArchitectures"`
	MinimumSupportedWindowsRelease string             `json:"minimumSupportedWindowsRelease,omitempty"`
	MinimumFreeDiskSpaceInMB       *int               `json:"minimumFreeDiskSpaceInMB"`
	MinimumMemoryInMB              *int               `json:"minimumMemoryInMB"`
	MinimumNumberOfProcessors      *int               `json:"minimumNumberOfProcessors"`
	MinimumCPUSpeedInMHz           *int               `json:"minimumCpuSpeedInMHz"`
	Rules                          []Rule             `json:"rules,omitempty"`
	DetectionRules                 []Rule             `json:"detectionRules,omitempty"`   // older form of Rules
	RequirementRules               []Rule             `json:"requirementRules,omitempty"` // older form of Rules
	InstallExperience              *InstallExperience `json:"installExperience"`
	ReturnCodes                    []ReturnCode       `json:"returnCodes"`
	MSIInformation                 *MSIInformation    `json:"msiInformation,omitempty"`
	SetupFilePath                  string             `json:"setupFilePath,omitempty"`
	CatalogPackageID               string             `json:"mobileAppCatalogPackageId,omitempty"` // of a win32CatalogApp
}

// WinGetApp is what winGetApp adds to its installExperience: a package that the management extension fetches from its source
// itself.
type WinGetApp struct {
	PackageIdentifier string `json:"packageIdentifier"`
	ManifestHash      string `json:"manifestHash,omitempty"`
}

// WindowsMobileMSI is what windowsMobileMSI adds: a line-of-business MSI, installed by
// EnterpriseDesktopAppManagement.
type WindowsMobileMSI struct {
	CommandLine            string `json:"commandLine"`
	ProductCode            string `json:"productCode"`
	ProductVersion         string `json:"productVersion"`
	IdentityVersion        string `json:"identityVersion"`
	IgnoreVersionDetection bool   `json:"ignoreVersionDetection"`
	UseDeviceContext       bool   `json:"useDeviceContext"`
}

// RunAs is the runAsAccountType of an app.
type RunAs string

// Accounts that an installer runs as; system is "device context".
const (
	RunAsSystem RunAs = "system"
	RunAsUser   RunAs = "user"
)

// InstallExperience is win32LobAppInstallExperience.
type InstallExperience struct {
	ODataType             string `json:"@odata.type,omitempty"`
	RunAsAccount          RunAs  `json:"runAsAccount"`
	DeviceRestartBehavior string `json:"deviceRestartBehavior"` // basedOnReturnCode, allow, suppress, force
	MaxRunTimeInMinutes   int    `json:"maxRunTimeInMinutes,omitempty"`
}

// DeviceContext reports whether the app installs for the whole device.
func (a MobileApp) DeviceContext() bool {
	if a.WindowsMobileMSI != nil {
		return a.WindowsMobileMSI.UseDeviceContext
	}
	if a.StoreApp != nil {
		return a.storeDeviceContext()
	}
	return a.Win32LobApp == nil || a.InstallExperience == nil || a.InstallExperience.RunAsAccount != RunAsUser
}

// ReturnCode is win32LobAppReturnCode.
type ReturnCode struct {
	ODataType  string         `json:"@odata.type,omitempty"`
	ReturnCode int            `json:"returnCode"`
	Type       ReturnCodeType `json:"type"`
}

// ReturnCodeType says what an installer's exit code means.
type ReturnCodeType string

// Return code types.
const (
	ReturnFailed     ReturnCodeType = "failed"
	ReturnSuccess    ReturnCodeType = "success"
	ReturnSoftReboot ReturnCodeType = "softReboot"
	ReturnHardReboot ReturnCodeType = "hardReboot"
	ReturnRetry      ReturnCodeType = "retry"
)

// DefaultReturnCodes is the map that the portal gives a new app.
func DefaultReturnCodes() []ReturnCode {
	return []ReturnCode{{ReturnCode: 0, Type: ReturnSuccess}, {ReturnCode: 1707, Type: ReturnSuccess}, {ReturnCode: 3010, Type: ReturnSoftReboot},
		{ReturnCode: 1641, Type: ReturnHardReboot}, {ReturnCode: 1618, Type: ReturnRetry}}
}

// MSIInformation is win32LobAppMsiInformation.
type MSIInformation struct {
	ODataType      string `json:"@odata.type,omitempty"`
	ProductCode    string `json:"productCode"`
	ProductVersion string `json:"productVersion"`
	UpgradeCode    string `json:"upgradeCode"`
	RequiresReboot bool   `json:"requiresReboot"`
	PackageType    string `json:"packageType"` // perMachine, perUser, dualPurpose
	ProductName    string `json:"productName"`
	Publisher      string `json:"publisher"`
}

// OData types and rule types of rules.
const (
	RuleFile       = "#microsoft.graph.win32LobAppFileSystemRule"
	RuleRegistry   = "#microsoft.graph.win32LobAppRegistryRule"
	RuleProduct    = "#microsoft.graph.win32LobAppProductCodeRule"
	RulePowerShell = "#microsoft.graph.win32LobAppPowerShellScriptRule"

	RuleTypeDetection   = "detection"
	RuleTypeRequirement = "requirement"
)

// Rule is win32LobAppRule with its concrete types, and the members of the older win32LobAppDetection types.
type Rule struct {
	ODataType string `json:"@odata.type"`
	RuleType  string `json:"ruleType,omitempty"` // detection, requirement

	Path                 string `json:"path,omitempty"` // file system
	FileOrFolderName     string `json:"fileOrFolderName,omitempty"`
	KeyPath              string `json:"keyPath,omitempty"` // registry
	ValueName            string `json:"valueName,omitempty"`
	OperationType        string `json:"operationType,omitempty"` // exists, version, string, integer, ...
	DetectionType        string `json:"detectionType,omitempty"` // older name of operationType
	Operator             string `json:"operator,omitempty"`      // notConfigured, equal, greaterThanOrEqual, ...
	ComparisonValue      string `json:"comparisonValue,omitempty"`
	DetectionValue       string `json:"detectionValue,omitempty"` // older name of comparisonValue
	Check32BitOn64System bool   `json:"check32BitOn64System,omitempty"`

	ProductCode            string `json:"productCode,omitempty"` // product code
	ProductVersion         string `json:"productVersion,omitempty"`
	ProductVersionOperator string `json:"productVersionOperator,omitempty"`

	ScriptContent         string `json:"scriptContent,omitempty"` // PowerShell, base64
	EnforceSignatureCheck bool   `json:"enforceSignatureCheck,omitempty"`
	RunAs32Bit            bool   `json:"runAs32Bit,omitempty"`
	RunAsAccount          RunAs  `json:"runAsAccount,omitempty"` // of requirements
	DisplayName           string `json:"displayName,omitempty"`  // of requirements by script
}

// Is reports whether the rule is of an OData type. Examples in the reference write types inside a resource without
// the '#', real answers with it.
func (r Rule) Is(odataType string) bool {
	return strings.TrimPrefix(r.ODataType, "#") == strings.TrimPrefix(odataType, "#")
}

// Detections gives the detection rules, of either form.
func (a Win32LobApp) Detections() []Rule {
	out := append([]Rule{}, a.DetectionRules...)
	for _, r := range a.Rules {
		if r.RuleType == RuleTypeDetection || r.RuleType == "" {
			out = append(out, r)
		}
	}
	return out
}
