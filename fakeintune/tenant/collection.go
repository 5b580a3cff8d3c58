package tenant

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
)

// Collection is one kind of Graph resource that a customer configures. What it
// hands out shares lists with the store: change a copy, through Update.
type Collection[T any] struct {
	t *Tenant
	k *kind[T]
}

// kind is what the collections of all customers share.
type kind[T any] struct {
	name    string // Graph's name of the collection
	table   *store.Table[object[T]]
	meta    func(*T) meta
	changed func(ctx context.Context, t *Tenant) // after a change; nil: nothing to do

	mu     sync.Mutex
	sorted map[string]sorted[T] // by tenant
}

// sorted is what a tenant has of a kind, the oldest first, kept until the table
// changes: every session of every device goes through it.
type sorted[T any] struct {
	changes   uint64
	resources []T
}

type object[T any] struct {
	TenantID string
	N        uint64 // order of creation among equal dates
	Resource T
}

// meta is the members that all kinds have, and the rules of one kind.
type meta struct {
	ID, Name          *string
	Created, Modified *graph.Time
	Version           *int // nil: the kind has none
	// check fills what the service fills and refuses what it refuses. n counts the
	// other objects of the tenant's collection.
	check func(t *Tenant, n int) error
}

func newKind[T any](db *store.DB, name string, m func(*T) meta) *kind[T] {
	return &kind[T]{name: name, meta: m, sorted: map[string]sorted[T]{}, table: store.NewTable(db, "intune."+name,
		store.Index(byTenant, func(o object[T]) []string { return []string{o.TenantID} }))}
}

// Profiles are the Autopilot deployment profiles.
func (t *Tenant) Profiles() Collection[graph.DeploymentProfile] {
	return Collection[graph.DeploymentProfile]{t, t.s.profiles}
}

// StatusPages are the enrolment status pages, without the tenant's default one
// unless somebody changed it.
func (t *Tenant) StatusPages() Collection[graph.EnrollmentStatusPage] {
	return Collection[graph.EnrollmentStatusPage]{t, t.s.statusPages}
}

// Apps are the apps.
func (t *Tenant) Apps() Collection[graph.MobileApp] {
	return Collection[graph.MobileApp]{t, t.s.apps}
}

// Configurations are the device configurations.
func (t *Tenant) Configurations() Collection[graph.DeviceConfiguration] {
	return Collection[graph.DeviceConfiguration]{t, t.s.configurations}
}

// CompliancePolicies are the compliance policies.
func (t *Tenant) CompliancePolicies() Collection[graph.CompliancePolicy] {
	return Collection[graph.CompliancePolicy]{t, t.s.policies}
}

// Name is Graph's name of the collection.
func (c Collection[T]) Name() string { return c.k.name }

// List gives the resources, the oldest first.
func (c Collection[T]) List() []T { return append([]T{}, c.k.of(c.t)...) }

// All is List for who only looks.
func (c Collection[T]) All() iter.Seq[T] { return slices.Values(c.k.of(c.t)) }

// of is List with a slice that is shared: it must not be changed.
func (k *kind[T]) of(t *Tenant) []T {
	k.mu.Lock()
	defer k.mu.Unlock()
	// Reading cannot fail: the function returns nil.
	_ = t.s.DB.View(func(tx *store.Tx) error {
		if have, ok := k.sorted[t.ID]; ok && have.changes == k.table.Changes(tx) {
			return nil
		}
		var rows []object[T]
		for _, o := range k.table.By(tx, byTenant, t.ID) {
			rows = append(rows, o)
		}
		slices.SortFunc(rows, func(a, b object[T]) int {
			return cmp.Or(k.meta(&a.Resource).Created.Compare(k.meta(&b.Resource).Created.Time), cmp.Compare(a.N, b.N))
		})
		out := make([]T, len(rows))
		for i, r := range rows {
			out[i] = r.Resource
		}
		k.sorted[t.ID] = sorted[T]{k.table.Changes(tx), out}
		return nil
	})
	return k.sorted[t.ID].resources
}

