package device

import (
	"errors"
	"maps"
	"slices"

	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/ppkg"
)

// leavePackages puts the maker's provisioning packages on the disk, and the
// values of the maker's image into the registry.
func (pc *PC) leavePackages() {
	for _, name := range slices.Sorted(maps.Keys(pc.Packages)) {
		pc.Disk.Files.Write(ppkg.Folder+`\`+name, pc.Packages[name])
	}
	// What the maker's image has in the registry is there before Windows runs.
	(&Windows{PC: pc}).WriteValues(pc.Image, "")
}

func (pc *PC) fitChip() {
	if pc.Chip == nil {
		return
	}
	pc.Chip.Fit(vtpm.Board{
		Device: pc.Name, Journal: pc.Journal, Faults: pc.Faults, Harm: pc.Suffer,
		Resubmissions: pc.Timing.TPM.Resubmissions, ResubmissionDelay: pc.Timing.TPM.ResubmissionDelay,
	})
}

// ErrOn says that a screwdriver was put into a PC that is on.
var ErrOn = errors.New("the PC is on")

// ReplaceBoard puts another main board into a PC that is off: other firmware
// tables and another TPM, while the disk stays. The wrapped keys on it are of no
// use to the new TPM, and the hardware hash is another one.
func (pc *PC) ReplaceBoard(h Hardware, chip *vtpm.Chip) error {
	pc.mu.Lock()
	if pc.on {
		pc.mu.Unlock()
		return ErrOn
	}
	pc.Hardware, pc.Chip, pc.measured = h, chip, nil
	pc.mu.Unlock()
	pc.fitChip()
	pc.Event("device.board.replaced", field("serial", h.Serial))
	return nil
}
