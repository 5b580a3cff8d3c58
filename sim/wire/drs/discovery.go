package drs

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// Names and resource identifiers of the cloud service.
const (
	// Host serves discovery, nonce, join and delete.
	Host = "enterpriseregistration.windows.net"
	// Resource is the audience of a token for join and registration.
	Resource = "urn:ms-drs:enterpriseregistration.windows.net"
	// NonceResource is the audience named by the nonce section.
	NonceResource = Resource
	// ServiceVersion is what each section of the discovery document says.
	ServiceVersion = "1.0"
	// DiscoverVersion is the api-version that Windows 11 asks discovery with.
	DiscoverVersion = "1.9"
	// JoinVersion is the api-version of the join that this package codes.
	JoinVersion = "1.0"

	// HeaderClientName and HeaderClientVersion name the asking client.
	HeaderClientName    = "ocp-adrs-client-name"
	HeaderClientVersion = "ocp-adrs-client-version"
	// UserAgent is the agent of Windows' own client, with %s for the OS version.
	UserAgent = "Dsreg/10.0 (Windows %s)"
)

// Discovery is the answer to GET /{tenant or domain}/Discover. Only the
// sections that a service offers are present.
type Discovery struct {
	DiscoveryService          *Endpoint              `json:"-"`
	DeviceRegistrationService *Endpoint              `json:"-"`
	DeviceJoinService         *Endpoint              `json:"-"`
	KeyProvisioningService    *Endpoint              `json:"-"`
	NonceService              *Endpoint              `json:"-"`
	DeviceManagementService   *Endpoint              `json:"-"`
	WebAuthNService           *Endpoint              `json:"-"`
	PrecreateService          *Endpoint              `json:"-"`
	BPLService                *Endpoint              `json:"-"` // password protection proxies
	DeviceJoinResourceService *Endpoint              `json:"-"`
	AzureRbacService          *Endpoint              `json:"-"`
	AuthenticationService     *AuthenticationService `json:"-"`
	IdentityProviderService   *IdentityProvider      `json:"-"`
	MSAProviderData           *MSAProvider           `json:"-"`
	TenantInfo                *TenantInfo            `json:"-"`
}

// MSAProvider is where Microsoft accounts sign in for this service.
type MSAProvider struct {
	SiteID  string `json:"SiteId"`
	SiteURL string `json:"SiteUrl"`
}

// Endpoint is one section's address, the audience its tokens need, and its
// version. On the wire each section prefixes the member names differently.
type Endpoint struct {
	URL, ResourceID, ServiceVersion string
}

// AuthenticationService names the OAuth 2 endpoints of the tenant.
type AuthenticationService struct {
	OAuth2 OAuth2Endpoints `json:"OAuth2"`
}

// OAuth2Endpoints are absolute URLs at login.microsoftonline.com.
type OAuth2Endpoints struct {
	AuthCodeEndpoint string `json:"AuthCodeEndpoint"`
	TokenEndpoint    string `json:"TokenEndpoint"`
}

// IdentityProvider tells whether the tenant's sign-in is federated.
type IdentityProvider struct {
	Federated           bool   `json:"Federated"`
	PassiveAuthEndpoint string `json:"PassiveAuthEndpoint"`
}

// TenantInfo names the tenant that the asked domain belongs to.
type TenantInfo struct {
	TenantID    string `json:"TenantId"`
	TenantName  string `json:"TenantName"`
	DisplayName string `json:"DisplayName"`
	// OtherDeviceManagement are the discovery addresses of management applications
	// beside the first, where the tenant has some; our model.
	OtherDeviceManagement []string `json:"OtherDeviceManagement,omitempty"`
}

// section says how one endpoint section is spelt: the member that holds the
// address and the one that holds the resource ("" if it has none).
type section struct {
	name, endpoint, resource string
	of                       func(*Discovery) **Endpoint
}

var sections = []section{
	{"DiscoveryService", "DiscoveryEndpoint", "", func(d *Discovery) **Endpoint { return &d.DiscoveryService }},
	{"DeviceRegistrationService", "RegistrationEndpoint", "RegistrationResourceId", func(d *Discovery) **Endpoint { return &d.DeviceRegistrationService }},
	{"DeviceJoinService", "JoinEndpoint", "JoinResourceId", func(d *Discovery) **Endpoint { return &d.DeviceJoinService }},
	{"KeyProvisioningService", "KeyProvisionEndpoint", "KeyProvisionResourceId", func(d *Discovery) **Endpoint { return &d.KeyProvisioningService }},
	{"NonceService", "Endpoint", "ResourceId", func(d *Discovery) **Endpoint { return &d.NonceService }},
	{"DeviceManagementService", "DeviceManagementEndpoint", "DeviceManagementResourceId", func(d *Discovery) **Endpoint { return &d.DeviceManagementService }},
	{"WebAuthNService", "WebAuthNEndpoint", "WebAuthNResourceId", func(d *Discovery) **Endpoint { return &d.WebAuthNService }},
	{"PrecreateService", "PrecreateEndpoint", "PrecreateResourceId", func(d *Discovery) **Endpoint { return &d.PrecreateService }},
	{"BPLService", "BPLServiceEndpoint", "BPLResourceId", func(d *Discovery) **Endpoint { return &d.BPLService }},
	{"DeviceJoinResourceService", "Endpoint", "ResourceId", func(d *Discovery) **Endpoint { return &d.DeviceJoinResourceService }},
	{"AzureRbacService", "RbacPolicyEndpoint", "", func(d *Discovery) **Endpoint { return &d.AzureRbacService }},
}

