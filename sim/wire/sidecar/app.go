package sidecar

import (
	"encoding/json"
	"fmt"
	"slices"
)

// App is one Win32 app of a GetSelectedApp answer. The members are those that the agent itself logs in its "Get policies"
// line and that open-source clients read; members that we do not model are left out.
type App struct {
	ID                 string                  `json:"Id"`
	Name               string                  `json:"Name"`
	Version            int                     `json:"Version"` // of the assignment: part of the tracking name
	Intent             Intent                  `json:"Intent"`
	TargetType         TargetType              `json:"TargetType"`
	DetectionRule      Nested[[]DetectionRule] `json:"DetectionRule"`
	InstallCommand     string                  `json:"InstallCommandLine"`
	UninstallCommand   string                  `json:"UninstallCommandLine"`
	RequirementRules   Nested[Requirements]    `json:"RequirementRules"`
	ExtendedRules      Nested[[]DetectionRule] `json:"ExtendedRequirementRules"` // rules of the app's own; the shape of their texts is our model
	InstallEx          Nested[InstallEx]       `json:"InstallEx"`
	ReturnCodes        Nested[[]ReturnCode]    `json:"ReturnCodes"`
	SetupFile          string                  `json:"SetUpFilePath"`
	FlatDependencies   []Dependency            `json:"FlatDependencies"`
	ESPConfiguration   bool                    `json:"ESPConfiguration"`         // our model: the status page waits for this app
	ESPNonBlocking     bool                    `json:"ESPNonBlocking,omitempty"` // our model: the page waits until it was tried, however that ends
	MetadataVersion    int                     `json:"MetadataVersion"`
	InstallContext     InstallContext          `json:"InstallContext"`
	ContentSize        int64                   `json:"ContentSize"`                           // our model: bytes that the download is charged
	ApplicabilityState int                     `json:"AppApplicabilityStateDueToAssginments"` // the service's spelling
	InstallerData      Nested[*WinGetPackage]  `json:"InstallerData"`                         // of an app that comes from a WinGet source
}

// Intent is what an assignment wants.
type Intent int

// The intents.
const (
	NotTargeted Intent = 0
	Available   Intent = 1
	Required    Intent = 3
	Uninstall   Intent = 4
)

// TargetType says whom the app is assigned to.
type TargetType int

// The target types.
const (
	TargetNone   TargetType = 0
	TargetUser   TargetType = 1
	TargetDevice TargetType = 2
)

// InstallContext says as whom the installer runs.
type InstallContext int

// The contexts.
const (
	ContextUser   InstallContext = 1
	ContextSystem InstallContext = 2
)

// DetectionType is the kind of a detection rule.
type DetectionType int

// The kinds.
const (
	DetectRegistry DetectionType = 0
	DetectMSI      DetectionType = 1
	DetectFile     DetectionType = 2
	DetectScript   DetectionType = 3
)

// DetectionRule is one rule; an app is there when all of its rules hold. Text is JSON text whose shape depends on the type:
// [RegistryDetection], [MSIDetection], [FileDetection] or [ScriptDetection].
type DetectionRule struct {
	Type DetectionType `json:"DetectionType"`
	Text string        `json:"DetectionText"`
}

// Detection is one of the four shapes.
type Detection interface{ detectionType() DetectionType }

// RegistryDetection looks at a registry key or value.
type RegistryDetection struct {
	KeyPath       string   `json:"KeyPath"`
	KeyName       string   `json:"KeyName"` // value name, "" for the key itself
	Check32Bit    bool     `json:"Check32BitOn64System"`
	DetectionType int      `json:"DetectionType"` // 1 exists, 2 does not, 3 string, 4 integer, 5 version
	Operator      Operator `json:"Operator"`
	Value         string   `json:"DetectionValue"`
}

// MSIDetection looks for a product code.
type MSIDetection struct {
	ProductCode string   `json:"ProductCode"`
	Operator    Operator `json:"ProductVersionOperator"`
	Version     string   `json:"ProductVersion"`
}

// FileDetection looks for a file or folder.
type FileDetection struct {
	Path          string   `json:"Path"`
	Name          string   `json:"FileOrFolderName"`
	Check32Bit    bool     `json:"Check32BitOn64System"`
	DetectionType int      `json:"DetectionType"` // 1 exists, 2 modified, 3 created, 4 version, 5 size, 6 does not exist
	Operator      Operator `json:"Operator"`
	Value         string   `json:"DetectionValue"`
}

// ScriptDetection runs a PowerShell script. Detection wants exit code 0 and something on STDOUT; a requirement compares what is
// there.
type ScriptDetection struct {
	EnforceSignatureCheck int    `json:"EnforceSignatureCheck"`
	RunAs32Bit            int    `json:"RunAs32Bit"`
	ScriptBody            string `json:"ScriptBody"` // base64
	// Of requirement rules.
	RunAsUser     bool     `json:"RunAsLoggedOnUser,omitempty"`
	DetectionType int      `json:"DetectionType,omitempty"` // 1 string, 2 date and time, 3 integer, 4 float, 5 version, 6 boolean
	Operator      Operator `json:"Operator,omitempty"`
	Value         string   `json:"DetectionValue,omitempty"`
}

func (RegistryDetection) detectionType() DetectionType { return DetectRegistry }
func (MSIDetection) detectionType() DetectionType      { return DetectMSI }
func (FileDetection) detectionType() DetectionType     { return DetectFile }
func (ScriptDetection) detectionType() DetectionType   { return DetectScript }

