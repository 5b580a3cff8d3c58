package fakead

import (
	"fmt"
	"time"

	"windtunnel.test/fakead/directory"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
)

// Options describe a forest. The zero value of each but Domain works; what
// they mean stands with [directory.Options].
type Options struct {
	Clock   vclock.Clock
	Journal *journal.Journal
	Timing  *timing.Profile
	Seed    vclock.Seed
	DB      *store.DB // nil: memory
	Since   time.Time
	Starts  int

	Domain                string // "corp.contoso.com"
	NetBIOS               string
	Controllers           []Controller
	Sites                 []Site
	Replication           time.Duration
	Policy                Policy
	MachineAccountQuota   *int // nil: the profile's
	AdministratorPassword string

	RequireTLS bool    // simple binds only over TLS, others only signed
	CA         *pki.CA // of the controllers' certificates; nil: one of the seed
}

// What a forest is made of, as [directory] knows it.
type (
	Controller = directory.Controller
	Site       = directory.Site
	Policy     = directory.Policy
	User       = directory.User
)

// Forest is a domain with its controllers. Its embedded [directory.Directory]
// has the administrator's methods: AddOU, AddUser, AddServiceAccount, Delegate,
// SetSCP, RemoveSCP.
type Forest struct {
	*directory.Directory
	o           Options
	ca          *pki.CA
	controllers []*controller
}

// New makes a forest, or goes on with the one that o.DB keeps.
func New(o Options) (*Forest, error) {
	if o.Clock == nil {
		o.Clock = vclock.NewWall()
	}
	if o.DB == nil {
		o.DB = store.New()
	}
	if o.Since.IsZero() {
		o.Since = o.Clock.Now()
	}
	d, err := directory.New(directory.Options{
		Domain: o.Domain, NetBIOS: o.NetBIOS, Controllers: o.Controllers, Sites: o.Sites, Replication: o.Replication, Policy: o.Policy,
		MachineAccountQuota: o.MachineAccountQuota, AdministratorPassword: o.AdministratorPassword,
		Clock: o.Clock, Journal: o.Journal, Timing: o.Timing, Seed: o.Seed, DB: o.DB, Since: o.Since, Starts: o.Starts,
	})
	if err != nil {
		return nil, fmt.Errorf("fakead: %w", err)
	}
	f := &Forest{Directory: d, o: o, ca: o.CA}
	if f.ca == nil {
		if f.ca, err = pki.NewRoot(o.Since, o.Seed.Derive("fakead"), d.NetBIOS()+" Enterprise CA", pki.Options{}); err != nil {
			return nil, fmt.Errorf("fakead: %w", err)
		}
	}
	for i, r := range d.Replicas() {
		f.controllers = append(f.controllers, &controller{f: f, index: i, replica: r})
	}
	return f, nil
}

// CA is the authority of the controllers' certificates.
func (f *Forest) CA() *pki.CA { return f.ca }
