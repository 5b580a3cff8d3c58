package sim

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel.test/fakeentra"
	"windtunnel.test/fakeintune"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/internet"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/scenario"
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
}

// World is one cell: a clock, a network with its services and sites, PCs and
// people. It is in virtual time; see package vclock for what that means for
// code that waits.
type World struct {
	Clock    *vclock.Virtual
	Seed     vclock.Seed
	Timing   *timing.Profile
	Journal  *journal.Journal
	Faults   *fault.Injector
	Network  *vnet.Network
	Content  *internet.Content
	Entra    *fakeentra.Entra
	Intune   *fakeintune.Server
	Lab      *vtpm.Lab
	PCs      []*device.PC
	Sites    map[string]*vnet.Site
	Timeline *journal.Memory // the last events of each device
	Tenant   scenario.Tenant

	attestation scenario.Attestation
	ekHosts     map[string]*internet.EKHost // of firmware TPMs' vendors

	roots   *x509.CertPool
	stories []*Story
	checks  map[string]string // the last check that refused a device
	counts  map[string]int    // of events that the summary counts, by kind
	phases  phases
	ends    []End
	// problems are what administrators and the timeline could not do.
	problems []string
	// listeners hear every event; what they do must not wait.
	listeners []func(journal.Event)
}

// keepEvents is how many events of each device a world remembers.
const keepEvents = 400

// NewWorld makes a world with its tenant, without sites and PCs.
func NewWorld(o Options) (*World, error) {
	if o.Timing == nil {
		o.Timing = timing.Default()
	}
	w := &World{
		Clock: vclock.NewVirtual(vclock.Options{Start: o.Start, Seed: o.Seed}), Seed: o.Seed, Timing: o.Timing, Lab: o.Lab,
		Tenant: o.Tenant, attestation: o.Attestation, Sites: map[string]*vnet.Site{}, Timeline: journal.NewMemory(keepEvents), checks: map[string]string{}, counts: map[string]int{},
	}
	sinks := append([]journal.Sink{w.Timeline, journal.SinkFunc(w.observe)}, o.Sinks...)
	w.Journal = journal.New(w.Clock, sinks...)
	if err := fault.ValidateAll(o.Faults); err != nil {
		return nil, fmt.Errorf("world: %w", err)
	}
	w.Faults = fault.New(w.Seed.Derive("faults"), w.Journal, w.Clock.Now(), o.Faults)
	web, err := pki.NewRoot(w.Clock.Now(), 0, "Windtunnel Web Root", pki.Options{})
	if err != nil {
		return nil, fmt.Errorf("world: %w", err)
	}
	w.Network = vnet.New(w.Clock, vnet.Options{Home: o.Home, Seed: w.Seed.Derive("network"), Journal: w.Journal, Faults: w.Faults, WebRoot: web, Timing: w.Timing})
	if err := w.connectCloud(); err != nil {
		return nil, fmt.Errorf("world: %w", err)
	}
	if err := w.loadTenant(o.Tenant); err != nil {
		return nil, fmt.Errorf("world: %w", err)
	}
	w.roots = x509.NewCertPool()
	w.roots.AddCert(web.Cert)
	w.roots.AddCert(w.Entra.AIK.Root())
	return w, nil
}

// observe keeps what the sums at the end need: who was refused by what.
func (w *World) observe(e journal.Event) {
	for _, hear := range w.listeners {
		hear(e)
	}
	if e.Kind == "registration.failed" || e.Kind == "timeline.failed" {
		w.problems = append(w.problems, e.Kind+": "+e.Text("error"))
	}
	if e.Kind == fault.Fired || e.Kind == journal.Refused {
		w.counts[e.Kind]++
	}
	if e.Kind != journal.Refused || e.Device == "" {
		return
	}
	w.checks[e.Device] = strings.TrimSpace(e.Text("service") + " " + e.Text("operation") + ": " + e.Text("check"))
}

// AddSite puts a place on the network.
func (w *World) AddSite(c vnet.SiteConfig) error {
	s, err := w.Network.AddSite(c)
	if err != nil {
		return fmt.Errorf("world: %w", err)
	}
	w.Sites[c.Name] = s
	return nil
}

// PC finds a PC by its name or serial number, nil where there is none.
func (w *World) PC(name string) *device.PC {
	i := slices.IndexFunc(w.PCs, func(pc *device.PC) bool { return pc.Name == name || pc.Hardware.Serial == name })
	if i < 0 {
		return nil
	}
	return w.PCs[i]
}

// Run lets the world live until everybody is through, at most until that
// moment; a zero until is a year.
func (w *World) Run(ctx context.Context, until time.Time) error {
	if until.IsZero() {
		until = w.Clock.Now().AddDate(1, 0, 0)
	}
	return w.Clock.Run(ctx, until)
}

// Close ends every actor that is left. A world is of no use afterwards but for
// what it remembers.
func (w *World) Close() error {
	err := w.Journal.Close() // first: that actors are ended is nothing that happens in the world
	w.Clock.Stop()
	w.Network.Close()
	return err
}

// trusted is what every PC's Windows trusts out of the box.
func (w *World) trusted() *x509.CertPool { return w.roots }
