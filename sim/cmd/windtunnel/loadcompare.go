package main

import (
	"errors"

	"windtunnel.test/sim/load/compare"
)

var loadCompareVerb = &verb{
	name: "load compare", args: "A B", short: "by how much two loads differ, with 95% intervals",
	long: `
A and B are folders of "windtunnel load --out DIR". With --repeat 3 or more on
both sides each difference has an interval (Welch's, over the repeats); with one
it has none, and nobody can tell it from noise. Loads of different scenarios,
builds or machines are refused, unless with --anyway.

  windtunnel load attestation.yaml --repeat 5 --out before
  windtunnel load attestation.yaml --repeat 5 --out after
  windtunnel load compare before after
  windtunnel load compare before after --json | jq '.rows[] | select(.step == "aik")'`,
}

func init() { loadCompareVerb.run = runLoadCompare }

func runLoadCompare(sh *shell) (int, error) {
	var o compare.Options
	fs := sh.flags()
	fs.BoolVar(&o.Anyway, "anyway", false, "compare loads of different scenarios, builds and machines as well")
	names, err := sh.parse(fs, 2)
	if err != nil {
		return helped(err)
	}
	if len(names) < 2 {
		return 0, inputErrorf("load compare: which two folders? usage: %s", usage(loadCompareVerb))
	}
	c, err := compare.Dirs(names[:1], names[1:], o)
	var differ *compare.Mismatch
	switch {
	case errors.As(err, &differ):
		return 0, &inputError{differ}
	case err != nil:
		return 0, inputErrorf("load compare: %w", err)
	case sh.json:
		return exitMet, sh.printJSON(c)
	}
	return exitMet, c.WriteTable(sh.out)
}
