package vtpm

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

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
	// Engines is how many engines to use at most: one in this process, and the
	// others in processes of their own, started when there is work for them.
	// 0: as many as there are cores (GOMAXPROCS).
	Engines int
	// EngineLimit is how long, in real time, such a process may take for one
	// command before it is killed and replaced; 0: 10 s.
	EngineLimit time.Duration
	// Warn is told what was repaired or done without, a damaged image say, one
	// message after the other; nil: nobody.
	Warn func(message string)
	// Recording takes down what the chips are asked, for a benchmark; nil: nobody.
	Recording *Recording
}

// Lab holds chips: the engines that run them, the memory of the live ones and
// the images of all. Its methods may be called by any goroutine.
type Lab struct {
	engine *pool
	slots  *slots
	cache  *Cache
	built  built
	warn   func(string)
	record *Recording

	commands atomic.Uint64
	nanos    atomic.Int64
	mu       sync.Mutex
	eks      map[[sha256.Size]byte]struct{}
}

// Stats is what a lab has done so far.
type Stats struct {
	Commands      uint64         // TPM commands run, those of image building included
	EngineSeconds float64        // CPU time that engines took for them
	DistinctEKs   int            // endorsement keys among the chips that were dealt
	ImagesMade    map[string]int // by model
	Engines       int            // started, the one in this process included
	EnginesLost   int            // processes that died or were stuck, and were replaced
	Waiting       int            // commands that wait for an engine now
}

// Open makes a lab. It blocks while something else in the process holds
// go-tpm-tools' simulator.
func Open(o Options) (*Lab, error) {
	if o.Engines < 0 || o.EngineLimit < 0 {
		return nil, fmt.Errorf("vtpm: %d engines with %v a command", o.Engines, o.EngineLimit)
	}
	if o.Engines == 0 {
		o.Engines = runtime.GOMAXPROCS(0)
	}
	cache, err := OpenCache(o.CacheDir)
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
	var warning sync.Mutex
	warn := func(message string) {
		warning.Lock()
		defer warning.Unlock()
		if o.Warn != nil {
			o.Warn(message)
		}
	}
	engines, err := newPool(e, slots, o.Engines, o.EngineLimit, warn)
	if err != nil {
		return nil, errors.Join(err, e.close(), slots.close())
	}
	return &Lab{engine: engines, slots: slots, cache: cache, warn: warn, record: o.Recording, eks: make(map[[sha256.Size]byte]struct{})}, nil
}

// Close ends the engines and releases the memory of all chips, which must not be
// used any more.
func (l *Lab) Close() error { return errors.Join(l.engine.close(), l.slots.close()) }

// Stats returns the figures so far.
func (l *Lab) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	started, lost, waiting := l.engine.counts()
	return Stats{
		Commands:      l.commands.Load(),
		EngineSeconds: time.Duration(l.nanos.Load()).Seconds(),
		DistinctEKs:   len(l.eks),
		ImagesMade:    l.built.counts(),
		Engines:       started,
		EnginesLost:   lost,
		Waiting:       waiting,
	}
}

// EnginePIDs lists the processes that are engines now, for operators to look at
// and for tests to kill. The first engine, in this process, is not among them;
// the others come when callers have had to wait for engines for a while.
func (l *Lab) EnginePIDs() []int { return l.engine.pids() }

// VendorCA is [VendorCA].
func (l *Lab) VendorCA(model string) (*pki.CA, error) { return VendorCA(model) }

// Slot is a live chip as an engine sees it: where its state is, and the
// entropy and time of the next command.
type Slot struct {
	Index   int
	Entropy [32]byte
	Millis  uint64 // virtual time since the chip got power
	Dies    bool   // the first engine to do it dies at it
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
	return l.operate(ctx, opCommand, slot, command)
}

func (l *Lab) operate(ctx context.Context, op operation, slot Slot, command []byte) ([]byte, error) {
	state, err := l.slots.at(slot.Index)
	if err != nil {
		return nil, err
	}
	if op == opReset {
		l.record.power(slot.Index, state)
	}
	response, took, err := l.engine.run(ctx, &request{
		op: op, slot: slot.Index, state: state, command: command, entropy: slot.Entropy, millis: slot.Millis, dies: slot.Dies,
	})
	l.nanos.Add(int64(took))
	if op == opCommand {
		l.record.command(slot.Index, command, response)
	}
	return response, err
}

// Deal hands out a chip without power, as it left the factory. What it draws at
// random from now on follows from the run's seed. An image that is not in the
// cache is made first, so that a cold chip and a warm one are the same.
func (l *Lab) Deal(clock vclock.Clock, id ChipID, run vclock.Seed, options ...DealOption) (*Chip, error) {
	model, err := id.model()
	if err != nil {
		return nil, err
	}
	var d deal
	for _, option := range options {
		option(&d)
	}
	if err := d.state.check(model); err != nil {
		return nil, err
	}
	img, err := l.image(id)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.eks[sha256.Sum256(img.ek)] = struct{}{}
	l.mu.Unlock()
	c := newChip(l, clock, id, model, run, img)
	c.state = d.state
	if err := l.bring(c, img, d); err != nil {
		return nil, err
	}
	return c, nil
}
