package main

import (
	"errors"
	"fmt"

	"windtunnel.test/sim/explain"
	"windtunnel.test/sim/report"
	"windtunnel.test/sim/scenario"
)

var explainVerb = &verb{
	name: "explain", args: "DIR --device SERIAL", short: "why a PC of a run ended as it did, and what helps",
	long: `
DIR is what "windtunnel run --out" has made. Of one PC it tells what happened,
which refusal, fault rule, setting or wait decided, what screen and event logs
said, and the documented remedy, from the catalogue of known issues. Without
--device it takes the first PC of the largest group of failures.

  windtunnel run office.yaml --out result
  windtunnel explain result
  windtunnel explain result --device PF4K2J7A`,
}

func init() { explainVerb.run = runExplain }

func runExplain(sh *shell) (int, error) {
	var device, dir string
	fs := sh.flags()
	fs.StringVar(&device, "device", "", "`SERIAL`: of the PC, as tables and timelines show it; its name will do as well")
	catalogFlag(fs, &dir)
	names, err := sh.parse(fs, 1)
	switch {
	case err != nil:
		return helped(err)
	case len(names) == 0:
		return 0, inputErrorf("explain: which folder? usage: %s", usage(sh.verb))
	}
	past, err := report.Open(names[0])
	if err != nil {
		return 0, &inputError{err}
	}
	if device == "" {
		switch device, err = explain.Suspect(past); {
		case err != nil:
			return 0, fmt.Errorf("explain: %w", err)
		case device == "":
			return 0, inputErrorf("explain: no PC of this run has failed; say which one is meant: --device SERIAL")
		}
	}
	scene, err := recordedScenario(past)
	if err != nil {
		return 0, err
	}
	return sh.explain(past, scene, device, dir)
}

func (sh *shell) explain(past *report.Past, scene *scenario.Scenario, device, dir string) (int, error) {
	issues, err := openCatalog(dir)
	if err != nil {
		return 0, err
	}
	a, err := explain.Of(past, device, scene, issues)
	var unknown *explain.Unknown
	switch {
	case errors.As(err, &unknown):
		return 0, inputErrorf("explain: %w%s; %s", err, suggestion(device, unknown.Known, ""), someOf(unknown.Known))
	case err != nil:
		return 0, fmt.Errorf("explain: %w", err)
	case sh.json:
		return exitMet, sh.printJSON(a)
	}
	return exitMet, a.Write(sh.out)
}
