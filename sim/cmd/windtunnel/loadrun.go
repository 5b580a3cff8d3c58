package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	engine "windtunnel.test/sim/load"
	"windtunnel.test/sim/load/arrival"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/load/limit"
	"windtunnel.test/sim/report"
)

// performed is a load that was done.
type performed struct {
	figure.Summary
	recorder *figure.Recorder
	seconds  []figure.Second
}

// do does the load once; dir is nil where nothing is kept.
func (w *loadWorld) do(sh *shell, plan engine.Plan, title string, dir *loadDir) (*performed, error) {
	w.settle(sh.ctx)
	recorder := figure.New(figure.Options{Begin: w.clock.Now()})
	show := newLoadShow(sh, title, plan.Scopes, plan.WarmUp+plan.Duration())
	done := &performed{recorder: recorder}
	var mu sync.Mutex
	var written error // the first that could not be
	before := w.aim.at.Use()
	outcome, err := engine.Run(sh.ctx, engine.Options{
		Clock: w.clock, Plan: plan, Source: w.pool, Recorder: recorder, Seed: w.s.Seed, Meter: engine.NewMeter(w.lab),
		Seconds: func(s figure.Second) {
			show.second(s)
			w.ears.second(s)
			mu.Lock()
			defer mu.Unlock()
			done.seconds = append(done.seconds, s)
			if err := dir.second(s); written == nil {
				written = err
			}
		},
		Arrivals: w.ears.arrival,
	})
	show.end()
	if err != nil {
		return nil, err
	}
	done.Summary = outcome.Summary
	err = w.label(done, before)
	if lost, why := w.pool.Lost(); lost > 0 && !sh.json {
		fmt.Fprintf(sh.err, "windtunnel: %s could not be made ready again, the first one: %v\n", pcs(lost), why)
	}
	return done, errors.Join(err, written)
}

// lateLag: where one arrival of a hundred is later than this, the load says more
// of the generator, also one too short for the engine to see a pattern in its
// seconds.
const lateLag = 50 * time.Millisecond

// label fills in what the engine does not know.
func (w *loadWorld) label(done *performed, before *figure.Process) (err error) {
	s := &done.Summary
	s.Name, s.Seed, s.Build, s.Target, s.Command = w.s.Name, uint64(w.s.Seed), build(), w.aim.String(), w.again
	s.Machine = thisMachine()
	s.Serving = w.aim.used(before)
	if late := time.Duration(s.Lag.P99) * time.Microsecond; s.Self.LimitedBy == "" && w.plan.Closed == nil && late > lateLag {
		s.Self.LimitedBy = fmt.Sprintf("one arrival of a hundred began more than %s late", figure.Micros(s.Lag.P99))
	}
	s.Scenario, err = digest(w.s)
	return err
}

// single is a load, its folder and its figures.
func (w *loadWorld) single(sh *shell) (int, error) {
	dir, err := w.dir(w.f.out, true)
	if err != nil {
		return 0, err
	}
	done, err := w.do(sh, w.plan, w.s.Name, dir)
	if err != nil {
		return 0, err
	}
	if err := dir.finish(done); err != nil {
		return 0, fmt.Errorf("output: %w", err)
	}
	return w.tell(sh, done, w.f.out, exitOf(sh.ctx, done))
}

// dir opens a folder of ours; nil where nothing is kept.
func (w *loadWorld) dir(path string, series bool) (*loadDir, error) {
	if path == "" {
		return nil, nil
	}
	return openLoadDir(path, w.text, w.again, series)
}

// tell prints what a load came to.
func (w *loadWorld) tell(sh *shell, done *performed, out string, exit int) (int, error) {
	if sh.json {
		b, err := done.JSON()
		if err == nil {
			_, err = sh.out.Write(b)
		}
		return exit, err
	}
	if err := writeLoad(sh.out, done.Summary); err != nil {
		return 0, err
	}
	return exit, w.places(sh.out, out)
}

// places says where things are, and how to do it again.
func (w *loadWorld) places(out io.Writer, dir string) (err error) {
	if dir != "" {
		_, err = fmt.Fprintf(out, "  %-14s %s\n  %-14s %s\n", "Folder", dir, "Report", filepath.Join(dir, reportName))
	}
	_, werr := fmt.Fprintf(out, "  %-14s %s\n", "Again", w.again)
	return errors.Join(err, werr)
}

