package sim

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"windtunnel.test/fakead"
	"windtunnel.test/fakead/connect"
	"windtunnel.test/fakead/connector"
	"windtunnel.test/fakeentra"
	"windtunnel.test/fakeintune"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/diag"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/internet"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
)

// Options are what a world is made with. Tenant and Lab are needed.
type Options struct {
	Tenant scenario.Tenant
	Start  time.Time // zero: vclock.DefaultStart
	Seed   vclock.Seed
	Timing *timing.Profile // nil: timing.Default()
	Faults []fault.Rule
	Home   vnet.Home
	Lab    *vtpm.Lab
	Sinks  []journal.Sink // take the events as they happen
	// Attestation is which TPMs the services believe; zero: every vendor's, but
	// for firmware that is known to be vulnerable.
	Attestation scenario.Attestation

	// Clock is the world's time; nil: virtual time from Start. On a Wall clock
	// everything is really concurrent, and Start has no meaning.
	Clock vclock.Clock
	// Web signs the services' certificates on the world's own network; nil: the
	// authority that every virtual world has.
	Web *pki.CA
	// State is where the services keep their rows; nil: memory. A tenant that it
	// has already is not loaded again.
	State *store.DB
	// Since dates the services' authorities and keys, and Starts counts the
	// processes that have served State: see the services' own options.
	Since  time.Time
	Starts int
	// Pace is the timing of PCs and people where it is another than that of the
	// services; nil: Timing.
	Pace *timing.Profile
	// Haste is how much faster than the clock the long waits pass that no
	// protocol hangs on: PCs on their way and on the shelf, people's days at work,
	// installers. 0 is 1. What Windows' token broker keeps ages by the whole of a
	// wait; certificates, which others date too, by what it takes.
	Haste float64
	// Keep is how many events of each PC the world remembers, for its timeline
	// and its logs; 0 is 4,000.
	Keep int
	// Quiet keeps no journal: nothing is remembered, hashed or given to sinks. It
	// is for loads, in which thousands of PCs would wait for one another's events.
	Quiet bool
	// Exchanged is told of every HTTP exchange of PCs and people; nil: nobody is.
	Exchanged func(vnet.Exchange)
	// Program is what a PC boots, by its name; nil, or of nil: Windows' setup.
	Program func(name string) device.Program
	// Watch hears of every event of a PC, by names; nil: nobody does. It must not
	// wait.
	Watch func(device, kind string)
	// Remains takes each PC as it is when its story is through, and nil nobody.
	// Cells that run side by side call it at the same time.
	Remains func(diag.Source)
	// Saved takes the files that people save from PCs to a removable drive, by
	// the PC's serial number; nil: nobody keeps them.
	Saved func(serial, name string, content []byte)
	// Ended looks at a PC when its story has ended, on the story's own actor and
	// before whoever gave up switches it off; nil: nobody does. It may wait, and
	// ask the services.
	Ended func(ctx context.Context, w *World, pc *device.PC, e End)
	// Hear hears of every event as it happens; nil: nobody does. The world is as
	// the event has left it and does not go on meanwhile: Hear may look at PCs,
	// and must neither wait, nor ask the services, nor journal.
	Hear func(w *World, e journal.Event)
}

