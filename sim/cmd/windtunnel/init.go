package main

import (
	"fmt"
	"os"
	"path/filepath"

	"windtunnel.test/sim/cmd/windtunnel/starter"
	"windtunnel.test/sim/report"
)

var initVerb = &verb{
	name: "init", args: "DIR", short: "write a first scenario and a first spec, ready to run",
	long: `
DIR is a new folder, or one without content. Written into it are scenario.yaml,
one PC with comments, and a Go module with one spec for Ginkgo. The module finds
this program's source in its checkout, by a replace line in go.mod; versions and
checksums are the checkout's, so nothing has to be downloaded that it has.

  windtunnel init mine
  windtunnel run mine/scenario.yaml
  cd mine && go test ./...
  windtunnel init mine --checkout ~/src/windtunnel    where it is not found by itself`,
}

func init() { initVerb.run = runInit }

// needs is what a machine must have to run specs: the TPM is C.
const needs = `Specs are compiled with the TPM's reference implementation, which is C. They need
Linux on amd64, Go 1.26 or later, gcc and OpenSSL's headers:
  apt-get install -y --no-install-recommends gcc libc6-dev libssl-dev
`

func runInit(sh *shell) (int, error) {
	var checkout string
	fs := sh.flags()
	fs.StringVar(&checkout, "checkout", "", "`DIR`: the source of this program (default: the folder above the program, or above this one)")
	names, err := sh.parse(fs, 1)
	switch {
	case err != nil:
		return helped(err)
	case len(names) == 0:
		return 0, inputErrorf("init: which folder? usage: %s", usage(sh.verb))
	}
	dir := names[0]
	if checkout, err = findCheckout(checkout); err != nil {
		return 0, err
	}
	if err := starter.Write(dir, checkout); err != nil {
		return 0, inputErrorf("init: %w", err)
	}
	if sh.json {
		return exitMet, sh.printJSON(map[string]any{"folder": dir, "checkout": checkout, "files": []string{starter.ScenarioName, starter.SpecName, "go.mod", "go.sum"}})
	}
	_, err = fmt.Fprintf(sh.out, "%s has a scenario and a first spec.\n\n  windtunnel run %s -v\n  cd %s && go test ./...\n  go doc windtunnel.test/sim/spec.World     what a spec can do, in that folder; .../sim/expect what it can expect\n\n%s",
		filepath.Clean(dir), report.Quote(filepath.Join(dir, starter.ScenarioName)), report.Quote(dir), needs)
	return exitMet, err
}

// findCheckout is where this program's source is.
func findCheckout(given string) (string, error) {
	near := []string{given}
	if given == "" {
		if self, err := os.Executable(); err == nil {
			if self, err = filepath.EvalSymlinks(self); err == nil {
				near = append(near, filepath.Dir(self))
			}
		}
		if here, err := os.Getwd(); err == nil {
			near = append(near, here)
		}
	} else if abs, err := filepath.Abs(given); err == nil {
		near[0] = abs
	}
	found := starter.Checkout(near...)
	if found == "" {
		return "", inputErrorf("init: the source of this program is not above it, nor above this folder; say where it is: --checkout DIR")
	}
	return found, nil
}
