package tenant

import (
	"bytes"
	"crypto/sha1" // x5t and thumbprints are SHA-1 by definition
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
)

// App is an application of a tenant with its service principal: what may ask
// for tokens, such as the administrator's Graph client or a test's own tool.
type App struct {
	TenantID string
	ClientID string
	Name     string
	Secret   string   // a secret that never expires; "" for none
	Roles    []string // granted application permissions of Graph; nil: all that are modelled

	Secrets      []AppSecret      `json:",omitempty"`
	Certificates []AppCertificate `json:",omitempty"`
	Redirects    []Redirect       `json:",omitempty"`
	Public       bool             `json:",omitempty"` // may ask without a credential of its own
	Identifiers  []string         `json:",omitempty"` // as a resource: api://...
	Required     []graph.RequiredResourceAccess
	AppRoles     []graph.AppRole         `json:",omitempty"` // that it offers as a resource
	Scopes       []graph.PermissionScope `json:",omitempty"`
	Audience     string                  `json:",omitempty"` // signInAudience; "": this tenant alone
	TokenVersion int                     `json:",omitempty"` // of access tokens that it takes as a resource: 2, else 1
	Created      time.Time               `json:",omitzero"`
	Disabled     bool                    `json:",omitempty"` // its service principal is
	// FirstParty: Microsoft's own, known in every tenant. All users have
	// consented to it.
	FirstParty bool `json:",omitempty"`
}

// AppSecret is one client secret.
type AppSecret struct {
	KeyID, Name, Text string
	Starts, Ends      time.Time // zero: no limit
}

// AppCertificate is one client certificate. DER may be empty where only the
// SHA-1 thumbprint is known; then a client has to bring the certificate (x5c).
type AppCertificate struct {
	KeyID, Name  string
	Thumbprint   []byte // SHA-1
	DER          []byte
	Starts, Ends time.Time
}

// Kinds of [Redirect].
const (
	RedirectWeb    = "web"
	RedirectSPA    = "spa"
	RedirectPublic = "publicClient"
)

// Redirect is one address that codes and tokens may be sent to.
type Redirect struct{ Kind, URI string }

// What can be wrong with a credential of an application.
var (
	ErrSecret        = errors.New("the client secret is not one of the application's")
	ErrSecretExpired = errors.New("the client secret has expired")
)

// CheckSecret compares a secret with all that the application has. An expired
// one is told apart from a wrong one.
func (a App) CheckSecret(text string, now time.Time) error {
	if text == "" {
		return ErrSecret
	}
	err := ErrSecret
	for _, s := range append([]AppSecret{{Text: a.Secret}}, a.Secrets...) {
		if s.Text == "" || subtle.ConstantTimeCompare([]byte(s.Text), []byte(text)) != 1 {
			continue
		}
		if valid(s.Starts, s.Ends, now) {
			return nil
		}
		err = ErrSecretExpired
	}
	return err
}

func valid(starts, ends, now time.Time) bool {
	return (starts.IsZero() || !now.Before(starts)) && (ends.IsZero() || now.Before(ends))
}

// Certificate finds a certificate by its SHA-1 (x5t) or SHA-256 (x5t#S256)
// thumbprint. One outside its dates is not found.
func (a App) Certificate(thumbprint []byte, now time.Time) (AppCertificate, bool) {
	for _, c := range a.Certificates {
		sum1, sum256 := sha1.Sum(c.DER), sha256.Sum256(c.DER)
		known := bytes.Equal(c.Thumbprint, thumbprint) || len(c.DER) > 0 && (bytes.Equal(sum1[:], thumbprint) || bytes.Equal(sum256[:], thumbprint))
		if known && valid(c.Starts, c.Ends, now) {
			return c, true
		}
	}
	return AppCertificate{}, false
}

// Confidential tells whether the application has a credential of its own.
func (a App) Confidential() bool {
	return a.Secret != "" || len(a.Secrets) > 0 || len(a.Certificates) > 0
}

// Redirect finds a registered address. On a loopback address of a public client
// the port does not matter (RFC 8252 7.3).
func (a App) Redirect(uri string) (Redirect, bool) {
	for _, r := range a.Redirects {
		if r.URI == uri || r.Kind == RedirectPublic && loopback(r.URI) != "" && loopback(r.URI) == loopback(uri) {
			return r, true
		}
	}
	return Redirect{}, false
}

