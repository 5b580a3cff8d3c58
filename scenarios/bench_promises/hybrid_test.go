package bench_promises

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"windtunnel.test/sim"
	"windtunnel.test/sim/house/promise"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
)

// hybridFleet is the scenario of scenarios/hybrid with so many PCs, 100 in a cell, each cell with its domain, people enough
// to handle them, and so long a time on the shelf. With -short it is a tenth of them.
func hybridFleet(b *testing.B, count int, shelf string) *scenario.Scenario {
	b.Helper()
	name := filepath.Join("..", "hybrid", "hybrid.yaml")
	text, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	// Enterprise is supported long enough for any shelf.
	changed := strings.NewReplacer("shelf: 2d..1w", "shelf: "+shelf, "until: 2 months", "until: 1 year", "edition: Pro", "edition: Enterprise",
		"count: 18", "count: 398", "count: 4, bench: 2", "count: 80, bench: 4").Replace(string(text))
	s, problems := scenario.Load(name, []byte(changed), sim.LoadOptions(true))
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	if testing.Short() {
		count /= 10
	}
	if s, problems = s.Resolve(scenario.Flags{Devices: count, Cells: count / 100}); len(problems) > 0 {
		b.Fatal(problems)
	}
	return s
}

// liveWarm runs a fleet with an engine on each core and the images of the user's own cache; once more if some of them had to
// be made.
func liveWarm(b *testing.B, s *scenario.Scenario) run {
	b.Helper()
	twoCores(b)
	sim.TuneCollector()
	sim.SpareProcessor(2)
	for {
		lab, err := vtpm.Open(vtpm.Options{Engines: 2})
		if err != nil {
			b.Fatal(err)
		}
		r := live(b, s, lab)
		closeLab(b, lab)
		if r.TPM.ImagesMade == 0 {
			return r
		}
	}
}

// Hybrid PCs through both flows, with the directory sync between the domain and Entra ID.
func BenchmarkPromiseHybridFleetOf2000(b *testing.B) {
	for range b.N {
		r := liveWarm(b, hybridFleet(b, 2000, "2d..1w"))
		board.Hold(b, promise.Promise{Text: "2,000 hybrid devices warm, both flows", Unit: "s", Measured: r.wall.Seconds(), Limit: 90})
		board.Note("%d hybrid devices: %.1f s wall, %.1f s CPU, %.1f s engine, %d journal events; trace hash %s",
			r.Devices, r.wall.Seconds(), r.cpu.Seconds(), r.engine.Seconds(), r.Events, r.TraceHash)
	}
}

// Half a year on the shelf, while connectors poll and the directory sync goes round.
func BenchmarkPromiseHybridShelfOf1000(b *testing.B) {
	for range b.N {
		r := liveWarm(b, hybridFleet(b, 1000, "175d..179d"))
		board.Hold(b, promise.Promise{Text: "1,000 hybrid devices, six months on the shelf", Unit: "s", Measured: r.wall.Seconds(), Limit: 60})
		board.Note("%d devices, six months: %.1f s wall, %.1f s CPU, %d scheduler events", r.Devices, r.wall.Seconds(), r.cpu.Seconds(), r.Scheduled)
	}
}
