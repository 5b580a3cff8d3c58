package tenant

import (
	"errors"
	"fmt"
	"strings"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
)

// Policy is a conditional access policy.
type Policy struct {
	TenantID string
	Resource graph.ConditionalAccessPolicy
}

// ErrNoPolicy is about a name that no policy has.
var ErrNoPolicy = errors.New("no such policy")

// ErrPolicy is about a policy that cannot be, or asks what is not modelled.
var ErrPolicy = errors.New("conditional access policy")

// PutPolicy puts a policy in or replaces the one of the same id.
func (d *Directory) PutPolicy(tenantID string, p graph.ConditionalAccessPolicy) (Policy, error) {
	if err := CheckPolicy(p); err != nil {
		return Policy{}, err
	}
	if p.ID = strings.ToLower(p.ID); p.ID == "" {
		p.ID = d.core.NewID("policy")
	}
	now := graph.At(d.Now())
	row := Policy{TenantID: strings.ToLower(tenantID), Resource: p}
	return row, d.core.DB.Update(func(tx *store.Tx) error {
		if old, ok := d.policies.Get(tx, p.ID); ok {
			if old.TenantID != row.TenantID {
				return fmt.Errorf("policy %s: %w", p.ID, ErrExists)
			}
			row.Resource.CreatedDateTime, row.Resource.ModifiedDateTime = old.Resource.CreatedDateTime, &now
		} else if row.Resource.CreatedDateTime == nil {
			row.Resource.CreatedDateTime = &now
		}
		d.policies.Put(tx, p.ID, row)
		return nil
	})
}

// UpdatePolicy changes a policy under the store's transaction. The change may
// refuse with an error; then nothing is written.
func (d *Directory) UpdatePolicy(tenantID, id string, change func(*graph.ConditionalAccessPolicy) error) error {
	return d.core.DB.Update(func(tx *store.Tx) error {
		row, ok := d.policies.Get(tx, strings.ToLower(id))
		if !ok || row.TenantID != strings.ToLower(tenantID) {
			return fmt.Errorf("%w: %q", ErrNoPolicy, id)
		}
		if err := change(&row.Resource); err != nil {
			return err
		}
		if err := CheckPolicy(row.Resource); err != nil {
			return err
		}
		now := graph.At(d.Now())
		row.Resource.ID, row.Resource.ModifiedDateTime = strings.ToLower(id), &now
		d.policies.Put(tx, row.Resource.ID, row)
		return nil
	})
}

// PolicyByID finds a policy of a tenant.
func (d *Directory) PolicyByID(tenantID, id string) (Policy, error) {
	var p Policy
	err := d.core.DB.View(func(tx *store.Tx) error {
		var ok bool
		if p, ok = d.policies.Get(tx, strings.ToLower(id)); !ok || p.TenantID != strings.ToLower(tenantID) {
			return fmt.Errorf("%w: %q", ErrNoPolicy, id)
		}
		return nil
	})
	return p, err
}

// Policies are a tenant's.
func (d *Directory) Policies(tenantID string) []Policy { return listTenant(d, d.policies, tenantID) }

// DeletePolicy removes a policy.
func (d *Directory) DeletePolicy(tenantID, id string) error {
	p, err := d.PolicyByID(tenantID, id)
	if err != nil {
		return err
	}
	return d.core.DB.Update(func(tx *store.Tx) error {
		d.policies.Delete(tx, p.Resource.ID)
		return nil
	})
}

// CheckPolicy says what is wrong with a policy: an error with [ErrPolicy] in
// its chain that names the member.
func CheckPolicy(p graph.ConditionalAccessPolicy) error {
	for _, m := range p.Mistakes() {
		return fmt.Errorf("%w: %s %s", ErrPolicy, m.Path, m.Message)
	}
	for _, path := range p.Limits() {
		return fmt.Errorf("%w: %s is not modelled", ErrPolicy, path)
	}
	return nil
}
