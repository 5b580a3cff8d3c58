package graph

// OData types of enrolment restrictions.
const (
	TypeEnrollmentLimit      = "#microsoft.graph.deviceEnrollmentLimitConfiguration"
	TypePlatformRestrictions = "#microsoft.graph.deviceEnrollmentPlatformRestrictionsConfiguration"
	TypePlatformRestriction  = "#microsoft.graph.deviceEnrollmentPlatformRestrictionConfiguration"
)

// EnrollmentRestriction is deviceEnrollmentConfiguration with its types for limits and platforms.
type EnrollmentRestriction struct {
	ODataType            string       `json:"@odata.type"`
	ID                   string       `json:"id,omitempty"`
	DisplayName          string       `json:"displayName"`
	Description          string       `json:"description"`
	Priority             int          `json:"priority"` // 1 first; 0 is the tenant's default
	CreatedDateTime      Time         `json:"createdDateTime"`
	LastModifiedDateTime Time         `json:"lastModifiedDateTime"`
	Version              int          `json:"version"`
	RoleScopeTagIDs      []string     `json:"roleScopeTagIds,omitempty"`
	ConfigurationType    string       `json:"deviceEnrollmentConfigurationType,omitempty"`
	Assignments          []Assignment `json:"assignments,omitempty"`

	*EnrollmentLimit
	*PlatformRestrictions
	*SinglePlatformRestriction
}

// EnrollmentLimit is what deviceEnrollmentLimitConfiguration adds.
type EnrollmentLimit struct {
	Limit int `json:"limit"` // devices a user may enrol
}

// PlatformRestrictions is what deviceEnrollmentPlatformRestrictionsConfiguration adds: the tenant's default has all platforms.
type PlatformRestrictions struct {
	Windows PlatformRestriction  `json:"windowsRestriction"`
	IOS     *PlatformRestriction `json:"iosRestriction,omitempty"`
	Android *PlatformRestriction `json:"androidRestriction,omitempty"`
	MacOS   *PlatformRestriction `json:"macOSRestriction,omitempty"`
}

// SinglePlatformRestriction is what deviceEnrollmentPlatformRestrictionConfiguration adds: one platform, for groups.
type SinglePlatformRestriction struct {
	PlatformType string              `json:"platformType"` // windows, ios, android, mac, ...
	Restriction  PlatformRestriction `json:"platformRestriction"`
}

// PlatformWindows is the platformType of Windows.
const PlatformWindows = "windows"

// PlatformRestriction is deviceEnrollmentPlatformRestriction.
type PlatformRestriction struct {
	PlatformBlocked                 bool     `json:"platformBlocked"`
	PersonalDeviceEnrollmentBlocked bool     `json:"personalDeviceEnrollmentBlocked"`
	OSMinimumVersion                string   `json:"osMinimumVersion"`
	OSMaximumVersion                string   `json:"osMaximumVersion"`
	BlockedManufacturers            []string `json:"blockedManufacturers,omitempty"`
}
