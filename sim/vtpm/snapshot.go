package vtpm

import (
	"bytes"
	"fmt"
)

// Snapshot returns what would be left of the chip if the power went now, as
// bytes for Restore. A job in flight is over before.
func (c *Chip) Snapshot() ([]byte, error) {
	c.settle()
	defer c.mu.Unlock()
	nv, err := c.lastingNV()
	if err != nil {
		return nil, fmt.Errorf("vtpm: snapshot %s: %w", c.id, err)
	}
	f := &frame{}
	f.sized([]byte(recipeOf(c.id))).u32(uint32(c.boots)).u16(uint16(c.keys))
	f.sized(nv).sized(c.aik.data).sized(c.aik.hash).sized(c.aik.ticket)
	return pack(f.b), nil
}

func (c *Chip) lastingNV() ([]byte, error) {
	if c.slot < 0 {
		return unpack(c.parked)
	}
	state, err := c.lab.slots.at(c.slot)
	if err != nil {
		return nil, err
	}
	return c.lab.nv(state), nil
}

// Restore puts the chip back to a snapshot of the same chip, without power.
func (c *Chip) Restore(snapshot []byte) error { return c.restore(snapshot, true) }

// RollBack is Restore of a chip that goes on living: it has been started as
// often as before, so that it draws nothing at random that it has drawn already.
func (c *Chip) RollBack(snapshot []byte) error { return c.restore(snapshot, false) }

func (c *Chip) restore(snapshot []byte, reborn bool) error {
	plain, err := unpack(snapshot)
	if err != nil {
		return fmt.Errorf("vtpm: restore %s: %w", c.id, err)
	}
	r := &reader{b: plain}
	recipe, boots, keys := string(r.sized()), r.u32(), r.u16()
	nv, aik := r.sized(), birth{r.sized(), r.sized(), r.sized()}
	if r.err != nil || len(r.b) != 0 || recipe != recipeOf(c.id) {
		return fmt.Errorf("vtpm: restore %s: the snapshot is of %q", c.id, recipe)
	}
	c.settle()
	defer c.mu.Unlock()
	c.cut()
	c.parked = pack(nv)
	if reborn {
		c.boots = int(boots)
	}
	c.lasting = lasting{aik: aik.clone(), keys: int(keys)}
	return nil
}

// clone takes bytes out of the larger buffer that they were read from.
func (b birth) clone() birth {
	return birth{data: bytes.Clone(b.data), hash: bytes.Clone(b.hash), ticket: bytes.Clone(b.ticket)}
}
