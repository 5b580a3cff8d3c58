package bench_load

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"windtunnel.test/sim/load/pcs"
)

// How a load behaves from a hundred PCs to ten thousand, as a table for people. WINDTUNNEL_BENCH_DEVICES ends it earlier.
func BenchmarkPromiseLoadScale(b *testing.B) {
	lab := openLab(b)
	most := devices(b, 2000)
	for range b.N {
		board.Note("machine: %s, %d of %d cores, %s", machine(), cores, runtime.NumCPU(), runtime.Version())
		board.Note("| devices | made ready in | AIK certificates/s | p50 | p99 | CPU of one | memory |")
		board.Note("|---:|---:|---:|---:|---:|---:|---:|")
		for _, n := range []int{100, 1000, 2000, 5000, 10_000} {
			if n > most {
				break
			}
			board.Note("%s", row(b, n, func(count int) (*pcs.Pool, func(time.Duration) run) {
				p := newPool(b, lab, count, pcs.AIK)
				return p, func(span time.Duration) run { return loop(b, p, lab, pcs.AIK, 8, span) }
			}))
		}
	}
}

func row(b *testing.B, n int, pool func(count int) (*pcs.Pool, func(time.Duration) run)) string {
	b.Helper()
	begin := b.Elapsed()
	p, loop := pool(n)
	defer closePool(b, p)
	ready := b.Elapsed() - begin
	loop(time.Second)
	debug.FreeOSMemory()
	resetPeak()
	r := loop(5 * time.Second)
	return fmt.Sprintf("| %d | %.1f s | %.0f | %.1f ms | %.1f ms | %.2f ms | %.0f MB |", n, ready.Seconds(), r.rate(),
		r.quantile(.5).Seconds()*1000, r.quantile(.99).Seconds()*1000, r.each(), peakMB(b))
}

// machine is the processor's name, as the kernel has it.
func machine() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// resetPeak forgets the highest resident memory so far (proc_pid_clear_refs(5)).
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// peakMB is the process's highest resident memory since, TPM states included.
func peakMB(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.Fields(value)[0])
			if err != nil {
				b.Fatal(err)
			}
			return float64(kb) / 1000
		}
	}
	b.Fatal("the kernel does not say how much memory is resident")
	return 0
}
