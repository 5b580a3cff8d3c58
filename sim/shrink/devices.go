package shrink

import (
	"slices"
	"time"

	"windtunnel.test/sim"
	"windtunnel.test/sim/scenario"
)

// keepDevices gives the scenario with some of its PCs, each pinned to what it has
// drawn, and what names one of them following it. A fleet with imported rows is only cut at its end: which hardware a PC
// has is by its place there.
func keepDevices(s *scenario.Scenario, kept []int) *scenario.Scenario {
	if len(kept) == 0 {
		return &scenario.Scenario{} // no fleet is no scenario
	}
	all := s.Devices()
	if s.Fleet.Import != nil {
		c, problems := s.Resolve(scenario.Flags{Devices: len(kept)})
		if len(problems) > 0 {
			return &scenario.Scenario{}
		}
		first := slices.Clone(kept)
		for i := range first {
			first[i] = i
		}
		follow(c, all, first)
		return c
	}
	c := *s
	c.Fleet.Groups, c.Fleet.Devices = nil, nil
	counts := map[string]int{}
	for n, i := range kept {
		counts[all[i].Group]++
		c.Fleet.Devices = append(c.Fleet.Devices, pinned(s, all[i], n+1))
	}
	for _, g := range s.Fleet.Groups {
		if g.Count = counts[g.Name]; g.Count > 0 {
			c.Fleet.Groups = append(c.Fleet.Groups, g)
		}
	}
	c.Cells = min(c.Cells, len(kept))
	follow(&c, all, kept)
	return &c
}

// pinned says of a PC all that it has, at another place in the fleet.
func pinned(s *scenario.Scenario, d scenario.Device, index int) scenario.Override {
	o := scenario.Override{
		Index: index, Make: d.Make, TPM: d.TPM, TPMState: &d.TPMState, Wireless: &d.Wireless, SecureBoot: &d.SecureBoot, BitLocker: &d.BitLocker,
		Build: &d.Windows.Build, Edition: &d.Windows.Edition, Flow: &d.Flow, GroupTag: &d.GroupTag, AssignedUser: &d.AssignedUser,
		User: d.User, Bench: d.Bench, Destination: d.Destination,
	}
	if chip, err := sim.ChipOf(s, d.Name); err == nil {
		o.TPM, o.Serial = chip.ID.Model, chip.Serial
	}
	arrival, shelf := spanOf(d.Arrives, s.Start), spanOf(d.Unpacked, s.Start)
	o.Arrival, o.Shelf = &arrival, &shelf
	if d.Clock != (scenario.ClockOffset{}) {
		o.Clock = &d.Clock
	}
	return o
}

// spanOf is what a PC has drawn of a range, as a range of its own.
func spanOf(when func(time.Time) time.Time, start time.Time) scenario.SpanRange {
	span := scenario.Span{Duration: when(start).Sub(start).Round(time.Millisecond)}
	return scenario.SpanRange{Min: span, Max: span}
}
