package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/walk"
)

// show prints what a walk came to, and keeps it.
func (f *walkFlags) show(sh *shell, r *walk.Result) (int, error) {
	exit := exitMet
	switch {
	case r.Interrupted:
		exit = exitInterrupted
	case len(r.Failures()) > 0:
		exit = exitMissed
	}
	files, err := f.keep(r)
	if err != nil {
		return 0, err
	}
	if sh.json {
		b, err := r.JSON()
		if err == nil {
			_, err = sh.out.Write(b)
		}
		return exit, err
	}
	if f.detail > 0 && len(r.Lives) == 1 {
		if err := f.story(sh, r, r.Lives[0]); err != nil {
			return 0, err
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s, seed %d, home %s: %s\n\n", r.Scenario, r.Seed, r.Home, r.Device)
	if err := r.Grouped(&b); err != nil {
		return 0, err
	}
	if failed := r.Failures(); len(failed) > 0 {
		fmt.Fprintf(&b, "\nFailures: %d\n", len(failed))
		for _, l := range failed {
			fmt.Fprintf(&b, "  %d %s, %s\n    %s\n    replay  %s\n", l.Exchange.N, l.Exchange, l.Fault, firstLine(l.Why), f.again(r, l))
			if name := files[l.Cell()]; name != "" {
				fmt.Fprintf(&b, "            windtunnel run %s\n", report.Quote(name))
			}
		}
	}
	_, err = b.WriteTo(sh.out)
	return exit, err
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// keep writes the folder and names the scenario files of its failures, by cell.
func (f *walkFlags) keep(r *walk.Result) (map[string]string, error) {
	if f.out == "" {
		return nil, nil
	}
	if err := os.MkdirAll(f.out, 0o777); err != nil {
		return nil, &inputError{err}
	}
	b, err := r.JSON()
	if err != nil {
		return nil, err
	}
	var table bytes.Buffer
	if err := r.Grouped(&table); err != nil {
		return nil, err
	}
	html, err := f.walkPage(r)
	if err != nil {
		return nil, err
	}
	err = errors.Join(os.WriteFile(filepath.Join(f.out, "walk.json"), b, 0o666), os.WriteFile(filepath.Join(f.out, "report.html"), html, 0o666),
		os.WriteFile(filepath.Join(f.out, "table.txt"), table.Bytes(), 0o666))
	files := map[string]string{}
	for _, l := range r.Failures() {
		text, rerr := r.Replay(l)
		name := filepath.Join(f.out, "failure-"+strings.ReplaceAll(l.Cell(), "/", "-")+".yaml")
		files[l.Cell()] = name
		err = errors.Join(err, rerr, os.WriteFile(name, text, 0o666))
	}
	if err != nil {
		return nil, &inputError{fmt.Errorf("--out: %w", err)}
	}
	return files, nil
}

// story prints one life as a timeline.
func (f *walkFlags) story(sh *shell, r *walk.Result, l walk.Life) error {
	text, err := r.Replay(l)
	if err != nil {
		return err
	}
	s, problems := scenario.Load("replay.yaml", text, fileOptions(false))
	if err := problems.Err(); err != nil {
		return err
	}
	quiet := *sh
	quiet.json = true // no progress display for one life
	var events []journal.Event
	ran, err := f.fleet.run(&quiet, s, journal.SinkFunc(func(e journal.Event) {
		if e.Device == r.Device {
			events = append(events, e)
		}
	}))
	if err != nil {
		return err
	}
	detail := report.Story
	if f.detail > 1 {
		detail = report.Everything
	}
	if err := report.Timeline(sh.out, events, report.TimelineOptions{Title: fmt.Sprintf("%s, of which %s fails: %s", r.Device, l.Exchange, l.Fault), Detail: detail}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(sh.out, "\nTrace hash %s\n\n", ran.TraceHash)
	return err
}
