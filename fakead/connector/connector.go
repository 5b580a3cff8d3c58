package connector

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	wire "windtunnel.test/sim/wire/connector"
)

// Options describe a connector and the server that it is on.
type Options struct {
	Clock   vclock.Clock
	Journal *journal.Journal // nil: nothing is recorded
	Timing  *timing.Profile  // nil: timing.Default()
	Seed    vclock.Seed
	Net     *vnet.NIC // the server's; needs the domain's name servers and the internet

	Name    string // of the server
	Domain  string // DNS name of the one domain that it serves
	Site    string // that the server is in; "": not known, the first controller that answers
	Version string // "": the newest
	// OUs are the values of OrganizationalUnitsUsedForOfflineDomainJoin, as DNs;
	// where there are none only the Computers container is used.
	OUs []string
	// Account is the connector's managed service account, "msaODJ12345$" or with
	// any other name, in the directory beforehand, with its password.
	Account, Password string
	// Token gives the access token for Graph of the Intune administrator who signs
	// in at setup; nil: nobody does.
	Token func(ctx context.Context) (string, error)

	// NoLogOnAsService: the server's policy does not let the account log on as a
	// service.
	NoLogOnAsService bool
	// PrivilegesPending: group policy has not brought the account's privileges to
	// the server yet.
	PrivilegesPending bool
	// SkipPrivilegeCheck is the setting SkipByoMsaPrivilegeCheck.
	SkipPrivilegeCheck bool
	// NoModernTLS: the server's Schannel settings leave no protocol and key
	// exchange that Intune takes.
	NoModernTLS bool

	Now func() time.Time // the server's own clock; nil: the right one
}

func (o Options) withDefaults() Options {
	if o.Timing == nil {
		o.Timing = timing.Default()
	}
	if o.Version == "" {
		o.Version = wire.Newest.String()
	}
	if o.Now == nil {
		o.Now = o.Clock.Now
	}
	o.Domain = strings.ToLower(o.Domain)
	o.Seed = o.Seed.Derive("connector", o.Name)
	return o
}

// Connector is one. Its methods may be called by any actor.
type Connector struct {
	o       Options
	version wire.Version
	random  func(n int) []byte
	changed vclock.Cond // running or stopped

	key   *ecdsa.PrivateKey
	draws *rand.Rand // Run's own

	mu      sync.Mutex
	stopped bool
	stop    context.CancelCauseFunc // of the service's life; nil while it has none
	state   Status
	cert    *x509.Certificate // nil until it is enrolled
}

// Status is what an administrator sees of a connector.
type Status struct {
	Running   bool
	ID        string // Intune's, "" until it is enrolled
	LastPoll  time.Time
	Joins     int // computer accounts made
	Failures  int
	Memory    int // bytes
	LastError string
}

var errIncomplete = errors.New("a connector needs a clock, a network card, a name, a domain and an account")

// New makes a connector that does nothing until [Connector.Run].
func New(o Options) (*Connector, error) {
	if o.Clock == nil || o.Net == nil || o.Name == "" || o.Domain == "" || o.Account == "" {
		return nil, fmt.Errorf("connector %q: %w", o.Name, errIncomplete)
	}
	o = o.withDefaults()
	v, err := wire.ParseVersion(o.Version)
	if err != nil {
		return nil, fmt.Errorf("connector %q: %w", o.Name, err)
	}
	stream := o.Seed.Stream("random")
	c := &Connector{o: o, version: v, changed: o.Clock.NewCond("connector " + o.Name), key: pki.Key(o.Seed, "key"), draws: o.Seed.Stream("draws")}
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
func (c *Connector) Name() string { return c.o.Name }

// Status is how the connector is now.
func (c *Connector) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// errStopped is why what a connector was at has ended.
var errStopped = errors.New("the connector's service was stopped")

// Stop stops the service, as an administrator does, or the server with it:
// what it was at is left where it is.
func (c *Connector) Stop() { c.set(true, nil) }

// Start starts the service again. What it had in memory is gone.
func (c *Connector) Start() { c.set(false, nil) }

// Restart is Stop and Start, with a change of the server's configuration
// between them; nil changes nothing. What a new connector needs to be made
// of stays.
func (c *Connector) Restart(change func(o *Options)) { c.set(false, change) }

func (c *Connector) set(stopped bool, change func(o *Options)) {
	var stop context.CancelCauseFunc
	c.changed.Change(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.stopped, stop, c.stop = stopped, c.stop, nil
		if change != nil {
			o := c.o
			change(&o)
			if v, err := wire.ParseVersion(o.Version); err == nil {
				c.version = v
				c.o.Version = o.Version
			}
			c.o.OUs, c.o.Account, c.o.Password, c.o.Token = o.OUs, o.Account, o.Password, o.Token
			c.o.NoLogOnAsService, c.o.PrivilegesPending, c.o.SkipPrivilegeCheck, c.o.NoModernTLS = o.NoLogOnAsService, o.PrivilegesPending, o.SkipPrivilegeCheck, o.NoModernTLS
		}
	})
	if stop != nil {
		stop(errStopped)
	}
}

// configured is the configuration and version of this moment.
func (c *Connector) configured() (Options, wire.Version) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.o, c.version
}

// host is the server as a client of the domain.
func (c *Connector) host() adclient.Host {
	return adclient.Host{Net: c.o.Net, Clock: c.o.Clock, Now: c.o.Now, Random: c.random, Timing: c.o.Timing}
}
