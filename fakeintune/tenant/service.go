package tenant

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

// Causes of errors.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists already")
	ErrInvalid  = errors.New("invalid")
	ErrConflict = errors.New("conflict")
)

// Options are what the service needs from the world around it.
type Options struct {
	Clock     vclock.Clock     // nil: wall time
	Journal   *journal.Journal // nil: nothing is recorded
	Timing    *timing.Profile  // nil: timing.Default()
	Seed      vclock.Seed
	DB        *store.DB // nil: one of its own
	Directory Directory // nil: an empty directory that takes every registration
	Tokens    Tokens    // nil: no token is good
	Tickets   Tickets   // nil: no ticket is good

	// Now is the service's own time; nil means Clock.Now.
	Now func() time.Time

	// Since dates the service's authorities; zero: now. A service that goes on
	// with the state of an earlier process, and has that one's Seed and Since,
	// has its identity too.
	Since time.Time
	// Starts counts the processes that have served this state. What DB counts
	// itself need not be told.
	Starts int
}

func (o Options) withDefaults() Options {
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
	if o.Directory == nil {
		o.Directory = noDirectory{}
	}
	if o.Tokens == nil {
		o.Tokens = noTokens{}
	}
	if o.Tickets == nil {
		o.Tickets = noTokens{}
	}
	o.Seed = o.Seed.Derive("fakeintune")
	return o
}

// Service is Intune with all its customers. It is safe for concurrent use.
type Service struct {
	Options
	tables
	joinBell joinBell
}

// New makes a service without customers.
func New(o Options) *Service {
	o = o.withDefaults()
	return &Service{Options: o, tables: newTables(o.DB), joinBell: joinBell{cond: o.Clock.NewCond("domain join requests")}}
}

// Tenant is one customer.
type Tenant struct {
	s      *Service
	ID     string
	Domain string // primary domain
}

// account is the stored row of a Tenant.
type account struct {
	ID, Domain string
	Since      time.Time // the service's own syncs are counted from here
	Counter    uint64    // of ids
	Sync       SyncState
}

// Add makes a customer. One that exists gets the domain.
func (s *Service) Add(id, domain string) (*Tenant, error) {
	id = strings.ToLower(id)
	if id == "" {
		return nil, fmt.Errorf("intune tenant: %w: no id", ErrInvalid)
	}
	err := s.DB.Update(func(tx *store.Tx) error {
		a, ok := s.accounts.Get(tx, id)
		if !ok {
			a = account{ID: id, Since: s.Now(), Sync: SyncState{Status: SyncUnknown}}
		}
		a.Domain = domain
		s.accounts.Put(tx, id, a)
		return nil
	})
	return &Tenant{s: s, ID: id, Domain: domain}, err
}

// Tenant finds a customer by tenant id.
func (s *Service) Tenant(id string) (*Tenant, error) {
	id = strings.ToLower(id)
	a, ok := read(s, s.accounts, id)
	if !ok {
		return nil, fmt.Errorf("intune tenant %q: %w", id, ErrNotFound)
	}
	return &Tenant{s: s, ID: a.ID, Domain: a.Domain}, nil
}

// Service is the one that the tenant is a customer of.
func (t *Tenant) Service() *Service { return t.s }

// Record writes an event about the device whose request ctx belongs to.
func (s *Service) Record(ctx context.Context, kind string, fields ...journal.Field) {
	s.Journal.Record(vnet.DeviceOf(ctx), kind, fields...)
}

// Refused writes that an operation of a surface was refused: by which check,
// and with the code that the caller sees.
func (s *Service) Refused(ctx context.Context, surface, operation, check, code string) {
	s.Record(ctx, journal.Refused, journal.F("service", "fakeintune/"+surface), journal.F("operation", operation),
		journal.F("check", check), journal.F("code", code))
}

// after runs f once d is over, for work that outlives the request that asked
// for it and that does not keep a run alive.
func (s *Service) after(ctx context.Context, d time.Duration, tag string, f func(ctx context.Context)) {
	s.Clock.AfterFunc(vclock.Daemon(vclock.Detach(ctx)), d, tag, f)
}

// draw takes a duration from the stream of what it is for.
func (s *Service) draw(r timing.Range, names ...string) time.Duration {
	return r.Draw(s.Seed.Stream(names...))
}

// NewID is the tenant's next GUID for a kind of object.
func (t *Tenant) NewID(kind string) (string, error) {
	var id string
	err := t.s.DB.Update(func(tx *store.Tx) error {
		var err error
		id, _, err = t.nextID(tx, kind)
		return err
	})
	return id, err
}

// nextID is NewID inside a transaction, with the number that it was made of.
func (t *Tenant) nextID(tx *store.Tx, kind string) (string, uint64, error) {
	a, ok := t.s.accounts.Get(tx, t.ID)
	if !ok {
		return "", 0, fmt.Errorf("intune tenant %q: %w", t.ID, ErrNotFound)
	}
	a.Counter++
	t.s.accounts.Put(tx, t.ID, a)
	// The count goes back with the rows when an older state is restored: what
	// secrets are made of must not.
	return t.s.Seed.UUID(kind, t.ID, t.s.DB.Numbered(a.Counter, 1)), a.Counter, nil
}

// key is a row's key: ids are only unique in their tenant, since an export can
// be pasted into two of them.
func (t *Tenant) key(id string) string { return t.ID + "/" + strings.ToLower(id) }
