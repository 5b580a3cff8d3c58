package tenant

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
)

// PutGroup puts a group in or replaces one; members of the resource are taken
// over, also those of members@odata.bind. A dynamic rule that is not understood
// is an error.
func (d *Directory) PutGroup(tenantID string, g graph.DirectoryGroup) (Group, error) {
	if err := checkRule(g); err != nil {
		return Group{}, err
	}
	g.ID = strings.ToLower(g.ID)
	if g.ID == "" {
		g.ID = d.core.Seed.UUID("group", tenantID, g.DisplayName)
	}
	row := Group{TenantID: strings.ToLower(tenantID), Changed: d.Now()}
	for _, m := range g.Members {
		row.Members = append(row.Members, strings.ToLower(m.ID))
	}
	for _, link := range g.MembersBind {
		row.Members = append(row.Members, strings.ToLower(link[strings.LastIndex(link, "/")+1:]))
	}
	g.Members, g.MembersBind = nil, nil
	row.Resource = g
	return row, d.core.DB.Update(func(tx *store.Tx) error {
		if old, ok := d.groups.Get(tx, g.ID); ok && old.Resource.MembershipRule == g.MembershipRule {
			row.Changed = old.Changed
		}
		d.groups.Put(tx, g.ID, row)
		return nil
	})
}

// UpdateGroup changes a group under the store's transaction, and adds members to
// it. The change may refuse with an error; then nothing is written. A group that
// gets a rule loses its assigned members.
func (d *Directory) UpdateGroup(tenantID, id string, change func(*graph.DirectoryGroup) error, add ...string) (Group, error) {
	var out Group
	err := d.core.DB.Update(func(tx *store.Tx) error {
		row, ok := d.groups.Get(tx, strings.ToLower(id))
		if !ok || row.TenantID != strings.ToLower(tenantID) {
			return fmt.Errorf("%w: %q", ErrNoGroup, id)
		}
		rule := row.Resource.MembershipRule
		if err := change(&row.Resource); err != nil {
			return err
		}
		if err := checkRule(row.Resource); err != nil {
			return err
		}
		row.Resource.ID = strings.ToLower(id)
		if row.Resource.MembershipRule != rule {
			row.Changed = d.Now()
		}
		row.Members = slices.Clone(row.Members)
		for _, m := range add {
			if m = strings.ToLower(m); !slices.Contains(row.Members, m) {
				row.Members = append(row.Members, m)
			}
		}
		if row.Resource.Dynamic() {
			row.Members = nil
		}
		out = row
		d.groups.Put(tx, row.Resource.ID, row)
		return nil
	})
	return out, err
}

func checkRule(g graph.DirectoryGroup) error {
	if !g.Dynamic() {
		return nil
	}
	if _, err := parseRule(g.MembershipRule); err != nil {
		return fmt.Errorf("group %s: %w", g.DisplayName, err)
	}
	return nil
}

// Group finds a group of a tenant by its id or display name.
func (d *Directory) Group(tenantID, name string) (Group, error) {
	if g, err := d.GroupByID(tenantID, name); err == nil {
		return g, nil
	}
	for _, g := range d.Groups(tenantID) {
		if strings.EqualFold(g.Resource.DisplayName, name) {
			return g, nil
		}
	}
	return Group{}, fmt.Errorf("%w: %q", ErrNoGroup, name)
}

// Groups are a tenant's.
func (d *Directory) Groups(tenantID string) []Group { return listTenant(d, d.groups, tenantID) }

// DeleteGroup removes a group.
func (d *Directory) DeleteGroup(tenantID, name string) error {
	g, err := d.Group(tenantID, name)
	if err != nil {
		return err
	}
	return d.core.DB.Update(func(tx *store.Tx) error {
		d.groups.Delete(tx, g.Resource.ID)
		return nil
	})
}

// SetMember adds an object to an assigned group, or takes it out.
func (d *Directory) SetMember(tenantID, group, objectID string, in bool) error {
	g, err := d.Group(tenantID, group)
	if err != nil {
		return err
	}
	objectID = strings.ToLower(objectID)
	return d.core.DB.Update(func(tx *store.Tx) error {
		row, ok := d.groups.Get(tx, g.Resource.ID)
		if !ok {
			return fmt.Errorf("%w: %q", ErrNoGroup, group)
		}
		row.Members = slices.DeleteFunc(slices.Clone(row.Members), func(m string) bool { return m == objectID })
		if in {
			row.Members = append(row.Members, objectID)
		}
		d.groups.Put(tx, g.Resource.ID, row)
		return nil
	})
}