// bplProxy is the service principal of password protection proxies, the same in
// all tenants.
const bplProxy = "dda27c27-f274-469f-8005-cce10f270009"

// NewDiscovery is the document of a managed cloud tenant.
func NewDiscovery(t TenantInfo) *Discovery {
	base, login := "https://"+Host+"/EnrollmentServer/", "https://login.microsoftonline.com/"
	at := func(path, resource string) *Endpoint {
		return &Endpoint{URL: base + path, ResourceID: resource, ServiceVersion: ServiceVersion}
	}
	root := func(path string) *Endpoint {
		return &Endpoint{URL: "https://" + Host + "/" + path + t.TenantID + "/", ResourceID: Resource, ServiceVersion: ServiceVersion}
	}
	return &Discovery{
		DiscoveryService:          at("Discover", ""),
		DeviceRegistrationService: at("DeviceEnrollmentWebService.svc", Resource),
		DeviceJoinService:         at("device/", Resource),
		KeyProvisioningService:    at("key/", Resource),
		NonceService:              at("nonce/"+t.TenantID+"/", NonceResource),
		DeviceManagementService:   at("manage/"+t.TenantID+"/", Resource),
		WebAuthNService:           root("webauthn/"),
		PrecreateService:          at("device/precreate/"+t.TenantID+"/", Resource),
		BPLService:                root("aadpasswordpolicy/"),
		DeviceJoinResourceService: at("device/resource/"+t.TenantID+"/", Resource),
		AzureRbacService:          &Endpoint{URL: "https://pas.windows.net"},
		MSAProviderData:           &MSAProvider{SiteID: "295958", SiteURL: Host},
		AuthenticationService: &AuthenticationService{OAuth2: OAuth2Endpoints{
			AuthCodeEndpoint: login + t.TenantID + "/oauth2/authorize",
			TokenEndpoint:    login + t.TenantID + "/oauth2/token",
		}},
		IdentityProviderService: &IdentityProvider{PassiveAuthEndpoint: login + t.TenantID + "/wsfed"},
		TenantInfo:              &t,
	}
}

// MarshalJSON writes each section with its own member names.
func (d *Discovery) MarshalJSON() ([]byte, error) {
	out := map[string]any{}
	for _, s := range sections {
		if e := *s.of(d); e != nil {
			m := map[string]string{s.endpoint: e.URL}
			if e.ServiceVersion != "" {
				m["ServiceVersion"] = e.ServiceVersion
			}
			if s.name == "BPLService" {
				m["BPLProxyServicePrincipalId"] = bplProxy
			}
			if s.resource != "" {
				m[s.resource] = e.ResourceID
			}
			out[s.name] = m
		}
	}
	if d.AuthenticationService != nil {
		out["AuthenticationService"] = d.AuthenticationService
	}
	if d.IdentityProviderService != nil {
		out["IdentityProviderService"] = d.IdentityProviderService
	}
	if d.MSAProviderData != nil {
		out["MsaProviderData"] = d.MSAProviderData
	}
	if d.TenantInfo != nil {
		out["TenantInfo"] = d.TenantInfo
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads the sections that this package knows and ignores others:
// the service adds new ones over the years.
func (d *Discovery) UnmarshalJSON(b []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return fmt.Errorf("drs: discovery document: %w", err)
	}
	*d = Discovery{}
	for _, s := range sections {
		body, ok := raw[s.name]
		if !ok {
			continue
		}
		var m map[string]any
		if err := json.Unmarshal(body, &m); err != nil {
			return fmt.Errorf("drs: discovery section %s: %w", s.name, err)
		}
		text := func(k string) string { v, _ := m[k].(string); return v }
		*s.of(d) = &Endpoint{URL: text(s.endpoint), ResourceID: text(s.resource), ServiceVersion: text("ServiceVersion")}
	}
	for _, s := range []struct {
		name string
		to   any
	}{
		{"AuthenticationService", &d.AuthenticationService}, {"IdentityProviderService", &d.IdentityProviderService}, {"MsaProviderData", &d.MSAProviderData}, {"TenantInfo", &d.TenantInfo},
	} {
		if body, ok := raw[s.name]; ok {
			if err := json.Unmarshal(body, s.to); err != nil {
				return fmt.Errorf("drs: discovery section %s: %w", s.name, err)
			}
		}
	}
	return nil
}

// DiscoverURL is where a client asks for the tenant of a domain or tenant id.
func DiscoverURL(domainOrTenant string) string {
	return "https://" + Host + "/" + url.PathEscape(domainOrTenant) + "/Discover?api-version=" + DiscoverVersion + "&managed=True"
}

// DeviceURL is the address to DELETE for leaving; service may be nil.
func DeviceURL(service *Endpoint, deviceID string) string {
	return deviceURL(service, deviceID, JoinVersion)
}

func deviceURL(service *Endpoint, deviceID, version string) string {
	base := "https://" + Host + "/EnrollmentServer/device/"
	if service != nil && service.URL != "" {
		base = strings.TrimSuffix(service.URL, "/") + "/"
	}
	return base + url.PathEscape(deviceID) + "?api-version=" + version
}

// Nonce is the answer of the nonce service.
type Nonce struct {
	Value string `json:"Value"`
}
