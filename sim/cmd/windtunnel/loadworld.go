package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim"
	engine "windtunnel.test/sim/load"
	"windtunnel.test/sim/load/figure"
	fleetpool "windtunnel.test/sim/load/pcs"
	"windtunnel.test/sim/report"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
)

// loadWorld is what loads are done with: the PCs, the target, and who listens.
type loadWorld struct {
	f     *loadFlags
	s     *scenario.Scenario
	plan  engine.Plan
	text  []byte // of the scenario, resolved
	again string
	lab   *vtpm.Lab
	clock *vclock.Wall
	pool  *fleetpool.Pool
	aim   aim
	ears  ears
}

// open makes it all: the target first, because it can be wrong at once, then
// TPM images and PCs, with the progress that "run" shows.
func (f *loadFlags) open(sh *shell, s *scenario.Scenario) (_ *loadWorld, err error) {
	w := &loadWorld{f: f, s: s, clock: vclock.NewWall(), again: f.again(s)}
	if w.plan, err = engine.NewPlan(s.Load); err != nil {
		return nil, &inputError{err}
	}
	if w.text, err = forFolder(s); err != nil {
		return nil, err
	}
	if err := w.aim.find(f, s); err != nil {
		return nil, err
	}
	if f.out != "" {
		if err := createLoadDir(f.out); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	w.lab, err = vtpm.Open(vtpm.Options{CacheDir: f.tpmCache, Engines: f.engines, Warn: func(m string) { fmt.Fprintf(sh.err, "windtunnel: %s\n", m) }})
	if err != nil {
		return nil, err
	}
	if err := w.ears.listen(sh, f, s); err != nil {
		return nil, err
	}
	if err := w.aim.take(sh, s); err != nil {
		return nil, err
	}
	return w, w.makePCs(sh)
}

// makePCs makes the pool. A shortage is told before anything is made.
func (w *loadWorld) makePCs(sh *shell) error {
	show := newProgress(sh)
	defer show.end()
	last := ""
	o := fleetpool.Options{
		Scenario: w.s, Lab: w.lab, Clock: w.clock, Target: w.aim.pool(), Scopes: map[string]float64{}, Devices: w.s.LoadDevices(),
		Progress: func(stage string, done, total int) {
			show.update(sim.Progress{Stage: loadStages[stage], Done: done, Total: total})
			last = stage
		},
	}
	for i, name := range w.plan.Scopes {
		o.Scopes[name] = w.plan.Shares[i]
	}
	need, err := fleetpool.Needs(o)
	if err != nil {
		return err
	}
	if err := need.Shortage(); err != nil {
		return inputErrorf("load: %w", err)
	}
	if !sh.json {
		fmt.Fprintf(sh.err, "%s: %s, seed %d, against %s\n", w.s.Name, pcWord(w.s), uint64(w.s.Seed), w.aim.String())
		if need.Images > 0 {
			fmt.Fprintf(sh.err, "%s TPM images are made first, once\n", report.Count(need.Images))
		}
	}
	o.Registered = w.aim.at.Registered()
	sim.TuneForLoad(o.Devices)
	sim.SpareProcessor(runtime.GOMAXPROCS(0))
	if w.pool, err = fleetpool.New(sh.ctx, o); err != nil {
		if sh.ctx.Err() == nil {
			err = fmt.Errorf("%w (while: %s)", err, last)
		}
		return err
	}
	return w.rehearse(sh.ctx)
}

// rehearse has a PC of each scope go through once. A target that does not serve
// them is told of now, and not by a load of which nothing goes well; and so is a
// threshold on a step that PCs do not do.
func (w *loadWorld) rehearse(ctx context.Context) error {
	var steps []string
	for _, scope := range w.plan.Scopes {
		subject, err := w.pool.Take(ctx, scope, "")
		if err != nil {
			return fmt.Errorf("load: rehearsal of %s: %w", scope, err)
		}
		a := figure.Arrival{Scope: scope}
		err = subject.Do(ctx, &a)
		w.pool.Give(subject)
		if err != nil {
			return fmt.Errorf("load: rehearsal of %s: %w", scope, err)
		}
		switch {
		case !a.Outcome.OK() && w.aim.at == nil:
			return nil // what breaks here is the scenario's own doing, and to be measured
		case !a.Outcome.OK():
			return inputErrorf("load: %s does not serve scope %s: a first PC ends with %s: %s", w.aim.String(), scope, a.Outcome.Class(), a.Outcome.Error)
		}
		steps = append(steps, scope)
		for _, s := range a.Steps {
			steps = append(steps, s.Name)
		}
	}
	slices.Sort(steps)
	steps = slices.Compact(steps)
	for _, t := range w.plan.Thresholds {
		if step := t.Step(); step != "" && !slices.Contains(steps, step) {
			return inputErrorf("load: threshold %q: no PC does a step %q%s; there are %s", t.Expr, step, suggestion(step, steps, ""), strings.Join(steps, ", "))
		}
	}
	return nil
}

// loadStages are the pool's stages as the progress display knows them.
var loadStages = map[string]string{"TPM images": "tpm images", "registration": "registration", "preparation": "preparation"}

// settle waits until PCs that came are ready again, so that a load does not
// begin with fewer than the last one.
func (w *loadWorld) settle(ctx context.Context) {
	for range 600 {
		if w.pool.Restoring() == 0 || w.clock.Sleep(ctx, 50*time.Millisecond, "load: PCs are made ready again") != nil {
			return
		}
	}
}

// close takes down what open has made, the last first.
func (w *loadWorld) close() error {
	var errs []error
	if w.pool != nil {
		errs = append(errs, w.pool.Close())
	}
	errs = append(errs, w.aim.close(), w.ears.close())
	if w.lab != nil {
		errs = append(errs, w.lab.Close())
	}
	return errors.Join(errs...)
}

// forFolder is the scenario as the load's folder keeps it: without the secret of
// somebody's tenant, since a folder is sent on.
func forFolder(s *scenario.Scenario) ([]byte, error) {
	if t := s.Load.Target; t != nil && t.Secret != "" {
		kept, l, aim := *s, *s.Load, *t
		aim.Secret = ""
		l.Target, kept.Load = &aim, &l
		s = &kept
	}
	text, err := scenario.Marshal(s, "")
	if err != nil {
		return nil, fmt.Errorf("resolved scenario: %w", err)
	}
	return text, nil
}

// digest tells scenarios apart. What is loaded, and how often, is not in it:
// two targets are there to be compared.
func digest(s *scenario.Scenario) (string, error) {
	bare, l := *s, *s.Load
	l.Target, l.Repeats = nil, 0
	bare.Load = &l
	text, err := scenario.Marshal(&bare, "")
	if err != nil {
		return "", fmt.Errorf("resolved scenario: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
