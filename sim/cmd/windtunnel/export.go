package main

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"windtunnel.test/sim"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
)

var exportVerb = &verb{
	name: "export", args: "DIR [FILE]", short: "write a fleet's hardware hashes and the roots that it and its TPMs chain to",
	long: `
For whoever tests services of their own with the fleet of a scenario, or of the
built-in one. Into DIR come, with --csv:

  devices.csv      hardware hashes as Get-WindowsAutopilotInfo writes them, at most
                   500 a file: devices-2.csv and so on follow

and with --ca, as PEM:

  ek-roots.pem     the TPM vendors' roots, which EK certificates chain to
  ek-issuers.pem   the authorities between them, which a chip does not carry
  aik-roots.pem    the roots above AIK certificates, one for each cell
  web-roots.pem    the root above web servers in a run

With neither flag both are written. It is what "windtunnel run" uses; "windtunnel
serve" makes a web root of its own at each start, and dates its AIK root when it
starts first. TPM images that are not there yet are made.

  windtunnel export --csv --ca fleet
  windtunnel export --csv --devices 20 fleet office.yaml`,
}

func init() { exportVerb.run = runExport }

// exporting is what is written, and of which fleet.
type exporting struct {
	csv, ca  bool
	dir      string
	devices  int
	seed     *vclock.Seed
	tpmCache string
	written  []string
}

func runExport(sh *shell) (int, error) {
	var x exporting
	fs := sh.flags()
	fs.BoolVar(&x.csv, "csv", false, "hardware hashes")
	fs.BoolVar(&x.ca, "ca", false, "roots")
	number(fs, &x.devices, "devices", 1, scenario.MaxDevices, "`N`: how many PCs (default: the scenario's)")
	seedFlag(fs, &x.seed)
	cacheFlag(fs, &x.tpmCache)
	names, err := sh.parse(fs, 2)
	switch {
	case err != nil:
		return helped(err)
	case len(names) == 0:
		return 0, inputErrorf("export: into which folder? usage: %s", usage(sh.verb))
	}
	if isScenario(names[0]) {
		return 0, inputErrorf("export: %s comes second, after the folder; usage: %s", names[0], usage(sh.verb))
	}
	if x.dir = names[0]; !x.csv && !x.ca {
		x.csv, x.ca = true, true
	}
	file := ""
	if len(names) > 1 {
		file = names[1]
	}
	s, err := load(file, false)
	if err != nil {
		return 0, err
	}
	s, problems := s.Resolve(scenario.Flags{Devices: x.devices, Seed: x.seed})
	if err := problems.Err(); err != nil {
		return 0, err
	}
	if err := os.MkdirAll(x.dir, 0o755); err != nil {
		return 0, inputErrorf("export: %w", err)
	}
	sh.warn(s)
	return exitMet, x.export(sh, s)
}

func (x *exporting) export(sh *shell, s *scenario.Scenario) error {
	lab, err := vtpm.Open(vtpm.Options{CacheDir: x.tpmCache, Warn: func(m string) { fmt.Fprintf(sh.err, "windtunnel: %s\n", m) }})
	if err != nil {
		return err
	}
	show := newProgress(sh)
	e, err := sim.Export(sh.ctx, sim.RunOptions{Scenario: s, Lab: lab}, func(done, total int) {
		show.update(sim.Progress{Stage: "tpm images", Done: done, Total: total})
	})
	show.end()
	if err = errors.Join(err, lab.Close()); sh.ctx.Err() != nil {
		return errInterrupted
	}
	if err != nil {
		return err
	}
	if err := x.write(e); err != nil {
		return inputErrorf("export: %w", err)
	}
	if sh.json {
		return sh.printJSON(map[string]any{"folder": x.dir, "devices": e.PCs, "files": x.written})
	}
	for _, name := range x.written {
		if _, err := fmt.Fprintln(sh.out, name); err != nil {
			return err
		}
	}
	return nil
}

func (x *exporting) write(e *sim.Exported) error {
	var errs error
	put := func(name string, b []byte) {
		path := filepath.Join(x.dir, name)
		x.written = append(x.written, path)
		errs = cmp.Or(errs, os.WriteFile(path, b, 0o644))
	}
	if x.csv {
		for i, b := range e.CSV {
			name := "devices.csv"
			if i > 0 {
				name = fmt.Sprintf("devices-%d.csv", i+1)
			}
			put(name, b)
		}
	}
	if x.ca {
		put("ek-roots.pem", pemOf(e.EKRoots))
		put("ek-issuers.pem", pemOf(e.EKIssuers))
		put("aik-roots.pem", pemOf(e.AIKRoots))
		put("web-roots.pem", pemOf(e.WebRoots))
	}
	return errs
}

func pemOf(list []*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range list {
		fmt.Fprintf(&b, "# %s\n", c.Subject)
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}) // a buffer takes everything
	}
	return b.Bytes()
}
