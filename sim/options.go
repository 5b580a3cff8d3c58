package sim

import (
	"runtime/debug"

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
	// Timelines keeps each device's last events, so that a failure's timeline
	// can be written; 0 keeps none.
	Timelines int
}

// Build identifies this binary: the module's version and the commit it was
// built from, where the linker knows them.
func Build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version, revision, dirty := info.Main.Version, "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	if version == "" {
		version = "(devel)"
	}
	if revision == "" {
		return version
	}
	return version + " " + revision + dirty
}
