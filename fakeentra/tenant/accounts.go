package tenant

import (
	"fmt"
	"slices"
	"strings"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
)

// LoadOrganization puts a tenant in, as Graph shows it. An empty id is drawn
// from the seed. A tenant that exists keeps its other settings.
func (d *Directory) LoadOrganization(o graph.Organization) (Tenant, error) {
	t := Tenant{ID: strings.ToLower(o.ID), DisplayName: o.DisplayName, Country: o.CountryLetterCode, Domains: slices.Clone(o.VerifiedDomains)}
	if t.ID == "" {
		t.ID = d.core.NewID("tenant")
	}
	err := d.core.DB.Update(func(tx *store.Tx) error {
		if old, ok := d.tenants.Get(tx, t.ID); ok {
			old.DisplayName, old.Country, old.Domains = t.DisplayName, t.Country, t.Domains
			t = old
		}
		d.tenants.Put(tx, t.ID, t)
		return nil
	})
	return t, err
}

// SetTenant replaces a tenant with all its settings.
func (d *Directory) SetTenant(t Tenant) error {
	t.ID = strings.ToLower(t.ID)
	return d.core.DB.Update(func(tx *store.Tx) error {
		d.tenants.Put(tx, t.ID, t)
		return nil
	})
}

// Tenant finds a tenant by its id or one of its domains.
func (d *Directory) Tenant(name string) (Tenant, error) {
	name = strings.ToLower(name)
	var t Tenant
	err := d.core.DB.View(func(tx *store.Tx) error {
		var ok bool
		if t, ok = d.tenants.Get(tx, name); ok {
			return nil
		}
		for _, v := range find(tx, d.tenants, byDomain, name) {
			t = v
			return nil
		}
		return fmt.Errorf("%w: %q", ErrNoTenant, name)
	})
	return t, err
}

// TenantOf finds the tenant of a user principal name's domain.
func (d *Directory) TenantOf(upn string) (Tenant, error) {
	_, domain, _ := strings.Cut(upn, "@")
	if domain == "" {
		return Tenant{}, fmt.Errorf("%w: %q has no domain", ErrNoTenant, upn)
	}
	return d.Tenant(domain)
}

// PutUser puts a user in or replaces one. The password, if not given, is that
// of the resource's passwordProfile.
func (d *Directory) PutUser(tenantID string, u graph.User, password string) (User, error) {
	if password == "" && u.PasswordProfile != nil {
		password = u.PasswordProfile.Password
	}
	u.PasswordProfile = nil
	u.ID = strings.ToLower(u.ID)
	if u.ID == "" {
		u.ID = d.core.Seed.UUID("user", tenantID, strings.ToLower(u.UserPrincipalName))
	}
	row := User{TenantID: strings.ToLower(tenantID), Resource: u, Password: password}
	err := d.core.DB.Update(func(tx *store.Tx) error {
		for _, other := range find(tx, d.users, byUPN, strings.ToLower(u.UserPrincipalName)) {
			if other.Resource.ID != u.ID {
				return fmt.Errorf("user %s: %w", u.UserPrincipalName, ErrExists)
			}
		}
		d.users.Put(tx, u.ID, row)
		return nil
	})
	return row, err
}

// User finds a user of a tenant by object id or user principal name.
func (d *Directory) User(tenantID, name string) (User, error) {
	var u User
	err := d.core.DB.View(func(tx *store.Tx) error {
		var ok bool
		if u, ok = d.userOf(tx, tenantID, name); !ok {
			return fmt.Errorf("%w: %q", ErrNoUser, name)
		}
		return nil
	})
	return u, err
}

func (d *Directory) userOf(tx *store.Tx, tenantID, name string) (User, bool) {
	tenantID, name = strings.ToLower(tenantID), strings.ToLower(name)
	if u, ok := d.users.Get(tx, name); ok {
		return u, u.TenantID == tenantID
	}
	for _, u := range d.users.By(tx, byUPN, name) {
		if u.TenantID == tenantID {
			return u, true
		}
	}
	return User{}, false
}

// Users are a tenant's, in the order in which they came.
func (d *Directory) Users(tenantID string) []User {
	return listTenant(d, d.users, tenantID)
}

// DeleteUser removes a user.
func (d *Directory) DeleteUser(tenantID, name string) error {
	u, err := d.User(tenantID, name)
	if err != nil {
		return err
	}
	return d.core.DB.Update(func(tx *store.Tx) error {
		d.users.Delete(tx, u.Resource.ID)
		return nil
	})
}

// listTenant reads a table's rows of one tenant.
func listTenant[V any](d *Directory, table *store.Table[V], tenantID string) []V {
	var out []V
	// Reading cannot fail: the function returns nil.
	_ = d.core.DB.View(func(tx *store.Tx) error {
		out = find(tx, table, byTenant, strings.ToLower(tenantID))
		return nil
	})
	return out
}
