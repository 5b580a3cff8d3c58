package oauth

import (
	"net/url"
	"slices"
	"strings"
)

// InstanceDiscovery answers GET /common/discovery/instance, by which clients
// learn whether an authority is one of Microsoft's and which names it has
// (learn.microsoft.com, "Instance metadata" of MSAL). Version 1.0 of the call
// has no Metadata.
type InstanceDiscovery struct {
	TenantDiscoveryEndpoint string             `json:"tenant_discovery_endpoint"`
	APIVersion              string             `json:"api-version,omitempty"`
	Metadata                []InstanceMetadata `json:"metadata,omitempty"`
}

// InstanceMetadata is one cloud: Aliases are names of the same service.
type InstanceMetadata struct {
	PreferredNetwork string   `json:"preferred_network"`
	PreferredCache   string   `json:"preferred_cache"`
	Aliases          []string `json:"aliases"`
}

// Clouds are the instances that clients are told about, the public one first.
// The names of the others are answered nowhere here.
var Clouds = []InstanceMetadata{
	{Host, "login.windows.net", []string{Host, "login.windows.net", "login.microsoft.com", "sts.windows.net"}},
	{"login.partner.microsoftonline.cn", "login.partner.microsoftonline.cn", []string{"login.partner.microsoftonline.cn", "login.chinacloudapi.cn"}},
	{"login.microsoftonline.us", "login.microsoftonline.us", []string{"login.microsoftonline.us", "login.usgovcloudapi.net"}},
	{"login-us.microsoftonline.com", "login-us.microsoftonline.com", []string{"login-us.microsoftonline.com"}},
}

// IsAlias tells whether a host is a name of the public cloud's service.
func IsAlias(host string) bool {
	return slices.ContainsFunc(Clouds[0].Aliases, func(a string) bool { return strings.EqualFold(a, host) })
}

// NewInstanceDiscovery is the answer about an authorization endpoint, which
// names host and tenant; ok is false for an authority that is not known.
func NewInstanceDiscovery(endpoint, version string) (out *InstanceDiscovery, ok bool) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" || u.User != nil {
		return nil, false
	}
	known := slices.ContainsFunc(Clouds, func(c InstanceMetadata) bool {
		return slices.ContainsFunc(c.Aliases, func(a string) bool { return strings.EqualFold(a, u.Host) })
	})
	tenant, rest, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if !known || tenant == "" {
		return nil, false
	}
	path := "/.well-known/openid-configuration"
	if strings.Contains(rest, "v2.0") {
		path = "/v2.0" + path
	}
	out = &InstanceDiscovery{TenantDiscoveryEndpoint: "https://" + strings.ToLower(u.Host) + "/" + url.PathEscape(tenant) + path}
	if version != "1.0" {
		out.APIVersion, out.Metadata = version, Clouds
	}
	return out, true
}
