package device

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Checkpoint is what survives the loss of power, in memory: [Snapshot]'s
// cheaper sibling, for who puts the same PC back thousands of times.
type Checkpoint struct {
	keys  map[string]*regKey
	paths []string
	files map[string][]byte
	certs []Certificate
	blobs map[string][]byte
	free  int64
	chip  []byte // nil: not taken
}

// Checkpoint takes the PC's lasting state as it is at this moment, its TPM's
// only where wanted: one that nothing lasting happens to need not go back.
func (pc *PC) Checkpoint(tpm bool) (*Checkpoint, error) {
	c := &Checkpoint{free: pc.Disk.Room()}
	c.keys, c.paths = pc.Disk.Registry.copied()
	pc.Disk.Files.mu.Lock()
	c.files = maps.Clone(pc.Disk.Files.m) // what is written is never changed in place
	pc.Disk.Files.mu.Unlock()
	c.certs = pc.Disk.Certs.All("")
	pc.Disk.Keys.mu.Lock()
	c.blobs = maps.Clone(pc.Disk.Keys.m)
	pc.Disk.Keys.mu.Unlock()
	if tpm && pc.Chip != nil {
		var err error
		if c.chip, err = pc.Chip.Snapshot(); err != nil {
			return nil, fmt.Errorf("checkpoint %s: %w", pc.Name, err)
		}
	}
	return c, nil
}

// RollBackDisk puts the disk back, of a PC that may be on: what Windows has in
// memory it keeps.
func (pc *PC) RollBackDisk(c *Checkpoint) {
	from := &Registry{keys: c.keys, paths: c.paths}
	keys, paths := from.copied()
	pc.Disk.Files.replace(maps.Clone(c.files))
	pc.Disk.Keys.replace(maps.Clone(c.blobs))
	pc.Disk.Certs.replace(slices.Clone(c.certs))
	pc.Disk.Registry.replace(&Registry{keys: keys, paths: paths})
	pc.Disk.mu.Lock()
	pc.Disk.Free = c.free
	pc.Disk.mu.Unlock()
}

var errRollBackOn = errors.New("it is on")

// RollBack puts disk and TPM of a PC that is off back to a checkpoint of its
// own. Its clock, and how often it was started, go on: what a PC draws at random
// in a life it must not draw again in the next, or services would take its
// messages for copies.
func (pc *PC) RollBack(c *Checkpoint) error {
	if pc.On() {
		return fmt.Errorf("roll back %s: %w", pc.Name, errRollBackOn)
	}
	pc.RollBackDisk(c)
	if c.chip == nil {
		return nil
	}
	if err := pc.Chip.RollBack(c.chip); err != nil {
		return fmt.Errorf("roll back %s: %w", pc.Name, err)
	}
	return nil
}

// copied gives the keys and their order, which share nothing with the registry
// that could be written.
func (r *Registry) copied() (map[string]*regKey, []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := make(map[string]*regKey, len(r.keys))
	for path, k := range r.keys {
		keys[path] = &regKey{path: k.path, values: slices.Clone(k.values)}
	}
	return keys, slices.Clone(r.paths)
}
