package shrink

import (
	"reflect"
	"slices"

	"windtunnel.test/sim/scenario"
)

// trait is something that a scenario says and need not. clear takes it away in a
// copy that is deep enough.
type trait struct {
	clear func(c *scenario.Scenario)
}

// traits is a kind of part that is made of traits.
func traits(name string, of func(s *scenario.Scenario) []trait) part {
	return part{name: name, count: func(s *scenario.Scenario) int { return len(of(s)) }, keep: func(s *scenario.Scenario, kept []int) *scenario.Scenario {
		c := *s
		c.Sites = slices.Clone(s.Sites)
		for i := range c.Sites {
			c.Sites[i].Block = slices.Clone(c.Sites[i].Block)
		}
		c.Fleet.Groups, c.Fleet.Devices = slices.Clone(s.Fleet.Groups), slices.Clone(s.Fleet.Devices)
		c.People.Technicians = slices.Clone(s.People.Technicians)
		for i, t := range of(s) {
			if !slices.Contains(kept, i) {
				t.clear(&c)
			}
		}
		for i := range c.Sites {
			c.Sites[i].Block = slices.DeleteFunc(c.Sites[i].Block, func(b scenario.Block) bool { return b.Host == "" })
		}
		c.Fleet.Devices = slices.DeleteFunc(c.Fleet.Devices, func(o scenario.Override) bool { return reflect.DeepEqual(o, scenario.Override{Index: o.Index}) })
		return &c
	}}
}

// ofSites are rules of firewalls, proxies, and what slows links down.
func ofSites(s *scenario.Scenario) (list []trait) {
	for i, site := range s.Sites {
		for j := range site.Block {
			list = append(list, trait{func(c *scenario.Scenario) { c.Sites[i].Block[j].Host = "" }})
		}
		zeroes := zeroable(reflect.ValueOf(site), "Proxy", "Loss", "Metered", "Bandwidth", "Upload")
		for _, f := range zeroes {
			list = append(list, trait{func(c *scenario.Scenario) { zero(&c.Sites[i], f) }})
		}
	}
	return list
}

// ofDevices are what single PCs have of their own, and what groups need not say.
func ofDevices(s *scenario.Scenario) (list []trait) {
	for i, o := range s.Fleet.Devices {
		for _, f := range zeroable(reflect.ValueOf(o)) {
			if f != "Index" {
				list = append(list, trait{func(c *scenario.Scenario) { zero(&c.Fleet.Devices[i], f) }})
			}
		}
	}
	for i, g := range s.Fleet.Groups {
		for _, f := range zeroable(reflect.ValueOf(g), "Makes", "TPMs", "Wireless", "GroupTag", "AssignedUser", "Arrival", "Shelf", "Packages", "Registry") {
			list = append(list, trait{func(c *scenario.Scenario) { zero(&c.Fleet.Groups[i], f) }})
		}
	}
	return list
}

// ofScenario are sections that need not be there, and crews larger than one.
func ofScenario(s *scenario.Scenario) (list []trait) {
	for _, f := range zeroable(reflect.ValueOf(*s), "Description", "Domain", "Connectors", "Connect", "Attestation", "Load") {
		list = append(list, trait{func(c *scenario.Scenario) { zero(c, f) }})
	}
	if s.Cells > 1 {
		list = append(list, trait{func(c *scenario.Scenario) { c.Cells = 1 }})
	}
	for i, t := range s.People.Technicians {
		if t.Count > 1 || t.Bench > 1 {
			list = append(list, trait{func(c *scenario.Scenario) { c.People.Technicians[i].Count, c.People.Technicians[i].Bench = 1, 1 }})
		}
		if t.Refreshes > 0 {
			list = append(list, trait{func(c *scenario.Scenario) { c.People.Technicians[i].Refreshes = 0 }})
		}
	}
	for _, f := range zeroable(reflect.ValueOf(s.People.Users), "Group", "Preassigned") {
		list = append(list, trait{func(c *scenario.Scenario) { zero(&c.People.Users, f) }})
	}
	return list
}

// zeroable are the fields of a structure that have a value; of these names, where
// any are given.
func zeroable(v reflect.Value, names ...string) (fields []string) {
	for _, f := range reflect.VisibleFields(v.Type()) {
		if f.IsExported() && (len(names) == 0 || slices.Contains(names, f.Name)) && !v.FieldByIndex(f.Index).IsZero() {
			fields = append(fields, f.Name)
		}
	}
	return fields
}

func zero[T any](of *T, field string) { reflect.ValueOf(of).Elem().FieldByName(field).SetZero() }
