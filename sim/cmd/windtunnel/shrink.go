package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"windtunnel.test/sim"
	"windtunnel.test/sim/report"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/shrink"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
)

var shrinkVerb = &verb{
	name: "shrink", args: "DIR", short: "find a small scenario with the same failure as a run's",
	long: `
DIR is what "windtunnel run --out" has made of a run in which PCs failed. Its
scenario is run again and again with fewer PCs, apps, configurations, faults,
changes, sites and settings, as long as a PC fails in the same way: same outcome,
code, phase and check. What is left is printed, and written into DIR/shrunk.yaml.

  windtunnel shrink result                          the largest group of failures
  windtunnel shrink result --failure 2              the second
  windtunnel shrink result --out small.yaml --runs 1000
  windtunnel run result/shrunk.yaml -v`,
}

func init() { shrinkVerb.run = runShrink }

func runShrink(sh *shell) (int, error) {
	var f fleet
	var out string
	which, most := 1, 0
	fs := sh.flags()
	fs.StringVar(&out, "out", "", "`FILE`: where to write it (default: DIR/"+report.ShrunkName+")")
	number(fs, &which, "failure", 1, 1000, "`N`: which group of failures, as the run's table lists them (default: the first)")
	number(fs, &most, "runs", 1, 1_000_000, "`N`: how many runs to make at most (default: 300)")
	number(fs, &f.parallel, "parallel", 1, 1024, "`N`: runs side by side (default: as many as there are cores); changes nothing in the result")
	cacheFlag(fs, &f.tpmCache)
	names, err := sh.parse(fs, 1)
	switch {
	case err != nil:
		return helped(err)
	case len(names) == 0:
		return 0, inputErrorf("shrink: which folder? usage: %s", usage(sh.verb))
	}
	past, err := report.Open(names[0])
	if err != nil {
		return 0, &inputError{err}
	}
	switch {
	case past.Header.Spec != "":
		return 0, inputErrorf("shrink: %s is of a spec, which is as small as its author made it; this runs it again in its module: %s", names[0], past.Header.Spec)
	case past.Summary == nil:
		return 0, inputErrorf("shrink: %s has no %s: the run was killed", names[0], report.SummaryName)
	case len(past.Summary.Failures) == 0:
		return 0, inputErrorf("shrink: no PC of this run has failed")
	case which > len(past.Summary.Failures):
		return 0, inputErrorf("shrink: --failure %d: the run has %s", which, groups(len(past.Summary.Failures)))
	}
	s, err := recordedScenario(past)
	if err != nil {
		return 0, err
	}
	f.home = homes[past.Header.Home]
	if out == "" {
		out = filepath.Join(names[0], report.ShrunkName)
	}
	return sh.shrink(&f, s, shrink.FailureOf(past.Summary.Failures[which-1]), most, out)
}

func (sh *shell) shrink(f *fleet, s *scenario.Scenario, failure shrink.Failure, most int, out string) (int, error) {
	lab, err := vtpm.Open(vtpm.Options{CacheDir: f.tpmCache, Warn: func(m string) { fmt.Fprintf(sh.err, "windtunnel: %s\n", m) }})
	if err != nil {
		return 0, err
	}
	defer lab.Close()
	beside := f.parallel
	if beside == 0 {
		beside = runtime.GOMAXPROCS(0)
	}
	sim.TuneCollector()
	s.Expect = nil
	r, err := shrink.Shrink(sh.ctx, shrink.Options{Scenario: s, Failure: failure, Parallel: beside, Most: most, Run: runner(lab, f.home), Progress: sh.shrinking()})
	if err != nil {
		return 0, err
	}
	var text bytes.Buffer
	small, err := scenario.Marshal(r.Scenario, shrinkNote(failure, r))
	if err != nil {
		return 0, err
	}
	text.Write(small)
	text.WriteString("expect:\n  - failures == 0\n") // so that its run says that it fails
	if err := os.WriteFile(out, text.Bytes(), 0o644); err != nil {
		return 0, inputErrorf("shrink: %w", err)
	}
	exit := exitMet
	if sh.ctx.Err() != nil {
		exit = exitInterrupted
	}
	if sh.json {
		return exit, sh.printJSON(map[string]any{"file": out, "failure": failure, "runs": r.Runs, "whole": r.Whole, "gone": r.Gone, "devices": r.Scenario.Fleet.Count()})
	}
	if _, err := sh.out.Write(text.Bytes()); err != nil {
		return 0, err
	}
	_, err = fmt.Fprintf(sh.err, "\n%s\nAgain: windtunnel run %s\n", shrinkNote(failure, r), report.Quote(out))
	return exit, err
}

// runner runs scenarios of any number side by side.
func runner(lab *vtpm.Lab, home vnet.Home) func(context.Context, *scenario.Scenario) (*sim.Summary, error) {
	return func(ctx context.Context, s *scenario.Scenario) (*sim.Summary, error) {
		r, err := sim.Run(ctx, sim.RunOptions{Scenario: s, Lab: lab, Home: home, Parallel: 1})
		if err != nil {
			return nil, err
		}
		return r.Summary, nil
	}
}

// shrinkNote is what became of the scenario, as the head of its file.
func shrinkNote(failure shrink.Failure, r *shrink.Result) string {
	var b strings.Builder
	end := failure.Outcome
	if failure.Code != "" {
		end += " with " + report.CodeName(failure.Code)
	}
	if failure.Phase != "" {
		end += fmt.Sprintf(" in %q", failure.Phase)
	}
	fmt.Fprintf(&b, "%s of it still ends %s. Found in %d runs", pcs(r.Scenario.Fleet.Count()), end, r.Runs)
	if !r.Whole {
		b.WriteString(", which were not enough to take all away")
	}
	b.WriteString(".\n")
	for _, g := range r.Gone {
		fmt.Fprintf(&b, "  %-28s %d of %d left\n", g.Part, g.To, g.From)
	}
	return strings.TrimRight(b.String(), "\n")
}

// shrinking prints a line whenever another kind of part is being taken away, and
// now and then in between.
func (sh *shell) shrinking() func(shrink.Progress) {
	last, at := "", 0
	return func(p shrink.Progress) {
		if sh.json || p.Part == last && p.Runs < at+25 {
			return
		}
		last, at = p.Part, p.Runs
		if p.Part == "" {
			fmt.Fprintf(sh.err, "run %d: the scenario as it was, %s\n", p.Runs, pcs(p.Devices))
			return
		}
		fmt.Fprintf(sh.err, "run %d of at most %d: %s, %s: %d of %d left\n", p.Runs, p.Most, pcs(p.Devices), p.Part, p.Left, p.Of)
	}
}

func groups(n int) string {
	if n == 1 {
		return "1 group of failures"
	}
	return fmt.Sprintf("%d groups of failures", n)
}
