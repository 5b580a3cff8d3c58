package walk

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/ending"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/invariant"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
)

// Options say what is walked.
type Options struct {
	Scenario *scenario.Scenario // its first PC goes the way; nothing of it is changed
	Lab      *vtpm.Lab
	Home     vnet.Home
	Kinds    []string // names of [Kinds]; none: all
	Parallel int      // worlds side by side; 0: as many as there are cores
	// Progress hears how many of the lives are through, from one goroutine at a
	// time; nil for nobody.
	Progress func(done, total int)
	// Every takes every so-manyeth life of the table alone, and Limit so many at
	// most, from its beginning; 0: all.
	Every, Limit int
	// Only has a part of the table lived through: "26" is an exchange's number,
	// "ztd.profile" its operation, "ztd.dds.microsoft.com ztd.profile (3)" its
	// name, each with or without "/503", the name of a kind; "": all.
	Only string
}

// life is a run of the one PC.
type life struct {
	ending.Verdict
	events []journal.Event
	end    time.Time
	fired  bool
	hash   string
}

// one is the scenario's first PC alone, in one world.
func one(s *scenario.Scenario) (*scenario.Scenario, string, error) {
	r, problems := s.Resolve(scenario.Flags{Devices: 1, Cells: 1})
	if err := problems.Err(); err != nil {
		return nil, "", err
	}
	all := r.Devices()
	if len(all) != 1 {
		return nil, "", fmt.Errorf("walk: the scenario cannot be run with one PC, it has %d", len(all))
	}
	r.Load = nil
	r.Expect = scenario.Expectations{}
	return r, all[0].Name, nil
}

