package tenant

import (
	"crypto/sha1" // thumbprints are SHA-1 by definition
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/wire/graph"
)

// AppOf reads an application from its Graph resource. It has no permissions
// yet: what requiredResourceAccess asks for, [App.Wanted], somebody has to grant.
func AppOf(tenantID string, g graph.Application) (App, error) {
	a := App{TenantID: tenantID, ClientID: g.AppID, Name: g.DisplayName, Roles: []string{}, Identifiers: g.IdentifierURIs, Required: g.RequiredResourceAccess,
		AppRoles: g.AppRoles, Audience: g.SignInAudience, Public: g.IsFallbackPublicClient != nil && *g.IsFallbackPublicClient}
	if g.API != nil {
		a.Scopes = g.API.Oauth2PermissionScopes
		if v := g.API.RequestedAccessTokenVersion; v != nil {
			a.TokenVersion = *v
		}
	}
	for _, r := range []struct {
		kind string
		list *graph.RedirectURIs
	}{{RedirectWeb, g.Web}, {RedirectSPA, g.SPA}, {RedirectPublic, g.PublicClient}} {
		if r.list != nil {
			for _, uri := range r.list.RedirectURIs {
				if err := checkRedirect(uri); err != nil {
					return App{}, fmt.Errorf("%w: redirectUris: %w", ErrApp, err)
				}
				a.Redirects = append(a.Redirects, Redirect{r.kind, uri})
			}
		}
	}
	for _, c := range g.PasswordCredentials {
		a.Secrets = append(a.Secrets, AppSecret{c.KeyID, c.DisplayName, c.SecretText, at(c.StartDateTime), at(c.EndDateTime)})
	}
	for i, c := range g.KeyCredentials {
		cert, err := appCertificate(c)
		if err != nil {
			return App{}, fmt.Errorf("%w: keyCredentials[%d]: %w", ErrApp, i, err)
		}
		a.Certificates = append(a.Certificates, cert)
	}
	return a, nil
}

// checkRedirect refuses what no answer may be sent to: an address without a
// scheme or with a fragment (RFC 6749 3.1.2), or one that is a script itself.
func checkRedirect(uri string) error {
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Scheme == "" || strings.Contains(uri, "#") || u.User != nil:
		return fmt.Errorf("%q is no absolute address without a fragment", uri)
	case slices.Contains([]string{"javascript", "data", "vbscript"}, u.Scheme):
		return fmt.Errorf("%q is a script", uri)
	}
	return nil
}

// Wanted are the permissions of Graph that an application's registration asks
// for, of one kind; bad names those that are not modelled.
func (a App) Wanted(kind string) (values, bad []string) {
	for _, r := range a.Required {
		if !strings.EqualFold(r.ResourceAppID, AppGraph) {
			continue
		}
		for _, access := range r.ResourceAccess {
			if access.Type != kind {
				continue
			}
			if p, ok := graph.FindPermission(access.ID, kind); ok {
				values = append(values, p.Value)
			} else {
				bad = append(bad, access.ID)
			}
		}
	}
	return values, bad
}

// appCertificate takes DER, or PEM as files of exports have it.
func appCertificate(c graph.KeyCredential) (AppCertificate, error) {
	out := AppCertificate{KeyID: c.KeyID, Name: c.DisplayName, Thumbprint: slices.Clone(c.CustomKeyIdentifier), Starts: at(c.StartDateTime), Ends: at(c.EndDateTime)}
	if len(c.Key) == 0 {
		return out, nil // an export has no keys: a client has to bring the certificate
	}
	out.DER = slices.Clone(c.Key)
	if block, _ := pem.Decode(c.Key); block != nil {
		out.DER = block.Bytes
	}
	cert, err := x509.ParseCertificate(out.DER)
	if err != nil {
		return out, fmt.Errorf("key is no certificate: %w", err)
	}
	sum := sha1.Sum(cert.Raw)
	out.Thumbprint = sum[:]
	if out.Starts.IsZero() {
		out.Starts = cert.NotBefore
	}
	if out.Ends.IsZero() {
		out.Ends = cert.NotAfter
	}
	return out, nil
}

func at(t *graph.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

func timeOf(t time.Time) *graph.Time {
	if t.IsZero() {
		return nil
	}
	g := graph.At(t)
	return &g
}

// Resource is a secret as Graph shows it; with text only for whoever made it.
func (s AppSecret) Resource(text bool) graph.PasswordCredential {
	out := graph.PasswordCredential{KeyID: s.KeyID, DisplayName: s.Name, StartDateTime: timeOf(s.Starts), EndDateTime: timeOf(s.Ends)}
	if len(s.Text) > 3 {
		out.Hint = s.Text[:3]
	}
	if text {
		out.SecretText = s.Text
	}
	return out
}

// Resource is the registration as Graph shows it, without its object id and
// without texts of secrets.
func (a App) Resource() graph.Application {
	public := a.Public
	g := graph.Application{AppID: a.ClientID, DisplayName: a.Name, CreatedDateTime: timeOf(a.Created), SignInAudience: a.Audience,
		IdentifierURIs: a.Identifiers, IsFallbackPublicClient: &public, AppRoles: a.AppRoles, RequiredResourceAccess: a.Required}
	if g.SignInAudience == "" {
		g.SignInAudience = "AzureADMyOrg"
	}
	if g.IdentifierURIs == nil {
		g.IdentifierURIs = []string{}
	}
	lists := map[string]*graph.RedirectURIs{}
	for _, kind := range []string{RedirectWeb, RedirectSPA, RedirectPublic} {
		lists[kind] = &graph.RedirectURIs{RedirectURIs: []string{}}
	}
	for _, r := range a.Redirects {
		lists[r.Kind].RedirectURIs = append(lists[r.Kind].RedirectURIs, r.URI)
	}
	g.Web, g.SPA, g.PublicClient = lists[RedirectWeb], lists[RedirectSPA], lists[RedirectPublic]
	g.API = &graph.APIApplication{Oauth2PermissionScopes: a.Scopes}
	if a.TokenVersion != 0 {
		g.API.RequestedAccessTokenVersion = &a.TokenVersion
	}
	for _, s := range a.Secrets {
		g.PasswordCredentials = append(g.PasswordCredentials, s.Resource(false))
	}
	for _, c := range a.Certificates {
		g.KeyCredentials = append(g.KeyCredentials, graph.KeyCredential{KeyID: c.KeyID, DisplayName: c.Name, Type: "AsymmetricX509Cert", Usage: "Verify",
			CustomKeyIdentifier: c.Thumbprint, Key: c.DER, StartDateTime: timeOf(c.Starts), EndDateTime: timeOf(c.Ends)})
	}
	return g
}
