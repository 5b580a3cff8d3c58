package device

import (
	"encoding/json"
	"errors"
	"fmt"

	"windtunnel.test/sim/vtpm"
)

// ErrNoKey says that a key container is not on the disk (NTE_BAD_KEYSET).
var ErrNoKey = errors.New("keyset does not exist")

// Snapshot is what survives the loss of power, as bytes: the disk, the TPM's
// NV memory and the firmware clock.
type Snapshot struct {
	Name   string          `json:"name"`
	Disk   json.RawMessage `json:"disk"`
	RTC    RTC             `json:"rtc"`
	Chip   []byte          `json:"chip,omitempty"`
	Boots  int             `json:"boots"`
	Events int             `json:"events"`
}

// Snapshot takes the PC's lasting state as it is at this moment: what would be
// there if the power went now.
func (pc *PC) Snapshot() (Snapshot, error) {
	disk, err := json.Marshal(pc.Disk)
	if err != nil {
		return Snapshot{}, fmt.Errorf("snapshot %s: %w", pc.Name, err)
	}
	pc.mu.Lock()
	s := Snapshot{Name: pc.Name, Disk: disk, RTC: pc.RTC, Boots: pc.boots, Events: pc.events}
	pc.mu.Unlock()
	if pc.Chip != nil {
		if s.Chip, err = pc.Chip.Snapshot(); err != nil {
			return Snapshot{}, fmt.Errorf("snapshot %s: %w", pc.Name, err)
		}
	}
	return s, nil
}

// Restore makes a PC, off, from a snapshot. What the snapshot does not hold
// (network card, journal, program, ...) comes from o; o.Chip must be the chip
// that was in the PC.
func Restore(o Options, s Snapshot) (*PC, error) {
	pc := New(o)
	pc.RTC, pc.boots, pc.events = s.RTC, s.Boots, s.Events
	if err := json.Unmarshal(s.Disk, pc.Disk); err != nil {
		return nil, fmt.Errorf("restore %s: %w", s.Name, err)
	}
	if o.Chip != nil {
		if err := restoreChip(o.Chip, s.Chip); err != nil {
			return nil, fmt.Errorf("restore %s: %w", s.Name, err)
		}
	}
	return pc, nil
}

func restoreChip(c *vtpm.Chip, state []byte) error {
	if len(state) == 0 {
		return errors.New("the snapshot is of a PC without a TPM")
	}
	return c.Restore(state)
}
