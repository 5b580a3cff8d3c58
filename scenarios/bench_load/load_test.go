// Package bench_load holds what is promised about a load of PCs with TPMs of their own, on the wall clock, with the
// services in the same process. `make bench-load` judges the figures; each that is missed fails its benchmark.
package bench_load

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim"
	"windtunnel.test/sim/house/promise"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/load/pcs"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
)

var board promise.Board

func TestMain(m *testing.M) { os.Exit(board.Main(m)) }

// cores are what the promises are about.
const cores = 2

// devices is how many PCs a benchmark has at most: WINDTUNNEL_BENCH_DEVICES, or what it says itself. Their images are made
// first where they are not there.
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

// office is the built-in scenario with small downloads.
func office(b *testing.B, count int) *scenario.Scenario {
	b.Helper()
	text := strings.ReplaceAll(string(quickstart.YAML), "size: 1600000000", "size: 1600000")
	s, problems := scenario.Load(quickstart.Name, []byte(text), sim.LoadOptions(false))
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	if s, problems = s.Resolve(scenario.Flags{Devices: count, Cells: 1}); len(problems) > 0 {
		b.Fatal(problems)
	}
	return s
}

// openLab opens a lab over the images in WINDTUNNEL_TPM_CACHE or, without it, in the user's own cache, and gives the
// process the two cores, tuned as `windtunnel load` is.
func openLab(b *testing.B) *vtpm.Lab {
	b.Helper()
	before := runtime.GOMAXPROCS(cores)
	b.Cleanup(func() { runtime.GOMAXPROCS(before) })
	lab, err := vtpm.Open(vtpm.Options{CacheDir: os.Getenv("WINDTUNNEL_TPM_CACHE")})
	if err != nil {
		b.Fatal(err)
	}
	sim.SpareProcessor(cores)
	b.Cleanup(func() {
		if err := lab.Close(); err != nil {
			b.Error(err)
		}
	})
	return lab
}

// newPool makes PCs ready for one scope.
func newPool(b *testing.B, lab *vtpm.Lab, count int, scope string) *pcs.Pool {
	b.Helper()
	sim.TuneForLoad(count)
	p, err := pcs.New(b.Context(), pcs.Options{Scenario: office(b, count), Lab: lab, Scopes: map[string]float64{scope: 1}, SlowPause: 50 * time.Microsecond})
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func closePool(b *testing.B, p *pcs.Pool) {
	b.Helper()
	if err := p.Close(); err != nil {
		b.Error(err)
	}
}

// run is what came of a closed loop.
type run struct {
	took   time.Duration
	all    []time.Duration // of honest arrivals, sorted
	steps  int
	failed int
	used   use
}

func (r run) rate() float64 { return float64(len(r.all)) / r.took.Seconds() }

func (r run) quantile(q float64) time.Duration {
	return r.all[min(len(r.all)-1, int(q*float64(len(r.all))))]
}

// each is the CPU time of one arrival in milliseconds.
func (r run) each() float64 { return r.used.all.Seconds() * 1000 / float64(len(r.all)) }

// engines is the part of the CPU time that TPM engines took.
func (r run) engines() float64 { return r.used.engines.Seconds() / r.used.all.Seconds() }

func (r run) String() string {
	return fmt.Sprintf("%d done, %d failed, p50 %v, p99 %v, CPU %.2f ms each", len(r.all), r.failed, r.quantile(.5).Round(time.Microsecond), r.quantile(.99).Round(time.Microsecond), r.each())
}

// use is CPU time: of the process and its engine processes, and of that what the TPM engines took.
type use struct{ all, engines time.Duration }

func (u use) minus(o use) use { return use{u.all - o.all, u.engines - o.engines} }

func used(b *testing.B, lab *vtpm.Lab) use {
	b.Helper()
	var self syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &self); err != nil {
		b.Fatal(err)
	}
	u := use{all: time.Duration(self.Utime.Nano() + self.Stime.Nano()), engines: time.Duration(lab.Stats().EngineSeconds * 1e9)}
	for _, pid := range lab.EnginePIDs() {
		u.all += cpuOf(pid)
	}
	return u
}

// cpuOf is what another process has used, in ticks of 10 ms (proc_pid_stat(5), fields 14 and 15).
func cpuOf(pid int) time.Duration {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// loop lets so many arrivals be under way all the time.
func loop(b *testing.B, p *pcs.Pool, lab *vtpm.Lab, scope string, atOnce int, span time.Duration) run {
	b.Helper()
	var (
		out   run
		mu    sync.Mutex
		all   sync.WaitGroup
		clock = p.World.Clock
	)
	before, begin := used(b, lab), clock.Now()
	ends := begin.Add(span)
	for range atOnce {
		all.Go(func() {
			for clock.Now().Before(ends) {
				a, took := arrive(b, p, scope, "")
				mu.Lock()
				out.steps += len(a.Steps)
				if a.Outcome.OK() {
					out.all = append(out.all, took)
				} else {
					out.failed++
					b.Logf("%s: %+v", a.Device, a.Outcome)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	out.took, out.used = clock.Now().Sub(begin), used(b, lab).minus(before)
	slices.Sort(out.all)
	if len(out.all) == 0 {
		b.Fatal("nothing came to an end")
	}
	return out
}

func arrive(b *testing.B, p *pcs.Pool, scope, bad string) (figure.Arrival, time.Duration) {
	ctx := context.Background()
	subject, err := p.Take(ctx, scope, bad)
	if err != nil {
		b.Error(err)
		return figure.Arrival{}, 0
	}
	var a figure.Arrival
	begin := p.World.Clock.Now()
	if err := subject.Do(ctx, &a); err != nil {
		b.Error(err)
	}
	took := p.World.Clock.Now().Sub(begin)
	p.Give(subject)
	return a, took
}
