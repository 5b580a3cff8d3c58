package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim"
	"windtunnel.test/sim/report"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
)

var loadVerb = &verb{
	name: "load", args: "FILE", short: "load-test services with arriving PCs, on the wall clock",
	long: `
PCs with TPMs of their own arrive as the key "load:" of a scenario says, and each
does a part of its way: TPM attestation, the attested join, MDM enrolment, or
everything from power-on to the desktop. Every arrival has an intended moment
that no slowness puts off, and its latency counts from there; so what others had
to wait is in the figures (closed loops are the exception).

  windtunnel load scenarios/load/attestation.yaml                against this process
  windtunnel load attestation.yaml --target serve --out result   against "windtunnel serve"
                                                                 in a process of its own
  windtunnel load attestation.yaml --rate 20 --for 30s           a constant rate instead
  windtunnel load attestation.yaml --find-max --rate 5 --for 10s the highest rate that keeps
                                                                 the thresholds
  windtunnel load attestation.yaml --repeat 5 --out before       five times, for:
  windtunnel load compare before after                           differences with 95% intervals

Targets: direct (default) calls the services of this process; serve starts
"windtunnel serve" with the same scenario; READY.json is what a "windtunnel serve
--json" said; NAME=HOST:PORT sends a name (or *.SUFFIX, or *) to an address of
yours, with --ca for its certificates. Anything that is not this machine needs
--i-own-this-target: say it of nothing that is not yours.

In the folder: scenario.yaml (resolved), series.jsonl (every second, as it ends),
summary.json, a .hgrm file for each step and kind of start (for HdrHistogram's
plotter), report.html. With --repeat they are in r1, r2, ...

Exit code 1 says that a threshold was missed, 130 that Ctrl-C ended it; the
figures until then are kept. When generator and target share a machine, look at
what the result says about the generator: a load that is limited by it says so.`,
}

func init() { loadVerb.run = runLoad }

// loadFlags are the flags of a load.
type loadFlags struct {
	file       string
	target     words
	ca         string
	own        bool
	rate       scenario.ArrivalRate
	length     time.Duration
	devices    int
	repeat     int
	findMax    bool
	seed       *vclock.Seed
	out        string
	prometheus string
	otlp       string
	tpmCache   string
	engines    int
	strict     bool
	given      map[string]string
}

// words is a flag that may be given several times.
type words []string

func (w *words) String() string { return strings.Join(*w, " ") }
func (w *words) Set(s string) error {
	if s == "" {
		return errors.New("want a value")
	}
	*w = append(*w, s)
	return nil
}

func (f *loadFlags) declare(fs *flag.FlagSet) {
	fs.Var(&f.target, "target", "`TARGET`: what is loaded: direct, serve, READY.json, or NAME=HOST:PORT, which may be repeated (default: the scenario's, which is direct)")
	fs.StringVar(&f.ca, "ca", "", "`FILE`: certificates that the target's TLS certificates are to be below, PEM")
	fs.BoolVar(&f.own, "i-own-this-target", false, "the target is not on this machine, is mine, and may be loaded")
	fs.Var(&value{set: func(s string) error {
		if err := f.rate.UnmarshalText([]byte(s)); err != nil {
			return err
		}
		if f.rate <= 0 {
			return errors.New("want more than 0")
		}
		return nil
	}}, "rate", "`R`: constant rate in place of the scenario's arrivals: 20, 50/s, 3000/min; with --find-max: the first rate")
	fs.Var(&value{set: func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d < time.Second || d > 24*time.Hour {
			return errors.New("want a time from 1s to 24h")
		}
		f.length = d
		return nil
	}}, "for", "`D`: how long, with --rate (default: as long as the scenario's arrivals); with --find-max: of each trial (default: 20s)")
	number(fs, &f.devices, "devices", 1, scenario.MaxDevices, "`N`: PCs that there are (default: the scenario's)")
	number(fs, &f.repeat, "repeat", 1, 100, "`N`: how often the load is done (default: the scenario's, which is 1)")
	fs.BoolVar(&f.findMax, "find-max", false, "search for the highest rate that keeps the thresholds")
	seedFlag(fs, &f.seed)
	fs.StringVar(&f.out, "out", "", "`DIR`: keep series, summary, histograms and the report there; an earlier load's folder is overwritten, any other is not")
	fs.StringVar(&f.prometheus, "prometheus", "", "`ADDR`: offer the figures to Prometheus there while the load lasts: 127.0.0.1:9464")
	fs.StringVar(&f.otlp, "otlp", "", "`URL`: send a trace of every arrival there: http://127.0.0.1:4318")
	cacheFlag(fs, &f.tpmCache)
	number(fs, &f.engines, "tpm-engines", 1, 256, "`N`: TPM engines to use at most (default: as many as there are cores)")
	fs.BoolVar(&f.strict, "strict", false, "members of tenant objects that nothing reads are errors")
}