// World is one cell: a clock, a network with its services and sites, PCs and
// people. In virtual time one actor runs at a time; see package vclock for what
// that means for code that waits. In wall time its methods may be called by any
// goroutine.
type World struct {
	Clock   vclock.Clock
	Seed    vclock.Seed
	Timing  *timing.Profile
	Journal *journal.Journal
	Faults  *fault.Injector
	Network *vnet.Network
	Content *internet.Content
	Entra   *fakeentra.Entra
	Intune  *fakeintune.Server
	Lab     *vtpm.Lab
	PCs     []*device.PC
	Sites   map[string]*vnet.Site
	// Forest is the domain's, nil where there is no domain or another serves it.
	Forest     *fakead.Forest
	Connectors []*connector.Connector
	Connect    *connect.Connect // directory synchronisation; nil: there is none
	Timeline   *journal.Memory  // the last events of each device
	Tenant     scenario.Tenant

	attestation scenario.Attestation
	ekHosts     map[string]*internet.EKHost // of firmware TPMs' vendors

	administers Application             // the administrators', where it is not the usual one
	minds       map[string]*mind        // people's, by principal name
	hybrid      *Hybrid                 // nil: no domain
	prepared    *store.Table[time.Time] // what a kept state has been given
	siteNames   []string
	csv         scenario.HashFile // what people do to the file with the hashes
	others      []scenario.Other  // other organizations
	sockets     *fakead.Listeners // of a forest on real sockets
	faketime    sync.Once         // the first time that Samba could not be told the time

	options Options
	roots   *x509.CertPool
	through vclock.Cond // the stories that go on have become fewer

	mu      sync.Mutex // guards what follows, and PCs; never held across a clock call
	stories []*Story
	going   int               // stories that are not through, with the import before them
	checks  map[string]string // the last check that refused a device
	counts  map[string]int    // of events that the summary counts, by kind
	fired   map[string]bool   // names of fault rules
	phases  phases
	ends    []*End
	// problems are what administrators and the timeline could not do.
	problems []string
	// hearing hear every event; what they do must not wait.
	hearing []func(journal.Event)
}

// How many events of each PC a world remembers: all of an ordinary story, or
// what a fleet has room for.
const (
	keepEvents      = 4000
	keepFleetEvents = 400
)

// NewWorld makes a world with its tenant, without sites and PCs.
func NewWorld(o Options) (*World, error) {
	if o.Timing == nil {
		o.Timing = timing.Default()
	}
	if o.Pace == nil {
		o.Pace = o.Timing
	}
	if o.Clock == nil {
		o.Clock = vclock.NewVirtual(vclock.Options{Start: o.Start, Seed: o.Seed})
	}
	w := &World{
		Clock: o.Clock, Seed: o.Seed, Timing: o.Timing, Lab: o.Lab, options: o, through: o.Clock.NewCond("stories that go on"),
		Tenant: o.Tenant, attestation: o.Attestation, Sites: map[string]*vnet.Site{}, Timeline: journal.NewMemory(cmp.Or(o.Keep, keepEvents)), checks: map[string]string{}, counts: map[string]int{}, fired: map[string]bool{},
	}
	sinks := append([]journal.Sink{w.Timeline, journal.SinkFunc(w.observe)}, o.Sinks...)
	if !o.Quiet {
		w.Journal = journal.New(w.Clock, sinks...)
	}
	if err := fault.ValidateAll(o.Faults); err != nil {
		return nil, fmt.Errorf("world: %w", err)
	}
	w.Faults = fault.New(w.Seed.Derive("faults"), w.Journal, w.Clock.Now(), o.Faults)
	web := o.Web
	if web == nil {
		var err error
		if web, err = pki.NewRoot(w.Clock.Now(), 0, "Windtunnel Web Root", pki.Options{}); err != nil {
			return nil, fmt.Errorf("world: %w", err)
		}
	}
	stranger, err := pki.NewRoot(w.Clock.Now(), 0, "Windtunnel Stranger Root", pki.Options{})
	if err != nil {
		return nil, fmt.Errorf("world: %w", err)
	}
	w.Network = vnet.New(w.Clock, vnet.Options{Stranger: stranger, Home: o.Home, Seed: w.Seed.Derive("network"), Journal: w.Journal, Faults: w.Faults, WebRoot: web, Timing: w.Timing, Exchanged: o.Exchanged})
	if err := w.connectCloud(); err != nil {
		return nil, fmt.Errorf("world: %w", err)
	}
	if err := w.loadTenantOnce(o.Tenant); err != nil {
		return nil, fmt.Errorf("world: %w", err)
	}
	w.roots = x509.NewCertPool()
	w.roots.AddCert(web.Cert)
	w.roots.AddCert(w.Entra.AIK.Root())
	return w, nil
}

