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
//
// The real service puts scopes of Microsoft's clients into tokens whoever the
// user is and asks the user's roles at the resource; that here the token has
// only what the user may do is our model.
func (d *Directory) Delegated(a App, userID, resource string) []string {
	if a.FirstParty {
		if !oauth.SameAudience(resource, oauth.ResourceGraph) {
			return []string{"user_impersonation"}
		}
		u, err := d.User(a.TenantID, userID)
		return graph.DelegatedPermissions(err == nil && u.Administrator())
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

// Administrator tells whether a user has a role that manages devices, users or
// the whole directory.
func (u User) Administrator() bool {
	return slices.ContainsFunc(u.Roles, func(r string) bool { return containsFold(administrators, r) })
}

// administrators are roles whose holders manage what is modelled here
// (learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference).
var administrators = []string{"Global Administrator", "Intune Administrator", "Cloud Device Administrator", "User Administrator", "Application Administrator", "Conditional Access Administrator"}
