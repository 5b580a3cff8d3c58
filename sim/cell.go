package sim

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/hwhash"
)

// newCell makes the world of one cell of a scenario: its copy of tenant and
// sites, its share of technicians, and its PCs.
func newCell(o RunOptions, all []scenario.Device, n int, sinks ...journal.Sink) (*World, error) {
	s := o.Scenario
	profile, err := s.Timing.NewProfile()
	if err != nil {
		return nil, err
	}
	w, err := NewWorld(Options{
		Tenant: s.Tenant, Start: s.Start, Seed: cellSeed(s, n), Timing: profile, Faults: s.Faults,
		Home: o.Home, Lab: o.Lab, Sinks: sinks, Attestation: s.Attestation, Keep: keepOf(len(all)), Remains: o.Remains, Saved: o.Saved, Ended: o.Ended, Hear: o.Hear,
	})
	if err != nil {
		return nil, err
	}
	return w, w.populate(s, all, n, s.Cells)
}

// populate gives a world the sites of a scenario, what happens there, and the
// technicians and PCs of the nth of so many cells.
func (w *World) populate(s *scenario.Scenario, all []scenario.Device, n, cells int) error {
	proxy, err := pki.NewRoot(w.start(s), 0, "Windtunnel Proxy Root", pki.Options{})
	if err != nil {
		return err
	}
	for _, site := range s.Sites {
		if err := w.AddSite(site.Config(proxy)); err != nil {
			return err
		}
	}
	if h := HybridOf(s); h != nil {
		if err := w.AddDomain(*h); err != nil {
			return err
		}
	}
	w.csv = s.Fleet.CSV
	if err := w.loadOthers(s.Others); err != nil {
		return err
	}
	crews, dealt := map[string]*Crew{}, map[string]int{}
	for _, t := range s.People.Technicians {
		count := t.InCell(n, cells, dealt[t.Site])
		dealt[t.Site] += t.Count
		if count == 0 {
			continue
		}
		if crews[t.Site] == nil {
			crews[t.Site] = w.NewCrew(t.Site)
		}
		crews[t.Site].Hire(count, t.Bench, Technician{Patience: t.Patience, Refreshes: t.Refreshes, OnFailure: string(t.OnFailure)})
	}
	for _, d := range all {
		if d.Cell != n {
			continue
		}
		story, err := w.storyOf(s, d, crews)
		if err != nil {
			return err
		}
		if _, err := w.AddPC(story); err != nil {
			return err
		}
	}
	return w.plan(s.Timeline)
}

// start is when a scenario begins: in wall time that is now.
func (w *World) start(s *scenario.Scenario) time.Time {
	if w.Clock.IsVirtual() {
		return s.Start
	}
	return w.Clock.Now()
}

// storyOf turns what the scenario decides about a PC into a story; what it
// leaves open is drawn from the PC's own stream, which belongs to the run's
// seed and not to the cell's.
func (w *World) storyOf(s *scenario.Scenario, d scenario.Device, crews map[string]*Crew) (Story, error) {
	story := Story{
		Name: d.Name, Chip: chipOf(d), TPMState: stateOf(d), GroupTag: d.GroupTag, AssignedUser: d.AssignedUser, Home: d.Destination, Unregistered: d.Unregistered, Hasty: d.Hasty,
		Installation: device.Installation{Build: string(d.Windows.Build), Edition: string(d.Windows.Edition)},
		Protection:   device.Protection{SecureBootOff: !d.SecureBoot, BitLockerOff: !d.BitLocker},
		RTC:          device.RTC{Offset: time.Duration(d.Clock.Offset), Drift: d.Clock.PerSecond(), Set: w.start(s)},
		Packages:     d.Packages, Image: d.Registry, FreeSpace: d.FreeSpace,
		Arrives: d.Arrives, Unpacked: d.Unpacked,
	}
	var err error
	if story.Hardware, err = hardwareOf(s.Seed, d); err != nil {
		return story, fmt.Errorf("PC %s: %w", d.Name, err)
	}
	story.Hardware.Cores = cmp.Or(d.Cores, story.Hardware.Cores)
	story.Hardware.RAMBytes = cmp.Or(uint64(d.Memory), story.Hardware.RAMBytes)
	if d.Flow == scenario.Preprovision {
		story.Bench = d.Bench
		if story.Technician = crews[d.Bench]; story.Technician == nil {
			return story, fmt.Errorf("PC %s: no technician works at %q in its cell", d.Name, d.Bench)
		}
	}
	if u, ok := s.Tenant.User(d.User); ok {
		p := s.People.Users
		who := User{UPN: u.UserPrincipalName, Password: u.Password, Language: p.Language, Patience: p.Patience, OnFailure: string(p.OnFailure), Stays: w.hurried(p.Stays), ForWork: p.ForWork}
		if as, ok := s.Account(p.SignsInAs); ok {
			who.EntraName, who.EntraPassword = as.UserPrincipalName, as.Password
		}
		who.inDomain(s.Domain)
		story.User = w.NewUser(who)
	}
	return story, nil
}

// hardwareOf builds a PC of its make, or the one that an imported hash is
// about.
func hardwareOf(seed vclock.Seed, d scenario.Device) (device.Hardware, error) {
	r := seed.Stream("hardware", d.Name)
	if d.Imported != nil {
		decoded, err := hwhash.DecodeBase64(d.Imported.Hash)
		if err != nil {
			return device.Hardware{}, err
		}
		h := device.FromHash(decoded)
		h.Serial = cmp.Or(h.Serial, d.Imported.Serial)
		h.ProductKeyID = cmp.Or(h.ProductKeyID, d.Imported.ProductID)
		if h.MAC == "" { // a hash taken without a network card
			h.MAC = device.Makes[0].Build(r).MAC
		}
		return h, nil
	}
	make := device.Makes[r.IntN(len(device.Makes))]
	if d.Make != "" {
		i := slices.IndexFunc(device.Makes, func(m device.Make) bool { return m.Model == d.Make })
		if i < 0 {
			return device.Hardware{}, fmt.Errorf("no product line is called %q", d.Make)
		}
		make = device.Makes[i]
	}
	h := make.Build(r)
	h.Wireless = d.Wireless
	h.Serial = cmp.Or(d.Serial, h.Serial)
	return h, nil
}

// chipOf is the TPM chip of a PC. Chips are dealt by their number, so that the
// same PC has the same chip in every run.
func chipOf(d scenario.Device) vtpm.ChipID {
	switch models := vtpm.UsualModels(); d.TPM {
	case "": // in turn, with numbers that no chip has which is asked for by name
		return vtpm.ChipID{Model: models[d.Chip%len(models)], N: d.Named + d.Chip/len(models)}
	case noTPM:
		return vtpm.ChipID{}
	}
	return vtpm.ChipID{Model: d.TPM, N: d.Chip}
}

// stateOf is the condition of that chip: ready where a group has chips of other
// models that can be in its state.
func stateOf(d scenario.Device) vtpm.State {
	state := vtpm.State(d.TPMState)
	if m, err := vtpm.FindModel(chipOf(d).Model); d.TPMState == scenario.TPMReady || err != nil || !m.Can(state) {
		return vtpm.Ready
	}
	return state
}

// noTPM is how a fleet says that a PC has no TPM.
const noTPM = "none"

// untilOf is how long a scenario's run lasts at most.
func untilOf(s *scenario.Scenario) time.Time { return s.Until.After(s.Start) }
