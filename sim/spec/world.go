package spec

import (
	"context"
	_ "embed"
	"errors"
	"hash/fnv"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

//go:embed standard.yaml
var standard []byte

// World is a world that belongs to one spec, with what the spec did with it.
type World struct {
	*sim.World
	scenario   *scenario.Scenario // that it was made of
	faults     []fault.Rule
	kept       *kept // nil: nobody wants it
	home       vnet.Home
	number     int         // among those of the spec, from 1
	seed       vclock.Seed // that the spec was given; a variant's own is World.Seed
	admin      *sim.Administrator
	made       map[*device.PC]making
	registered map[*device.PC]bool
	record     *journal.Memory // of all events; the world's own timeline forgets
	happening  *happening
	ctx        context.Context // of the node that runs; its end ends a step
}

// NewWorld makes a world of its own for the running spec: the standard tenant,
// the sites bench, office and home, no PCs. It ends with the spec. Options of the
// spec and of the containers around it come first.
func NewWorld(options ...Option) *World {
	ginkgo.GinkgoHelper()
	w := newWorld(options...)
	w.number = numbered.next()
	ginkgo.DeferCleanup(func() {
		if ginkgo.CurrentSpecReport().Failed() {
			w.explain()
		}
		gomega.Expect(w.Close()).To(gomega.Succeed())
	})
	return w
}

// numbered counts the worlds of the running spec, each time that it runs.
var numbered numbering

type numbering struct {
	of string
	n  int
}

func (c *numbering) next() int {
	r := ginkgo.CurrentSpecReport()
	if of := r.FullText() + r.StartTime.String(); of != c.of {
		*c = numbering{of: of}
	}
	c.n++
	return c.n
}

// newWorld makes a world that its caller has to close.
func newWorld(options ...Option) *World {
	ginkgo.GinkgoHelper()
	seed := specSeed()
	set := &setup{seed: seed, timing: map[string]any{}}
	for _, o := range slices.Concat(planted().options, options) {
		o(set)
	}
	s := set.load()
	profile := timing.Default()
	gomega.Expect(profile.Override(set.timing)).To(gomega.Succeed())
	chips, err := lab()
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	record, now := journal.NewMemory(0), &happening{}
	sinks := []journal.Sink{record, journal.SinkFunc(now.hear)}
	var all *kept
	if os.Getenv(OutVariable) != "" {
		all = &kept{}
		sinks = append(sinks, all)
	}
	made, err := sim.NewWorld(sim.Options{
		Tenant: s.Tenant, Start: set.start, Seed: set.seed, Timing: profile, Faults: set.faults, Home: set.home, Lab: chips,
		Attestation: set.attestation, Sinks: sinks,
	})
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	for _, site := range s.Sites {
		gomega.Expect(made.AddSite(site.Config(nil))).To(gomega.Succeed())
	}
	if h := sim.HybridOf(s); h != nil {
		gomega.Expect(made.AddDomain(*h)).To(gomega.Succeed())
	}
	w := &World{World: made, scenario: s, faults: set.faults, kept: all, home: set.home, seed: seed, made: map[*device.PC]making{}, registered: map[*device.PC]bool{}, record: record, happening: now, ctx: context.Background()}
	w.admin = made.Administrator()
	return w
}

// load reads the standard scenario with what the options add to it. The list of
// apps is the last of the file.
func (s *setup) load() *scenario.Scenario {
	ginkgo.GinkgoHelper()
	text := s.keys + insert(string(standard), s.more)
	for line := range strings.Lines(s.apps) {
		text += "    " + line
	}
	loaded, problems := scenario.Load("standard.yaml", []byte(text), scenario.Options{Strict: true})
	gomega.Expect(problems).To(gomega.BeEmpty())
	for _, change := range s.changes {
		change(&loaded.Tenant)
	}
	for _, change := range s.whole {
		change(loaded)
	}
	return loaded
}

// specSeed is the running spec's: that of a range, the environment's, or one
// that follows from the spec's text, so that it is the same whatever else runs,
// and in what order.
func specSeed() vclock.Seed {
	if s := planted().seed; s != nil {
		return *s
	}
	if v := os.Getenv(SeedVariable); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		gomega.Expect(err).NotTo(gomega.HaveOccurred(), SeedVariable)
		return vclock.Seed(n)
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(ginkgo.CurrentSpecReport().FullText())) // a hash in memory does not fail
	return vclock.Seed(h.Sum32())
}

var (
	errThrough = errors.New("the spec's step is through")
	errTooLong = errors.New("the spec's step is not through after ten virtual years")
)

// horizon bounds a step of a spec: who waits longer waits for ever.
const horizon = 10 * 365 * 24 * time.Hour

// Do lets the world run until f is through. f is an actor: it may wait, and
// its failed assertions fail the spec. What f started goes on at the next step.
func (w *World) Do(f func(ctx context.Context)) {
	ginkgo.GinkgoHelper()
	run, stop := context.WithCancelCause(w.ctx)
	defer stop(nil)
	w.Clock.Go(context.Background(), "spec", func(ctx context.Context) {
		f(ctx)
		stop(errThrough)
	})
	err := w.Virtual().Run(run, w.Clock.Now().Add(horizon))
	var panicked *vclock.PanicError
	switch {
	case errors.Is(err, errThrough):
		return
	case errors.As(err, &panicked):
		if _, said := panicked.Value.(types.GinkgoError); said {
			panic(panicked.Value) // a failed assertion in f: what there is to say was said
		}
		ginkgo.Fail(panicked.Error())
	case err == nil:
		err = errTooLong
	}
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
}

// try is Do for a step that can fail. Verbs look at the error on the spec's own
// goroutine, so that a failure is reported at the line that called the verb.
func (w *World) try(f func(ctx context.Context) error) (err error) {
	ginkgo.GinkgoHelper()
	w.Do(func(ctx context.Context) { err = f(ctx) })
	return err
}

// Wait lets time pass.
func (w *World) Wait(d time.Duration) {
	ginkgo.GinkgoHelper()
	gomega.Expect(w.try(func(ctx context.Context) error { return w.Clock.Sleep(ctx, d, "the spec waits") })).To(gomega.Succeed())
}

// WaitUntil lets time pass until a moment.
func (w *World) WaitUntil(t time.Time) {
	ginkgo.GinkgoHelper()
	w.Wait(t.Sub(w.Clock.Now()))
}
