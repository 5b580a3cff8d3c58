package oauth

// Account types of a user's realm.
const (
	RealmManaged   = "Managed"
	RealmFederated = "Federated"
	RealmUnknown   = "Unknown"
)

// UserRealm answers GET /common/userrealm/{upn}?api-version=1.0.
type UserRealm struct {
	Version       string `json:"ver"`
	AccountType   string `json:"account_type"`
	DomainName    string `json:"domain_name,omitempty"`
	CloudInstance string `json:"cloud_instance_name"`
	CloudAudience string `json:"cloud_audience_urn,omitempty"`
}

// UserRealm21 answers the same call with api-version 2.1, which Windows' own
// sign-in uses; FederationBrandName is the organisation's display name.
type UserRealm21 struct {
	NameSpaceType       string `json:"NameSpaceType"`
	Login               string `json:"Login"`
	DomainName          string `json:"DomainName,omitempty"`
	FederationBrandName string `json:"FederationBrandName,omitempty"`
	CloudInstanceName   string `json:"CloudInstanceName"`
}

// NewUserRealm is the realm of a login in a tenant's domain; an empty domain
// means that no tenant has it.
func NewUserRealm(login, domain, brand string) (UserRealm, UserRealm21) {
	v1 := UserRealm{Version: "1.0", AccountType: RealmUnknown, CloudInstance: "microsoftonline.com"}
	v2 := UserRealm21{NameSpaceType: RealmUnknown, Login: login, CloudInstanceName: "microsoftonline.com"}
	if domain != "" {
		v1.AccountType, v1.DomainName, v1.CloudAudience = RealmManaged, domain, "urn:federation:MicrosoftOnline"
		v2.NameSpaceType, v2.DomainName, v2.FederationBrandName = RealmManaged, domain, brand
	}
	return v1, v2
}

// CredentialTypeRequest is the body of POST /common/GetCredentialType, by which
// a sign-in page asks what to ask the user for. The call is not documented: the
// members are those that open clients send and read.
type CredentialTypeRequest struct {
	Username string `json:"username"`
}

// Values of IfExistsResult.
const (
	UserExists   = 0
	UserNoExists = 1
)

// Values of DomainType.
const (
	DomainUnknown = 1
	DomainManaged = 3
)

// CredentialType is the answer.
type CredentialType struct {
	Username       string `json:"Username"`
	Display        string `json:"Display"`
	IfExistsResult int    `json:"IfExistsResult"`
	IsUnmanaged    bool   `json:"IsUnmanaged"`
	ThrottleStatus int    `json:"ThrottleStatus"`
	Credentials    struct {
		PrefCredential int  `json:"PrefCredential"` // 1: password
		HasPassword    bool `json:"HasPassword"`
	} `json:"Credentials"`
	EstsProperties struct {
		DomainType int `json:"DomainType"`
	} `json:"EstsProperties"`
	IsSignupDisallowed bool `json:"IsSignupDisallowed"`
}

// NewCredentialType is the answer about a name, whether its domain is a
// tenant's and whether the user is in its directory.
func NewCredentialType(username string, domain, user bool) *CredentialType {
	out := &CredentialType{Username: username, Display: username, IfExistsResult: UserNoExists, IsSignupDisallowed: true}
	out.Credentials.PrefCredential, out.Credentials.HasPassword = 1, true
	out.EstsProperties.DomainType = DomainUnknown
	if domain {
		out.EstsProperties.DomainType = DomainManaged
	}
	if user {
		out.IfExistsResult = UserExists
	}
	return out
}
