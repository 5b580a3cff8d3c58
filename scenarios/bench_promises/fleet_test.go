package bench_promises

import (
	"context"
	"testing"
	"time"

	"windtunnel.test/sim"
	"windtunnel.test/sim/house/promise"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
)

// The promises about the built-in fleet of 200 PCs, on two cores with one
// engine. The cold run begins without a single TPM image; the warm one finds
// them all. Both are in one benchmark, since what is promised is their ratio.
func BenchmarkPromiseFleetOf200ColdAndWarm(b *testing.B) {
	twoCores(b)
	s := fleet(b)
	for range b.N {
		lab := openLab(b)
		cold := live(b, s, lab)
		closeLab(b, lab)
		outside := (cold.cpu - cold.engine).Seconds()
		board.Hold(b, promise.Promise{Text: "200 devices cold", Unit: "s", Measured: cold.wall.Seconds(), Limit: 90})
		board.Hold(b, promise.Promise{Text: "CPU beside the engine to the engine's", Measured: outside / cold.engine.Seconds(), Limit: 0.6})
		board.Note("cold: %.1f s wall, %.1f s CPU, %.1f s engine for %d TPM commands, %d images made",
			cold.wall.Seconds(), cold.cpu.Seconds(), cold.engine.Seconds(), cold.TPM.Commands, cold.TPM.ImagesMade)
		if cold.TPM.ImagesMade != cold.Devices {
			b.Errorf("the cold run made %d images for %d devices", cold.TPM.ImagesMade, cold.Devices)
		}

		lab = openLab(b)
		warm := live(b, s, lab)
		closeLab(b, lab)
		board.Hold(b, promise.Promise{Text: "warm run, times as fast", Measured: cold.wall.Seconds() / warm.wall.Seconds(), Limit: 4, Least: true})
		board.Note("warm: %.1f s wall, %.1f s CPU, %.1f s engine for %d TPM commands, %d journal events, %d scheduler events",
			warm.wall.Seconds(), warm.cpu.Seconds(), warm.engine.Seconds(), warm.TPM.Commands, warm.Events, warm.Scheduled)
		if warm.TPM.ImagesMade != 0 {
			b.Errorf("the warm run made %d images", warm.TPM.ImagesMade)
		}
		if warm.TraceHash != cold.TraceHash {
			b.Errorf("cold and warm run differ: %s, %s", cold.TraceHash, warm.TraceHash)
		}
		board.Note("trace hash of both: %s", cold.TraceHash)
	}
}

// run is a run with what it took.
type run struct {
	*sim.Result
	wall, cpu, engine time.Duration
}

// live runs a scenario.
func live(b *testing.B, s *scenario.Scenario, lab *vtpm.Lab) run {
	b.Helper()
	begin := usage(b)
	result, err := sim.Run(context.Background(), sim.RunOptions{Scenario: s, Lab: lab})
	if err != nil {
		b.Fatal(err)
	}
	r := run{Result: result, engine: time.Duration(result.TPM.EngineSeconds * float64(time.Second))}
	r.wall, r.cpu = begin.since(b)
	if got := r.Outcomes[sim.Desktop]; got != r.Devices || r.TPM.DistinctEKs != r.Devices {
		b.Errorf("%d of %d devices reached the desktop, with %d distinct EKs: %v", got, r.Devices, r.TPM.DistinctEKs, r.Failures)
	}
	return r
}

// The warm run alone, with the images of the user's own cache: what to look at
// with -cpuprofile. It promises nothing.
func BenchmarkWarmFleetOf200(b *testing.B) {
	twoCores(b)
	s := fleet(b)
	for range b.N {
		lab, err := vtpm.Open(vtpm.Options{Engines: 1})
		if err != nil {
			b.Fatal(err)
		}
		live(b, s, lab)
		closeLab(b, lab)
	}
}
