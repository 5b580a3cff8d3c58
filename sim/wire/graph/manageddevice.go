package graph

// ManagedDevice is the resource of that name: Intune's record of an enrolled PC.
type ManagedDevice struct {
	ID                                      string          `json:"id"`
	DeviceName                              string          `json:"deviceName"`
	ManagedDeviceName                       string          `json:"managedDeviceName"`
	UserID                                  string          `json:"userId"`
	UserPrincipalName                       string          `json:"userPrincipalName"`
	UserDisplayName                         string          `json:"userDisplayName"`
	EmailAddress                            string          `json:"emailAddress"`
	ManagedDeviceOwnerType                  string          `json:"managedDeviceOwnerType"` // company, personal
	EnrolledDateTime                        Time            `json:"enrolledDateTime"`
	LastSyncDateTime                        Time            `json:"lastSyncDateTime"`
	OperatingSystem                         string          `json:"operatingSystem"`
	OSVersion                               string          `json:"osVersion"`
	SkuFamily                               string          `json:"skuFamily"`
	ComplianceState                         ComplianceState `json:"complianceState"`
	ComplianceGracePeriodExpirationDateTime Time            `json:"complianceGracePeriodExpirationDateTime"`
	ManagementAgent                         string          `json:"managementAgent"`      // mdm
	ManagementState                         string          `json:"managementState"`      // managed, wipePending, ...
	DeviceEnrollmentType                    string          `json:"deviceEnrollmentType"` // windowsAzureADJoin, ...
	DeviceRegistrationState                 string          `json:"deviceRegistrationState"`
	JoinType                                string          `json:"joinType"` // azureADJoined, hybridAzureADJoined
	AutopilotEnrolled                       bool            `json:"autopilotEnrolled"`
	AzureADRegistered                       bool            `json:"azureADRegistered"`
	AzureADDeviceID                         string          `json:"azureADDeviceId"`
	EnrollmentProfileName                   string          `json:"enrollmentProfileName"`
	ManagementCertificateExpirationDate     Time            `json:"managementCertificateExpirationDate"`
	IsEncrypted                             bool            `json:"isEncrypted"`
	Manufacturer                            string          `json:"manufacturer"`
	Model                                   string          `json:"model"`
	SerialNumber                            string          `json:"serialNumber"`
	ChassisType                             string          `json:"chassisType"`
	WiFiMacAddress                          string          `json:"wiFiMacAddress"`
	EthernetMacAddress                      string          `json:"ethernetMacAddress"`
	TotalStorageSpaceInBytes                int64           `json:"totalStorageSpaceInBytes"`
	FreeStorageSpaceInBytes                 int64           `json:"freeStorageSpaceInBytes"`
	PhysicalMemoryInBytes                   int64           `json:"physicalMemoryInBytes"`
	Notes                                   string          `json:"notes"`

	DeviceHealthAttestationState *DeviceHealthAttestationState `json:"deviceHealthAttestationState"` // nil while nothing was attested
	DeviceActionResults          []DeviceActionResult          `json:"deviceActionResults,omitempty"`
}

// ComplianceState is the complianceState of a ManagedDevice.
type ComplianceState string

// Compliance states.
const (
	ComplianceUnknown       ComplianceState = "unknown"
	ComplianceCompliant     ComplianceState = "compliant"
	ComplianceNoncompliant  ComplianceState = "noncompliant"
	ComplianceConflict      ComplianceState = "conflict"
	ComplianceError         ComplianceState = "error"
	ComplianceInGracePeriod ComplianceState = "inGracePeriod"
	ComplianceConfigManager ComplianceState = "configManager"
)

// WipeRequest is the body of managedDevices/{id}/wipe.
type WipeRequest struct {
	KeepEnrollmentData bool `json:"keepEnrollmentData"`
	KeepUserData       bool `json:"keepUserData"`
}

// DeviceActionResult is deviceActionResult: what became of a remote action.
type DeviceActionResult struct {
	ODataType           string      `json:"@odata.type,omitempty"`
	ActionName          string      `json:"actionName"`
	ActionState         ActionState `json:"actionState"`
	StartDateTime       Time        `json:"startDateTime"`
	LastUpdatedDateTime Time        `json:"lastUpdatedDateTime"`
}

// ActionState is actionState.
type ActionState string

// Action states.
const (
	ActionNone         ActionState = "none"
	ActionPending      ActionState = "pending"
	ActionCanceled     ActionState = "canceled"
	ActionActive       ActionState = "active"
	ActionDone         ActionState = "done"
	ActionFailed       ActionState = "failed"
	ActionNotSupported ActionState = "notSupported"
)

// CleanRequest is the body of managedDevices/{id}/cleanWindowsDevice.
type CleanRequest struct {
	KeepUserData bool `json:"keepUserData"`
}
