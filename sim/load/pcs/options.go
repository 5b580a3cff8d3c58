package pcs

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
)

// Scopes are what an arrival can be; see the package's comment.
const (
	Activation = "activation"
	AIK        = "aik"
	Join       = "join"
	Enrolment  = "enrolment"
	Technician = "technician"
	Life       = "life"
)

// Misbehaviours of a PC in scope aik.
const (
	// WrongEK shows another TPM's EK certificate and, since it cannot recover the
	// secret, guesses one.
	WrongEK = "wrongEK"
	// Replay sends its answer a second time, after the certificate has come.
	Replay = "replay"
	// SlowReader reads answers byte by byte.
	SlowReader = "slowReader"
	// Dropped breaks off between challenge and answer: its link goes down.
	Dropped = "dropped"
)

// Misbehaviours lists them all.
func Misbehaviours() []string { return []string{WrongEK, Replay, SlowReader, Dropped} }

// Scopes lists all scopes, in the order in which a PC goes through them.
func Scopes() []string { return []string{Activation, AIK, Join, Enrolment, Technician, Life} }

// Target connects a world to services that are not its own.
type Target interface {
	Connect(w *sim.World) error
}

// Options are what a pool is made from. Scenario, Lab and Scopes are needed.
type Options struct {
	Scenario *scenario.Scenario // its tenant, its sites, and of its fleet as many PCs as Devices says
	Lab      *vtpm.Lab
	Target   Target       // nil: the world's own services, called directly
	Clock    *vclock.Wall // nil: one that shows real time
	Web      *pki.CA      // signs the certificates of the world's own services; nil: the one of every virtual world
	// Registered: the target knows the PCs already, and nobody imports them.
	Registered bool
	// Scopes are what arrivals will be, with the share of PCs that each gets; a
	// share of 0 is 1.
	Scopes map[string]float64
	// Devices is how many PCs there are; 0: as many as the scenario's fleet.
	Devices int
	// Links keeps latency, bandwidth and loss of the scenario's sites, so that every
	// exchange takes a network's time as well. Without it what is measured is the
	// services alone. Firewalls and proxies are there either way.
	Links bool
	// SlowPause is how long a slow reader waits before each byte; 0: a millisecond.
	SlowPause time.Duration
	// Progress is told how far the making is, stage by stage ("TPM images",
	// "registration", "preparation"), one call at a time; nil: nobody is.
	Progress func(stage string, done, total int)
}

func (o *Options) check() error {
	if o.Scenario == nil || o.Lab == nil || len(o.Scopes) == 0 {
		return errors.New("load: a pool of PCs needs a scenario, a lab and scopes")
	}
	for name := range o.Scopes {
		if !slices.Contains(Scopes(), name) {
			return fmt.Errorf("load: there is no scope %q; there are %s", name, strings.Join(Scopes(), ", "))
		}
	}
	if n := o.count(); n < len(o.Scopes) {
		return fmt.Errorf("load: %d PCs for %d scopes", n, len(o.Scopes))
	}
	return nil
}

func (o *Options) count() int {
	if o.Devices > 0 {
		return o.Devices
	}
	return o.Scenario.Fleet.Count()
}

// scaled is the scenario with as many PCs, in one world.
func (o *Options) scaled() (*scenario.Scenario, error) {
	s, problems := o.Scenario.Resolve(scenario.Flags{Devices: o.Devices, Cells: 1})
	if len(problems) > 0 {
		return nil, fmt.Errorf("load: %w", problems.Err())
	}
	if o.Links {
		return s, nil
	}
	unshaped := *s
	unshaped.Sites = slices.Clone(s.Sites)
	for i := range unshaped.Sites {
		site := &unshaped.Sites[i]
		site.Latency, site.Bandwidth, site.Upload, site.Loss = 0, 0, 0, 0
	}
	return &unshaped, nil
}

// shares deals n PCs to the scopes, in their order, each at least one.
func (o *Options) shares(n int) map[string]int {
	names := slices.Sorted(maps.Keys(o.Scopes))
	sum, dealt := 0.0, map[string]int{}
	weight := func(name string) float64 {
		if w := o.Scopes[name]; w > 0 {
			return w
		}
		return 1
	}
	for _, name := range names {
		sum += weight(name)
	}
	left := n - len(names)
	var due, given float64
	for _, name := range names {
		due += float64(left) * weight(name) / sum
		more := int(due - given + 0.5)
		given += float64(more)
		dealt[name] = 1 + more
	}
	return dealt
}
