package oauth

// Metadata is the openid-configuration document (OpenID Connect Discovery 1.0,
// section 3, and [MS-OIDCE] 2.2.3.2), as far as clients read it.
type Metadata struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	JWKSURI               string   `json:"jwks_uri"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	SigningAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
	Scopes                []string `json:"scopes_supported"`
	Capabilities          []string `json:"capabilities"`
	CloudInstance         string   `json:"cloud_instance_name"`
	GraphHost             string   `json:"msgraph_host"`
}

// NewMetadata is the document of a tenant's endpoints, version "1.0" or "2.0".
func NewMetadata(tenant, version string) *Metadata {
	base, oauth2, keys := "https://"+Host+"/"+tenant, "/oauth2/", "/discovery/keys"
	if version == "2.0" {
		oauth2, keys = "/oauth2/v2.0/", "/discovery/v2.0/keys"
	}
	return &Metadata{
		Issuer:                Issuer(tenant, version),
		AuthorizationEndpoint: base + oauth2 + "authorize",
		TokenEndpoint:         base + oauth2 + "token",
		JWKSURI:               base + keys,
		AuthMethods:           []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		ResponseModes:         []string{"query", "fragment", "form_post"},
		ResponseTypes:         []string{"code", "id_token", "code id_token"},
		SubjectTypes:          []string{"pairwise"},
		SigningAlgorithms:     []string{"RS256"},
		Scopes:                []string{"openid", "profile", "email", "offline_access"},
		Capabilities:          []string{CapabilityKDF2},
		CloudInstance:         "microsoftonline.com",
		GraphHost:             "graph.microsoft.com",
	}
}

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