// Members are the object ids in a group at this moment: the assigned ones, then
// the devices that its rule takes in.
func (d *Directory) Members(g Group) []string {
	members := slices.Clone(g.Members)
	if !g.Resource.Dynamic() {
		return members
	}
	now := d.Now()
	r, err := parseRule(g.Resource.MembershipRule)
	if err != nil {
		return members // PutGroup has refused such a rule
	}
	for _, dev := range d.Devices(g.TenantID) {
		if r(dev) && d.evaluated(g, dev, now) {
			members = append(members, dev.ObjectID)
		}
	}
	return members
}

// MemberOf are the ids of the groups that an object is in at this moment.
func (d *Directory) MemberOf(tenantID, objectID string) []string {
	if dev, err := d.Device(tenantID, objectID); err == nil {
		in, _ := d.DeviceGroups(dev)
		return in
	}
	objectID = strings.ToLower(objectID)
	var out []string
	for _, g := range d.Groups(tenantID) {
		if slices.Contains(g.Members, objectID) {
			out = append(out, g.Resource.ID)
		}
	}
	return out
}

// TransitiveMemberOf are MemberOf and the groups that those are in, and so on.
func (d *Directory) TransitiveMemberOf(tenantID, objectID string) []string {
	groups := d.Groups(tenantID)
	if len(groups) == 0 {
		return nil
	}
	out := d.MemberOf(tenantID, objectID)
	for i := 0; i < len(out); i++ {
		for _, g := range groups {
			if slices.Contains(g.Members, out[i]) && !slices.Contains(out, g.Resource.ID) {
				out = append(out, g.Resource.ID)
			}
		}
	}
	return out
}

// TransitiveMembers are Members and those of groups among them, and so on.
func (d *Directory) TransitiveMembers(g Group) []string {
	out := d.Members(g)
	seen := map[string]bool{g.Resource.ID: true}
	for i := 0; i < len(out); i++ {
		inner, err := d.GroupByID(g.TenantID, out[i])
		if err != nil || seen[out[i]] {
			continue
		}
		seen[out[i]] = true
		for _, m := range d.Members(inner) {
			if !slices.Contains(out, m) {
				out = append(out, m)
			}
		}
	}
	return out
}

// GroupByID finds a group of a tenant by its object id.
func (d *Directory) GroupByID(tenantID, id string) (Group, error) {
	var g Group
	err := d.core.DB.View(func(tx *store.Tx) error {
		var ok bool
		if g, ok = d.groups.Get(tx, strings.ToLower(id)); !ok || g.TenantID != strings.ToLower(tenantID) {
			return fmt.Errorf("%w: %q", ErrNoGroup, id)
		}
		return nil
	})
	return g, err
}

// DeviceGroups are the ids of the groups that a device is in at this moment. A
// management service asks it for what is assigned to a device. due is when the
// next dynamic group that the device fits will have been evaluated for it, zero
// where nothing is outstanding: who acts on memberships waits until then
// instead of asking again and again.
func (d *Directory) DeviceGroups(dev Device) (in []string, due time.Time) {
	now := d.Now()
	for _, g := range d.Groups(dev.TenantID) {
		member := slices.Contains(g.Members, dev.ObjectID)
		if g.Resource.Dynamic() {
			r, err := parseRule(g.Resource.MembershipRule)
			if err == nil && r(dev) { // PutGroup has refused a rule with an error
				at := d.evaluatedAt(g, dev)
				if member = member || !now.Before(at); at.After(now) && (due.IsZero() || at.Before(due)) {
					due = at
				}
			}
		}
		if member {
			in = append(in, g.Resource.ID)
		}
	}
	return in, due
}

// evaluated tells whether the directory has looked at a device for a dynamic
// group since the later change of the two.
func (d *Directory) evaluated(g Group, dev Device, now time.Time) bool {
	return !now.Before(d.evaluatedAt(g, dev))
}

// evaluatedAt is when it looks. Rules take time: the span is drawn once for
// each pair and change.
func (d *Directory) evaluatedAt(g Group, dev Device) time.Time {
	since := dev.Identified
	if g.Changed.After(since) {
		since = g.Changed
	}
	draw := d.core.Seed.Stream("dynamic", g.Resource.ID, dev.ObjectID, since.UTC().Format(time.RFC3339Nano))
	return since.Add(d.core.Timing.Entra.DynamicGroupEvaluation.Draw(draw))
}