// runLoad is the verb, and the way to "load compare".
func runLoad(sh *shell) (int, error) {
	if i := slices.IndexFunc(sh.args, func(a string) bool { return !strings.HasPrefix(a, "-") }); i >= 0 && sh.args[i] == "compare" {
		of := *sh
		of.verb, of.args = loadCompareVerb, slices.Delete(slices.Clone(sh.args), i, i+1)
		return loadCompareVerb.run(&of)
	}
	var f loadFlags
	fs := sh.flags()
	f.declare(fs)
	names, err := sh.parse(fs, 1)
	if err != nil {
		return helped(err)
	}
	if len(names) == 0 {
		return 0, inputErrorf("load: which file? usage: %s", usage(loadVerb))
	}
	f.file, f.given = names[0], givenFlags(fs)
	s, err := f.resolve()
	if err != nil {
		return 0, err
	}
	sh.warn(s)
	return f.perform(sh, s)
}

// resolve is the scenario with everything in it that the flags say.
func (f *loadFlags) resolve() (*scenario.Scenario, error) {
	s, err := load(f.file, f.strict)
	if err != nil {
		return nil, err
	}
	s, problems := s.Resolve(scenario.Flags{Seed: f.seed})
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if s.Load == nil {
		return nil, inputErrorf("load: %s has no key \"load:\", which says what PCs do and how they arrive; scenarios/load has examples", f.file)
	}
	l := *s.Load
	s.Load = &l
	l.Devices = cmp.Or(f.devices, l.Devices)
	l.Repeats = cmp.Or(f.repeat, l.Repeats, 1)
	switch {
	case f.length > 0 && f.rate == 0 && !f.findMax:
		return nil, inputErrorf("load: --for needs a --rate: the scenario's arrivals have their own times")
	case f.findMax && f.repeat > 1:
		return nil, inputErrorf("load: --find-max repeats by itself; leave --repeat out")
	case f.findMax && len(l.Thresholds) == 0:
		return nil, inputErrorf("load: --find-max needs thresholds in the scenario: they are what is to be kept")
	case f.rate > 0 && !f.findMax:
		l.Closed, l.Arrivals = nil, []scenario.Stage{{Shape: scenario.ConstantRate, Rate: f.rate, For: cmp.Or(f.length, lengthOf(s.Load), time.Minute)}}
	}
	*s.Load = l
	if c := l.Closed; c != nil && c.Devices > s.LoadDevices() {
		return nil, inputErrorf("load: the closed loop has %d PCs at once of %d that there are: raise --devices", c.Devices, s.LoadDevices())
	}
	return s, nil
}

// lengthOf is how long a load's arrivals last.
func lengthOf(l *scenario.LoadTest) (d time.Duration) {
	if l.Closed != nil {
		return l.Closed.For
	}
	for _, s := range l.Arrivals {
		d += s.Length()
	}
	return d
}

// again is the command that does this load again.
func (f *loadFlags) again(s *scenario.Scenario) string {
	again := []string{"windtunnel load", report.Quote(f.file), fmt.Sprintf("--seed %d", uint64(s.Seed))}
	for _, t := range f.target {
		again = append(again, "--target", report.Quote(t))
	}
	for _, name := range []string{"ca", "rate", "for", "devices", "repeat"} {
		if v, ok := f.given[name]; ok {
			again = append(again, "--"+name, report.Quote(v))
		}
	}
	for _, name := range []string{"i-own-this-target", "find-max"} {
		if _, ok := f.given[name]; ok {
			again = append(again, "--"+name)
		}
	}
	return strings.Join(again, " ")
}

// perform makes the world and has the load done as often as asked.
func (f *loadFlags) perform(sh *shell, s *scenario.Scenario) (int, error) {
	w, err := f.open(sh, s)
	if err != nil {
		if sh.ctx.Err() != nil {
			err = errInterrupted
		}
		return 0, err
	}
	var exit int
	switch {
	case f.findMax:
		exit, err = w.findMax(sh)
	case s.Load.Repeats > 1:
		exit, err = w.repeat(sh)
	default:
		exit, err = w.single(sh)
	}
	return exit, errors.Join(err, w.close())
}

// pcWord is "1 PC" or "20 PCs" of a load.
func pcWord(s *scenario.Scenario) string { return pcs(s.LoadDevices()) }

// build is which build this is; a variable of the package sim in all verbs.
func build() string { return sim.Build() }
