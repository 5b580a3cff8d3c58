package sim

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
)

// PCChip is the TPM of a PC of a scenario.
type PCChip struct {
	Device, Serial string
	ID             vtpm.ChipID
	State          vtpm.State  // that it is in when the PC comes
	Seed           vclock.Seed // what Lab.Deal is given for it in a run
}

// ChipOf finds a PC of a scenario by its serial number, or by its name, and
// says which TPM chip is in it.
func ChipOf(s *scenario.Scenario, serial string) (PCChip, error) {
	for _, d := range s.Devices() {
		h, err := hardwareOf(s.Seed, d)
		if err != nil {
			return PCChip{}, fmt.Errorf("PC %s: %w", d.Name, err)
		}
		if !strings.EqualFold(h.Serial, serial) && !strings.EqualFold(d.Name, serial) {
			continue
		}
		c := PCChip{Device: d.Name, Serial: h.Serial, ID: chipOf(d), State: stateOf(d), Seed: cellSeed(s, d.Cell)}
		if c.ID == (vtpm.ChipID{}) {
			return PCChip{}, fmt.Errorf("PC %s (%s) has no TPM", d.Name, h.Serial)
		}
		return c, nil
	}
	return PCChip{}, fmt.Errorf("no PC of %q has the serial number or name %q", s.Name, serial)
}

// cellSeed is the seed of a cell's world.
func cellSeed(s *scenario.Scenario, n int) vclock.Seed {
	return s.Seed.Derive("cell", fmt.Sprint(n))
}

// setTPMState brings a PC's chip into a state, also while nobody has the PC on.
func (w *World) setTPMState(ctx context.Context, pc *device.PC, state string) error {
	if pc.Chip == nil {
		return fmt.Errorf("%s has no TPM", pc.Name)
	}
	off := !pc.Chip.On()
	if off {
		if err := pc.Chip.PowerOn(ctx); err != nil {
			return err
		}
	}
	err := pc.Chip.Turn(ctx, vtpm.State(state), w.options.Pace.TPM)
	if off {
		err = errors.Join(err, pc.Chip.Shutdown(ctx))
	}
	return err
}
