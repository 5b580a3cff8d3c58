package connect

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/ldap"
)

// Options describe a server with Entra Connect.
type Options struct {
	Clock   vclock.Clock
	Journal *journal.Journal // nil: nothing is recorded
	Timing  *timing.Profile  // nil: timing.Default()
	Seed    vclock.Seed
	Net     *vnet.NIC // the server's; needs the domain's name servers and the internet

	Name   string // of the server; "": "entra-connect"
	Domain string // DNS name
	Site   string // that the server is in; "": not known
	// OUs are the containers whose objects are synchronised, as DNs; none: the
	// whole domain.
	OUs []string
	// Account reads the directory ("MSOL_...").
	Account, Password string

	TenantID string
	// CloudUser exports ("Sync_..."): it needs the role
	// "Directory Synchronization Accounts".
	CloudUser, CloudPassword string

	Cycle   time.Duration // 0: the timing profile's
	Staging bool          // imports, and exports nothing
	Stopped bool          // until Start

	Now func() time.Time // the server's own clock; nil: the right one
}

func (o Options) withDefaults() Options {
	if o.Timing == nil {
		o.Timing = timing.Default()
	}
	if o.Name == "" {
		o.Name = "entra-connect"
	}
	if o.Now == nil {
		o.Now = o.Clock.Now
	}
	if o.Cycle == 0 {
		o.Cycle = o.Timing.Hybrid.SyncCycle
	}
	o.Domain = strings.ToLower(o.Domain)
	o.Seed = o.Seed.Derive("connect", o.Name)
	return o
}

// Connect is one. Its methods may be called by any actor.
type Connect struct {
	o       Options
	scope   []ldap.DN // of OUs
	random  func(n int) []byte
	changed vclock.Cond

	// Of Run alone: what the last import left.
	source   string // the controller that usn is of
	usn      uint64 // its highestCommittedUSN
	exported map[string]string
	users    map[string]string
	imported bool // what Entra ID had at the start is in exported

	mu      sync.Mutex
	stopped bool
	asked   int // cycles that were asked for
	done    int // as many of them are over
	last    error
	stop    context.CancelCauseFunc
	state   Status
}

// Status is what an administrator sees.
type Status struct {
	Cycles    int       // that went through
	LastCycle time.Time // end of the last one that did
	Objects   int       // computers that Entra ID was told of
	LastError string    // of the last cycle; "" none
}

var errIncomplete = errors.New("a clock, a network card, a domain, an account in it, a tenant and an account in that are needed")

// New makes a server that does nothing until [Connect.Run].
func New(o Options) (*Connect, error) {
	if o.Clock == nil || o.Net == nil || o.Domain == "" || o.Account == "" || o.TenantID == "" || o.CloudUser == "" {
		return nil, fmt.Errorf("connect: %w", errIncomplete)
	}
	o = o.withDefaults()
	c := &Connect{o: o, stopped: o.Stopped, changed: o.Clock.NewCond("connect " + o.Name), exported: map[string]string{}, users: map[string]string{}}
	for _, ou := range o.OUs {
		dn, err := ldap.ParseDN(ou)
		if err != nil {
			return nil, fmt.Errorf("connect: %q: %w", ou, err)
		}
		c.scope = append(c.scope, dn)
	}
	stream := o.Seed.Stream("random")
	c.random = func(n int) []byte {
		c.mu.Lock()
		defer c.mu.Unlock()
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(stream.Uint32())
		}
		return b
	}
	return c, nil
}

// Name is the server's.
func (c *Connect) Name() string { return c.o.Name }

// Status is how it is now.
func (c *Connect) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

var (
	errStopped = errors.New("the synchronisation was stopped")
	errWanted  = errors.New("a cycle was asked for")
)

// Stop stops the scheduler, and the cycle under way.
func (c *Connect) Stop() { c.set(func() { c.stopped = true }, errStopped) }

// Start starts it again, with a cycle.
func (c *Connect) Start() { c.set(func() { c.stopped = false }, nil) }

// SyncNow asks for a delta cycle now (Start-ADSyncSyncCycle) and waits for its
// end. One that is under way is followed by another. The error is the cycle's,
// or that nothing runs that would make it.
func (c *Connect) SyncNow(ctx context.Context) error {
	var mine int
	c.set(func() {
		c.asked++
		mine = c.asked
	}, errWanted)
	var err error
	wait := c.changed.Await(ctx, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case c.done >= mine:
			err = c.last
		case c.stopped:
			err = errStopped
		default:
			return false
		}
		return true
	})
	return errors.Join(wait, err)
}

func (c *Connect) set(change func(), cause error) {
	var stop context.CancelCauseFunc
	c.changed.Change(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		change()
		if cause != nil {
			stop = c.stop
		}
	})
	if stop != nil {
		stop(cause)
	}
}

func (c *Connect) host() adclient.Host {
	return adclient.Host{Net: c.o.Net, Clock: c.o.Clock, Now: c.o.Now, Random: c.random, Timing: c.o.Timing, Name: c.o.Name}
}
