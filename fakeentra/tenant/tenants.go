package tenant

import "windtunnel.test/sim/store"

// Tenants are all, in the order in which they came.
func (d *Directory) Tenants() []Tenant {
	var out []Tenant
	// Reading cannot fail: the function returns nil.
	_ = d.core.DB.View(func(tx *store.Tx) error {
		for _, t := range d.tenants.Inserted(tx) {
			out = append(out, t)
		}
		return nil
	})
	return out
}
