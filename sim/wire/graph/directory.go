package graph

// User is the resource of that name.
type User struct {
	ID                           string            `json:"id"`
	UserPrincipalName            string            `json:"userPrincipalName"`
	DisplayName                  string            `json:"displayName"`
	GivenName                    string            `json:"givenName"`
	Surname                      string            `json:"surname"`
	Mail                         string            `json:"mail"`
	AccountEnabled               *bool             `json:"accountEnabled,omitempty"` // nil counts as true
	UsageLocation                string            `json:"usageLocation,omitempty"`
	PreferredLanguage            string            `json:"preferredLanguage,omitempty"`
	MailNickname                 string            `json:"mailNickname,omitempty"`
	Department                   string            `json:"department,omitempty"`
	UserType                     string            `json:"userType,omitempty"` // Member, Guest
	AssignedLicenses             []AssignedLicense `json:"assignedLicenses,omitempty"`
	PasswordProfile              *PasswordProfile  `json:"passwordProfile,omitempty"`
	OnPremisesImmutableID        string            `json:"onPremisesImmutableId,omitempty"`
	OnPremisesSamAccountName     string            `json:"onPremisesSamAccountName,omitempty"`
	OnPremisesDistinguishedName  string            `json:"onPremisesDistinguishedName,omitempty"`
	OnPremisesSecurityIdentifier string            `json:"onPremisesSecurityIdentifier,omitempty"`
	OnPremisesSyncEnabled        *bool             `json:"onPremisesSyncEnabled,omitempty"`
}

// Enabled reports whether the account may sign in.
func (u User) Enabled() bool { return u.AccountEnabled == nil || *u.AccountEnabled }

// AssignedLicense is the type of that name.
type AssignedLicense struct {
	SkuID         string   `json:"skuId"`
	DisabledPlans []string `json:"disabledPlans"`
}

// PasswordProfile is the type of that name; Graph takes it and never gives it back.
type PasswordProfile struct {
	Password                      string `json:"password,omitempty"`
	ForceChangePasswordNextSignIn bool   `json:"forceChangePasswordNextSignIn"`
}

// DirectoryGroup is group. (Group makes an assignment target.)
type DirectoryGroup struct {
	ID                            string            `json:"id"`
	DisplayName                   string            `json:"displayName"`
	Description                   string            `json:"description"`
	GroupTypes                    []string          `json:"groupTypes"` // DynamicMembership, Unified
	MailEnabled                   bool              `json:"mailEnabled"`
	MailNickname                  string            `json:"mailNickname"`
	SecurityEnabled               bool              `json:"securityEnabled"`
	MembershipRule                string            `json:"membershipRule"`
	MembershipRuleProcessingState string            `json:"membershipRuleProcessingState"` // On, Paused
	CreatedDateTime               Time              `json:"createdDateTime"`
	OnPremisesSyncEnabled         *bool             `json:"onPremisesSyncEnabled,omitempty"`
	Members                       []DirectoryObject `json:"members,omitempty"` // with $expand
	MembersBind                   []string          `json:"members@odata.bind,omitempty"`
}

// Dynamic reports whether members follow from MembershipRule.
func (g DirectoryGroup) Dynamic() bool { return g.MembershipRule != "" }

// DirectoryObject is a reference to a user, device or group.
type DirectoryObject struct {
	ODataType         string `json:"@odata.type,omitempty"`
	ID                string `json:"id"`
	DisplayName       string `json:"displayName,omitempty"`
	UserPrincipalName string `json:"userPrincipalName,omitempty"`
	DeviceID          string `json:"deviceId,omitempty"`
}

// Device is the directory's device object.
type Device struct {
	ID                            string   `json:"id"` // object id
	DeviceID                      string   `json:"deviceId"`
	DisplayName                   string   `json:"displayName"`
	AccountEnabled                bool     `json:"accountEnabled"`
	ApproximateLastSignInDateTime *Time    `json:"approximateLastSignInDateTime"`
	CreatedDateTime               Time     `json:"createdDateTime"`
	RegistrationDateTime          *Time    `json:"registrationDateTime"`
	DeviceOwnership               string   `json:"deviceOwnership"` // Company, Personal, Unknown
	DeviceVersion                 int      `json:"deviceVersion,omitempty"`
	EnrollmentProfileName         string   `json:"enrollmentProfileName"`
	EnrollmentType                string   `json:"enrollmentType"`
	IsCompliant                   *bool    `json:"isCompliant"` // null until it is evaluated
	IsManaged                     *bool    `json:"isManaged"`
	ManagementType                string   `json:"managementType"` // MDM
	MdmAppID                      string   `json:"mdmAppId"`
	Manufacturer                  string   `json:"manufacturer"`
	Model                         string   `json:"model"`
	OperatingSystem               string   `json:"operatingSystem"`
	OperatingSystemVersion        string   `json:"operatingSystemVersion"`
	OnPremisesSyncEnabled         *bool    `json:"onPremisesSyncEnabled"`
	OnPremisesLastSyncDateTime    *Time    `json:"onPremisesLastSyncDateTime"`
	OnPremisesSecurityIdentifier  string   `json:"onPremisesSecurityIdentifier"`
	PhysicalIDs                   []string `json:"physicalIds"` // [ZTDID]:guid, [OrderID]:tag, [PurchaseOrderId]:po
	ProfileType                   string   `json:"profileType"` // RegisteredDevice, SecureVM, ...
	SystemLabels                  []string `json:"systemLabels"`
	TrustType                     string   `json:"trustType"` // AzureAd, ServerAd, Workplace
}

// Trust types of a Device.
const (
	TrustEntra     = "AzureAd"
	TrustHybrid    = "ServerAd"
	TrustWorkplace = "Workplace"
)

// Prefixes of physicalIds that Autopilot writes.
const (
	PhysicalZTDID         = "[ZTDID]:"
	PhysicalOrderID       = "[OrderID]:"
	PhysicalPurchaseOrder = "[PurchaseOrderId]:"
)

// Organization is the tenant.
type Organization struct {
	ID                              string           `json:"id"`
	DisplayName                     string           `json:"displayName"`
	CountryLetterCode               string           `json:"countryLetterCode"`
	PreferredLanguage               string           `json:"preferredLanguage"`
	TenantType                      string           `json:"tenantType"`                      // AAD
	MobileDeviceManagementAuthority string           `json:"mobileDeviceManagementAuthority"` // intune, unknown
	OnPremisesSyncEnabled           *bool            `json:"onPremisesSyncEnabled"`
	OnPremisesLastSyncDateTime      *Time            `json:"onPremisesLastSyncDateTime"`
	VerifiedDomains                 []VerifiedDomain `json:"verifiedDomains"`
}

// VerifiedDomain is the type of that name.
type VerifiedDomain struct {
	Capabilities string `json:"capabilities"`
	IsDefault    bool   `json:"isDefault"`
	IsInitial    bool   `json:"isInitial"`
	Name         string `json:"name"`
	Type         string `json:"type"` // Managed, Federated
}

// InitialDomain gives the onmicrosoft.com name, or "" without one.
func (o Organization) InitialDomain() string {
	return o.domain(func(d VerifiedDomain) bool { return d.IsInitial })
}

// DefaultDomain gives the domain that new users get, or "" without one.
func (o Organization) DefaultDomain() string {
	return o.domain(func(d VerifiedDomain) bool { return d.IsDefault })
}

func (o Organization) domain(is func(VerifiedDomain) bool) string {
	for _, d := range o.VerifiedDomains {
		if is(d) {
			return d.Name
		}
	}
	return ""
}
