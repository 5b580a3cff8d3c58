package graph

// TypeESP is the OData type of an Enrollment Status Page.
const TypeESP = "#microsoft.graph.windows10EnrollmentCompletionPageConfiguration"

// EnrollmentStatusPage is windows10EnrollmentCompletionPageConfiguration (beta; v1.0 shows only a part of it).
type EnrollmentStatusPage struct {
	ODataType                               string       `json:"@odata.type"`
	ID                                      string       `json:"id,omitempty"`
	DisplayName                             string       `json:"displayName"`
	Description                             string       `json:"description"`
	Priority                                int          `json:"priority"` // 1 first; 0 is the tenant's default page
	CreatedDateTime                         Time         `json:"createdDateTime"`
	LastModifiedDateTime                    Time         `json:"lastModifiedDateTime"`
	Version                                 int          `json:"version"`
	RoleScopeTagIDs                         []string     `json:"roleScopeTagIds,omitempty"`
	ConfigurationType                       string       `json:"deviceEnrollmentConfigurationType,omitempty"`
	ShowInstallationProgress                bool         `json:"showInstallationProgress"`
	BlockDeviceSetupRetryByUser             bool         `json:"blockDeviceSetupRetryByUser"`
	AllowDeviceResetOnInstallFailure        bool         `json:"allowDeviceResetOnInstallFailure"`
	AllowLogCollectionOnInstallFailure      bool         `json:"allowLogCollectionOnInstallFailure"`
	CustomErrorMessage                      string       `json:"customErrorMessage"`
	InstallProgressTimeoutInMinutes         int          `json:"installProgressTimeoutInMinutes"`
	AllowDeviceUseOnInstallFailure          bool         `json:"allowDeviceUseOnInstallFailure"`
	SelectedMobileAppIDs                    []string     `json:"selectedMobileAppIds"` // empty: all apps block
	AllowNonBlockingAppInstallation         bool         `json:"allowNonBlockingAppInstallation"`
	TrackInstallProgressForAutopilotOnly    bool         `json:"trackInstallProgressForAutopilotOnly"`
	DisableUserStatusTrackingAfterFirstUser bool         `json:"disableUserStatusTrackingAfterFirstUser"`
	InstallQualityUpdates                   bool         `json:"installQualityUpdates"`
	Assignments                             []Assignment `json:"assignments,omitempty"`
}
