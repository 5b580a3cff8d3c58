package graph

// AutopilotDevice is windowsAutopilotDeviceIdentity.
type AutopilotDevice struct {
	ID                                        string             `json:"id"`
	GroupTag                                  string             `json:"groupTag"`
	PurchaseOrderIdentifier                   string             `json:"purchaseOrderIdentifier"`
	SerialNumber                              string             `json:"serialNumber"`
	ProductKey                                string             `json:"productKey"`
	Manufacturer                              string             `json:"manufacturer"`
	Model                                     string             `json:"model"`
	EnrollmentState                           EnrollmentState    `json:"enrollmentState"`
	LastContactedDateTime                     Time               `json:"lastContactedDateTime"`
	AddressableUserName                       string             `json:"addressableUserName"`
	UserPrincipalName                         string             `json:"userPrincipalName"`
	ResourceName                              string             `json:"resourceName"`
	SkuNumber                                 string             `json:"skuNumber"`
	SystemFamily                              string             `json:"systemFamily"`
	AzureActiveDirectoryDeviceID              string             `json:"azureActiveDirectoryDeviceId"`
	AzureAdDeviceID                           string             `json:"azureAdDeviceId"`
	ManagedDeviceID                           string             `json:"managedDeviceId"`
	DisplayName                               string             `json:"displayName"`
	DeploymentProfileAssignmentStatus         AssignmentStatus   `json:"deploymentProfileAssignmentStatus"`
	DeploymentProfileAssignmentDetailedStatus string             `json:"deploymentProfileAssignmentDetailedStatus"` // none, hardwareRequirementsNotMet, ...
	DeploymentProfileAssignedDateTime         Time               `json:"deploymentProfileAssignedDateTime"`
	RemediationState                          RemediationState   `json:"remediationState"`
	RemediationStateLastModifiedDateTime      Time               `json:"remediationStateLastModifiedDateTime"`
	UserlessEnrollmentStatus                  UserlessEnrollment `json:"userlessEnrollmentStatus"`

	// With $expand (beta).
	DeploymentProfile         *DeploymentProfile `json:"deploymentProfile,omitempty"`
	IntendedDeploymentProfile *DeploymentProfile `json:"intendedDeploymentProfile,omitempty"`
}

// NeverManaged is the managedDeviceId and azureAdDeviceId of a record that has none.
const NeverManaged = "00000000-0000-0000-0000-000000000000"

// EnrollmentState is the enrollmentState of an AutopilotDevice.
type EnrollmentState string

// Enrolment states.
const (
	EnrollmentUnknown      EnrollmentState = "unknown"
	EnrollmentEnrolled     EnrollmentState = "enrolled"
	EnrollmentPendingReset EnrollmentState = "pendingReset"
	EnrollmentFailed       EnrollmentState = "failed"
	EnrollmentNotContacted EnrollmentState = "notContacted"
	EnrollmentBlocked      EnrollmentState = "blocked"
)

// AssignmentStatus is windowsAutopilotProfileAssignmentStatus.
type AssignmentStatus string

// Assignment statuses. The third's spelling is Graph's.
const (
	AssignmentUnknown          AssignmentStatus = "unknown"
	AssignmentInSync           AssignmentStatus = "assignedInSync"
	AssignmentOutOfSync        AssignmentStatus = "assignedOutOfSync"
	AssignmentUnknownSyncState AssignmentStatus = "assignedUnkownSyncState"
	AssignmentNone             AssignmentStatus = "notAssigned"
	AssignmentPending          AssignmentStatus = "pending"
	AssignmentFailed           AssignmentStatus = "failed"
)

// RemediationState is windowsAutopilotDeviceRemediationState.
type RemediationState string

// Remediation states.
const (
	RemediationUnknown   RemediationState = "unknown"
	RemediationNone      RemediationState = "noRemediationRequired"
	RemediationAutomatic RemediationState = "automaticRemediationRequired" // "Fix pending" in the portal
	RemediationManual    RemediationState = "manualRemediationRequired"    // "Attention required"
)

// UserlessEnrollment is windowsAutopilotUserlessEnrollmentStatus. blocked, until allowNextEnrollment, is why a device
// cannot be deployed a second time without a user.
type UserlessEnrollment string

// Userless enrolment statuses.
const (
	UserlessUnknown UserlessEnrollment = "unknown"
	UserlessAllowed UserlessEnrollment = "allowed"
	UserlessBlocked UserlessEnrollment = "blocked"
)

// ImportedDevice is importedWindowsAutopilotDeviceIdentity.
type ImportedDevice struct {
	ID                        string       `json:"id,omitempty"`
	GroupTag                  string       `json:"groupTag"`
	OrderIdentifier           string       `json:"orderIdentifier,omitempty"` // old name of groupTag
	SerialNumber              string       `json:"serialNumber"`
	ProductKey                string       `json:"productKey"`
	ImportID                  string       `json:"importId"`
	HardwareIdentifier        []byte       `json:"hardwareIdentifier"` // the hardware hash; JSON holds its base64
	AssignedUserPrincipalName string       `json:"assignedUserPrincipalName"`
	State                     *ImportState `json:"state,omitempty"`
}

// ImportState is importedWindowsAutopilotDeviceIdentityState.
type ImportState struct {
	DeviceImportStatus   ImportStatus `json:"deviceImportStatus"`
	DeviceRegistrationID string       `json:"deviceRegistrationId"`
	DeviceErrorCode      int          `json:"deviceErrorCode"`
	DeviceErrorName      string       `json:"deviceErrorName"`
}

// ImportStatus is importedWindowsAutopilotDeviceIdentityImportStatus.
type ImportStatus string

// Import statuses.
const (
	ImportUnknown  ImportStatus = "unknown"
	ImportPending  ImportStatus = "pending"
	ImportPartial  ImportStatus = "partial"
	ImportComplete ImportStatus = "complete"
	ImportFailed   ImportStatus = "error"
)

// ImportRequest is the body of importedWindowsAutopilotDeviceIdentities/import.
type ImportRequest struct {
	Devices []ImportedDevice `json:"importedWindowsAutopilotDeviceIdentities"`
}

// AutopilotSettings is windowsAutopilotSettings.
type AutopilotSettings struct {
	ID                            string `json:"id"`
	LastSyncDateTime              Time   `json:"lastSyncDateTime"`
	LastManualSyncTriggerDateTime Time   `json:"lastManualSyncTriggerDateTime"`
	SyncStatus                    string `json:"syncStatus"` // unknown, inProgress, completed, failed
}

// AssignUserRequest is the body of assignUserToDevice.
type AssignUserRequest struct {
	UserPrincipalName   string `json:"userPrincipalName"`
	AddressableUserName string `json:"addressableUserName"`
}

// UpdateDeviceProperties is the body of updateDeviceProperties. nil leaves a property as it is.
type UpdateDeviceProperties struct {
	UserPrincipalName   *string `json:"userPrincipalName,omitempty"`
	AddressableUserName *string `json:"addressableUserName,omitempty"`
	GroupTag            *string `json:"groupTag,omitempty"`
	DisplayName         *string `json:"displayName,omitempty"`
}
