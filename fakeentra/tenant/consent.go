package tenant

import (
	"slices"
	"strings"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/oauth"
)

// Consent is what a user, or an administrator for all, allows an application to
// do at a resource in the user's name: an oAuth2PermissionGrant.
type Consent struct {
	TenantID string
	ClientID string
	Resource string // identifier, such as https://graph.microsoft.com
	UserID   string // "" for all users
	Scopes   []string
}

func (c Consent) key() string {
	return strings.ToLower(c.TenantID + "/" + c.ClientID + "/" + strings.TrimSuffix(c.Resource, "/") + "/" + c.UserID)
}

// Consent adds to what was consented before.
func (d *Directory) Consent(c Consent) error {
	c.TenantID, c.ClientID, c.UserID = strings.ToLower(c.TenantID), strings.ToLower(c.ClientID), strings.ToLower(c.UserID)
	return d.core.DB.Update(func(tx *store.Tx) error {
		if old, ok := d.consents.Get(tx, c.key()); ok {
			c.Scopes = append(slices.Clone(old.Scopes), c.Scopes...)
		}
		c.Scopes = slices.Compact(slices.Sorted(slices.Values(c.Scopes)))
		d.consents.Put(tx, c.key(), c)
		return nil
	})
}

// Consents are a tenant's.
func (d *Directory) Consents(tenantID string) []Consent { return listTenant(d, d.consents, tenantID) }

// Delegated are the scopes of a resource that an application may use in a
// user's name: those consented to by the user or for all, and of Microsoft's
// own clients every one that the user's roles cover. nil: nobody has consented.
// What goes into a token is [User.Usable] of it.
func (d *Directory) Delegated(a App, userID, resource string) []string {
	if a.FirstParty {
		if !oauth.SameAudience(resource, oauth.ResourceGraph) {
			return []string{"user_impersonation"}
		}
		u, _ := d.User(a.TenantID, userID) // who is not there has no roles
		return graph.DelegatedPermissions(u.May)
	}
	var scopes []string
	// Reading cannot fail: the function returns nil.
	_ = d.core.DB.View(func(tx *store.Tx) error {
		for _, user := range []string{"", userID} {
			c := Consent{TenantID: a.TenantID, ClientID: a.ClientID, Resource: resource, UserID: user}
			if row, ok := d.consents.Get(tx, c.key()); ok {
				scopes = append(scopes, row.Scopes...)
			}
		}
		return nil
	})
	return slices.Compact(slices.Sorted(slices.Values(scopes)))
}

// Usable are those of the scopes that the user's roles cover at Graph, or all
// at another resource. The real service puts what was consented to into tokens
// whoever the user is, and asks the user's roles at the resource: that here the
// token has only what the user may do is our model.
func (u User) Usable(resource string, scopes []string) []string {
	if !oauth.SameAudience(resource, oauth.ResourceGraph) {
		return scopes
	}
	return slices.DeleteFunc(slices.Clone(scopes), func(name string) bool {
		p, ok := graph.FindPermission(name, graph.AccessScope)
		return ok && !u.May(p)
	})
}

// May tells whether a user's roles cover a delegated permission of Graph. A
// client never gets further than its user.
func (u User) May(p graph.Permission) bool {
	return !p.Admin || slices.ContainsFunc(roleCovers, func(r roleCover) bool {
		return containsFold(u.Roles, r.role) && strings.HasSuffix(p.Value, r.suffix) &&
			slices.ContainsFunc(r.families, func(f string) bool { return strings.HasPrefix(p.Value, f) })
	})
}

// MayConsent tells whether a user may consent for the organization.
func (u User) MayConsent() bool {
	return containsFold(u.Roles, "Global Administrator") || containsFold(u.Roles, "Application Administrator")
}

// roleCover are families of permissions whose resources a role manages; suffix
// leaves those of them that end so.
type roleCover struct {
	role     string
	families []string
	suffix   string
}

// roleCovers are the roles' own descriptions in terms of permissions, our model
// (learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference).
var roleCovers = []roleCover{
	{"Global Administrator", []string{""}, ""},
	{"Global Reader", []string{""}, ".Read.All"},
	{"Intune Administrator", []string{"DeviceManagement", "Device.", "Group.", "GroupMember."}, ""},
	{"Cloud Device Administrator", []string{"Device."}, ""},
	{"User Administrator", []string{"User.", "Group.", "GroupMember."}, ""},
	{"Application Administrator", []string{"Application."}, ""},
	{"Conditional Access Administrator", []string{"Policy."}, ""},
}
