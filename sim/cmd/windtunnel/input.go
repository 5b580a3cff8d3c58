package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/wire/problem"
	"windtunnel.test/sim/wire/ztd"
)

// load reads a scenario: a file, "-" for standard input, "" for the built-in
// one.
func load(name string, strict bool) (*scenario.Scenario, error) {
	data := quickstart.YAML
	switch name {
	case "":
		name = quickstart.Name
	case "-":
		name = "stdin"
		b, err := io.ReadAll(os.Stdin)
		if err != nil {
			return nil, inputErrorf("standard input: %w", err)
		}
		data = b
	default:
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, inputErrorf("scenario: %w", err)
		}
		data = b
	}
	s, problems := scenario.Load(name, data, fileOptions(strict))
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// fileOptions are what a scenario file may hold, its load's thresholds included.
func fileOptions(strict bool) scenario.Options {
	o := sim.LoadOptions(strict)
	o.Threshold = func(expr string, scopes []string) error {
		_, err := figure.CheckThreshold(expr, scopes)
		return err
	}
	return o
}

// readCSV reads a file of hardware hashes; none where it has no name.
func readCSV(name string) ([]ztd.Row, error) {
	if name == "" {
		return nil, nil
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, inputErrorf("--import: %w", err)
	}
	return ztd.ReadCSV(name, bytes.NewReader(b))
}

// together is one error for the mistakes of two files.
func together(a, b error) error {
	la, isA := problem.From(a)
	lb, isB := problem.From(b)
	switch {
	case isA && isB:
		return append(la, lb...).Err()
	case a != nil && !isA:
		return a // it could not be read at all
	case b != nil:
		return b
	}
	return a
}

// warn says once what nothing reads.
func (sh *shell) warn(s *scenario.Scenario) {
	const some = 5
	n := len(s.NotModelled)
	if n == 0 || sh.json {
		return
	}
	list := strings.Join(s.NotModelled[:min(n, some)], ", ")
	if n > some {
		list += fmt.Sprintf(" and %d more", n-some)
	}
	fmt.Fprintf(sh.err, "windtunnel: not modelled, so it has no effect: %s (--strict makes this an error)\n", list)
}
