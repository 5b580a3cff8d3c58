package bench_tpm

import (
	"testing"
	"time"

	"windtunnel.test/sim/vtpm"
)

// What a warm run computes in all, to what its TPMs alone would have to: all
// commands that its chips were asked, with their power cycles, asked again of
// one bare simulator.
//
// Both sides have one core, one engine in this process, and one cell of PCs at a
// time; each cell is followed by its replay. A second core would inflate one side
// only: idle workers of the collector count as CPU time, two cells share caches,
// and wait for each other's engine. What two cores are good for is the next
// benchmark's.
func BenchmarkPromiseTPMTechnicianCPU(b *testing.B) {
	rounds := max(1, min(devices(b, 2*perCell), 10*perCell)/perCell)
	s := technicians(b, perCell)
	recording := &vtpm.Recording{}
	lab := openLab(b, s, 1, vtpm.Options{Recording: recording, Engines: 1})
	replay(b, lab, recording)
	var all, bare time.Duration
	b.ResetTimer()
	for range b.N * rounds {
		before := cpu(b)
		provision(b, s, lab)
		all += cpu(b) - before
		bare += replay(b, lab, recording).CPU
	}
	b.ReportMetric(float64(all)/float64(bare), "technician-cpu-ratio")
	perDevice := 1000 * float64(b.N*rounds*s.Fleet.Count())
	b.ReportMetric(float64(all.Microseconds())/perDevice, "ms/device")
	b.ReportMetric(float64(bare.Microseconds())/perDevice, "ms/device-bare")
}

// replay asks again what was recorded since the last time.
func replay(b *testing.B, lab *vtpm.Lab, r *vtpm.Recording) vtpm.Replayed {
	b.Helper()
	again, err := lab.Replay(r)
	if err != nil {
		b.Fatal(err)
	}
	if again.Commands == 0 || again.Differed > 0 {
		b.Fatalf("of %d commands %d were answered otherwise than in the run", again.Commands, again.Differed)
	}
	return again
}

// How fast a fleet goes through the technician flow, on two cores and with the
// engines that a run has of its own accord.
func BenchmarkPromiseTPMTechnicianDevices(b *testing.B) {
	s := technicians(b, devices(b, 10*perCell))
	lab := openLab(b, s, 2, vtpm.Options{})
	b.ResetTimer()
	for range b.N {
		provision(b, s, lab)
	}
	b.ReportMetric(float64(b.N*s.Fleet.Count())/b.Elapsed().Seconds(), "technician-devices/s")
}

// The same with the images of the user's own cache, for -cpuprofile. It promises
// nothing.
func BenchmarkWarm(b *testing.B) {
	s := technicians(b, devices(b, 2*perCell))
	lab := openLab(b, s, 2, vtpm.Options{})
	b.ReportAllocs()
	for b.Loop() {
		provision(b, s, lab)
	}
}
