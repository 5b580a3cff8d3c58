package vtpm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Processes that use one cache agree by locks on ranges of one empty file,
// ".lock", which is never removed: the kernel gives a lock back when its holder
// dies, however it dies. A model's folder has a range of its own in the file,
// from a base that follows from its recipe; in it byte n is chip n, held while
// that chip's image is made, and the last byte is held, by any number of them,
// by those who make images in the folder. Readers need no lock, since an image
// comes into being by a rename.
//
// The locks belong to an open file and not to the process (F_OFD_SETLK), so
// that each claim, with a file of its own, holds off the other goroutines of
// this process in the same way.

const (
	folderBits = 32                // a folder's range is 2^32 bytes
	users      = 1<<folderBits - 1 // the last byte of it
)

// span is a range of the lock file.
type span struct{ start, size int64 }

// errBusy: somebody else holds a lock on it.
var errBusy = errors.New("in use")

// hold is a claim that lasts until it is let go.
type hold struct{ file *os.File }

func (h *hold) letGo() error { return h.file.Close() }

func (c *Cache) lockFile() (*os.File, error) {
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return nil, fmt.Errorf("vtpm: image cache: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(c.dir, lockName), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("vtpm: lock image cache: %w", err)
	}
	return f, nil
}

const lockName = ".lock"

// tryHold is hold, or errBusy at once.
func (c *Cache) tryHold(s span, shared bool) (*hold, error) {
	f, err := c.lockFile()
	if err != nil {
		return nil, err
	}
	if err := lockRange(f, s, shared, false); err != nil {
		return nil, errors.Join(lockError(err, f), f.Close())
	}
	return &hold{f}, nil
}

// await is tryHold, alone, that waits for whoever holds it, until ctx ends.
func (c *Cache) await(ctx context.Context, s span) (*hold, error) {
	h, err := c.tryHold(s, false)
	if !errors.Is(err, errBusy) {
		return h, err
	}
	f, err := c.lockFile()
	if err != nil {
		return nil, err
	}
	got := make(chan error, 1)
	go func() { got <- lockRange(f, s, false, true) }()
	select {
	case err := <-got:
		if err != nil {
			return nil, errors.Join(lockError(err, f), f.Close())
		}
		return &hold{f}, nil
	case <-ctx.Done():
		go func() { <-got; _ = f.Close() }() // it held nothing that was wanted
		return nil, context.Cause(ctx)
	}
}

func lockError(err error, f *os.File) error {
	if errors.Is(err, errBusy) {
		return err
	}
	return fmt.Errorf("vtpm: lock %s: %w", f.Name(), err)
}

// baseOf is where the range of a folder begins. Two folders that share one, by
// digests that begin alike, would only wait for each other.
func baseOf(digest []byte) int64 {
	return int64(binary.BigEndian.Uint32(digest)>>1) << folderBits
}

// claimChip is for whoever makes a chip's image, alone.
func claimChip(id ChipID) (span, error) {
	m, err := id.model()
	if err != nil {
		return span{}, err
	}
	if int64(id.N) >= users {
		return span{}, fmt.Errorf("vtpm: no chip %s", id)
	}
	digest := m.recipe()
	return span{start: baseOf(digest[:]) + int64(id.N), size: 1}, nil
}

// claimUse is for all who make images of a model, together.
func claimUse(m *Model) span {
	digest := m.recipe()
	return span{start: baseOf(digest[:]) + users, size: 1}
}

// claimFolder is for whoever removes images, alone.
func claimFolder(digest []byte) span { return span{start: baseOf(digest), size: 1 << folderBits} }
