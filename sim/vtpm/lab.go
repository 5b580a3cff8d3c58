package vtpm

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
)

// ChipID says which chip it is: the n-th that a vendor made of a model. Its
// keys follow from that and from nothing else.
type ChipID struct {
	Model string
	N     int
}

// String is "model/n".
func (id ChipID) String() string { return fmt.Sprintf("%s/%d", id.Model, id.N) }

// model finds the chip's part.
func (id ChipID) model() (*Model, error) {
	if id.N < 0 {
		return nil, fmt.Errorf("vtpm: no chip %s", id)
	}
	return FindModel(id.Model)
}

// Options of a Lab.
type Options struct {
	// CacheDir is where images are kept; empty: windtunnel/tpm below the user's
	// cache directory.
	CacheDir string
	// Engines is how many engines to use; there is one, in this process, and 0
	// or 1 asks for it.
	Engines int
	// Warn is told what was repaired, a damaged image say; nil: nobody.
	Warn func(message string)
}

// Lab holds chips: the engine that runs them, the memory of the live ones and
// the images of all. Its methods may be called by any goroutine.
type Lab struct {
	engine engine
	slots  *slots
	cache  *cache
	warn   func(string)

	commands atomic.Uint64
	nanos    atomic.Int64
	mu       sync.Mutex
	eks      map[[sha256.Size]byte]struct{}
}

// Stats is what a lab has done so far.
type Stats struct {
	Commands      uint64  // TPM commands run, those of image building included
	EngineSeconds float64 // CPU time that engines took for them
	DistinctEKs   int     // endorsement keys among the chips that were dealt
}

// Open makes a lab. It blocks while something else in the process holds
// go-tpm-tools' simulator.
func Open(o Options) (*Lab, error) {
	if o.Engines > 1 {
		return nil, fmt.Errorf("vtpm: %d engines asked for, there is 1", o.Engines)
	}
	cache, err := newCache(o.CacheDir)
	if err != nil {
		return nil, err
	}
	slots, err := newSlots()
	if err != nil {
		return nil, err
	}
	e, err := openEngine()
	if err != nil {
		return nil, errors.Join(err, slots.close())
	}
	if e.stateSize() > slotSize {
		return nil, errors.Join(fmt.Errorf("vtpm: state of %d bytes in slots of %d", e.stateSize(), slotSize), e.close(), slots.close())
	}
	warn := o.Warn
	if warn == nil {
		warn = func(string) {}
	}
	return &Lab{engine: e, slots: slots, cache: cache, warn: warn, eks: make(map[[sha256.Size]byte]struct{})}, nil
}

// Close releases the engine and the memory of all chips, which must not be
// used any more.
func (l *Lab) Close() error { return errors.Join(l.engine.close(), l.slots.close()) }

// Stats returns the figures so far.
func (l *Lab) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{
		Commands:      l.commands.Load(),
		EngineSeconds: time.Duration(l.nanos.Load()).Seconds(),
		DistinctEKs:   len(l.eks),
	}
}

// VendorCA is [VendorCA].
func (l *Lab) VendorCA(model string) (*pki.CA, error) { return VendorCA(model) }

// Slot is a live chip as an engine sees it: where its state is, and the
// entropy and time of the next command.
type Slot struct {
	Index   int
	Entropy [32]byte
	Millis  uint64 // virtual time since the chip got power
}

// Exec runs one command on the chip in a slot and returns the response. It is
// the one way to an engine: state, command, entropy and time go in, response
// and new state come out, so any engine can do it, and do it again. An error is
// a failure of the machinery; what the TPM refuses is in the response.
// Commands of one chip must come one after the other.
func (l *Lab) Exec(ctx context.Context, slot Slot, command []byte) ([]byte, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	l.commands.Add(1)
	return l.operate(opCommand, slot, command)
}

func (l *Lab) operate(op operation, slot Slot, command []byte) ([]byte, error) {
	state, err := l.slots.at(slot.Index)
	if err != nil {
		return nil, err
	}
	response, took, err := l.engine.run(&request{
		op: op, state: state, command: command, entropy: slot.Entropy, millis: slot.Millis,
	})
	l.nanos.Add(int64(took))
	return response, err
}

// Build makes the images that are missing in the cache, several at a time.
// progress, if not nil, is called with how many of the missing ones are done,
// first with 0, never concurrently; when none is missing it is not called. What
// is done is kept when ctx ends.
func (l *Lab) Build(ctx context.Context, ids []ChipID, progress func(done, total int)) error {
	missing, err := l.missing(ids)
	if err != nil || len(missing) == 0 {
		return err
	}
	var mu sync.Mutex
	done := 0
	step := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		done += n
		if progress != nil {
			progress(done, len(missing))
		}
	}
	step(0)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2) // one in the engine, one packing and writing
	for _, id := range missing {
		g.Go(func() error {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			if err := l.make(ctx, id); err != nil {
				return err
			}
			step(1)
			return nil
		})
	}
	return g.Wait()
}

// missing lists the chips without a good image, each once, in order.
func (l *Lab) missing(ids []ChipID) ([]ChipID, error) {
	seen := make(map[ChipID]bool, len(ids))
	var missing []ChipID
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		if _, err := id.model(); err != nil {
			return nil, err
		}
		img, err := l.find(id)
		if err != nil {
			return nil, err
		}
		if img == nil {
			missing = append(missing, id)
		}
	}
	return missing, nil
}

// find returns the image from the cache, nil when there is none. A damaged one
// is named, discarded, and counts as none.
func (l *Lab) find(id ChipID) (*image, error) {
	img, err := l.cache.load(id)
	switch {
	case err == nil:
		return img, nil
	case errors.Is(err, errDamaged):
		l.warn(err.Error() + "; discarded, will be made again")
		return nil, l.cache.discard(id)
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	}
	return nil, err
}

// Deal hands out a chip without power, as it left the factory. What it draws at
// random from now on follows from the run's seed. An image that is not in the
// cache is made first, so that a cold chip and a warm one are the same.
func (l *Lab) Deal(clock vclock.Clock, id ChipID, run vclock.Seed) (*Chip, error) {
	model, err := id.model()
	if err != nil {
		return nil, err
	}
	img, err := l.image(id)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.eks[sha256.Sum256(img.ek)] = struct{}{}
	l.mu.Unlock()
	return newChip(l, clock, id, model, run, img), nil
}

// image reads a chip's image from the cache, where it is put first if need be.
func (l *Lab) image(id ChipID) (*image, error) {
	img, err := l.find(id)
	if err != nil || img != nil {
		return img, err
	}
	if err := l.make(context.Background(), id); err != nil {
		return nil, err
	}
	return l.cache.load(id)
}
