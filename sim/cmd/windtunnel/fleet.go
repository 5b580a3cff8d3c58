package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"runtime"
	"time"

	"windtunnel.test/sim"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
)

// fleet is what the verbs that run a scenario have in common: how it is run
// and what is shown of it.
type fleet struct {
	home     vnet.Home
	parallel int
	tpmCache string
	engines  int // 0: as many as there are cores
	detail   counter
	follow   string // serial number of the PC whose timeline is wanted
}

func (f *fleet) flags(fs *flag.FlagSet) {
	number(fs, &f.parallel, "parallel", 1, 1024, "`N`: cells to run side by side (default: as many as there are cores); changes nothing in the result")
	cacheFlag(fs, &f.tpmCache)
	number(fs, &f.engines, "tpm-engines", 1, 256, "`N`: TPM engines to use at most, the first in this process, the others in processes of their own that start when there is work for them (default: as many as there are cores); changes nothing in the result")
	fs.StringVar(&f.follow, "timeline", "", "`SERIAL`: print this PC's timeline at the end")
	fs.Var(&f.detail, "v", "print timelines at the end: of the PCs of a small run, or of a sample of each failure; -v -v: with every request, TPM command and log line")
}

// few is up to how many PCs a run is small: all events of all PCs are kept.
const few = 8

// ran is a run that has ended.
type ran struct {
	*sim.Result
	followed map[string][]journal.Event // by serial number, whole
}

// timeline is what is known of a PC: all of it, or the last events.
func (r *ran) timeline(serial string) []journal.Event {
	if events := r.followed[serial]; len(events) > 0 {
		return events
	}
	return r.Timelines(serial)
}

// run runs a resolved scenario with a progress display. extra, if not nil,
// takes the events as well.
func (f *fleet) run(sh *shell, s *scenario.Scenario, extra journal.Sink) (*ran, error) {
	return f.runInto(sh, s, extra, nil)
}

// runInto does the same, and a folder takes what PCs leave behind; nil for none.
func (f *fleet) runInto(sh *shell, s *scenario.Scenario, extra journal.Sink, dir *report.Dir) (*ran, error) {
	cores := runtime.GOMAXPROCS(0)
	lab, err := vtpm.Open(vtpm.Options{CacheDir: f.tpmCache, Engines: f.engines, Warn: func(m string) { fmt.Fprintf(sh.err, "windtunnel: %s\n", m) }})
	if err != nil {
		return nil, err
	}
	sim.TuneCollector()
	sim.SpareProcessor(cores)
	show := newProgress(sh)
	small := s.Fleet.Count() <= few
	chosen := newFollower(func(serial string) bool { return small || serial == f.follow })
	began := time.Now()
	o := sim.RunOptions{
		Scenario: s, Lab: lab, Home: f.home, Parallel: cmp.Or(f.parallel, cores),
		Journal: both{chosen, extra}, Progress: show.update,
	}
	if dir != nil {
		o.Remains, o.Saved = dir.Remains, dir.Saved
	}
	result, err := sim.Run(sh.ctx, o)
	took := time.Since(began)
	show.end()
	if cerr := lab.Close(); err == nil {
		err = cerr
	}
	if result == nil {
		if err == nil || sh.ctx.Err() != nil {
			err = errInterrupted
		}
		return nil, err
	}
	result.WallSeconds = took.Seconds()
	return &ran{Result: result, followed: chosen.events}, err
}

// timelines prints what -v and --timeline ask for.
func (f *fleet) timelines(w io.Writer, r *ran) error {
	detail := report.Story
	if f.detail > 1 {
		detail = report.Everything
	}
	show := func(serial string, events []journal.Event) error {
		if err := report.Timeline(w, events, report.TimelineOptions{Title: "PC " + serial, Detail: detail}); err != nil {
			return err
		}
		_, err := fmt.Fprintln(w)
		return err
	}
	if f.follow != "" {
		events := r.followed[f.follow]
		if len(events) == 0 {
			_, err := fmt.Fprintf(w, "No PC of this run has the serial number %s.\n\n", f.follow)
			return err
		}
		return show(f.follow, events)
	}
	if f.detail == 0 {
		return nil
	}
	for _, serial := range r.Samples {
		if err := show(serial, r.timeline(serial)); err != nil {
			return err
		}
	}
	return nil
}

// exit is what a run's end means for whoever called us.
func (r *ran) exit(ctx context.Context) int {
	switch {
	case ctx.Err() != nil:
		return exitInterrupted
	case !r.Met():
		return exitMissed
	}
	return exitMet
}