// loopback is a loopback address without its port, or "".
func loopback(uri string) string {
	for _, host := range []string{"http://localhost", "http://127.0.0.1", "http://[::1]"} {
		rest, ok := strings.CutPrefix(uri, host)
		if !ok || rest != "" && rest[0] != ':' && rest[0] != '/' {
			continue
		}
		if strings.HasPrefix(rest, ":") {
			digits := strings.TrimLeft(rest[1:], "0123456789")
			if digits != "" && digits[0] != '/' {
				return ""
			}
			rest = digits
		}
		return host + strings.TrimSuffix(rest, "/")
	}
	return ""
}

// Granted are the application permissions that go into the application's
// tokens for Graph.
func (a App) Granted() []string {
	if a.Roles == nil && !a.FirstParty {
		return slices.Clone(Permissions)
	}
	return a.Roles
}

// Permissions are the application permissions that an [App] without a list of
// its own is granted: all that are modelled.
var Permissions = graph.ApplicationPermissions()

// ErrApp is about an application that cannot be.
var ErrApp = errors.New("application")

// PutApp puts an application in or replaces one. Without a client id one is
// drawn from the seed.
func (d *Directory) PutApp(a App) error {
	_, err := d.SaveApp(a)
	return err
}

// SaveApp is PutApp, and gives the row as it stands.
func (d *Directory) SaveApp(a App) (App, error) {
	a.TenantID, a.ClientID = strings.ToLower(a.TenantID), strings.ToLower(a.ClientID)
	if a.ClientID == "" {
		a.ClientID = d.core.NewID("application")
	}
	if a.Created.IsZero() {
		a.Created = d.Now()
	}
	return a, d.core.DB.Update(func(tx *store.Tx) error {
		d.apps.Put(tx, a.TenantID+"/"+a.ClientID, a)
		return nil
	})
}

// App finds an application of a tenant by its client id, or one of Microsoft's
// own, which every tenant has.
func (d *Directory) App(tenantID, clientID string) (App, error) {
	tenantID, clientID = strings.ToLower(tenantID), strings.ToLower(clientID)
	var a App
	err := d.core.DB.View(func(tx *store.Tx) error {
		var ok bool
		if a, ok = d.apps.Get(tx, tenantID+"/"+clientID); ok {
			return nil
		}
		if a, ok = firstParty(tenantID, clientID); ok {
			return nil
		}
		return fmt.Errorf("%w: %q", ErrNoApp, clientID)
	})
	return a, err
}

// Apps are a tenant's own, in the order in which they came.
func (d *Directory) Apps(tenantID string) []App { return listTenant(d, d.apps, tenantID) }

// UpdateApp changes an application of the tenant's own.
func (d *Directory) UpdateApp(tenantID, clientID string, change func(*App) error) (App, error) {
	key := strings.ToLower(tenantID + "/" + clientID)
	var out App
	err := d.core.DB.Update(func(tx *store.Tx) error {
		a, ok := d.apps.Get(tx, key)
		if !ok {
			return fmt.Errorf("%w: %q", ErrNoApp, clientID)
		}
		if err := change(&a); err != nil {
			return err
		}
		out = a
		d.apps.Put(tx, key, a)
		return nil
	})
	return out, err
}

// DeleteApp removes an application of the tenant's own, with its consents.
func (d *Directory) DeleteApp(tenantID, clientID string) error {
	key := strings.ToLower(tenantID + "/" + clientID)
	return d.core.DB.Update(func(tx *store.Tx) error {
		if _, ok := d.apps.Get(tx, key); !ok {
			return fmt.Errorf("%w: %q", ErrNoApp, clientID)
		}
		d.apps.Delete(tx, key)
		for _, c := range find(tx, d.consents, byTenant, strings.ToLower(tenantID)) {
			if c.ClientID == strings.ToLower(clientID) {
				d.consents.Delete(tx, c.key())
			}
		}
		return nil
	})
}

// ObjectID is the id of an application's registration, and PrincipalID that of
// its service principal in a tenant.
func (d *Directory) ObjectID(tenantID, clientID string) string {
	return d.core.Seed.UUID("application object", strings.ToLower(tenantID), strings.ToLower(clientID))
}

// PrincipalID is the object id that tokens of an application have as oid.
func (d *Directory) PrincipalID(tenantID, clientID string) string {
	return d.core.Seed.UUID("service principal", strings.ToLower(tenantID), strings.ToLower(clientID))
}