// NewDetectionRule wraps a detection.
func NewDetectionRule(d Detection) (DetectionRule, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return DetectionRule{}, fmt.Errorf("sidecar: detection rule: %w", err)
	}
	return DetectionRule{Type: d.detectionType(), Text: string(text)}, nil
}

// Detection reads the rule's text.
func (r DetectionRule) Detection() (Detection, error) {
	switch r.Type {
	case DetectRegistry:
		return detection[RegistryDetection](r.Text)
	case DetectMSI:
		return detection[MSIDetection](r.Text)
	case DetectFile:
		return detection[FileDetection](r.Text)
	case DetectScript:
		return detection[ScriptDetection](r.Text)
	}
	return nil, fmt.Errorf("sidecar: detection rule of type %d", r.Type)
}

func detection[D Detection](text string) (Detection, error) {
	var d D
	if err := unmarshal("detection rule", []byte(text), &d); err != nil {
		return nil, err
	}
	return d, nil
}

// Requirements is what the device has to be.
type Requirements struct {
	OSArchitecture    int    `json:"RequiredOSArchitecture"` // bits: 1 x86, 2 x64
	MinimumOS         string `json:"MinimumWindows10BuildNumer"`
	MinimumFreeDiskMB *int   `json:"MinimumFreeDiskSpaceInMB"`
	MinimumMemoryMB   *int   `json:"MinimumMemoryInMB"`
	MinimumProcessors *int   `json:"MinimumNumberOfProcessors"`
	MinimumCPUSpeed   *int   `json:"MinimumCpuSpeed"`
}

// InstallEx is how the installer runs.
type InstallEx struct {
	RunAs                 int  `json:"RunAs"` // 0 user, 1 system
	RequiresLogon         bool `json:"RequiresLogon"`
	MaxRetries            int  `json:"MaxRetries"`
	RetryIntervalMinutes  int  `json:"RetryIntervalInMinutes"`
	MaxRunTimeMinutes     int  `json:"MaxRunTimeInMinutes"`
	DeviceRestartBehavior int  `json:"DeviceRestartBehavior"` // 0 by return code, 1 the app may, 2 suppress, 3 force
}

// ReturnCode maps an installer's exit code.
type ReturnCode struct {
	Code int            `json:"ReturnCode"`
	Type ReturnCodeType `json:"Type"`
}

// ReturnCodeType is what an exit code means.
type ReturnCodeType int

// The meanings.
const (
	ReturnFailed     ReturnCodeType = 0
	ReturnSuccess    ReturnCodeType = 1
	ReturnSoftReboot ReturnCodeType = 2
	ReturnHardReboot ReturnCodeType = 3
	ReturnRetry      ReturnCodeType = 4
)

// DefaultReturnCodes are those that the admin center starts an app with.
func DefaultReturnCodes() []ReturnCode {
	return []ReturnCode{{0, ReturnSuccess}, {1707, ReturnSuccess}, {3010, ReturnSoftReboot}, {1641, ReturnHardReboot}, {1618, ReturnRetry}}
}

// Meaning looks an exit code up, and tells whether it is in the list; one that is not failed, 0 aside.
func Meaning(codes []ReturnCode, exit int) (meaning ReturnCodeType, mapped bool) {
	for _, c := range codes {
		if c.Code == exit {
			return c.Type, true
		}
	}
	if exit == 0 {
		return ReturnSuccess, false
	}
	return ReturnFailed, false
}

// WinGetPackage is what the agent asks a WinGet source for. Our model.
type WinGetPackage struct {
	PackageIdentifier string `json:"PackageIdentifier"`
	Source            string `json:"SourceName"`  // "msstore"
	ProductCode       string `json:"ProductCode"` // below Uninstall: what finds it
}

// Dependency says that AppID needs ChildID or takes its place.
type Dependency struct {
	Action  DependencyAction `json:"Action"`
	AppID   string           `json:"AppId"`
	ChildID string           `json:"ChildId"`
	Type    DependencyType   `json:"Type"`
}

// DependencyType is the kind of a relation.
type DependencyType int

// The kinds.
const (
	Depends    DependencyType = 0
	Supersedes DependencyType = 1
)

// DependencyAction is what is to be done about the child.
type DependencyAction int

// The actions; those of supersedence are our model.
const (
	DependDetect     DependencyAction = 0
	DependInstall    DependencyAction = 10
	SupersedeUpdate  DependencyAction = 100 // the new version's installer takes care of the old one
	SupersedeReplace DependencyAction = 110 // the old one is uninstalled first
)

// EncodeApps writes the payload of a GetSelectedApp or GetAvailableApp answer, packed.
func EncodeApps(apps []App) (string, error) {
	if apps == nil {
		apps = []App{}
	}
	text, err := json.Marshal(apps)
	if err != nil {
		return "", fmt.Errorf("sidecar: apps: %w", err)
	}
	if payload, ok := packed.get(string(text)); ok {
		return payload, nil
	}
	payload, err := Pack(text)
	if err == nil {
		packed.put(string(text), payload)
	}
	return payload, err
}

// DecodeApps reads it. The lists within the apps are shared with others who read
// the same payload and must not be written to.
func DecodeApps(payload string) ([]App, error) {
	if apps, ok := opened.get(payload); ok {
		return slices.Clone(apps), nil
	}
	text, err := Unpack(payload)
	if err != nil {
		return nil, err
	}
	var apps []App
	if err := json.Unmarshal(text, &apps); err != nil {
		return nil, fmt.Errorf("sidecar: apps: %w", err)
	}
	opened.put(payload, slices.Clone(apps))
	return apps, nil
}
