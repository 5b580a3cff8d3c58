package sidecar

import (
	"fmt"
	"strconv"
	"strings"

	"windtunnel.test/fakeintune/delivery"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/graph"
	wire "windtunnel.test/sim/wire/sidecar"
)

// policy is an app as the agent reads it. One of a WinGet source has no content
// of ours and no rules: its source has the package.
func (s *Service) policy(t *tenant.Tenant, app delivery.App, user bool) (wire.App, error) {
	p, err := policy(app, user)
	if err != nil || app.WinGetApp == nil {
		return p, err
	}
	product, err := s.publishPackage(t, app.MobileApp)
	p.InstallerData = wire.Nest(&wire.WinGetPackage{PackageIdentifier: app.PackageIdentifier, Source: "msstore", ProductCode: product})
	return p, err
}

func policy(app delivery.App, user bool) (wire.App, error) {
	p := wire.App{
		ID: app.ID, Name: app.DisplayName, Version: 1, Intent: wire.Required, TargetType: wire.TargetDevice,
		InstallCommand: app.InstallCommandLine, UninstallCommand: app.UninstallCommandLine, SetupFile: delivery.SetupFile(app.MobileApp),
		ESPConfiguration: app.Tracked || app.Attempt, ESPNonBlocking: app.Attempt, MetadataVersion: 1, InstallContext: wire.ContextSystem, ContentSize: app.Size,
		ReturnCodes: wire.Nest(returnCodes(app.ReturnCodes)), InstallEx: wire.Nest(installEx(app.MobileApp)),
		RequirementRules: wire.Nest(requirements(*app.Win32LobApp)), FlatDependencies: dependencies(app.MobileApp),
	}
	if n, err := strconv.Atoi(delivery.Version(app.MobileApp)); err == nil {
		p.Version = n
	}
	if user {
		p.TargetType = wire.TargetUser
	}
	if !app.DeviceContext() {
		p.InstallContext = wire.ContextUser
	}
	var err error
	if p.DetectionRule.Value, err = wireRules(app.Detections()); err != nil {
		return wire.App{}, err
	}
	p.ExtendedRules.Value, err = wireRules(app.RequirementList())
	return p, err
}

func wireRules(rules []graph.Rule) ([]wire.DetectionRule, error) {
	var out []wire.DetectionRule
	for _, r := range rules {
		rule, err := wireRule(r)
		if err != nil {
			return nil, err
		}
		out = append(out, rule)
	}
	return out, nil
}

// architectures are bits by Graph's names; none of them wants nothing.
var architectures = map[string]int{"x86": 1, "x64": 2, "arm": 4, "arm64": 8}

func requirements(app graph.Win32LobApp) wire.Requirements {
	r := wire.Requirements{MinimumOS: app.MinimumSupportedWindowsRelease, MinimumFreeDiskMB: app.MinimumFreeDiskSpaceInMB, MinimumMemoryMB: app.MinimumMemoryInMB,
		MinimumProcessors: app.MinimumNumberOfProcessors, MinimumCPUSpeed: app.MinimumCPUSpeedInMHz}
	for _, name := range strings.Split(app.ApplicableArchitectures, ",") {
		r.OSArchitecture |= architectures[strings.ToLower(strings.TrimSpace(name))]
	}
	return r
}

// dependencies are an app's own relations, as the agent has them.
func dependencies(app graph.MobileApp) []wire.Dependency {
	var out []wire.Dependency
	for _, r := range app.Relationships {
		if !r.Child() {
			continue
		}
		d := wire.Dependency{AppID: app.ID, ChildID: r.TargetID, Action: wire.DependDetect}
		switch {
		case r.Supersedes():
			d.Type, d.Action = wire.Supersedes, wire.SupersedeUpdate
			if r.SupersedenceType == graph.SupersedenceReplace {
				d.Action = wire.SupersedeReplace
			}
		case r.DependencyType != graph.DependencyDetect:
			d.Action = wire.DependInstall
		}
		out = append(out, d)
	}
	return out
}

var meanings = map[graph.ReturnCodeType]wire.ReturnCodeType{
	graph.ReturnFailed: wire.ReturnFailed, graph.ReturnSuccess: wire.ReturnSuccess, graph.ReturnSoftReboot: wire.ReturnSoftReboot,
	graph.ReturnHardReboot: wire.ReturnHardReboot, graph.ReturnRetry: wire.ReturnRetry,
}

