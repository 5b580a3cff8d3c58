package pcs

import (
	"errors"
	"fmt"

	"windtunnel.test/sim"
)

// What a PC takes. The figures are rounded up from what was measured.
const (
	imageBytes  = 12 << 10  // on disk, of a TPM image
	deviceBytes = 128 << 10 // in memory: state of a TPM that is on, disk, Windows that is on
	// imageSeconds is how long one core makes a TPM image.
	imageSeconds = 0.4
)

// Need is what a pool needs before it can be made.
type Need struct {
	PCs       int
	Images    int     // TPM images that are not in the cache yet
	Seconds   float64 // that one core makes these for, about
	DiskBytes int64   // that they take
	DiskFree  int64   // in the cache's file system; -1: not known
	Memory    int64   // bytes, of the PCs
	MemoryAll int64   // bytes, of the machine; -1: not known
}

// Needs looks what making a pool would take. It makes nothing.
func Needs(o Options) (Need, error) {
	var n Need
	if err := o.check(); err != nil {
		return n, err
	}
	s, err := o.scaled()
	if err != nil {
		return n, err
	}
	missing, err := o.Lab.Missing(sim.Chips(s))
	if err != nil {
		return n, fmt.Errorf("load: look for TPM images: %w", err)
	}
	n.PCs, n.Images = s.Fleet.Count(), len(missing)
	n.Seconds, n.DiskBytes, n.Memory = float64(n.Images)*imageSeconds, int64(n.Images)*imageBytes, int64(n.PCs)*deviceBytes
	n.DiskFree, n.MemoryAll = machine(o.Lab.CacheDir())
	return n, nil
}

// Shortage says what there is too little of; nil: there is enough of all.
func (n Need) Shortage() error {
	var short []error
	if n.DiskFree >= 0 && n.DiskBytes > n.DiskFree {
		short = append(short, fmt.Errorf("%d TPM images take %d MB on disk, and %d MB are free: choose another place with --tpm-cache, or fewer devices", n.Images, mega(n.DiskBytes), mega(n.DiskFree)))
	}
	if n.MemoryAll >= 0 && n.Memory > n.MemoryAll {
		short = append(short, fmt.Errorf("%d PCs take %d MB of memory, and the machine has %d MB: choose fewer devices", n.PCs, mega(n.Memory), mega(n.MemoryAll)))
	}
	return errors.Join(short...)
}

func mega(bytes int64) int64 { return (bytes + 1<<20 - 1) >> 20 }