// Run walks. An interrupt through ctx is not an error: the result holds what was
// done so far. An error is that the flow did not succeed without a fault, or that
// the options are unusable.
func Run(ctx context.Context, o Options) (*Result, error) {
	part, kinds, err := o.chosen()
	if err != nil {
		return nil, err
	}
	s, name, err := one(o.Scenario)
	if err != nil {
		return nil, err
	}
	r := &Result{Scenario: s.Name, Seed: uint64(s.Seed), Home: o.Home.String(), Device: name, Counts: map[string]int{}, Lives: []Life{}, scenario: s}
	clean, err := o.live(ctx, s, name, "")
	switch {
	case err != nil && ctx.Err() != nil:
		r.Interrupted = true
		return r, nil
	case err != nil:
		return nil, fmt.Errorf("walk: without a fault: %w", err)
	case clean.Outcome != sim.Desktop && clean.Outcome != sim.Resealed:
		return nil, fmt.Errorf("walk: the flow does not succeed without a fault: %s %s %s", clean.Outcome, clean.Code, clean.Why)
	}
	r.Exchanges = numbered(clean.events)
	plan := o.plan(r.Exchanges, kinds, part)
	if part != "" && len(plan) == 0 {
		return nil, fmt.Errorf("walk: no exchange of the flow's %d is called %q, and none that is fails so", len(r.Exchanges), o.Only)
	}
	lives := make([]*Life, len(plan))
	var (
		mu   sync.Mutex
		done int
	)
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(o.parallel())
	for i, c := range plan {
		group.Go(func() error {
			l, err := o.cell(gctx, s, name, c, clean)
			if gctx.Err() != nil {
				return nil
			}
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			lives[i] = l
			done++
			if o.Progress != nil {
				o.Progress(done, len(plan))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, l := range lives {
		if l != nil {
			r.Lives = append(r.Lives, *l)
			r.Counts[l.Outcome]++
		}
	}
	r.Interrupted = ctx.Err() != nil
	return r, nil
}

func (o Options) parallel() int {
	if o.Parallel > 0 {
		return o.Parallel
	}
	return runtime.GOMAXPROCS(0)
}

// cell is one cell of the table.
type cell struct {
	exchange Exchange
	kind     Kind
}

// chosen takes Only apart: which exchanges, and in which ways they fail.
func (o Options) chosen() (exchanges string, kinds []Kind, err error) {
	exchanges, names := o.Only, o.Kinds
	if i := strings.LastIndexByte(o.Only, '/'); i >= 0 {
		exchanges, names = o.Only[:i], []string{o.Only[i+1:]}
	}
	kinds, err = chosen(names)
	return exchanges, kinds, err
}

// plan is what is lived through, exchange by exchange.
func (o Options) plan(exchanges []Exchange, kinds []Kind, part string) (plan []cell) {
	n := 0
	for _, x := range exchanges {
		for _, k := range kinds {
			if x.Layer != k.Layer || !x.is(part) {
				continue
			}
			if n++; o.Every > 1 && (n-1)%o.Every != 0 {
				continue
			}
			plan = append(plan, cell{x, k})
		}
	}
	if o.Limit > 0 && len(plan) > o.Limit {
		plan = plan[:o.Limit]
	}
	return plan
}

// with is the scenario with one rule more, which comes before its own.
func with(s *scenario.Scenario, rule fault.Rule) *scenario.Scenario {
	c := *s
	c.Faults = append([]fault.Rule{rule}, s.Faults...)
	return &c
}

// cell lives through one.
func (o Options) cell(ctx context.Context, s *scenario.Scenario, name string, c cell, clean *life) (*Life, error) {
	rule := c.exchange.rule(name, c.kind)
	l, err := o.live(ctx, with(s, rule), name, clean.Outcome)
	if err != nil {
		return nil, err
	}
	if !l.fired && l.Outcome != Failure {
		l.Outcome, l.Why = Failure, "the exchange did not come up again: the flow is not the same up to there"
	}
	return &Life{
		Exchange: c.exchange, Fault: c.kind.Name, Outcome: l.Outcome, Screen: l.Screen, Code: l.Code, Why: l.Why,
		Seconds: l.end.Sub(s.Start).Seconds(), Longer: l.end.Sub(clean.end).Seconds(), TraceHash: l.hash, rule: rule,
	}, nil
}

// live runs the PC once. succeeded is how it ends where all goes well; "" is not
// to be judged.
func (o Options) live(ctx context.Context, s *scenario.Scenario, name, succeeded string) (*life, error) {
	l := &life{}
	ended := false
	var watched invariant.Watcher
	result, err := sim.Run(ctx, sim.RunOptions{
		Scenario: s, Lab: o.Lab, Home: o.Home, Parallel: 1, Hear: watched.Hear,
		Journal: journal.SinkFunc(func(e journal.Event) {
			if e.Device != name {
				return
			}
			if e.Kind == fault.Fired {
				l.fired = true
			}
			if succeeded == "" {
				l.events = append(l.events, e)
			}
		}),
		Ended: func(ctx context.Context, w *sim.World, pc *device.PC, e sim.End) {
			ended, l.end = true, w.Clock.Now()
			if succeeded == "" {
				l.Verdict = ending.Verdict{Outcome: e.Outcome, Code: e.Code, Why: e.Reason}
				return
			}
			l.Verdict = ending.Judge(ctx, w, pc, e, succeeded)
		},
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var (
		panicked *vclock.PanicError
		deadlock *vclock.DeadlockError
	)
	switch {
	case errors.As(err, &panicked):
		l.Verdict = ending.Verdict{Outcome: Failure, Why: fmt.Sprintf("panic of %s: %v", panicked.Actor, panicked.Value)}
	case errors.As(err, &deadlock):
		l.Verdict = ending.Verdict{Outcome: Failure, Why: fmt.Sprintf("hang: %v", deadlock)}
	case err != nil:
		return nil, err
	case !ended:
		l.Verdict = ending.Verdict{Outcome: Failure, Why: "hang: the story is not through at the end of the run"}
		l.end = result.End
	}
	if err := watched.Err(); err != nil && l.Outcome != Failure {
		l.Outcome, l.Why = Failure, err.Error()
	}
	if result != nil {
		l.hash = result.TraceHash
	}
	if l.end.IsZero() {
		l.end = s.Start
	}
	return l, nil
}
