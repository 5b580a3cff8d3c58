package vclock_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/vclock"
)

// op is one step of a random actor.
type op struct {
	kind string
	on   int           // which shared thing
	d    time.Duration // how long, mostly so short that actors meet
	kid  []op
}

var kinds = []string{"sleep", "yield", "offload", "wait", "signal", "broadcast", "put", "get", "work", "scope", "cancel", "go", "after"}

func genOps(depth int) *rapid.Generator[[]op] {
	one := rapid.Custom(func(t *rapid.T) op {
		o := op{
			kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
			on:   rapid.IntRange(0, 1).Draw(t, "on"),
			d:    time.Duration(rapid.IntRange(0, 3).Draw(t, "d")) * time.Second,
		}
		if depth > 0 && (o.kind == "scope" || o.kind == "go" || o.kind == "after") {
			o.kid = genOps(depth-1).Draw(t, "kid")
		}
		return o
	})
	return rapid.SliceOfN(one, 1, 6)
}

// play is one run of a random program.
type play struct {
	*vclock.Virtual
	conds   [2]vclock.Cond
	sems    [2]vclock.Semaphore
	queues  [2]*vclock.Queue[string]
	cancels [2][]context.CancelCauseFunc
	trace   []string
}

func run(program [][]op, seed vclock.Seed) []string {
	p := &play{Virtual: vclock.NewVirtual(vclock.Options{Seed: seed, Workers: 3})}
	defer p.Stop()
	for i := range 2 {
		p.conds[i], p.sems[i] = p.NewCond("c"), p.NewSemaphore("s", 1)
		p.queues[i] = vclock.NewQueue[string](p, "q", i)
	}
	for i, ops := range program {
		name := fmt.Sprintf("a%d", i)
		p.Go(context.Background(), name, func(ctx context.Context) { p.act(ctx, name, ops) })
	}
	err := p.Run(context.Background(), time.Time{})
	return append(p.trace, fmt.Sprintf("end %v %+v", err, p.Stats()))
}

func (p *play) act(ctx context.Context, name string, ops []op) {
	for i, o := range ops {
		err := p.do(ctx, fmt.Sprintf("%s.%d", name, i), o)
		p.trace = append(p.trace, fmt.Sprintf("%s %s %d %s: %v", p.Now().Format(time.TimeOnly), name, i, o.kind, err))
	}
}

func (p *play) do(ctx context.Context, name string, o op) error {
	short, done := p.WithTimeout(ctx, o.d, nil)
	defer done()
	switch o.kind {
	case "sleep":
		return p.Sleep(ctx, o.d, name)
	case "yield":
		return p.Sleep(ctx, 0, name)
	case "offload":
		n := 0
		err := p.Offload(short, o.d, name, func() {
			for range int(o.d / time.Second) {
				runtime.Gosched()
			}
			n++
		})
		return fmt.Errorf("%d %w", n, err)
	case "wait":
		return p.conds[o.on].Wait(short)
	case "signal":
		p.conds[o.on].Signal()
	case "broadcast":
		p.conds[o.on].Broadcast()
	case "put":
		return p.queues[o.on].Put(short, name)
	case "get":
		v, err := p.queues[o.on].Get(short)
		return fmt.Errorf("%s %w", v, err)
	case "work":
		if err := p.sems[o.on].Acquire(short, 1); err != nil {
			return err
		}
		defer p.sems[o.on].Release(1)
		return p.Sleep(ctx, o.d, name)
	case "scope":
		scope, cancel := p.WithCancel(ctx)
		p.cancels[o.on] = append(p.cancels[o.on], cancel)
		p.act(scope, name, o.kid)
	case "cancel":
		for _, cancel := range p.cancels[o.on] {
			cancel(errPower)
		}
	case "go":
		p.Go(ctx, name, func(ctx context.Context) { p.act(ctx, name, o.kid) })
	case "after":
		p.AfterFunc(ctx, o.d, name, func(ctx context.Context) { p.act(ctx, name, o.kid) })
	}
	return nil
}

func TestSameSeedSameTrace(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	rapid.Check(t, func(t *rapid.T) {
		program := rapid.SliceOfN(genOps(2), 2, 8).Draw(t, "program")
		seed := vclock.Seed(rapid.Uint64().Draw(t, "seed"))
		var first []string
		for i, procs := range []int{1, 2, 8, 8, 1} {
			runtime.GOMAXPROCS(procs)
			trace := run(program, seed)
			if i == 0 {
				first = trace
			}
			if !slices.Equal(trace, first) {
				t.Fatalf("run %d at GOMAXPROCS=%d:\n%s\ninstead of\n%s", i, procs, strings.Join(trace, "\n"), strings.Join(first, "\n"))
			}
		}
	})
}

func TestSeedsExploreOrders(t *testing.T) {
	g := gomega.NewWithT(t)
	order := func(seed vclock.Seed) string {
		l := newLab(t, vclock.Options{Seed: seed})
		for _, name := range []string{"a", "b", "c", "d"} {
			l.Go(t.Context(), name, func(ctx context.Context) {
				_ = l.Sleep(ctx, time.Hour, "nap")
				l.said = append(l.said, name)
			})
		}
		l.Expect(l.drive()).To(gomega.Succeed())
		return strings.Join(l.said, "")
	}
	seen := map[string]bool{}
	for seed := range vclock.Seed(500) {
		seen[order(seed)] = true
	}
	g.Expect(seen).To(gomega.HaveLen(24), "all permutations of four")
}
