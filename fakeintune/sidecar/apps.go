package sidecar

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/fakeintune/authority"
	"windtunnel.test/fakeintune/delivery"
	"windtunnel.test/fakeintune/enroll"
	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/graph"
	wire "windtunnel.test/sim/wire/sidecar"
)

// selectedApps lists the Win32 apps that are due: to the device, or to the user
// whose token comes along. A device's token in the user's place gets nothing,
// since it names nobody.
func (s *Service) selectedApps(ctx context.Context, c authority.Client, in *wire.Session, token string) (string, error) {
	request, err := wire.DecodeAppRequest(in.RequestPayload)
	if err != nil {
		return "", no("payload", http.StatusBadRequest)
	}
	sub := delivery.Subject{Tenant: c.Tenant, Device: c.Device, Technician: s.Technician != nil && s.Technician(c.Device)}
	apps := []wire.App{}
	if request.User {
		if sub.User, err = s.user(ctx, c, token); err != nil {
			return "", err
		}
	}
	if !request.User || sub.User != nil {
		for _, app := range sub.Due(ctx, request.ESPPhase != wire.ESPNone).Apps {
			if app.Win32LobApp == nil {
				continue
			}
			one, err := policy(app, sub.User != nil)
			if err != nil {
				return "", fmt.Errorf("fakeintune/sidecar: app %q: %w", app.DisplayName, err)
			}
			apps = append(apps, one)
		}
	}
	s.Tenants.Record(ctx, "ime.apps.selected", journal.F("id", c.Device.ID), journal.F("phase", int(request.ESPPhase)),
		journal.F("user", sub.User != nil), journal.F("apps", len(apps)))
	return wire.EncodeApps(apps)
}

// user verifies a user's token. nil without an error: the token is a device's,
// or its user has no licence.
func (s *Service) user(ctx context.Context, c authority.Client, token string) (*tenant.DirectoryUser, error) {
	claims, err := s.Tenants.Tokens.Verify(ctx, token, enroll.Audience, s.Tenants.Now())
	switch {
	case err != nil:
		return nil, no("token", http.StatusUnauthorized)
	case !strings.EqualFold(claims.TenantID, c.Tenant.ID):
		return nil, no("token tenant", http.StatusUnauthorized)
	case claims.UPN == "":
		return nil, nil
	}
	if claims.DeviceID != "" && !strings.EqualFold(claims.DeviceID, c.Device.AzureADDeviceID) {
		return nil, no("token device", http.StatusUnauthorized)
	}
	u, ok := s.Tenants.Directory.User(ctx, c.Tenant.ID, claims.UPN)
	switch {
	case !ok || !u.Enabled:
		return nil, no("token user", http.StatusUnauthorized)
	case !u.Licensed:
		return nil, nil
	}
	return &u, nil
}

