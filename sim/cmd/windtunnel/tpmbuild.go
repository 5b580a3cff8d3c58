package main

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim"
	"windtunnel.test/sim/report"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/problem"
)

var tpmBuildVerb = &verb{
	name: "tpm build", args: "[FILE] | --model M", short: "make TPM images ahead of time",
	long: `
Makes the images that a run of FILE needs (default: the built-in scenario), or a
range of one model's, and only those that are not there. It uses all cores, may
run beside others that use the same folder, and may be interrupted: what is done
is kept, and the same command goes on from there.

  windtunnel tpm build --devices 1000                  for "windtunnel run --devices 1000"
  windtunnel tpm build office.yaml
  windtunnel tpm build --model intel-ptt -n 10000      chips 0 to 9,999`,
}

func init() { tpmBuildVerb.run = runTPMBuild }

// mostImages is what one command makes at most, 60 hours' work of one engine.
const mostImages = 1_000_000

// building is what is to be made, and with what.
type building struct {
	runFlags
	model   string
	from, n int
}

func runTPMBuild(sh *shell) (int, error) {
	b := building{n: -1, from: -1}
	fs := sh.flags()
	fs.StringVar(&b.model, "model", "", "`M`: images of this model; `windtunnel tpm models` lists them")
	number(fs, &b.n, "n", 1, mostImages, "`N`: how many of the model")
	number(fs, &b.from, "from", 0, vtpm.All-mostImages, "`K`: the first chip of the model (default: 0)")
	number(fs, &b.devices, "devices", 1, scenario.MaxDevices, "`N`: what a run with so many PCs needs (default: the scenario's)")
	seedFlag(fs, &b.seed)
	b.cacheFlags(fs)
	names, err := sh.parse(fs, 1)
	if err != nil {
		return helped(err)
	}
	if len(names) > 0 {
		b.file = names[0]
	}
	ids, err := b.chips()
	if err != nil {
		return 0, err
	}
	return b.build(sh, ids)
}

// cacheFlags are those of the verbs that make images.
func (f *fleet) cacheFlags(fs *flag.FlagSet) {
	cacheFlag(fs, &f.tpmCache)
	number(fs, &f.engines, "tpm-engines", 1, 256, "`N`: TPM engines to use at most (default: as many as there are cores); changes nothing in the result")
}

// chips are those that are meant.
func (b *building) chips() ([]vtpm.ChipID, error) {
	if b.model == "" {
		if b.n >= 0 || b.from >= 0 {
			return nil, inputErrorf("tpm build: -n and --from go with --model")
		}
		s, err := b.resolve()
		if err != nil {
			return nil, err
		}
		return sim.Chips(s), nil
	}
	if err := knownModel(b.model); err != nil {
		return nil, err
	}
	switch {
	case b.file != "" || b.devices > 0 || b.seed != nil:
		return nil, inputErrorf("tpm build: --model goes with -n and --from; a scenario, --devices and --seed say by themselves which models")
	case b.n < 0:
		return nil, inputErrorf("tpm build: how many? -n N")
	}
	ids := make([]vtpm.ChipID, b.n)
	for i := range ids {
		ids[i] = vtpm.ChipID{Model: b.model, N: max(0, b.from) + i}
	}
	return ids, nil
}

// knownModel says which models there are when this is none.
func knownModel(name string) error {
	known := vtpm.Models()
	if slices.Contains(known, name) {
		return nil
	}
	return inputErrorf("unknown TPM model %q%s; there are %s", name, suggestion(name, known, ""), strings.Join(known, ", "))
}

// buildDone is what a build came to, as --json prints it. Seconds are real.
type buildDone struct {
	Images      int      `json:"images"`
	Found       int      `json:"found"`
	Made        int      `json:"made"`
	Elsewhere   int      `json:"madeByOthers,omitempty"`
	Missing     int      `json:"missing"`
	WallSeconds float64  `json:"wallSeconds"`
	Bytes       int64    `json:"bytes"` // of all images of these models, on the disk
	Dir         string   `json:"dir"`
	Interrupted bool     `json:"interrupted,omitempty"`
	models      []string // in the order of ids
}

