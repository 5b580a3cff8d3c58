package shrink

import (
	"maps"
	"math/bits"
	"reflect"
	"slices"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/scenario"
)

// parts are the kinds in the order in which they are taken away: what costs most
// time in a run first, what only tidies up last.
var parts = []part{
	{name: "PCs", count: func(s *scenario.Scenario) int { return s.Fleet.Count() }, keep: keepDevices},
	list("apps", func(s *scenario.Scenario) *[]scenario.App { return &s.Tenant.Apps }),
	list("fault rules", func(s *scenario.Scenario) *[]fault.Rule { return &s.Faults }),
	list("changes of the timeline", func(s *scenario.Scenario) *[]scenario.Change { return &s.Timeline }),
	lists("configurations and policies", "Configurations", "Catalogue", "Policies", "Scripts", "AccessPolicies", "Applications"),
	lists("profiles and status pages", "Profiles", "StatusPages"),
	traits("what is said of PCs", ofDevices),
	traits("what is said of sites", ofSites),
	list("sites", func(s *scenario.Scenario) *[]scenario.Site { return &s.Sites }),
	{name: "timing settings", count: settings, keep: keepSettings},
	traits("the rest", ofScenario),
	{name: "users without names", count: halvings, keep: keepMoreUsers, size: moreUsers},
	lists("users and groups", "Users", "Groups"),
}

// list is a kind that is one list of a scenario.
func list[T any](name string, of func(s *scenario.Scenario) *[]T) part {
	return part{name: name, count: func(s *scenario.Scenario) int { return len(*of(s)) }, keep: func(s *scenario.Scenario, kept []int) *scenario.Scenario {
		c := *s
		*of(&c) = pick(*of(s), kept)
		return &c
	}}
}

// pick gives the elements with these indexes.
func pick[T any](from []T, kept []int) []T {
	var to []T
	for _, i := range kept {
		to = append(to, from[i])
	}
	return to
}

// lists is a kind that is several lists of the tenant, by their names in Go, one
// after the other.
func lists(name string, fields ...string) part {
	return part{name: name, count: func(s *scenario.Scenario) (n int) {
		for _, f := range fields {
			n += reflect.ValueOf(s.Tenant).FieldByName(f).Len()
		}
		return n
	}, keep: func(s *scenario.Scenario, kept []int) *scenario.Scenario {
		c := *s
		tenant, first := reflect.ValueOf(&c.Tenant).Elem(), 0
		for _, f := range fields {
			old := tenant.FieldByName(f)
			next := reflect.MakeSlice(old.Type(), 0, old.Len())
			for i := range old.Len() {
				if slices.Contains(kept, first+i) {
					next = reflect.Append(next, old.Index(i))
				}
			}
			first += old.Len()
			if next.Len() == 0 {
				next = reflect.Zero(old.Type())
			}
			old.Set(next)
		}
		return &c
	}}
}

func moreUsers(s *scenario.Scenario) int {
	if s.Tenant.MoreUsers == nil {
		return 0
	}
	return s.Tenant.MoreUsers.Count
}

// halvings is how often they can be halved: they are numbered, so that a few of
// them are always the first.
func halvings(s *scenario.Scenario) int { return bits.Len(uint(moreUsers(s))) }

func keepMoreUsers(s *scenario.Scenario, kept []int) *scenario.Scenario {
	c := *s
	more := *s.Tenant.MoreUsers
	more.Count >>= halvings(s) - len(kept)
	c.Tenant.MoreUsers = &more
	if more.Count == 0 {
		c.Tenant.MoreUsers = nil
	}
	return &c
}

func settings(s *scenario.Scenario) int { return len(s.Timing.Overrides) + len(s.Timing.Switches) }

func keepSettings(s *scenario.Scenario, kept []int) *scenario.Scenario {
	c := *s
	n := 0
	filter := func(from scenario.Settings) scenario.Settings {
		to := scenario.Settings{}
		for _, path := range slices.Sorted(maps.Keys(from)) {
			if slices.Contains(kept, n) {
				to[path] = from[path]
			}
			n++
		}
		if len(to) == 0 {
			return nil
		}
		return to
	}
	c.Timing.Overrides, c.Timing.Switches = filter(s.Timing.Overrides), filter(s.Timing.Switches)
	return &c
}