// policy is an app as the agent reads it.
func policy(app delivery.App, user bool) (wire.App, error) {
	p := wire.App{
		ID: app.ID, Name: app.DisplayName, Version: 1, Intent: wire.Required, TargetType: wire.TargetDevice,
		InstallCommand: app.InstallCommandLine, UninstallCommand: app.UninstallCommandLine, SetupFile: delivery.SetupFile(app.MobileApp),
		ESPConfiguration: app.Tracked, MetadataVersion: 1, InstallContext: wire.ContextSystem, ContentSize: app.Size,
		ReturnCodes: wire.Nest(returnCodes(app.ReturnCodes)), InstallEx: wire.Nest(installEx(app.MobileApp)),
		RequirementRules: wire.Nest(wire.Requirements{OSArchitecture: 2, MinimumOS: app.MinimumSupportedWindowsRelease,
			MinimumFreeDiskMB: app.MinimumFreeDiskSpaceInMB, MinimumMemoryMB: app.MinimumMemoryInMB}),
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
	var rules []wire.DetectionRule
	for _, r := range app.Detections() {
		rule, err := detection(r)
		if err != nil {
			return wire.App{}, err
		}
		rules = append(rules, rule)
	}
	p.DetectionRule = wire.Nest(rules)
	return p, nil
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

func installEx(app graph.MobileApp) wire.InstallEx {
	x := wire.InstallEx{RunAs: 1}
	if !app.DeviceContext() {
		x.RunAs = 0
	}
	if app.InstallExperience != nil {
		x.MaxRunTimeMinutes = app.InstallExperience.MaxRunTimeInMinutes
	}
	return x
}

// operations are Graph's names of what a rule looks at, by the agent's numbers.
var operations = map[string]int{"": 1, "notConfigured": 1, "exists": 1, "doesNotExist": 2, "string": 3, "integer": 4, "version": 5}

// fileOperations are those of file rules, which count otherwise.
var fileOperations = map[string]int{"": 1, "notConfigured": 1, "exists": 1, "modifiedDate": 2, "createdDate": 3, "version": 4, "sizeInMB": 5, "doesNotExist": 6}

// operators of comparisons; the numbers are our model.
var operators = map[string]int{"": 0, "notConfigured": 0, "equal": 1, "notEqual": 2, "greaterThan": 4, "greaterThanOrEqual": 5, "lessThan": 8, "lessThanOrEqual": 9}

func detection(r graph.Rule) (wire.DetectionRule, error) {
	// Exports of older tenants name the same shapes win32LobApp...Detection.
	if kind, older := strings.CutSuffix(r.ODataType, "Detection"); older {
		r.ODataType = kind + "Rule"
	}
	operation, value := r.OperationType, r.ComparisonValue
	if operation == "" {
		operation = r.DetectionType
	}
	if value == "" {
		value = r.DetectionValue
	}
	switch {
	case r.Is(graph.RuleRegistry):
		return wire.NewDetectionRule(wire.RegistryDetection{KeyPath: r.KeyPath, KeyName: r.ValueName, Check32Bit: r.Check32BitOn64System,
			DetectionType: operations[operation], Operator: operators[r.Operator], Value: value})
	case r.Is(graph.RuleFile):
		return wire.NewDetectionRule(wire.FileDetection{Path: r.Path, Name: r.FileOrFolderName, Check32Bit: r.Check32BitOn64System,
			DetectionType: fileOperations[operation], Operator: operators[r.Operator], Value: value})
	case r.Is(graph.RuleProduct):
		return wire.NewDetectionRule(wire.MSIDetection{ProductCode: r.ProductCode, Operator: operators[r.ProductVersionOperator], Version: r.ProductVersion})
	case r.Is(graph.RulePowerShell):
		if _, err := base64.StdEncoding.DecodeString(r.ScriptContent); err != nil {
			return wire.DetectionRule{}, fmt.Errorf("script: %w", err)
		}
		return wire.NewDetectionRule(wire.ScriptDetection{EnforceSignatureCheck: number(r.EnforceSignatureCheck), RunAs32Bit: number(r.RunAs32Bit), ScriptBody: r.ScriptContent})
	}
	return wire.DetectionRule{}, fmt.Errorf("rule %q is not modelled", r.ODataType)
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// report records what the agent says of apps.
func (s *Service) report(ctx context.Context, c authority.Client, in *wire.Session, _ string) (string, error) {
	reports, err := wire.DecodeStatus(in.RequestPayload)
	if err != nil {
		return "", no("payload", http.StatusBadRequest)
	}
	now := s.Tenants.Now()
	_, err = c.Tenant.UpdateDevice(c.Device.ID, func(m *tenant.ManagedDevice) error {
		for _, r := range reports {
			st := tenant.AppState{AppID: r.ApplicationID, State: int(r.EnforcementState), Detected: r.Detected, Error: r.ErrorCode, At: at(r.TimestampUTC, now)}
			if r.TargetType == wire.TargetUser {
				st.User = m.UserID
			}
			m.SetApp(st)
		}
		return nil
	})
	for _, r := range reports {
		s.Tenants.Record(ctx, "ime.app.reported", journal.F("id", c.Device.ID), journal.F("app", r.ApplicationID),
			journal.F("state", int(r.EnforcementState)), journal.F("code", r.ErrorCode.Hex()))
	}
	return "[]", err
}

func at(text string, otherwise time.Time) time.Time {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t
	}
	return otherwise
}
