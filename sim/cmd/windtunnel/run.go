package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"windtunnel.test/sim"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report"
	"windtunnel.test/sim/report/page"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
)

var runVerb = &verb{
	name: "run", args: "[FILE]", short: "run a scenario, or the built-in one",
	long: `
The same scenario and the same seed give the same run, event by event; the trace
hash at the end tells. Without --seed the scenario's own is used, which is 1
where the file does not say. --seed random draws one and prints it.

  windtunnel run                            the built-in fleet: 1,000 PCs, or 200 while
                                            the TPM images of 1,000 are not there
  windtunnel run --devices 1 -v             one PC and the story of its life
  windtunnel run office.yaml --out result   journal, summary and samples in a folder
  windtunnel run --import hashes.csv        PCs with the hardware of a Get-WindowsAutopilotInfo CSV
  windtunnel run --json | jq .outcomes      the summary for a program

In the folder: scenario.yaml (resolved, with flags and seed; "windtunnel replay"
runs it again), journal.jsonl.zst (every event, one JSON object a line),
summary.json, and devices/SERIAL/timeline.txt of a sample of each failure.`,
}

func init() { runVerb.run = runRun }

// runFlags are the flags that change what is run.
type runFlags struct {
	fleet
	file    string
	devices int
	cells   int
	seed    *vclock.Seed
	csv     string
	out     string
	junit   string
	strict  bool
}

func runRun(sh *shell) (int, error) {
	var f runFlags
	fs := sh.flags()
	number(fs, &f.devices, "devices", 1, scenario.MaxDevices, "`N`: how many PCs (default: the scenario's)")
	number(fs, &f.cells, "cells", 1, 1024, "`N`: worlds that the fleet is dealt into (default: the scenario's); another number is another run")
	seedFlag(fs, &f.seed)
	fs.StringVar(&f.out, "out", "", "`DIR`: keep journal, summary and samples there; an earlier run's folder is overwritten, any other is not")
	fs.StringVar(&f.junit, "junit", "", "`FILE`: write what came of the scenario's expectations there, as a JUnit report")
	fs.StringVar(&f.csv, "import", "", "`CSV`: register these hardware hashes and make PCs of that hardware")
	homeFlag(fs, &f.home)
	fs.BoolVar(&f.strict, "strict", false, "members of tenant objects that nothing reads are errors")
	f.fleet.flags(fs)
	names, err := sh.parse(fs, 1)
	switch {
	case err == errHelp:
		return exitMet, nil
	case err != nil:
		return 0, err
	case len(names) == 1:
		f.file = names[0]
	}
	given := givenFlags(fs)
	if f.file == "" && f.devices == 0 && f.csv == "" {
		if err := f.size(sh); err != nil {
			return 0, err
		}
		given["devices"] = strconv.Itoa(f.devices)
	}
	s, err := f.resolve()
	if err != nil {
		return 0, err
	}
	sh.warn(s)
	return f.perform(sh, s, given)
}

// resolve is the scenario with everything in it that the flags say. Mistakes
// of the scenario and of the CSV are told together.
func (f *runFlags) resolve() (*scenario.Scenario, error) {
	rows, csvErr := readCSV(f.csv)
	s, err := load(f.file, f.strict)
	if err := together(err, csvErr); err != nil {
		return nil, err
	}
	s, problems := s.Resolve(scenario.Flags{Devices: f.devices, Cells: f.cells, Seed: f.seed, Import: rows, File: f.csv})
	return s, problems.Err()
}