// observe keeps what the sums at the end need: who was refused by what.
func (w *World) observe(e journal.Event) {
	if w.options.Hear != nil {
		w.options.Hear(w, e)
	}
	w.mu.Lock()
	hearing := w.hearing
	w.mu.Unlock()
	for _, hear := range hearing {
		hear(e)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.Kind == "registration.failed" || e.Kind == "timeline.failed" || e.Kind == "domain.failed" {
		w.problems = append(w.problems, e.Kind+": "+e.Text("error"))
	}
	if e.Kind == fault.Fired || e.Kind == journal.Refused {
		w.counts[e.Kind]++
	}
	if e.Kind == fault.Fired {
		w.fired[e.Text("rule")] = true
	}
	if e.Kind != journal.Refused || e.Device == "" {
		return
	}
	w.checks[e.Device] = strings.TrimSpace(e.Text("service") + " " + e.Text("operation") + ": " + e.Text("check"))
}

// problem notes what could not be done.
func (w *World) problem(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, err.Error())
}

// AddSite puts a place on the network.
func (w *World) AddSite(c vnet.SiteConfig) error {
	s, err := w.Network.AddSite(c)
	if err != nil {
		return fmt.Errorf("world: %w", err)
	}
	w.Sites[c.Name] = s
	w.siteNames = append(w.siteNames, c.Name)
	return nil
}

// Virtual is the world's clock where it is in virtual time, otherwise nil.
func (w *World) Virtual() *vclock.Virtual {
	v, _ := w.Clock.(*vclock.Virtual)
	return v
}

// PC finds a PC by its name or serial number, nil where there is none.
func (w *World) PC(name string) *device.PC {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.PCs, func(pc *device.PC) bool { return pc.Name == name || pc.Hardware.Serial == name })
	if i < 0 {
		return nil
	}
	return w.PCs[i]
}

// Ends is how the PCs' stories have ended so far, in the order in which the PCs
// were added; Unfinished for those that go on.
func (w *World) Ends() []End {
	w.mu.Lock()
	defer w.mu.Unlock()
	ends := make([]End, len(w.ends))
	for i, e := range w.ends {
		ends[i] = *e
	}
	return ends
}

// Run lets the world live until everybody is through, at most until that
// moment; a zero until is a year. In wall time, where nothing stands still by
// itself, it waits until all stories that were started are through; services
// and whoever has no story go on until Close.
func (w *World) Run(ctx context.Context, until time.Time) error {
	if until.IsZero() {
		until = w.Clock.Now().AddDate(1, 0, 0)
	}
	if v := w.Virtual(); v != nil {
		return v.Run(ctx, until)
	}
	timed, cancel := w.Clock.WithTimeout(ctx, until.Sub(w.Clock.Now()), errUntil)
	defer cancel()
	err := w.through.Await(timed, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.going == 0
	})
	if errors.Is(err, errUntil) {
		return nil
	}
	return err
}

// errUntil ends a run in wall time at its moment.
var errUntil = errors.New("the run's time is over")

// Close ends every actor that is left. A world is of no use afterwards but for
// what it remembers.
func (w *World) Close() error {
	err := w.Journal.Close() // first: that actors are ended is nothing that happens in the world
	if c, ok := w.Clock.(interface{ Stop() }); ok {
		c.Stop()
	}
	w.Network.Close()
	if w.sockets != nil {
		err = errors.Join(err, w.sockets.Close())
	}
	return err
}

// Trust adds roots to what every PC's Windows trusts out of the box. It is for a
// world of which nothing runs yet.
func (w *World) Trust(roots ...*x509.Certificate) {
	for _, c := range roots {
		w.roots.AddCert(c)
	}
}

// trusted is what every PC's Windows trusts out of the box.
func (w *World) trusted() *x509.CertPool { return w.roots }
