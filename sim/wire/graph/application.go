package graph

// Application is the resource of that name: an app registration
// (learn.microsoft.com/graph/api/resources/application).
type Application struct {
	ID                     string                   `json:"id"` // object id
	AppID                  string                   `json:"appId"`
	DisplayName            string                   `json:"displayName"`
	CreatedDateTime        *Time                    `json:"createdDateTime,omitempty"`
	SignInAudience         string                   `json:"signInAudience,omitempty"` // AzureADMyOrg, AzureADMultipleOrgs, ...
	IdentifierURIs         []string                 `json:"identifierUris"`
	IsFallbackPublicClient *bool                    `json:"isFallbackPublicClient"`
	Web                    *RedirectURIs            `json:"web,omitempty"`
	SPA                    *RedirectURIs            `json:"spa,omitempty"`
	PublicClient           *RedirectURIs            `json:"publicClient,omitempty"`
	PasswordCredentials    []PasswordCredential     `json:"passwordCredentials"`
	KeyCredentials         []KeyCredential          `json:"keyCredentials"`
	RequiredResourceAccess []RequiredResourceAccess `json:"requiredResourceAccess"`
	AppRoles               []AppRole                `json:"appRoles"`
	API                    *APIApplication          `json:"api,omitempty"`
	Notes                  string                   `json:"notes,omitempty"`
}

// RedirectURIs is webApplication, spaApplication and publicClientApplication.
type RedirectURIs struct {
	RedirectURIs []string `json:"redirectUris"`
	HomePageURL  string   `json:"homePageUrl,omitempty"`
	LogoutURL    string   `json:"logoutUrl,omitempty"`
}

// PasswordCredential is a client secret. Graph gives SecretText only in the
// answer that made it.
type PasswordCredential struct {
	KeyID         string `json:"keyId,omitempty"`
	DisplayName   string `json:"displayName,omitempty"`
	Hint          string `json:"hint,omitempty"`
	SecretText    string `json:"secretText,omitempty"`
	StartDateTime *Time  `json:"startDateTime,omitempty"`
	EndDateTime   *Time  `json:"endDateTime,omitempty"`
}

// KeyCredential is a client certificate: Key is its DER,
// CustomKeyIdentifier its SHA-1 thumbprint.
type KeyCredential struct {
	KeyID               string `json:"keyId,omitempty"`
	DisplayName         string `json:"displayName,omitempty"`
	Type                string `json:"type,omitempty"`  // AsymmetricX509Cert
	Usage               string `json:"usage,omitempty"` // Verify
	CustomKeyIdentifier []byte `json:"customKeyIdentifier,omitempty"`
	Key                 []byte `json:"key,omitempty"`
	StartDateTime       *Time  `json:"startDateTime,omitempty"`
	EndDateTime         *Time  `json:"endDateTime,omitempty"`
}

// RequiredResourceAccess is what an application asks of one resource.
type RequiredResourceAccess struct {
	ResourceAppID  string           `json:"resourceAppId"`
	ResourceAccess []ResourceAccess `json:"resourceAccess"`
}

// ResourceAccess is one permission: its id, and Role or Scope.
type ResourceAccess struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// Types of ResourceAccess.
const (
	AccessRole  = "Role"
	AccessScope = "Scope"
)

// AppRole is an application permission that a resource offers.
type AppRole struct {
	ID                 string   `json:"id"`
	Value              string   `json:"value"`
	DisplayName        string   `json:"displayName"`
	Description        string   `json:"description"`
	AllowedMemberTypes []string `json:"allowedMemberTypes"` // Application, User
	IsEnabled          bool     `json:"isEnabled"`
}

// APIApplication is what an application offers as a resource.
type APIApplication struct {
	Oauth2PermissionScopes      []PermissionScope `json:"oauth2PermissionScopes"`
	RequestedAccessTokenVersion *int              `json:"requestedAccessTokenVersion,omitempty"`
}

// PermissionScope is a delegated permission that a resource offers.
type PermissionScope struct {
	ID        string `json:"id"`
	Value     string `json:"value"`
	Type      string `json:"type"` // User, Admin
	IsEnabled bool   `json:"isEnabled"`
}

// ServicePrincipal is an application as it stands in a tenant.
type ServicePrincipal struct {
	ID                     string            `json:"id"`
	AppID                  string            `json:"appId"`
	DisplayName            string            `json:"displayName"`
	AppDisplayName         string            `json:"appDisplayName"`
	AppOwnerOrganizationID string            `json:"appOwnerOrganizationId"`
	AccountEnabled         bool              `json:"accountEnabled"`
	ServicePrincipalType   string            `json:"servicePrincipalType"` // Application
	ServicePrincipalNames  []string          `json:"servicePrincipalNames"`
	AppRoles               []AppRole         `json:"appRoles"`
	Oauth2PermissionScopes []PermissionScope `json:"oauth2PermissionScopes"`
	SignInAudience         string            `json:"signInAudience"`
}

// Endpoint is a service's address in a tenant, as service principals list it.
type Endpoint struct {
	ID                 string `json:"id"`
	Capability         string `json:"capability"`
	ProviderID         string `json:"providerId"`
	ProviderName       string `json:"providerName"`
	ProviderResourceID string `json:"providerResourceId"`
	URI                string `json:"uri"`
}

// AppRoleAssignment is an application permission granted to a principal.
type AppRoleAssignment struct {
	ID                   string `json:"id"`
	AppRoleID            string `json:"appRoleId"`
	PrincipalID          string `json:"principalId"`
	PrincipalDisplayName string `json:"principalDisplayName"`
	PrincipalType        string `json:"principalType"` // ServicePrincipal
	ResourceID           string `json:"resourceId"`
	ResourceDisplayName  string `json:"resourceDisplayName"`
	CreatedDateTime      *Time  `json:"createdDateTime,omitempty"`
}