// exitOf is what a load's end means for whoever called us.
func exitOf(ctx context.Context, done *performed) int {
	switch {
	case ctx.Err() != nil:
		return exitInterrupted
	case !done.Met():
		return exitMissed
	}
	return exitMet
}

// repeat does the load as often as asked, each in a folder of its own.
func (w *loadWorld) repeat(sh *shell) (exit int, err error) {
	if _, err := w.dir(w.f.out, false); err != nil {
		return 0, err
	}
	var all []figure.Summary
	for n := 1; n <= w.s.Load.Repeats && sh.ctx.Err() == nil; n++ {
		path := ""
		if w.f.out != "" {
			path = filepath.Join(w.f.out, "r"+strconv.Itoa(n))
		}
		dir, err := w.dir(path, true)
		if err != nil {
			return 0, err
		}
		done, err := w.do(sh, w.plan, fmt.Sprintf("%s, %d of %d", w.s.Name, n, w.s.Load.Repeats), dir)
		if err != nil {
			return 0, err
		}
		if err := dir.finish(done); err != nil {
			return 0, fmt.Errorf("output: %w", err)
		}
		all = append(all, done.Summary)
		exit = max(exit, exitOf(sh.ctx, done)) // 130 is above 1
	}
	if sh.json {
		return exit, sh.printJSON(map[string]any{"repeats": all})
	}
	for i, s := range all {
		fmt.Fprintf(sh.out, "Repeat %d of %d: ", i+1, w.s.Load.Repeats)
		if err := writeLoad(sh.out, s); err != nil {
			return 0, err
		}
		fmt.Fprintln(sh.out)
	}
	writeSpread(sh.out, all)
	if w.f.out != "" {
		fmt.Fprintf(sh.out, "  %-14s %s, %s in each of r1 to r%d\n", "Folder", w.f.out, reportName, len(all))
	}
	_, err = fmt.Fprintf(sh.out, "  %-14s %s\n", "Again", w.again)
	return exit, err
}

// trialLength is how long a trial of a search lasts where nothing is said.
const trialLength = 20 * time.Second

// findMax searches for the limit. What is kept is the last trial at the highest
// rate that was kept.
func (w *loadWorld) findMax(sh *shell) (int, error) {
	dir, err := w.dir(w.f.out, true)
	if err != nil {
		return 0, err
	}
	best := map[float64]*performed{} // by rate, of those that were kept
	var last *performed
	length := trialLength
	if w.f.length > 0 {
		length = w.f.length
	}
	if !sh.json {
		fmt.Fprintf(sh.err, "trials of %s at a constant rate; the first verdict of a miss comes from two\n", report.Duration(length))
	}
	r, err := limit.Search(sh.ctx, limit.Options{
		From: float64(w.f.rate), Steps: stepsOf(w.s.Load),
		Trial: func(_ context.Context, rate float64) (figure.Summary, error) {
			plan := w.plan
			plan.Closed, plan.Segments = nil, []arrival.Segment{{From: rate, To: rate, For: length}}
			done, err := w.do(sh, plan, w.s.Name+" at "+limit.Rate(rate), nil)
			if err != nil {
				return figure.Summary{}, err
			}
			if last = done; done.Met() && done.Self.LimitedBy == "" {
				best[rate] = done
			}
			return done.Summary, nil
		},
		Tell: func(t limit.Trial) {
			if !sh.json {
				fmt.Fprintln(sh.err, t)
			}
		},
	})
	if err != nil && sh.ctx.Err() == nil {
		return 0, err
	}
	done := best[r.Max]
	if done == nil {
		done = last
	}
	if done == nil {
		return 0, errInterrupted
	}
	done.Trials = r.Lines()
	if !r.Unfinished {
		done.Limit, done.Interval = r.Max, []float64{r.Max, r.FailsAt}
	}
	if dir != nil {
		for _, s := range done.seconds {
			if err := dir.second(s); err != nil {
				return 0, fmt.Errorf("output: %w", err)
			}
		}
		if err := dir.finish(done); err != nil {
			return 0, fmt.Errorf("output: %w", err)
		}
	}
	exit := exitMet
	switch {
	case sh.ctx.Err() != nil:
		exit = exitInterrupted
	case r.Max == 0:
		exit = exitMissed
	}
	if !sh.json {
		writeLimit(sh.out, r)
	}
	return w.tell(sh, done, w.f.out, exit)
}
