package spec

import (
	"context"
	_ "embed"
	"errors"
	"hash/fnv"
	"os"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
)

// SeedVariable is the environment variable that sets every spec's seed.
const SeedVariable = "WINDTUNNEL_SEED"

//go:embed standard.yaml
var standard []byte

// World is a world that belongs to one spec, with what the spec did with it.
type World struct {
	*sim.World
	seed  vclock.Seed // that the spec was given; a variant's own is World.Seed
	admin *sim.Administrator
	made  map[*device.PC]making
}

// NewWorld makes a world of its own for the running spec: the standard tenant,
// the sites bench, office and home, no PCs. It ends with the spec.
func NewWorld(options ...Option) *World {
	GinkgoHelper()
	s, problems := scenario.Load("standard.yaml", standard, scenario.Options{Strict: true})
	Expect(problems).To(BeEmpty())
	seed := specSeed()
	set := &setup{scenario: s, seed: seed, timing: map[string]any{}}
	for _, o := range options {
		o(set)
	}
	profile := timing.Default()
	Expect(profile.Override(set.timing)).To(Succeed())
	chips, err := lab()
	Expect(err).NotTo(HaveOccurred())
	made, err := sim.NewWorld(sim.Options{
		Tenant: s.Tenant, Start: s.Start, Seed: set.seed, Timing: profile, Faults: set.faults, Home: set.home, Lab: chips,
	})
	Expect(err).NotTo(HaveOccurred())
	for _, site := range s.Sites {
		Expect(made.AddSite(site.Config(nil))).To(Succeed())
	}
	w := &World{World: made, seed: seed, made: map[*device.PC]making{}}
	w.admin = made.Administrator()
	DeferCleanup(func() {
		if CurrentSpecReport().Failed() {
			w.explain()
		}
		Expect(made.Close()).To(Succeed())
	})
	return w
}

// specSeed is the running spec's: the environment's, or one that follows from
// the spec's text, so that it is the same whatever else runs, and in what order.
func specSeed() vclock.Seed {
	if v := os.Getenv(SeedVariable); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		Expect(err).NotTo(HaveOccurred(), SeedVariable)
		return vclock.Seed(n)
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(CurrentSpecReport().FullText())) // a hash in memory does not fail
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
	GinkgoHelper()
	run, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	w.Clock.Go(context.Background(), "spec", func(ctx context.Context) {
		f(ctx)
		stop(errThrough)
	})
	err := w.Clock.Run(run, w.Clock.Now().Add(horizon))
	var panicked *vclock.PanicError
	switch {
	case errors.Is(err, errThrough):
		return
	case errors.As(err, &panicked) && CurrentSpecReport().Failed():
		panic(panicked.Value) // an assertion in f: it has said what there is to say
	case err == nil:
		err = errTooLong
	}
	Expect(err).NotTo(HaveOccurred())
}

// Wait lets time pass.
func (w *World) Wait(d time.Duration) {
	GinkgoHelper()
	w.Do(func(ctx context.Context) { Expect(w.Clock.Sleep(ctx, d, "the spec waits")).To(Succeed()) })
}

// WaitUntil lets time pass until a moment.
func (w *World) WaitUntil(t time.Time) {
	GinkgoHelper()
	w.Wait(t.Sub(w.Clock.Now()))
}
