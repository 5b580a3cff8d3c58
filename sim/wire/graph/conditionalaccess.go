package graph

// ConditionalAccessPolicy is the resource of that name, as far as the sign-in
// looks at it (learn.microsoft.com/graph/api/resources/conditionalaccesspolicy).
type ConditionalAccessPolicy struct {
	ID               string                `json:"id"`
	DisplayName      string                `json:"displayName"`
	State            string                `json:"state"`
	CreatedDateTime  *Time                 `json:"createdDateTime,omitempty"`
	ModifiedDateTime *Time                 `json:"modifiedDateTime,omitempty"`
	Conditions       AccessConditions      `json:"conditions"`
	GrantControls    *AccessGrantControls  `json:"grantControls"`
	SessionControls  *AccessSessionControl `json:"sessionControls"`
}

// States of a policy.
const (
	PolicyEnabled    = "enabled"
	PolicyDisabled   = "disabled"
	PolicyReportOnly = "enabledForReportingButNotEnforced"
)

// AccessConditions is conditionalAccessConditionSet.
type AccessConditions struct {
	Users          *AccessUsers        `json:"users"`
	Applications   *AccessApplications `json:"applications"`
	Platforms      *AccessPlatforms    `json:"platforms,omitempty"`
	ClientAppTypes []string            `json:"clientAppTypes"`

	// What follows is read so that it is not passed over: a policy that uses it
	// is not modelled.
	Locations        *AccessLocations `json:"locations,omitempty"`
	SignInRiskLevels []string         `json:"signInRiskLevels,omitempty"`
	UserRiskLevels   []string         `json:"userRiskLevels,omitempty"`
	PrincipalRisk    []string         `json:"servicePrincipalRiskLevels,omitempty"`
	Devices          any              `json:"devices,omitempty"`
}

// AccessLocations is conditionalAccessLocations; all locations are the same as
// none named.
type AccessLocations struct {
	IncludeLocations []string `json:"includeLocations"`
	ExcludeLocations []string `json:"excludeLocations"`
}

// AccessUsers is conditionalAccessUsers. Users may be "All", "None" or
// "GuestsOrExternalUsers" beside ids.
type AccessUsers struct {
	IncludeUsers  []string `json:"includeUsers"`
	ExcludeUsers  []string `json:"excludeUsers"`
	IncludeGroups []string `json:"includeGroups"`
	ExcludeGroups []string `json:"excludeGroups"`
	IncludeRoles  []string `json:"includeRoles,omitempty"`
	ExcludeRoles  []string `json:"excludeRoles,omitempty"`
}

// AccessApplications is conditionalAccessApplications: client ids of
// resources, "All", "None" or "Office365".
type AccessApplications struct {
	IncludeApplications []string `json:"includeApplications"`
	ExcludeApplications []string `json:"excludeApplications"`
	IncludeUserActions  []string `json:"includeUserActions"`
}

// ActionRegisterDevice is the user action of joining or registering a device.
const ActionRegisterDevice = "urn:user:registerdevice"

// AccessPlatforms is conditionalAccessPlatforms: android, iOS, windows,
// windowsPhone, macOS, linux, all.
type AccessPlatforms struct {
	IncludePlatforms []string `json:"includePlatforms"`
	ExcludePlatforms []string `json:"excludePlatforms"`
}

// Values of clientAppTypes.
const (
	ClientAppAll     = "all"
	ClientAppBrowser = "browser"
	ClientAppModern  = "mobileAppsAndDesktopClients"
	ClientAppEAS     = "exchangeActiveSync"
	ClientAppOther   = "other"
)

// AccessGrantControls is conditionalAccessGrantControls.
type AccessGrantControls struct {
	Operator        string   `json:"operator"` // AND, OR
	BuiltInControls []string `json:"builtInControls"`
	TermsOfUse      []string `json:"termsOfUse"` // ids of agreements

	CustomAuthenticationFactors []string `json:"customAuthenticationFactors,omitempty"`
	AuthenticationStrength      any      `json:"authenticationStrength,omitempty"`
}

// Values of builtInControls.
const (
	ControlBlock           = "block"
	ControlMFA             = "mfa"
	ControlCompliantDevice = "compliantDevice"
	ControlDomainJoined    = "domainJoinedDevice"
	ControlApprovedApp     = "approvedApplication"
	ControlCompliantApp    = "compliantApplication"
	ControlPasswordChange  = "passwordChange"
	ControlRiskRemediation = "riskRemediation"
)

// AccessSessionControl is conditionalAccessSessionControls: how often users
// sign in is kept as it is given, and not enforced.
type AccessSessionControl struct {
	SignInFrequency any `json:"signInFrequency,omitempty"`
}
