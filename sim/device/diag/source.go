package diag

import (
	"fmt"
	"iter"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/ztd"
)

// Source is a PC as the collector finds it.
type Source struct {
	Name         string              `json:"name"` // as the journal calls it
	Serial       string              `json:"serial"`
	Computer     string              `json:"computer"` // computer name
	Hardware     device.Hardware     `json:"hardware"`
	Installation device.Installation `json:"installation"`
	Taken        time.Time           `json:"taken"` // by the PC's own clock
	Hash         string              `json:"hash"`  // 4K hardware hash, base64
	TPM          *TPM                `json:"tpm,omitempty"`
	BootLog      []byte              `json:"bootLog,omitempty"` // the TCG's, of the last boot
	Disk         *device.Disk        `json:"disk"`

	// Events are the PC's own, oldest first; nil: nobody has kept them, and the
	// logs are empty.
	Events iter.Seq[journal.Event] `json:"-"`
}

// Of takes the source from a PC as it is at this moment. Its disk is the PC's
// own, not a copy.
func Of(pc *device.PC) (Source, error) {
	now := pc.FirmwareTime()
	row, err := pc.Row(now)
	if err != nil {
		return Source{}, fmt.Errorf("diagnostics: %w", err)
	}
	return Source{
		Name: pc.Name, Serial: pc.Hardware.Serial, Computer: pc.ComputerName(), Hardware: pc.Hardware, Installation: pc.Installation, Taken: now,
		Hash: row.Hash, TPM: tpmOf(pc), BootLog: pc.TCGLog(), Disk: pc.Disk, Events: pc.History,
	}, nil
}

// row is the PC's line of a hardware-hash file.
func (s Source) row() ztd.Row {
	return ztd.Row{Serial: s.Serial, ProductID: s.Hardware.ProductKeyID, Hash: s.Hash}
}

// zone is the time zone that Windows is set to.
func (s Source) zone() device.Zone { return device.ZoneOf(s.Disk.Registry) }
