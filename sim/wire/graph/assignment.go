package graph

// OData types of assignment targets.
const (
	TargetGroup        = "#microsoft.graph.groupAssignmentTarget"
	TargetExclusion    = "#microsoft.graph.exclusionGroupAssignmentTarget"
	TargetAllDevices   = "#microsoft.graph.allDevicesAssignmentTarget"
	TargetAllUsers     = "#microsoft.graph.allLicensedUsersAssignmentTarget"
	filterNone         = "none"
	assignmentOfItself = "direct"
)

// AssignmentTarget is deviceAndAppManagementAssignmentTarget with its concrete types.
type AssignmentTarget struct {
	ODataType  string `json:"@odata.type"`
	GroupID    string `json:"groupId,omitempty"` // group and exclusion targets
	FilterID   string `json:"deviceAndAppManagementAssignmentFilterId,omitempty"`
	FilterType string `json:"deviceAndAppManagementAssignmentFilterType,omitempty"` // none, include, exclude
}

// Group targets a group.
func Group(id string) AssignmentTarget {
	return AssignmentTarget{ODataType: TargetGroup, GroupID: id, FilterType: filterNone}
}

// Exclude targets everybody but a group.
func Exclude(id string) AssignmentTarget {
	return AssignmentTarget{ODataType: TargetExclusion, GroupID: id, FilterType: filterNone}
}

// AllDevices targets every device.
func AllDevices() AssignmentTarget {
	return AssignmentTarget{ODataType: TargetAllDevices, FilterType: filterNone}
}

// AllUsers targets every licensed user.
func AllUsers() AssignmentTarget {
	return AssignmentTarget{ODataType: TargetAllUsers, FilterType: filterNone}
}

// Assignment is the assignment of a profile, configuration or policy.
type Assignment struct {
	ID       string           `json:"id,omitempty"`
	Source   string           `json:"source,omitempty"` // direct, policySets
	SourceID string           `json:"sourceId,omitempty"`
	Intent   string           `json:"intent,omitempty"` // device configurations: apply, remove
	Target   AssignmentTarget `json:"target"`
}

// NewAssignment assigns directly.
func NewAssignment(id string, target AssignmentTarget) Assignment {
	return Assignment{ID: id, Source: assignmentOfItself, SourceID: id, Target: target}
}

// AssignRequest is the body of the assign actions of configurations, policies and enrolment configurations. Graph names
// the member after the resource.
type AssignRequest struct {
	Assignments           []Assignment `json:"assignments,omitempty"`
	EnrollmentAssignments []Assignment `json:"enrollmentConfigurationAssignments,omitempty"`
}

// All gives the assignments under either name.
func (r AssignRequest) All() []Assignment {
	return append(append([]Assignment{}, r.Assignments...), r.EnrollmentAssignments...)
}

// Intent is the installIntent of an app assignment.
type Intent string

// Intents.
const (
	IntentRequired                   Intent = "required"
	IntentAvailable                  Intent = "available"
	IntentUninstall                  Intent = "uninstall"
	IntentAvailableWithoutEnrollment Intent = "availableWithoutEnrollment"
)

// MobileAppAssignment is the resource of that name.
type MobileAppAssignment struct {
	ODataType string                 `json:"@odata.type,omitempty"`
	ID        string                 `json:"id,omitempty"`
	Intent    Intent                 `json:"intent"`
	Source    string                 `json:"source,omitempty"`
	SourceID  string                 `json:"sourceId,omitempty"`
	Target    AssignmentTarget       `json:"target"`
	Settings  *AppAssignmentSettings `json:"settings,omitempty"`
}

// AppAssignmentSettings is win32LobAppAssignmentSettings.
type AppAssignmentSettings struct {
	ODataType                    string `json:"@odata.type,omitempty"`
	Notifications                string `json:"notifications,omitempty"`                // showAll, showReboot, hideAll
	DeliveryOptimizationPriority string `json:"deliveryOptimizationPriority,omitempty"` // notConfigured, foreground
	UseDeviceContext             bool   `json:"useDeviceContext,omitempty"`             // of Store apps
}

// AppAssignRequest is the body of mobileApps/{id}/assign.
type AppAssignRequest struct {
	Assignments []MobileAppAssignment `json:"mobileAppAssignments"`
}
