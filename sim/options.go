package sim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"runtime/debug"
	"sync"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/diag"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
)

// RunOptions say how to run a scenario; what is run is in the scenario alone.
type RunOptions struct {
	Scenario *scenario.Scenario // resolved: with the seed and all flags in it
	Lab      *vtpm.Lab
	Home     vnet.Home
	Parallel int // cells side by side; 0: as many as there are cores
	// Journal takes the events of all cells as they happen, each with a loose
	// field "cell"; nil keeps none. Calls are serialised.
	Journal journal.Sink
	// Progress is called now and then, from one goroutine at a time; nil for
	// nobody watching.
	Progress func(Progress)
	// Remains takes what is left of each PC when its story is through: what
	// package diag makes a diagnostics package from. Saved takes files that
	// people save from PCs to a removable drive. Cells call both at the same time;
	// nil is nobody.
	Remains func(diag.Source)
	Saved   func(serial, name string, content []byte)
	// Ended looks at a PC when its story has ended, before whoever gave up
	// switches it off; see [Options].
	Ended func(ctx context.Context, w *World, pc *device.PC, e End)
	// Hear hears of every event of every cell; see [Options]. Cells call it at
	// the same time.
	Hear func(w *World, e journal.Event)
}

// LoadOptions are what a scenario may name: the product lines and TPM models
// that there are.
func LoadOptions(strict bool) scenario.Options {
	o := scenario.Options{Strict: strict, TPMModels: append(vtpm.Models(), noTPM), TPMVendors: tpmVendors(),
		TPMCan: func(model string, state scenario.TPMState) bool {
			m, err := vtpm.FindModel(model)
			return err == nil && m.Can(vtpm.State(state))
		}}
	for _, m := range device.Makes {
		o.Makes = append(o.Makes, m.Model)
	}
	return o
}

// Build identifies this binary: the module's version and the commit it was
// built from, or, where the linker does not know a clean commit, a digest of the
// binary itself.
var Build = sync.OnceValue(func() string {
	version, revision := "(devel)", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		dirty := false
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				revision = s.Value[:min(12, len(s.Value))]
			case "vcs.modified":
				dirty = s.Value == "true"
			}
		}
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		if revision != "" && !dirty {
			return version + " " + revision
		}
	}
	return version + " " + digestOfBinary()
})

func digestOfBinary() string {
	path, err := os.Executable()
	if err != nil {
		return "unknown"
	}
	f, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "unknown"
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
}
