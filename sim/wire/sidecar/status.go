package sidecar

import (
	"encoding/json"
	"errors"
	"fmt"

	"windtunnel.test/sim/hresult"
)

// AppStatus reports one app. Envelope and member names are our model; the enforcement states are those that the agent logs and
// the admin center shows.
type AppStatus struct {
	ApplicationID    string           `json:"ApplicationId"`
	Version          int              `json:"ApplicationVersion"`
	TargetType       TargetType       `json:"TargetType"`
	Detected         bool             `json:"Detected"`
	EnforcementState EnforcementState `json:"EnforcementState"`
	ErrorCode        hresult.Code     `json:"ErrorCode"` // 0 if none
	ExitCode         *int             `json:"ExitCode"`  // of the installer, null if it did not run
	ESPPhase         ESPPhase         `json:"EspPhase"`
	TimestampUTC     string           `json:"TimestampUTC"` // RFC 3339
}

// EnforcementState is how far an app is.
type EnforcementState int

// The states, as in the agent's reporting lines.
const (
	EnforcementSuccess              EnforcementState = 1000
	EnforcementPendingSoftReboot    EnforcementState = 1003
	EnforcementPendingHardReboot    EnforcementState = 1004
	EnforcementInProgress           EnforcementState = 2000
	EnforcementDownloading          EnforcementState = 2007
	EnforcementInstalling           EnforcementState = 2008
	EnforcementRequirementsNotMet   EnforcementState = 4000
	EnforcementError                EnforcementState = 5000
	EnforcementErrorDownloading     EnforcementState = 5001
	EnforcementErrorUninstalling    EnforcementState = 5002
	EnforcementErrorInstalling      EnforcementState = 5003
	EnforcementDependencyNotReached EnforcementState = 5006
)

// Failed reports whether the state is an error.
func (s EnforcementState) Failed() bool { return s >= EnforcementError }

// EncodeStatus writes the payload of a [StatusReport].
func EncodeStatus(reports []AppStatus) (string, error) {
	text, err := json.Marshal(reports)
	if err != nil {
		return "", fmt.Errorf("sidecar: status report: %w", err)
	}
	return string(text), nil
}

// ScriptStatus reports a run of a platform script. Our model; the states are those of Graph's runState.
type ScriptStatus struct {
	PolicyID     string       `json:"PolicyId"`
	User         bool         `json:"User"` // it ran for the signed-in user
	State        RunState     `json:"RunState"`
	ExitCode     int          `json:"ExitCode"`
	ErrorCode    hresult.Code `json:"ErrorCode"` // 0 if none
	Output       string       `json:"ExecutionMsg"`
	TimestampUTC string       `json:"TimestampUTC"` // RFC 3339
}

// RunState is how a script ended: runState of Graph's deviceManagementScriptDeviceState.
type RunState string

// The states that the agent reports.
const (
	RunSuccess     RunState = "success"
	RunFail        RunState = "fail"        // it could not be run, or was ended
	RunScriptError RunState = "scriptError" // it returned another code than 0
)

// EncodeScriptStatus writes the payload of a [ScriptReport].
func EncodeScriptStatus(reports []ScriptStatus) (string, error) {
	text, err := json.Marshal(reports)
	if err != nil {
		return "", fmt.Errorf("sidecar: script report: %w", err)
	}
	return string(text), nil
}

// DecodeScriptStatus reads it; it refuses a report that names no script or no state.
func DecodeScriptStatus(payload string) ([]ScriptStatus, error) {
	var reports []ScriptStatus
	if err := unmarshal("script report", []byte(payload), &reports); err != nil {
		return nil, err
	}
	for _, r := range reports {
		if r.PolicyID == "" || r.State != RunSuccess && r.State != RunFail && r.State != RunScriptError {
			return nil, errors.New("sidecar: script report: no PolicyId or no RunState")
		}
	}
	return reports, nil
}

// DecodeStatus reads it; it refuses a report that names no app.
func DecodeStatus(payload string) ([]AppStatus, error) {
	var reports []AppStatus
	if err := unmarshal("status report", []byte(payload), &reports); err != nil {
		return nil, err
	}
	for _, r := range reports {
		if r.ApplicationID == "" {
			return nil, errors.New("sidecar: status report: no ApplicationId")
		}
	}
	return reports, nil
}

// String is the state's name as the agent logs it.
func (s EnforcementState) String() string {
	switch s {
	case 0:
		return "NotSet"
	case EnforcementSuccess:
		return "Success"
	case EnforcementPendingSoftReboot, EnforcementPendingHardReboot:
		return "SuccessButPendingReboot"
	case EnforcementInProgress, EnforcementDownloading, EnforcementInstalling:
		return "InProgress"
	case EnforcementRequirementsNotMet:
		return "RequirementsNotMet"
	case EnforcementDependencyNotReached:
		return "DependencyNotReached"
	case EnforcementErrorDownloading:
		return "DownloadError"
	}
	return "Error"
}
