package shrink

import (
	"reflect"

	"windtunnel.test/sim/scenario"
)

// follow lets rules and changes that name single PCs of old name the same PCs of
// c, in which those with the indexes kept have moved up. What names a PC that is
// gone could never happen and goes with it; what names several by a glob stays as
// it is. c must not share its lists with another scenario afterwards: they are
// made anew.
func follow(c *scenario.Scenario, old []scenario.Device, kept []int) {
	now := map[string]string{} // "" for a PC that is gone
	for _, d := range old {
		now[d.Name] = ""
	}
	for n, d := range c.Devices() {
		now[old[kept[n]].Name] = d.Name
	}
	faults, timeline := c.Faults, c.Timeline
	c.Faults, c.Timeline = nil, nil
	gone := map[string]bool{} // fault rules
	for _, r := range faults {
		if moved(now, &r.When.Device) {
			c.Faults = append(c.Faults, r)
		} else {
			gone[r.Name] = true
		}
	}
	for _, change := range timeline {
		if e := change.At.Event; e != nil {
			copied := *e
			change.At.Event = &copied
			if !moved(now, &copied.Device) {
				continue
			}
		}
		added, removed := change.Do.AddFault, change.Do.RemoveFault
		switch {
		case removed != nil && gone[removed.Name]:
		case movedAction(now, &change.Do):
			c.Timeline = append(c.Timeline, change)
		case added != nil:
			gone[added.Name] = true
		}
	}
}

// moved gives a PC its new name, and reports whether there still is one.
func moved(now map[string]string, name *string) bool {
	next, known := now[*name]
	if known {
		*name = next
	}
	return !known || next != ""
}

// movedAction is moved of the PC that an action is about, in a copy of it.
func movedAction(now map[string]string, do *scenario.Action) bool {
	if do.AddFault != nil {
		rule := *do.AddFault
		do.AddFault = &rule
		return moved(now, &rule.When.Device)
	}
	members := reflect.ValueOf(do).Elem()
	for i := range members.NumField() {
		member := members.Field(i)
		if member.IsNil() || !member.Elem().FieldByName("Device").IsValid() {
			continue
		}
		copied := reflect.New(member.Type().Elem())
		copied.Elem().Set(member.Elem())
		member.Set(copied)
		return moved(now, copied.Elem().FieldByName("Device").Addr().Interface().(*string))
	}
	return true
}