func (b *building) build(sh *shell, ids []vtpm.ChipID) (int, error) {
	lab, err := openLab(sh, &b.fleet)
	if err != nil {
		return 0, err
	}
	show := newProgress(sh)
	began, missing, there := time.Now(), 0, 0
	err = lab.Build(sh.ctx, ids, func(done, total int) {
		missing, there = total, done
		show.update(sim.Progress{Stage: "tpm images", Done: done, Total: total})
	})
	took := time.Since(began)
	show.end()
	made := 0
	for _, n := range lab.Stats().ImagesMade {
		made += n
	}
	if cerr := lab.Close(); err == nil {
		err = cerr
	}
	interrupted := sh.ctx.Err() != nil
	if err != nil && !interrupted {
		return 0, err
	}
	d := buildDone{
		Images: len(ids), Found: len(ids) - missing, Made: made, Elsewhere: max(0, there-made), Missing: missing - there,
		WallSeconds: took.Seconds(), Interrupted: interrupted && missing > there,
	}
	if err := d.weigh(b.tpmCache, ids); err != nil {
		return 0, err
	}
	exit := exitMet
	if d.Interrupted {
		exit = exitInterrupted
	}
	if sh.json {
		return exit, sh.printJSON(d)
	}
	return exit, d.tell(sh)
}

// openLab opens a lab over the flags' cache.
func openLab(sh *shell, f *fleet) (*vtpm.Lab, error) {
	return vtpm.Open(vtpm.Options{CacheDir: f.tpmCache, Engines: f.engines, Warn: func(m string) { fmt.Fprintf(sh.err, "windtunnel: %s\n", m) }})
}

// weigh sums up what the models' images take on the disk.
func (d *buildDone) weigh(dir string, ids []vtpm.ChipID) error {
	cache, err := vtpm.OpenCache(dir)
	if err != nil {
		return err
	}
	folders, err := cache.Folders()
	if err != nil {
		return err
	}
	meant := map[string]bool{}
	for _, id := range ids {
		meant[id.Model] = true
	}
	d.Dir = cache.Dir()
	for _, f := range folders {
		if f.Current && meant[f.Model] {
			d.Bytes += f.Bytes
			d.models = append(d.models, f.Model)
		}
	}
	return nil
}

func (d *buildDone) tell(sh *shell) error {
	text := fmt.Sprintf("%s: %s were there, %s made", images(d.Images), report.Count(d.Found), report.Count(d.Made))
	if d.Made > 0 {
		took := time.Duration(d.WallSeconds * float64(time.Second))
		text += fmt.Sprintf(" in %s, %.1f a second", report.Duration(took), float64(d.Made)/d.WallSeconds)
	}
	if d.Elsewhere > 0 {
		text += fmt.Sprintf("; %s made by others meanwhile", report.Count(d.Elsewhere))
	}
	text += fmt.Sprintf("\n%s on the disk, in %s\n", megabytes(d.Bytes), d.Dir)
	if d.Interrupted {
		text += fmt.Sprintf("Interrupted: %s missing. The same command goes on from here.\n", report.Count(d.Missing))
	}
	_, err := fmt.Fprint(sh.out, text)
	return err
}

func images(n int) string {
	if n == 1 {
		return "1 TPM image"
	}
	return report.Count(n) + " TPM images"
}

func megabytes(n int64) string {
	if n < 1e5 {
		return fmt.Sprintf("%.0f KB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// wait is about how long so many images take, given that many engines.
func (f *fleet) wait(missing int) time.Duration {
	engines := f.engines
	if engines == 0 {
		engines = runtime.GOMAXPROCS(0)
	}
	return time.Duration(missing) * vtpm.ImageCost / time.Duration(min(engines, runtime.NumCPU()))
}

// Sizes of the built-in fleet when nobody says how many PCs.
const (
	coldFleet = 200  // while images have to be made
	warmFleet = 1000 // once they are there
)

// size decides how many PCs the built-in scenario has: as many as will not keep
// anybody waiting.
func (f *runFlags) size(sh *shell) error {
	f.devices = warmFleet
	s, err := f.resolve()
	if err != nil {
		if _, wrong := problem.From(err); !wrong {
			return err
		}
		f.devices = coldFleet // its size may be what is wrong
		return nil
	}
	cache, err := vtpm.OpenCache(f.tpmCache)
	if err != nil {
		return err
	}
	missing, err := cache.Missing(sim.Chips(s))
	if err != nil || missing == 0 {
		return err
	}
	f.devices = coldFleet
	fmt.Fprintf(sh.err, "%s, because %s of %s are not there yet: `make images` (windtunnel tpm build --devices %d) makes them, in about %s.\n",
		pcs(coldFleet), images(missing), pcs(warmFleet), warmFleet, report.Duration(f.wait(missing).Round(time.Second)))
	return nil
}
