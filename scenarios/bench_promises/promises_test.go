// Package bench_promises holds what the README promises about speed, as
// benchmarks. Each promise is a limit; one that is missed fails its benchmark.
// Where a promise can be a ratio it is one, of two figures of the same run.
package bench_promises

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim/house/promise"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
)

var board promise.Board

func TestMain(m *testing.M) {
	code := board.Main(m)
	if imagesDir != "" {
		if err := os.RemoveAll(imagesDir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

// imagesDir is the image cache of this process's benchmarks, empty when the
// first of them begins.
var imagesDir string

var emptyImages = sync.OnceValues(func() (string, error) {
	var err error
	imagesDir, err = os.MkdirTemp("", "windtunnel-promises-")
	return imagesDir, err
})

// openLab opens a lab over that cache; a benchmark has to close it.
func openLab(b *testing.B) *vtpm.Lab {
	b.Helper()
	dir, err := emptyImages()
	if err != nil {
		b.Fatal(err)
	}
	lab, err := vtpm.Open(vtpm.Options{CacheDir: dir, Engines: 1})
	if err != nil {
		b.Fatal(err)
	}
	return lab
}

func closeLab(b *testing.B, lab *vtpm.Lab) {
	b.Helper()
	if err := lab.Close(); err != nil {
		b.Error(err)
	}
}

// fleet is the built-in scenario.
func fleet(b *testing.B) *scenario.Scenario {
	b.Helper()
	s, problems := scenario.Load(quickstart.Name, quickstart.YAML, scenario.Options{})
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	return s
}

// twoCores gives the process the two cores that the promises are about.
func twoCores(b *testing.B) {
	b.Helper()
	before := runtime.GOMAXPROCS(2)
	b.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

// spent is what the process has used so far.
type spent struct {
	wall time.Time
	cpu  time.Duration
}

func usage(b *testing.B) spent {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return spent{wall: time.Now(), cpu: time.Duration(r.Utime.Nano() + r.Stime.Nano())}
}

func (s spent) since(b *testing.B) (wall, cpu time.Duration) {
	b.Helper()
	now := usage(b)
	return now.wall.Sub(s.wall), now.cpu - s.cpu
}

// resident is the process's resident memory in bytes once all garbage is given
// back, shared memory (that of chips with power) included.
func resident(b *testing.B) float64 {
	b.Helper()
	for range 3 {
		debug.FreeOSMemory()
	}
	statm, err := os.ReadFile(filepath.Join("/proc/self", "statm"))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(statm))
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return float64(pages) * float64(os.Getpagesize())
}
