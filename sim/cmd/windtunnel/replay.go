package main

import (
	"fmt"
	"os"

	"windtunnel.test/sim"
	"windtunnel.test/sim/report"
	"windtunnel.test/sim/scenario"
)

var replayVerb = &verb{
	name: "replay", args: "DIR", short: "run what a folder holds again, and compare",
	long: `
DIR is what "windtunnel run --out" has made. Its resolved scenario is run again
and held against the journal, event by event. Where a cell goes another way its
first differing event is shown, and the exit code is 1. Another build of the
program is said first: it may well take another way. A run that was interrupted
is compared as far as it went. Nothing in DIR is changed. The folder that a spec
has left (WINDTUNNEL_OUT) is held against a new run of the spec, which go test
makes in the spec's own module.

  windtunnel replay result
  windtunnel replay result --timeline PF4K2J7A    with one PC's timeline`,
}

func init() { replayVerb.run = runReplay }

// verdict is what a replay came to, as --json prints it.
type verdict struct {
	Same           bool         `json:"same"`
	RecordedBuild  string       `json:"recordedBuild"`
	Build          string       `json:"build"`
	RecordedHash   string       `json:"recordedTraceHash,omitempty"`
	TraceHash      string       `json:"traceHash,omitempty"`
	RecordedEvents int          `json:"recordedEvents"`
	Complete       bool         `json:"recordingComplete"`
	Differences    []difference `json:"differences"`
}

type difference struct {
	Cell     int    `json:"cell"`
	N        int    `json:"n"` // of the event in its cell, from 1
	Recorded string `json:"recorded,omitempty"`
	Now      string `json:"now,omitempty"`
}

func runReplay(sh *shell) (int, error) {
	var f fleet
	fs := sh.flags()
	f.flags(fs)
	names, err := sh.parse(fs, 1)
	switch {
	case err != nil:
		return helped(err)
	case len(names) == 0:
		return 0, inputErrorf("replay: which folder? usage: %s", usage(sh.verb))
	}
	past, err := report.Open(names[0])
	if err != nil {
		return 0, &inputError{err}
	}
	if past.Header.Spec != "" {
		return sh.replaySpec(past, &f)
	}
	s, err := recordedScenario(past)
	if err != nil {
		return 0, err
	}
	var known bool
	if f.home, known = homes[past.Header.Home]; !known {
		return 0, inputErrorf("%s: it does not say with which --home it was run", past.Scenario)
	}
	recording, err := past.Recording()
	if err != nil {
		return 0, &inputError{err}
	}
	if build := sim.Build(); past.Header.Build != build && !sh.json {
		fmt.Fprintf(sh.err, "Another build: the folder is of %s, this is %s. A difference may come from that.\n", past.Header.Build, build)
	}
	r, err := f.run(sh, s, recording)
	if err != nil {
		return 0, err
	}
	if sh.ctx.Err() != nil {
		return 0, errInterrupted
	}
	list, err := recording.Differences()
	if err != nil {
		return 0, err
	}
	return sh.judged(&f, r, compared(past, recording, list, r.TraceHash), list)
}

// judged tells what a replay came to.
func (sh *shell) judged(f *fleet, r *ran, v *verdict, list []report.Difference) (int, error) {
	exit := exitMet
	if !v.Same {
		exit = exitMissed
	}
	if sh.json {
		return exit, sh.printJSON(v)
	}
	if err := f.timelines(sh.out, r); err != nil {
		return 0, err
	}
	return exit, sh.tell(v, list)
}

// recordedScenario is the folder's scenario, which has all flags in it.
func recordedScenario(past *report.Past) (*scenario.Scenario, error) {
	text, err := os.ReadFile(past.Scenario)
	if err != nil {
		return nil, inputErrorf("replay: %w", err)
	}
	s, problems := scenario.Load(past.Scenario, text, scenario.Options{})
	if err := problems.Err(); err != nil {
		return nil, err
	}
	s, problems = s.Resolve(scenario.Flags{})
	return s, problems.Err()
}

// compared is what a recording says of the new run, which has a trace hash unless
// it is a spec's.
func compared(past *report.Past, recording *report.Recording, list []report.Difference, hash string) *verdict {
	v := &verdict{
		RecordedBuild: past.Header.Build, Build: sim.Build(), TraceHash: hash,
		RecordedEvents: recording.Events(), Complete: !recording.Cut(), Differences: []difference{},
	}
	if v.Complete && past.Summary != nil {
		v.RecordedHash = past.Summary.TraceHash
	}
	for _, d := range list {
		out := difference{Cell: d.Cell, N: d.N}
		if d.Recorded != nil {
			out.Recorded = d.Recorded.String()
		}
		if d.Now != nil {
			out.Now = d.Now.String()
		}
		v.Differences = append(v.Differences, out)
	}
	v.Same = len(list) == 0 && (!v.Complete || v.RecordedHash == v.TraceHash)
	return v
}

func (sh *shell) tell(v *verdict, list []report.Difference) error {
	for _, d := range list {
		if _, err := fmt.Fprintf(sh.out, "%s\n", d); err != nil {
			return err
		}
	}
	var last string
	switch {
	case !v.Complete && v.Same:
		last = fmt.Sprintf("The same as far as the recorded run went before it was interrupted: %s events.\n", report.Count(v.RecordedEvents))
	case v.Same && v.TraceHash == "":
		last = fmt.Sprintf("The same run: %s events\n", report.Count(v.RecordedEvents))
	case v.Same:
		last = fmt.Sprintf("The same run: %s events, trace hash %s\n", report.Count(v.RecordedEvents), v.TraceHash)
	case !v.Complete, v.TraceHash == "":
		last = "Not the same run.\n"
	default:
		last = fmt.Sprintf("Not the same run: trace hash then %s\n                               now  %s\n", v.RecordedHash, v.TraceHash)
	}
	_, err := fmt.Fprint(sh.out, last)
	return err
}
