package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"windtunnel.test/sim/wire/problem"
)

// inputError is something wrong with what the person gave us that has no place
// in a file: flags, names of files and folders.
type inputError struct{ err error }

func (e *inputError) Error() string { return e.err.Error() }
func (e *inputError) Unwrap() error { return e.err }

func inputErrorf(format string, args ...any) error {
	return &inputError{err: fmt.Errorf(format, args...)}
}

// errInterrupted ends a verb that Ctrl-C has stopped before it could keep
// anything.
var errInterrupted = errors.New("interrupted")

// fail tells what went wrong, as text or as JSON, and gives the exit code.
func (sh *shell) fail(err error) int {
	exit := exitBroken
	list, inFile := problem.From(err)
	var input *inputError
	switch {
	case inFile || errors.As(err, &input):
		exit = exitInput
	case errors.Is(err, errInterrupted):
		exit = exitInterrupted
	}
	if sh.json {
		failed := struct {
			Exit     int          `json:"exit"`
			Error    string       `json:"error,omitempty"`
			Problems problem.List `json:"problems,omitempty"`
		}{Exit: exit}
		if inFile {
			failed.Problems = list[:min(len(list), problem.Max)]
		} else {
			failed.Error = err.Error()
		}
		if werr := sh.printJSON(failed); werr != nil {
			return exitBroken
		}
		return exit
	}
	switch {
	case inFile:
		fmt.Fprintln(sh.err, list.Error())
	case errors.Is(err, errInterrupted): // said so already
	default:
		fmt.Fprintf(sh.err, "windtunnel: %v\n", err)
	}
	return exit
}

func (sh *shell) printJSON(v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = sh.out.Write(append(b, '\n'))
	return err
}
