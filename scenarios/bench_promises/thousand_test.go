package bench_promises

import (
	"testing"

	"windtunnel.test/sim"
	"windtunnel.test/sim/house/promise"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
)

// The built-in fleet with 1,000 PCs, as `windtunnel run` does it: with an engine
// on each core. The cold run makes all images, in a directory of its own.
func BenchmarkPromiseFleetOf1000ColdAndWarm(b *testing.B) {
	twoCores(b)
	sim.TuneCollector()
	sim.SpareProcessor(2)
	s, problems := fleet(b).Resolve(scenario.Flags{Devices: 1000})
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	for range b.N {
		dir := b.TempDir()
		pass := func() run {
			lab, err := vtpm.Open(vtpm.Options{CacheDir: dir, Engines: 2})
			if err != nil {
				b.Fatal(err)
			}
			defer closeLab(b, lab)
			return live(b, s, lab)
		}
		cold, warm := pass(), pass()
		if cold.TPM.ImagesMade != cold.Devices || warm.TPM.ImagesMade != 0 {
			b.Errorf("%d and %d images made for %d devices", cold.TPM.ImagesMade, warm.TPM.ImagesMade, cold.Devices)
		}
		if warm.TraceHash != cold.TraceHash {
			b.Errorf("cold and warm run differ: %s, %s", cold.TraceHash, warm.TraceHash)
		}
		board.Hold(b, promise.Promise{Text: "warm run of 1000, times as fast", Measured: cold.wall.Seconds() / warm.wall.Seconds(), Limit: 5, Least: true})
		board.Note("1000 devices: cold %.1f s, warm %.1f s wall; trace hash of both: %s", cold.wall.Seconds(), warm.wall.Seconds(), cold.TraceHash)
	}
}
