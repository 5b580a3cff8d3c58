package sim

import (
	"os"
	"runtime"
	"runtime/debug"
)

// TuneCollector lets the garbage of this process grow to eight times what is
// alive before it is collected, which saves a run a tenth of its CPU time and
// costs memory: 240 MB for two cells of a hundred PCs. At four times it would be
// 140 MB and 2 % more CPU time; without any collection more again, since a fresh
// page costs more than a used one. Above four gigabytes it is collected as
// eagerly as ever. GOGC and GOMEMLIMIT in the
// environment win. It is for programs that do nothing but run scenarios.
func TuneCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(800)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(4 << 30)
	}
}

// SpareProcessor lets Go use a processor more than there are cores. A TPM
// command is a call to C, which keeps its processor as long as it lasts; with one
// to spare, the collector and the pipes of engine processes need not wait for
// it, and two cells on two cores take a fifth less time. GOMAXPROCS in the
// environment wins. It is for the same programs.
func SpareProcessor(cores int) {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(cores + 1)
	}
}

// TuneForLoad is TuneCollector for a process with so many PCs that are on: what
// lives is known, 30 KB of a PC beside its TPM's state, and garbage may add what
// fits into a bound that follows from it. 5,000 PCs that are all in the middle
// of something stay below 600 MB with their TPMs. What more PCs add is thrice
// that a PC: with garbage held to so little beside so much that lives, half of the
// CPU time would be the collector's.
func TuneForLoad(devices int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(800)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		most := int64(devices)
		debug.SetMemoryLimit(max(256<<20, 96<<20+min(most, 5000)*(40<<10)+max(0, most-5000)*(120<<10)))
	}
}
