// Package bench_tpm holds what is promised about the speed of the technician
// flow when the TPM images are there. `make bench-tpm` judges the figures.
package bench_tpm

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
)

// perCell is how many PCs share a world.
const perCell = 100

// technicians is the built-in scenario without its users: so many PCs are
// registered, pre-provisioned, resealed and switched off, and that is all.
func technicians(b *testing.B, count int) *scenario.Scenario {
	b.Helper()
	s, problems := scenario.Load(quickstart.Name, quickstart.YAML, scenario.Options{})
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	s.Cells = max(1, count/perCell)
	s.Fleet.Groups[0].Count = count
	s.People.Technicians[0].Count = 4 * s.Cells
	s.People.Users = scenario.Users{Group: "nobody"} // whom no group is
	s.Expect = nil
	return s
}

// devices is how many PCs a benchmark has: WINDTUNNEL_BENCH_DEVICES, or what it
// says itself. The promise is about 10,000; a thousand give the same figure
// within a few percent, and their images are made in minutes where they are not
// there yet.
func devices(b *testing.B, usual int) int {
	b.Helper()
	text := os.Getenv("WINDTUNNEL_BENCH_DEVICES")
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("WINDTUNNEL_BENCH_DEVICES is %q, want a number", text)
	}
	return n
}

// openLab opens a lab over the images in WINDTUNNEL_TPM_CACHE or, without it,
// in the user's own cache, and makes those that are missing. From then on the
// process has so many cores. One PC goes ahead, so that what a process makes once
// for all is not counted.
func openLab(b *testing.B, s *scenario.Scenario, cores int, o vtpm.Options) *vtpm.Lab {
	b.Helper()
	before := runtime.GOMAXPROCS(0)
	b.Cleanup(func() { runtime.GOMAXPROCS(before) })
	sim.TuneCollector()
	o.CacheDir = os.Getenv("WINDTUNNEL_TPM_CACHE")
	lab, err := vtpm.Open(o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := lab.Close(); err != nil {
			b.Error(err)
		}
	})
	var ids []vtpm.ChipID
	for _, d := range s.Devices() {
		ids = append(ids, vtpm.ChipID{Model: d.TPM, N: d.Chip})
	}
	if err := lab.Build(b.Context(), ids, nil); err != nil {
		b.Fatal(err)
	}
	if runtime.GOMAXPROCS(cores); cores > 1 {
		sim.SpareProcessor(cores) // as windtunnel run does
	}
	provision(b, technicians(b, 1), lab)
	return lab
}

// provision runs a scenario, at the end of which every PC is resealed.
func provision(b *testing.B, s *scenario.Scenario, lab *vtpm.Lab) *sim.Result {
	b.Helper()
	r, err := sim.Run(context.Background(), sim.RunOptions{Scenario: s, Lab: lab, Parallel: 2})
	if err != nil {
		b.Fatal(err)
	}
	if r.Outcomes[sim.Resealed] != r.Devices || r.TPM.ImagesMade != 0 {
		b.Fatalf("%d of %d PCs are resealed, %d images were made: %v", r.Outcomes[sim.Resealed], r.Devices, r.TPM.ImagesMade, r.Failures)
	}
	return r
}

// cpu is what this process has computed so far.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