// Get finds a resource; ErrNotFound.
func (c Collection[T]) Get(id string) (T, error) {
	o, ok := read(c.t.s, c.k.table, c.t.key(id))
	if !ok {
		return o.Resource, fmt.Errorf("%s %q: %w", c.k.name, id, ErrNotFound)
	}
	return o.Resource, nil
}

// Add puts a new resource in. An id and a date that are missing are filled;
// ErrExists for an id that is taken, ErrInvalid for what the service refuses.
func (c Collection[T]) Add(ctx context.Context, v T) (T, error) {
	err := c.t.s.DB.Update(func(tx *store.Tx) error {
		id, n, err := c.t.nextID(tx, c.k.name)
		if err != nil {
			return err
		}
		m := c.k.meta(&v)
		if *m.ID == "" {
			*m.ID = id
		}
		*m.ID = strings.ToLower(*m.ID)
		if _, taken := c.k.table.Get(tx, c.t.key(*m.ID)); taken {
			return fmt.Errorf("%s %q: %w", c.k.name, *m.ID, ErrExists)
		}
		now := graph.At(c.t.s.Now())
		if m.Created.IsZero() {
			*m.Created = now
		}
		if m.Modified.IsZero() {
			*m.Modified = now
		}
		if m.Version != nil && *m.Version == 0 {
			*m.Version = 1
		}
		if err := c.check(tx, m); err != nil {
			return err
		}
		c.k.table.Put(tx, c.t.key(*m.ID), object[T]{c.t.ID, n, v})
		return nil
	})
	if err == nil {
		c.afterChange(ctx)
	}
	return v, err
}

// Update changes a copy of a resource and puts it in. Id and date of creation
// stay. The function runs in a transaction: it must not wait.
func (c Collection[T]) Update(ctx context.Context, id string, change func(*T) error) (T, error) {
	var out T
	err := c.t.s.DB.Update(func(tx *store.Tx) error {
		o, ok := c.k.table.Get(tx, c.t.key(id))
		if !ok {
			return fmt.Errorf("%s %q: %w", c.k.name, id, ErrNotFound)
		}
		before := c.k.meta(&o.Resource)
		keptID, created := *before.ID, *before.Created
		if err := change(&o.Resource); err != nil {
			return err
		}
		m := c.k.meta(&o.Resource)
		*m.ID, *m.Created, *m.Modified = keptID, created, graph.At(c.t.s.Now())
		if m.Version != nil {
			*m.Version++
		}
		if err := c.check(tx, m); err != nil {
			return err
		}
		out = o.Resource
		c.k.table.Put(tx, c.t.key(id), o)
		return nil
	})
	if err == nil {
		c.afterChange(ctx)
	}
	return out, err
}

// Delete removes a resource; ErrNotFound.
func (c Collection[T]) Delete(ctx context.Context, id string) error {
	err := c.t.s.DB.Update(func(tx *store.Tx) error {
		if !c.k.table.Delete(tx, c.t.key(id)) {
			return fmt.Errorf("%s %q: %w", c.k.name, id, ErrNotFound)
		}
		return nil
	})
	if err == nil {
		c.afterChange(ctx)
	}
	return err
}

func (c Collection[T]) check(tx *store.Tx, m meta) error {
	others := 0
	for key := range c.k.table.By(tx, byTenant, c.t.ID) {
		if key != c.t.key(*m.ID) {
			others++
		}
	}
	if *m.Name == "" {
		return fmt.Errorf("%s: %w: displayName is missing", c.k.name, ErrInvalid)
	}
	if err := m.check(c.t, others); err != nil {
		return fmt.Errorf("%s %q: %w: %w", c.k.name, *m.Name, ErrInvalid, err)
	}
	return nil
}

func (c Collection[T]) afterChange(ctx context.Context) {
	if c.k.changed != nil {
		c.k.changed(ctx, c.t)
	}
}