func returnCodes(in []graph.ReturnCode) []wire.ReturnCode {
	if len(in) == 0 {
		return wire.DefaultReturnCodes()
	}
	out := make([]wire.ReturnCode, len(in))
	for i, c := range in {
		out[i] = wire.ReturnCode{Code: c.ReturnCode, Type: meanings[c.Type]}
	}
	return out
}

// restarts are Graph's names of what an app says of restarts, by the agent's
// numbers.
var restarts = map[string]int{"": 0, "basedOnReturnCode": 0, "allow": 1, "suppress": 2, "force": 3}

func installEx(app graph.MobileApp) wire.InstallEx {
	x := wire.InstallEx{RunAs: 1}
	if !app.DeviceContext() {
		x.RunAs = 0
	}
	if app.InstallExperience != nil {
		x.MaxRunTimeMinutes = app.InstallExperience.MaxRunTimeInMinutes
		x.DeviceRestartBehavior = restarts[app.InstallExperience.DeviceRestartBehavior]
	}
	return x
}

// operations are Graph's names of what a registry rule looks at, by the agent's
// numbers; file rules and scripts count otherwise.
var (
	operations       = map[string]int{"": 1, "notConfigured": 1, "exists": 1, "doesNotExist": 2, "string": 3, "integer": 4, "version": 5}
	fileOperations   = map[string]int{"": 1, "notConfigured": 1, "exists": 1, "modifiedDate": 2, "createdDate": 3, "version": 4, "sizeInMB": 5, "doesNotExist": 6}
	scriptOperations = map[string]int{"": 0, "notConfigured": 0, "string": 1, "dateTime": 2, "integer": 3, "float": 4, "version": 5, "boolean": 6}
)

// operators of comparisons.
var operators = map[string]wire.Operator{"": wire.OperatorNone, "notConfigured": wire.OperatorNone, "equal": wire.OperatorEqual, "notEqual": wire.OperatorNotEqual,
	"greaterThan": wire.OperatorGreater, "greaterThanOrEqual": wire.OperatorGreaterOrEqual, "lessThan": wire.OperatorLess, "lessThanOrEqual": wire.OperatorLessOrEqual}

// wireRule is a detection or requirement rule as the agent reads it.
func wireRule(r graph.Rule) (wire.DetectionRule, error) {
	operation, value := r.OperationType, r.ComparisonValue
	if operation == "" {
		operation = r.DetectionType
	}
	if value == "" {
		value = r.DetectionValue
	}
	switch {
	case r.IsRule(graph.RuleRegistry):
		return wire.NewDetectionRule(wire.RegistryDetection{KeyPath: r.KeyPath, KeyName: r.ValueName, Check32Bit: r.Check32BitOn64System,
			DetectionType: operations[operation], Operator: operators[r.Operator], Value: value})
	case r.IsRule(graph.RuleFile):
		return wire.NewDetectionRule(wire.FileDetection{Path: r.Path, Name: r.FileOrFolderName, Check32Bit: r.Check32BitOn64System,
			DetectionType: fileOperations[operation], Operator: operators[r.Operator], Value: value})
	case r.IsRule(graph.RuleProduct):
		return wire.NewDetectionRule(wire.MSIDetection{ProductCode: r.ProductCode, Operator: operators[r.ProductVersionOperator], Version: r.ProductVersion})
	case r.IsRule(graph.RulePowerShell):
		if _, err := r.Script(); err != nil {
			return wire.DetectionRule{}, fmt.Errorf("script: %w", err)
		}
		return wire.NewDetectionRule(wire.ScriptDetection{EnforceSignatureCheck: number(r.EnforceSignatureCheck), RunAs32Bit: number(r.RunAs32Bit), ScriptBody: r.ScriptContent,
			RunAsUser: r.RunAsAccount == graph.RunAsUser, DetectionType: scriptOperations[operation], Operator: operators[r.Operator], Value: value})
	}
	return wire.DetectionRule{}, fmt.Errorf("rule %q is not modelled", r.ODataType)
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
