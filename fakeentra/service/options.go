package service

import (
	"context"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

// Options are what a surface needs from the world around it. The zero value
// works: real time, the default timing profile, an empty store, no journal.
type Options struct {
	Clock   vclock.Clock
	Journal *journal.Journal // nil: nothing is recorded
	Timing  *timing.Profile  // nil: timing.Default()
	Seed    vclock.Seed
	DB      *store.DB // nil: one of its own

	// Now is the service's own time, which may differ from the clock's; nil
	// means Clock.Now. Tokens, tickets and certificates are checked by it.
	Now func() time.Time

	// Since dates the service's authorities and signing keys; zero: now. A
	// service that goes on with the state of an earlier process, and has that
	// one's Seed and Since, has its identity too.
	Since time.Time
	// Starts counts the processes that have served this state. From the second
	// on, identifiers and secrets are drawn from streams of their own, so that
	// none comes twice. What DB counts itself need not be told.
	Starts int
}

// WithDefaults fills what is nil.
func (o Options) WithDefaults() Options {
	if o.Clock == nil {
		o.Clock = vclock.NewWall()
	}
	if o.Timing == nil {
		o.Timing = timing.Default()
	}
	if o.DB == nil {
		o.DB = store.New()
	}
	if o.Now == nil {
		o.Now = o.Clock.Now
	}
	return o
}

// Core is a surface's name with its options. Surfaces embed one by value and
// call Init before each use.
type Core struct {
	Options
	name  string
	once  sync.Once
	count atomic.Uint64
}

// Init takes the options with their defaults and runs setup, both once.
func (c *Core) Init(name string, o Options, setup func()) {
	c.once.Do(func() {
		c.name = name
		c.Options = o.WithDefaults()
		c.Seed = c.Seed.Derive("fakeentra", name)
		setup()
	})
}

// NewID is the next GUID of this surface.
func (c *Core) NewID(kind string) string { return c.Seed.UUID(kind, c.next()) }

// NewSecret is 32 bytes that nobody can guess who does not know the seed.
func (c *Core) NewSecret(kind string) [32]byte {
	return c.Seed.Key(kind, c.next())
}

// Lasting is a secret of the service itself, the same in every process that
// goes on with its state.
func (c *Core) Lasting(kind string) [32]byte {
	c.count.Add(1) // it counts as the first of what is drawn
	return c.Seed.Key(kind, "1")
}

// Stream is a generator of its own for each call.
func (c *Core) Stream(kind string) *rand.Rand {
	return c.Seed.Stream(kind, c.next())
}

// next names what is drawn next. A count that begins anew with each process
// says which process it is of.
func (c *Core) next() string { return c.DB.Numbered(c.count.Add(1), c.Starts) }

// Born is when the service began to exist, by which its authorities and
// signing keys are dated.
func (c *Core) Born() time.Time {
	if !c.Since.IsZero() {
		return c.Since
	}
	return c.Now()
}

// ReaderFor is a stream of bytes that depends on the message it is for and on
// nothing else: what a device gets does not shift with who came before it.
func (c *Core) ReaderFor(kind string, message []byte) io.Reader {
	sum := sha256.Sum256(message)
	return c.Seed.Reader(kind, string(sum[:]))
}

// Record writes an event about the device whose request ctx belongs to.
func (c *Core) Record(ctx context.Context, kind string, fields ...journal.Field) {
	if c.Journal != nil {
		c.Journal.Record(vnet.DeviceOf(ctx), kind, fields...)
	}
}

// Refused writes that an operation was refused, by which check, and with the
// code that the caller sees.
func (c *Core) Refused(ctx context.Context, operation, check, code string) {
	c.Record(ctx, journal.Refused, journal.F("service", c.name), journal.F("operation", operation),
		journal.F("check", check), journal.F("code", code))
}
