package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"windtunnel.test/sim"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/vtpm/mssim"
)

// simulatorPort is where tools look for a simulator when they are not told.
const simulatorPort = 2321

// notSecret is what everybody should know who uses such a TPM.
const notSecret = "not a production TPM: whoever knows its name can make its keys"

var tpmServeVerb = &verb{
	name: "tpm serve", args: "--model M | --device SERIAL [FILE]", short: "offer a TPM to other tools, over TCP on this machine",
	long: `
The chip speaks the reference simulator's protocol, as tpm2-tools know it under
the name mssim: commands on the port, its power on the port after it. Ctrl-C
ends it.

  windtunnel tpm serve --model infineon-slb9670
  windtunnel tpm serve --device PC-0001 office.yaml    the chip of that PC
  windtunnel tpm serve --model infineon-slb9670 --state my.tpm

It is ` + notSecret + `.`,
}

func init() { tpmServeVerb.run = runTPMServe }

// serving is what is served, and how.
type serving struct {
	model, device, file string
	n, port             int
	state, cache        string
	latency             bool
	detail              counter
}

func runTPMServe(sh *shell) (int, error) {
	s := serving{port: simulatorPort, n: -1}
	fs := sh.flags()
	fs.StringVar(&s.model, "model", "", "`M`: a chip of this model")
	number(fs, &s.n, "n", 0, 1<<30, "`N`: the how-manyeth chip of the model (default: 0)")
	fs.StringVar(&s.device, "device", "", "`SERIAL`: the chip of this PC of the scenario FILE (default: the built-in one); a name like PC-0001 does as well")
	number(fs, &s.port, "port", 0, 65534, "`P`: port for commands; the next one is for power (default: 2321); 0 picks a free pair")
	fs.StringVar(&s.state, "state", "", "`FILE`: keep the chip's NV memory there from one time to the next")
	fs.BoolVar(&s.latency, "latency", false, "be as slow as the model's chips")
	cacheFlag(fs, &s.cache)
	fs.Var(&s.detail, "v", "tell each command on standard error")
	names, err := sh.parse(fs, 1)
	if err != nil {
		return helped(err)
	}
	if len(names) > 0 {
		s.file = names[0]
	}
	chip, err := s.choose()
	if err != nil {
		return 0, err
	}
	return exitMet, s.serve(sh, chip)
}

// choose finds the chip that is meant.
func (s *serving) choose() (sim.PCChip, error) {
	switch {
	case (s.model == "") == (s.device == ""):
		return sim.PCChip{}, inputErrorf("tpm serve: which chip? --model M or --device SERIAL")
	case s.device != "" && s.n >= 0:
		return sim.PCChip{}, inputErrorf("tpm serve: --n goes with --model")
	case s.model != "" && s.file != "":
		return sim.PCChip{}, inputErrorf("tpm serve: a scenario file goes with --device")
	case s.model != "":
		if err := knownModel(s.model); err != nil {
			return sim.PCChip{}, err
		}
		return sim.PCChip{ID: vtpm.ChipID{Model: s.model, N: max(0, s.n)}, Seed: 1}, nil
	}
	file, err := load(s.file, false)
	if err != nil {
		return sim.PCChip{}, err
	}
	chip, err := sim.ChipOf(file, s.device)
	if err != nil {
		return chip, inputErrorf("tpm serve: --device: %w", err)
	}
	return chip, nil
}

// serve offers the chip until Ctrl-C.
func (s *serving) serve(sh *shell, pc sim.PCChip) (err error) {
	command, platform, err := mssim.Listen(s.port)
	if err != nil {
		return inputErrorf("tpm serve: %w; --port 0 picks a free pair", err)
	}
	defer func() { err = errors.Join(err, unlessClosed(command.Close()), unlessClosed(platform.Close())) }()
	lab, err := vtpm.Open(vtpm.Options{CacheDir: s.cache, Engines: 1, Warn: func(m string) { fmt.Fprintf(sh.err, "windtunnel: %s\n", m) }})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	var options []vclock.WallOption
	if s.latency {
		options = append(options, vclock.ModelledLatency())
	}
	clock := vclock.NewWall(options...)
	defer clock.Stop()
	chip, err := lab.Deal(clock, pc.ID, pc.Seed, vtpm.InState(pc.State, timing.Default().TPM))
	if err != nil {
		return err
	}
	if err := s.restore(chip); err != nil {
		return err
	}
	if err := chip.PowerOn(sh.ctx); err != nil {
		return err
	}
	defer chip.PowerOff()
	if err := s.tell(sh, pc, chip.Model(), command.Addr().(*net.TCPAddr).Port); err != nil {
		return err
	}
	server := &mssim.Server{Chip: chip}
	if s.detail > 0 {
		server.Log = func(line string) { fmt.Fprintln(sh.err, line) }
	}
	if err := server.Serve(sh.ctx, command, platform); err != nil {
		return err
	}
	return s.save(chip)
}

func unlessClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// tell prints what to set, once the chip can be reached.
func (s *serving) tell(sh *shell, pc sim.PCChip, m *vtpm.Model, port int) error {
	tcti := fmt.Sprintf("mssim:host=127.0.0.1,port=%d", port)
	const first = "tpm2_getcap properties-fixed"
	if sh.json {
		return sh.printJSON(struct {
			Chip         string `json:"chip"`
			Model        string `json:"model"`
			N            int    `json:"n"`
			Device       string `json:"device,omitempty"`
			Serial       string `json:"serial,omitempty"`
			Port         int    `json:"port"`
			PlatformPort int    `json:"platformPort"`
			TCTI         string `json:"tcti"`
			First        string `json:"firstCommand"`
			Warning      string `json:"warning"`
		}{pc.ID.String(), pc.ID.Model, pc.ID.N, pc.Device, pc.Serial, port, port + 1, tcti, first, notSecret})
	}
	of := ""
	if pc.Serial != "" {
		of = fmt.Sprintf(" of %s (%s)", pc.Device, pc.Serial)
	}
	_, err := fmt.Fprintf(sh.out, "TPM %s%s: %s %s, firmware %s\nIt is %s.\n\n  export TPM2TOOLS_TCTI=%q\n  %s\n\nPort %d is for commands, %d for its power. Ctrl-C ends it.\n",
		pc.ID, of, m.Vendor, m.Part, m.Firmware, notSecret, tcti, first, port, port+1)
	return err
}

// restore puts the chip back to what --state kept; a file that is not there
// yet is a chip as it left the factory.
func (s *serving) restore(chip *vtpm.Chip) error {
	if s.state == "" {
		return nil
	}
	kept, err := os.ReadFile(s.state)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// Better now than when there is something to keep.
		if _, err := os.Stat(filepath.Dir(s.state)); err != nil {
			return inputErrorf("tpm serve: --state %s: %w", s.state, err)
		}
		return nil
	case err != nil:
		return inputErrorf("tpm serve: --state: %w", err)
	}
	if err := chip.Restore(kept); err != nil {
		return inputErrorf("tpm serve: --state %s: %w", s.state, err)
	}
	return nil
}

// save keeps the chip's NV memory, whole or not at all.
func (s *serving) save(chip *vtpm.Chip) error {
	if s.state == "" {
		return nil
	}
	// As an operating system ends. A chip that refuses, or has no power any more,
	// has what a power cut leaves.
	if err := chip.Shutdown(context.Background()); err != nil {
		chip.PowerOff()
	}
	kept, err := chip.Snapshot()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(s.state), filepath.Base(s.state)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(kept)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), s.state)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
