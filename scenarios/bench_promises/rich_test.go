package bench_promises

import (
	"os"
	"path/filepath"
	"testing"

	"windtunnel.test/sim"
	"windtunnel.test/sim/house/promise"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
)

// richFleet is the scenario whose PCs get much: ten apps, thirty policies, three
// certificates and two scripts each.
func richFleet(b *testing.B, devices int) *scenario.Scenario {
	b.Helper()
	name := filepath.Join("..", "rich", "rich.yaml")
	text, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	s, problems := scenario.Load(name, text, sim.LoadOptions(true))
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	if s, problems = s.Resolve(scenario.Flags{Devices: devices}); len(problems) > 0 {
		b.Fatal(problems)
	}
	return s
}

// warmLab opens a lab with so many engines over the benchmarks' cache, and has the
// images made that a scenario needs.
func warmLab(b *testing.B, s *scenario.Scenario, engines int) *vtpm.Lab {
	b.Helper()
	dir, err := emptyImages()
	if err != nil {
		b.Fatal(err)
	}
	lab, err := vtpm.Open(vtpm.Options{CacheDir: dir, Engines: engines})
	if err != nil {
		b.Fatal(err)
	}
	if err := lab.Build(b.Context(), chipIDs(s), nil); err != nil {
		b.Fatal(err)
	}
	return lab
}

// What a PC costs beside its TPM when much is applied to it, in both flows
// together. One engine, in this process, so that its time is in the process's.
func BenchmarkPromiseRichDevice(b *testing.B) {
	twoCores(b)
	sim.TuneCollector() // as `windtunnel run` does
	const devices = 100
	s := richFleet(b, devices)
	for range b.N {
		lab := warmLab(b, s, 1)
		before := pki.RSATime()
		r := live(b, s, lab)
		rsa := pki.RSATime() - before
		closeLab(b, lab)
		each := (r.cpu - r.engine - rsa).Seconds() * 1000 / devices
		board.Hold(b, promise.Promise{Text: "a rich device's CPU beside the engine and RSA, both flows", Unit: "ms", Measured: each, Limit: 40})
		board.Note("rich: %d devices in %.1f s wall, %.1f s CPU, %.1f s engine, %.1f s private RSA operations of libcrypto; %d journal events, %d scheduler events",
			devices, r.wall.Seconds(), r.cpu.Seconds(), r.engine.Seconds(), rsa.Seconds(), r.Events, r.Scheduled)
	}
}

// A thousand of them, as `windtunnel run` does it, with warm images.
func BenchmarkPromiseThousandRich(b *testing.B) {
	twoCores(b)
	sim.TuneCollector()
	sim.SpareProcessor(2)
	s := richFleet(b, 1000)
	for range b.N {
		lab := warmLab(b, s, 2)
		r := live(b, s, lab)
		closeLab(b, lab)
		board.Hold(b, promise.Promise{Text: "1000 rich devices through both flows, warm", Unit: "s", Measured: r.wall.Seconds(), Limit: 45})
		if r.TPM.ImagesMade != 0 {
			b.Errorf("%d images made in the warm run", r.TPM.ImagesMade)
		}
	}
}