func (f *runFlags) perform(sh *shell, s *scenario.Scenario, given map[string]string) (int, error) {
	if f.junit != "" { // before hours of a run are lost to a slip of the pen
		if info, err := os.Stat(filepath.Dir(f.junit)); err != nil || !info.IsDir() {
			return 0, inputErrorf("--junit: %s is no folder", filepath.Dir(f.junit))
		}
	}
	again := f.again(s, given)
	var dir *report.Dir
	var sink journal.Sink
	var faults *page.Faults
	if f.out != "" {
		text, err := scenario.Marshal(s, "")
		if err != nil {
			return 0, fmt.Errorf("resolved scenario: %w", err)
		}
		dir, err = report.Create(f.out, text, report.Header{Build: sim.Build(), Home: f.home.String()})
		if err != nil {
			return 0, &inputError{err}
		}
		faults = &page.Faults{}
		sink, again = both{dir.Journal(), faults}, "windtunnel replay "+report.Quote(f.out)
	}
	if !sh.json {
		fmt.Fprintf(sh.err, "%s: %s, seed %d, home %s\n", s.Name, pcs(s.Fleet.Count()), uint64(s.Seed), f.home)
	}
	r, err := f.runInto(sh, s, sink, dir)
	if r == nil {
		if dir != nil {
			_ = dir.Close() // the run's own error is the one to tell
		}
		return 0, err
	}
	for i := range r.Failures {
		r.Failures[i].Replay = again + " --timeline " + report.Quote(r.Failures[i].Sample)
	}
	if dir != nil {
		samples := map[string][]journal.Event{}
		for _, serial := range r.Samples {
			samples[serial] = r.timeline(serial)
		}
		derr := dir.Finish(r.Summary, samples)
		if err = errors.Join(err, derr); err == nil {
			err = f.page(dir, r, faults)
		}
	}
	if err != nil {
		return 0, err
	}
	if err := f.forCI(sh, r, again); err != nil {
		return 0, err
	}
	return f.show(sh, r, again)
}

// page writes the run's report.html into its folder.
func (f *runFlags) page(dir *report.Dir, r *ran, faults *page.Faults) error {
	const most = 12 // stories
	d := page.Data{Summary: r.Summary, Faults: faults.List(), Commands: []page.Command{
		{Why: "The same run", Line: "windtunnel replay " + report.Quote(f.out)},
	}}
	for _, serial := range r.Samples[:min(most, len(r.Samples))] {
		d.Stories = append(d.Stories, page.Story{Serial: serial, Events: r.timeline(serial)})
	}
	if len(r.Failures) > 0 {
		d.Commands = append(d.Commands, page.Command{Why: "Why one failed", Line: "windtunnel explain " + report.Quote(f.out) + " --device " + report.Quote(r.Failures[0].Sample)},
			page.Command{Why: "A smaller run with the same failure", Line: "windtunnel shrink " + report.Quote(f.out)})
	}
	var b bytes.Buffer
	if err := page.Write(&b, d); err != nil {
		return err
	}
	return dir.Put(report.PageName, b.Bytes())
}

// forCI tells CI systems what came of the expectations: in a report, and on
// GitHub, which says CI=true to what it runs, beside the lines of the file.
func (f *runFlags) forCI(sh *shell, r *ran, again string) error {
	if ci, _ := strconv.ParseBool(os.Getenv("CI")); ci {
		to := sh.out
		if sh.json {
			to = sh.err
		}
		if err := report.Annotations(to, r.Summary, f.file); err != nil {
			return err
		}
	}
	if f.junit == "" {
		return nil
	}
	var b bytes.Buffer
	if err := report.JUnit(&b, r.Summary, f.file, again); err != nil {
		return err
	}
	if err := os.WriteFile(f.junit, b.Bytes(), 0o644); err != nil {
		return inputErrorf("--junit: %w", err)
	}
	return nil
}

// show prints what the run came to.
func (f *runFlags) show(sh *shell, r *ran, again string) (int, error) {
	if sh.json {
		b, err := r.JSON()
		if err == nil {
			_, err = sh.out.Write(b)
		}
		return r.exit(sh.ctx), err
	}
	if err := f.timelines(sh.out, r); err != nil {
		return 0, err
	}
	if err := report.Table(sh.out, r.Summary, again); err != nil {
		return 0, err
	}
	if f.out != "" {
		fmt.Fprintf(sh.out, "  %-14s %s\n", "Folder", f.out)
	}
	return r.exit(sh.ctx), nil
}

// again is the command that does this run again: the seed always, other flags
// as they were given.
func (f *runFlags) again(s *scenario.Scenario, given map[string]string) string {
	words := []string{"windtunnel run"}
	if f.file != "" {
		words = append(words, report.Quote(f.file))
	}
	words = append(words, fmt.Sprintf("--seed %d", uint64(s.Seed)))
	for _, name := range []string{"devices", "cells", "import", "home"} {
		if v, ok := given[name]; ok {
			words = append(words, "--"+name, report.Quote(v))
		}
	}
	return strings.Join(words, " ")
}

// givenFlags are the flags on the command line with their values.
func givenFlags(fs *flag.FlagSet) map[string]string {
	given := map[string]string{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = f.Value.String() })
	return given
}

func pcs(n int) string {
	if n == 1 {
		return "1 PC"
	}
	return report.Count(n) + " PCs"
}
