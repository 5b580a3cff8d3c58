package sim

import (
	"os"
	"runtime/debug"
)

// TuneCollector lets the garbage of this process grow to four times what is
// alive before it is collected, which saves a run a tenth of its CPU time and
// costs memory: a cell of a hundred PCs is some 20 MB. Above
// four gigabytes it is collected as eagerly as ever. GOGC and GOMEMLIMIT in the
// environment win. It is for programs that do nothing but run scenarios.
func TuneCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(4 << 30)
	}
}
