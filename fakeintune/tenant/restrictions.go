package tenant

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"windtunnel.test/sim/wire/graph"
)

// Ids of the restrictions that every tenant has end so.
const (
	defaultLimitSuffix     = "_DefaultLimit"
	defaultPlatformsSuffix = "_DefaultPlatformRestrictions"
)

// Restrictions is what a user's enrolment is restricted to.
type Restrictions struct {
	DeviceLimit int // 0: nobody set one
	Windows     graph.PlatformRestriction
}

// EnrollmentRestrictions gives what is due to an audience: of each type by
// priority the first that is assigned to a group of the user, else the default
// (learn.microsoft.com, "Overview of enrollment restrictions"). Without a user
// only the defaults count.
func (t *Tenant) EnrollmentRestrictions(a Audience) Restrictions {
	a.Device = nil // restrictions are for groups of users
	limit, platform := t.defaultLimit(), t.defaultPlatforms()
	r := Restrictions{DeviceLimit: limit.Limit, Windows: platform.Windows}
	var byLimit, byPlatform bool
	for _, c := range t.sortedRestrictions() {
		if !a.reach(targetsOf(c.Assignments)).Has(ViaUser) {
			continue
		}
		switch {
		case c.EnrollmentLimit != nil && !byLimit:
			r.DeviceLimit, byLimit = c.Limit, true
		case c.PlatformRestrictions != nil && !byPlatform:
			r.Windows, byPlatform = c.Windows, true
		case c.SinglePlatformRestriction != nil && !byPlatform && c.PlatformType == graph.PlatformWindows:
			r.Windows, byPlatform = c.Restriction, true
		}
	}
	return r
}

// sortedRestrictions are those that are not defaults, the first of each type
// first.
func (t *Tenant) sortedRestrictions() []graph.EnrollmentRestriction {
	all := slices.DeleteFunc(t.Restrictions().List(), isDefaultRestriction)
	slices.SortStableFunc(all, func(a, b graph.EnrollmentRestriction) int { return cmp.Compare(a.Priority, b.Priority) })
	return all
}

func isDefaultRestriction(r graph.EnrollmentRestriction) bool {
	return hasSuffixFold(r.ID, defaultLimitSuffix) || hasSuffixFold(r.ID, defaultPlatformsSuffix)
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

// DefaultRestrictions are the two that every tenant has. Until somebody changes
// them they restrict nothing beyond the service's own limit.
func (t *Tenant) DefaultRestrictions() []graph.EnrollmentRestriction {
	return []graph.EnrollmentRestriction{t.defaultLimit(), t.defaultPlatforms()}
}

func (t *Tenant) defaultLimit() graph.EnrollmentRestriction {
	if r, err := t.Restrictions().Get(t.ID + defaultLimitSuffix); err == nil {
		return r
	}
	return graph.EnrollmentRestriction{ODataType: graph.TypeEnrollmentLimit, ID: t.ID + defaultLimitSuffix, DisplayName: "All Users",
		Description: "This is the default Device Limit Restriction applied with the lowest priority to all users regardless of group membership.", Version: 1,
		EnrollmentLimit: &graph.EnrollmentLimit{Limit: t.s.Timing.MDM.DevicesPerUser}}
}

func (t *Tenant) defaultPlatforms() graph.EnrollmentRestriction {
	if r, err := t.Restrictions().Get(t.ID + defaultPlatformsSuffix); err == nil {
		return r
	}
	return graph.EnrollmentRestriction{ODataType: graph.TypePlatformRestrictions, ID: t.ID + defaultPlatformsSuffix, DisplayName: "All Users",
		Description: "This is the default Device Type Restriction applied with the lowest priority to all users regardless of group membership.", Version: 1,
		PlatformRestrictions: &graph.PlatformRestrictions{}}
}

// Restrictions are the enrolment restrictions, without the tenant's defaults
// unless somebody changed them.
func (t *Tenant) Restrictions() Collection[graph.EnrollmentRestriction] {
	return Collection[graph.EnrollmentRestriction]{t, t.s.restrictions}
}

func restrictionMeta(r *graph.EnrollmentRestriction) meta {
	return meta{&r.ID, &r.DisplayName, &r.CreatedDateTime, &r.LastModifiedDateTime, &r.Version, func(t *Tenant, n int) error {
		made, ok := graph.New(r.ODataType)
		empty, isRestriction := made.(*graph.EnrollmentRestriction)
		if !ok || !isRestriction {
			return unmodelled(r.ODataType)
		}
		for _, p := range []struct{ foreign bool }{
			{r.EnrollmentLimit != nil && empty.EnrollmentLimit == nil},
			{r.PlatformRestrictions != nil && empty.PlatformRestrictions == nil},
			{r.SinglePlatformRestriction != nil && empty.SinglePlatformRestriction == nil},
		} {
			if p.foreign {
				return fmt.Errorf("members of another type than %s", r.ODataType)
			}
		}
		fillPart(&r.EnrollmentLimit, empty.EnrollmentLimit)
		fillPart(&r.PlatformRestrictions, empty.PlatformRestrictions)
		fillPart(&r.SinglePlatformRestriction, empty.SinglePlatformRestriction)
		if r.EnrollmentLimit != nil && (r.Limit < 1 || r.Limit > t.s.Timing.MDM.DevicesPerUser) {
			return fmt.Errorf("limit must be from 1 to %d", t.s.Timing.MDM.DevicesPerUser)
		}
		if r.SinglePlatformRestriction != nil && r.PlatformType == "" {
			return fmt.Errorf("platformType is missing")
		}
		if r.Priority < 0 {
			return fmt.Errorf("priority is negative")
		}
		if r.Priority == 0 && !isDefaultRestriction(*r) {
			r.Priority = n + 1
		}
		var err error
		r.Assignments, err = assignments(r.ID, r.Assignments)
		return err
	}}
}

// SetRestrictionPriority moves a restriction to a place among those of its
// type, which move over. ErrNotFound for an id that is none.
func (t *Tenant) SetRestrictionPriority(ctx context.Context, id string, priority int) error {
	moved, err := t.Restrictions().Get(id)
	switch {
	case err != nil:
		return err
	case isDefaultRestriction(moved):
		return fmt.Errorf("deviceEnrollmentConfigurations %q: %w: the default's priority is fixed", id, ErrInvalid)
	}
	same := slices.DeleteFunc(t.sortedRestrictions(), func(r graph.EnrollmentRestriction) bool {
		return r.ODataType != moved.ODataType || strings.EqualFold(r.ID, id)
	})
	for i, r := range slices.Insert(same, min(priority-1, len(same)), moved) {
		if _, err := t.Restrictions().Update(ctx, r.ID, func(r *graph.EnrollmentRestriction) error {
			r.Priority = i + 1
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
