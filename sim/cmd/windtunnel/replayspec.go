package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"windtunnel.test/sim"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report"
)

// specOut is the environment variable that has a failing spec leave its folder.
const specOut = "WINDTUNNEL_OUT"

// replaySpec runs the spec again whose folder it is, by go test in its own module,
// and holds what that leaves against the journal.
func (sh *shell) replaySpec(past *report.Past, f *fleet) (int, error) {
	c, err := report.ParseSpecCommand(past.Header.Spec)
	if err != nil {
		return 0, inputErrorf("replay: %s: %w", past.Scenario, err)
	}
	recording, err := past.Recording()
	if err != nil {
		return 0, &inputError{err}
	}
	left, err := os.MkdirTemp("", "windtunnel-replay-")
	if err != nil {
		return 0, fmt.Errorf("replay: %w", err)
	}
	defer os.RemoveAll(left)
	if !sh.json {
		fmt.Fprintf(sh.err, "In %s: %s\n", past.Header.Folder, past.Header.Spec)
	}
	said, err := sh.goTest(past.Header.Folder, c, left)
	if err != nil {
		return 0, err
	}
	again, err := leftBy(left, filepath.Base(past.Path))
	if err != nil {
		return 0, fmt.Errorf("replay: %w", err)
	}
	if again == nil {
		if !strings.Contains(said, "\nok ") && !strings.HasPrefix(said, "ok ") {
			return 0, fmt.Errorf("replay: the spec was not run:\n%s", said)
		}
		return sh.passes(past, recording)
	}
	r := &ran{Result: &sim.Result{Summary: &sim.Summary{}}, followed: map[string][]journal.Event{}}
	if err := r.follow(again, recording); err != nil {
		return 0, err
	}
	list, err := recording.Differences()
	if err != nil {
		return 0, err
	}
	v := compared(past, recording, list, "")
	v.Build = again.Header.Build
	return sh.judged(f, r, v, list)
}

// goTest runs a spec and gives what go test printed, also where the spec fails.
func (sh *shell) goTest(folder string, c report.SpecCommand, out string) (string, error) {
	args, env := c.Command()
	cmd := exec.CommandContext(sh.ctx, args[0], args[1:]...)
	cmd.Dir = folder
	cmd.Env = append(append(os.Environ(), env...), specOut+"="+out)
	said, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	switch {
	case sh.ctx.Err() != nil:
		return "", errInterrupted
	case err == nil, errors.As(err, &failed):
		return string(said), nil
	}
	return "", inputErrorf("replay: in %s: %w", folder, err)
}

// ofRange is what the name of a spec that ran with a range of seeds has besides.
var ofRange = regexp.MustCompile(`-\[seed-[0-9]+\]`)

// leftBy opens the folder that the spec has left again: the one of the same name,
// or else the first; nil where there is none. It leaves one for each world.
func leftBy(dir, name string) (*report.Past, error) {
	list, err := os.ReadDir(dir)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	name, found := ofRange.ReplaceAllString(name, ""), list[0].Name()
	for _, e := range list {
		if e.Name() == name {
			found = name
		}
	}
	return report.Open(filepath.Join(dir, found))
}

// follow reads what a spec has left, and holds it against a recording.
func (r *ran) follow(again *report.Past, recording *report.Recording) error {
	serials := map[string]string{}
	return errors.Join(again.Events(func(e journal.Event) bool {
		if e.Kind == "device.made" {
			serials[e.Device] = e.Text("serial")
			r.Samples = append(r.Samples, e.Text("serial"))
		}
		if serial, ok := serials[e.Device]; ok {
			r.followed[serial] = append(r.followed[serial], e)
		}
		return recording.Write(e) == nil
	}))
}

// passes says that a spec does not fail any more.
func (sh *shell) passes(past *report.Past, recording *report.Recording) (int, error) {
	if sh.json {
		v := compared(past, recording, nil, "")
		v.Same = false
		return exitMissed, sh.printJSON(v)
	}
	_, err := fmt.Fprintln(sh.out, "Not the same run: the spec passes now.")
	return exitMissed, err
}
