package main

import (
	"fmt"
)

var validateVerb = &verb{
	name: "validate", args: "FILE", short: "check a scenario file and tell all its mistakes",
	long: `
Each mistake is a line FILE:LINE:COL: message, at most 20 of them; the exit code
is then 2. Nothing is run. FILE may be - for standard input.

  windtunnel validate office.yaml
  windtunnel validate --strict export.yaml    with members that nothing reads`,
}

func init() { validateVerb.run = runValidate }

func runValidate(sh *shell) (int, error) {
	var f runFlags
	fs := sh.flags()
	fs.BoolVar(&f.strict, "strict", false, "members of tenant objects that nothing reads are errors")
	fs.StringVar(&f.csv, "import", "", "`CSV`: check this file of hardware hashes with it")
	names, err := sh.parse(fs, 1)
	switch {
	case err == errHelp:
		return exitMet, nil
	case err != nil:
		return 0, err
	case len(names) == 0:
		return 0, inputErrorf("validate: which file? usage: %s", usage(sh.verb))
	}
	f.file = names[0]
	s, err := f.resolve()
	if err != nil {
		return 0, err
	}
	if sh.json {
		notModelled := s.NotModelled
		if notModelled == nil {
			notModelled = []string{}
		}
		return exitMet, sh.printJSON(map[string]any{
			"file": f.file, "name": s.Name, "devices": s.Fleet.Count(), "cells": s.Cells, "seed": uint64(s.Seed), "notModelled": notModelled,
		})
	}
	sh.warn(s)
	cells := "1 cell"
	if s.Cells != 1 {
		cells = fmt.Sprintf("%d cells", s.Cells)
	}
	_, err = fmt.Fprintf(sh.out, "%s: ok: %q, %s in %s, seed %d\n", f.file, s.Name, pcs(s.Fleet.Count()), cells, uint64(s.Seed))
	return exitMet, err
}
