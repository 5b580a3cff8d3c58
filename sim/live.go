package sim

import (
	"errors"
	"fmt"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
)

// LiveOptions say how a scenario's world is made in wall time, beside real
// clients. Scenario and Web are needed; Lab where the scenario has PCs.
type LiveOptions struct {
	Scenario *scenario.Scenario // resolved
	Clock    *vclock.Wall       // nil: one that shows real time
	Timing   *timing.Profile    // of the services; nil: the scenario's
	// Pace is the timing of PCs and people; nil: the profile "fast" with what the
	// scenario changes of its own. Nobody watches PCs that live beside a real
	// client, so what Windows itself waits for is short.
	Pace   *timing.Profile
	Lab    *vtpm.Lab
	Web    *pki.CA // signs the services' certificates; new at each start of a process
	State  *store.DB
	Since  time.Time
	Starts int
	Sinks  []journal.Sink // take the events as they happen
	// Fleet: the scenario's PCs and people live in the world, all of them in one,
	// whatever its cells. They do so once Start is called.
	Fleet bool
	// Haste is that of Options. With a fleet, 0 is DefaultHaste, and 1 is
	// everything as the scenario says.
	Haste float64
	// Idle: the fleet's PCs are made, and nobody registers them or lives with
	// them: they are another's to drive, as a load's. Program is what they boot
	// then; nil: Windows' own setup.
	Idle    bool
	Program func(name string) device.Program
	// Watch hears of every event of a PC, by names; nil: nobody does.
	Watch func(device, kind string)
	// Quiet and Exchanged are those of Options.
	Quiet     bool
	Exchanged func(vnet.Exchange)
}

// DefaultHaste makes a day ten seconds: two weeks on a shelf are a little more
// than two minutes. It is ours.
const DefaultHaste = 8640

// NewLive makes the world of a scenario on a wall clock: its tenant, its sites
// and, if wanted, its fleet. What Windows and the services wait for takes as
// long as the timing profile says; a profile for people who watch is "fast".
// Changes on the timeline count from now, by the world's clock.
func NewLive(o LiveOptions) (*World, error) {
	s := o.Scenario
	if o.Web == nil {
		return nil, errors.New("live world: no authority for the services' certificates")
	}
	if o.Clock == nil {
		o.Clock = vclock.NewWall()
	}
	if o.Timing == nil {
		var err error
		if o.Timing, err = s.Timing.NewProfile(); err != nil {
			return nil, fmt.Errorf("live world: %w", err)
		}
	}
	if o.Pace == nil {
		fast := s.Timing
		fast.Profile = "fast"
		var err error
		if o.Pace, err = fast.NewProfile(); err != nil {
			return nil, fmt.Errorf("live world: %w", err)
		}
	}
	if o.Haste == 0 && o.Fleet {
		o.Haste = DefaultHaste
	}
	w, err := NewWorld(Options{
		Tenant: s.Tenant, Seed: s.Seed, Timing: o.Timing, Pace: o.Pace, Faults: s.Faults, Lab: o.Lab, Sinks: o.Sinks, Attestation: s.Attestation,
		Clock: o.Clock, Web: o.Web, State: o.State, Since: o.Since, Starts: o.Starts, Haste: o.Haste, Keep: keepOf(s.Fleet.Count()), Quiet: o.Quiet, Program: o.Program, Watch: o.Watch, Exchanged: o.Exchanged,
	})
	if err != nil {
		return nil, err
	}
	var fleet []scenario.Device
	if o.Fleet || o.Idle {
		fleet = s.Devices()
		for i := range fleet {
			fleet[i].Cell = 0
		}
	}
	if err := w.populate(s, fleet, 0, 1); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}
