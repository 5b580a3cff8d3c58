package graph

// AutopilotEvent is deviceManagementAutopilotEvent (beta): a deployment, as the deployment report shows it.
type AutopilotEvent struct {
	ID                        string          `json:"id"`
	DeviceID                  string          `json:"deviceId"` // managed device
	EventDateTime             Time            `json:"eventDateTime"`
	DeviceRegisteredDateTime  Time            `json:"deviceRegisteredDateTime"`
	EnrollmentStartDateTime   Time            `json:"enrollmentStartDateTime"`
	EnrollmentType            EnrollmentType  `json:"enrollmentType"`
	DeviceSerialNumber        string          `json:"deviceSerialNumber"`
	ManagedDeviceName         string          `json:"managedDeviceName"`
	UserPrincipalName         string          `json:"userPrincipalName"`
	ProfileDisplayName        string          `json:"windowsAutopilotDeploymentProfileDisplayName"`
	EnrollmentState           EnrollmentState `json:"enrollmentState"`
	CompletionPageName        string          `json:"windows10EnrollmentCompletionPageConfigurationDisplayName"`
	CompletionPageID          string          `json:"windows10EnrollmentCompletionPageConfigurationId"`
	DeploymentState           DeploymentState `json:"deploymentState"`
	DeviceSetupStatus         DeploymentState `json:"deviceSetupStatus"`
	AccountSetupStatus        DeploymentState `json:"accountSetupStatus"`
	OSVersion                 string          `json:"osVersion"`
	DeploymentDuration        Duration        `json:"deploymentDuration"`      // enrolment to end
	DeploymentTotalDuration   Duration        `json:"deploymentTotalDuration"` // with the preparation
	DevicePreparationDuration Duration        `json:"devicePreparationDuration"`
	DeviceSetupDuration       Duration        `json:"deviceSetupDuration"`
	AccountSetupDuration      Duration        `json:"accountSetupDuration"`
	DeploymentStartDateTime   Time            `json:"deploymentStartDateTime"`
	DeploymentEndDateTime     Time            `json:"deploymentEndDateTime"`
	TargetedAppCount          int             `json:"targetedAppCount"`
	TargetedPolicyCount       int             `json:"targetedPolicyCount"`
	EnrollmentFailureDetails  string          `json:"enrollmentFailureDetails"`
}

// EnrollmentType is windowsAutopilotEnrollmentType.
type EnrollmentType string

// Enrolment types.
const (
	EnrollmentTypeUnknown          EnrollmentType = "unknown"
	EnrollmentTypeUser             EnrollmentType = "azureADJoinedWithAutopilotProfile"
	EnrollmentTypeSelfDeploying    EnrollmentType = "azureADJoinedUsingDeviceAuthWithAutopilotProfile"
	EnrollmentTypeWhiteGlove       EnrollmentType = "azureADJoinedWithWhiteGlove"
	EnrollmentTypeHybrid           EnrollmentType = "offlineDomainJoined"
	EnrollmentTypeHybridWhiteGlove EnrollmentType = "offlineDomainJoinedWithWhiteGlove"
)

// DeploymentState is windowsAutopilotDeploymentState.
type DeploymentState string

// Deployment states.
const (
	DeploymentUnknown      DeploymentState = "unknown"
	DeploymentSuccess      DeploymentState = "success"
	DeploymentInProgress   DeploymentState = "inProgress"
	DeploymentFailure      DeploymentState = "failure"
	DeploymentNotAttempted DeploymentState = "notAttempted"
	DeploymentDisabled     DeploymentState = "disabled"
)
