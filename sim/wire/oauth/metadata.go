package oauth

import "strings"

// Metadata is the openid-configuration document (OpenID Connect Discovery 1.0,
// section 3, and [MS-OIDCE] 2.2.3.2).
type Metadata struct {
	TokenEndpoint         string   `json:"token_endpoint"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
	JWKSURI               string   `json:"jwks_uri"`
	ResponseModes         []string `json:"response_modes_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	SigningAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	Scopes                []string `json:"scopes_supported"`
	Issuer                string   `json:"issuer"`
	RequestURISupported   bool     `json:"request_uri_parameter_supported"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	DeviceEndpoint        string   `json:"device_authorization_endpoint"`
	HTTPLogout            bool     `json:"http_logout_supported"`
	FrontChannelLogout    bool     `json:"frontchannel_logout_supported"`
	EndSessionEndpoint    string   `json:"end_session_endpoint"`
	Claims                []string `json:"claims_supported"`
	Capabilities          []string `json:"capabilities"`
	CloudInstance         string   `json:"cloud_instance_name"`
	CloudGraphHost        string   `json:"cloud_graph_host_name"`
	GraphHost             string   `json:"msgraph_host"`
}

// Names that stand for no single tenant in an authority
// (learn.microsoft.com, "OpenID Connect on the Microsoft identity platform").
const (
	Common        = "common"
	Organizations = "organizations"
	Consumers     = "consumers"
)

// ConsumersTenant is the tenant of personal Microsoft accounts.
const ConsumersTenant = "9188040d-6c67-4c5b-b112-36a304b66dad"

// issuerTenant is what the issuer says for an authority: a placeholder where
// tokens of several tenants may come.
func issuerTenant(name string) string {
	switch {
	case strings.EqualFold(name, Common), strings.EqualFold(name, Organizations):
		return "{tenantid}"
	case strings.EqualFold(name, Consumers):
		return ConsumersTenant
	}
	return name
}

// NewMetadata is the document of a tenant's endpoints, version "1.0" or "2.0",
// under the login host's usual name.
func NewMetadata(tenant, version string) *Metadata { return NewMetadataAt(Host, tenant, version) }

// NewMetadataAt is NewMetadata under another name of the login host. The
// issuer does not depend on the name.
func NewMetadataAt(host, tenant, version string) *Metadata {
	base, oauth2, keys := "https://"+host+"/"+tenant, "/oauth2/", "/discovery/keys"
	if version == "2.0" {
		oauth2, keys = "/oauth2/v2.0/", "/discovery/v2.0/keys"
	}
	return &Metadata{
		Issuer:                Issuer(issuerTenant(tenant), version),
		AuthorizationEndpoint: base + oauth2 + "authorize",
		DeviceEndpoint:        base + oauth2 + "devicecode",
		TokenEndpoint:         base + oauth2 + "token",
		EndSessionEndpoint:    base + oauth2 + "logout",
		JWKSURI:               base + keys,
		AuthMethods:           []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		ResponseModes:         []string{"query", "fragment", "form_post"},
		ResponseTypes:         []string{"code", "id_token", "code id_token", "id_token token"},
		SubjectTypes:          []string{"pairwise"},
		SigningAlgorithms:     []string{"RS256"},
		Scopes:                []string{"openid", "profile", "email", "offline_access"},
		HTTPLogout:            true,
		FrontChannelLogout:    true,
		Claims: []string{"sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host", "aud", "exp",
			"iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email"},
		Capabilities:   []string{CapabilityKDF2},
		CloudInstance:  "microsoftonline.com",
		CloudGraphHost: "graph.windows.net",
		GraphHost:      "graph.microsoft.com",
	}
}
