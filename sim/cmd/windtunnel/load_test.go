package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/load/figure"
)

// second is one in which three of four were through.
func second(at float64) figure.Second {
	return figure.Second{
		At: at, Gauges: figure.Gauges{Target: 4, InFlight: 1, Free: 9, Lag: 1200 * time.Microsecond, CPU: 1.5, EngineBusy: 0.25, Heap: 20 << 20},
		Steps:  map[string]figure.StepSecond{"aik": {Count: 3, Errors: 1, P50: 21000, P99: 48000, Max: 48000}},
		Errors: map[string]int{"0x80190190": 1}, Dropped: 1,
	}
}

// On a terminal a block takes the place of the last one, cut at its edge.
func TestLoadOnATerminal(t *testing.T) {
	g := gomega.NewWithT(t)
	var out bytes.Buffer
	v := &loadShow{w: &out, width: func() int { return 60 }, title: "tiny", scopes: []string{"aik"}, length: time.Minute, last: map[string]figure.StepSecond{}}
	v.second(second(1))
	g.Expect(out.String()).To(gomega.HavePrefix("\r\x1b[2Ktiny  1.0s of 1m00s\n"))
	first := out.Len()
	v.second(second(2))
	again := out.String()[first:]
	g.Expect(again).To(gomega.HavePrefix("\x1b[7A\r"))
	g.Expect(again).To(gomega.ContainSubstring("  rate       4/s asked, 3/s through  ██\n"))
	g.Expect(again).To(gomega.ContainSubstring("  arrivals   6 through, 2 failed, 2 dropped; lag 1.2ms\n"))
	g.Expect(again).To(gomega.ContainSubstring("  aik        p50 21ms      p99 48ms      max 48ms\n"))
	g.Expect(again).To(gomega.ContainSubstring("  machine    1.50 cores, TPM engines 0.25 of it, 0 commands\n"))
	g.Expect(again).To(gomega.ContainSubstring("  failures   0x80190190 1\n"))
}

// Elsewhere there is a line every five seconds.
func TestLoadInALog(t *testing.T) {
	g := gomega.NewWithT(t)
	var out bytes.Buffer
	v := &loadShow{w: &out, title: "tiny", scopes: []string{"aik"}, last: map[string]figure.StepSecond{}}
	for at := range 11 {
		v.second(second(float64(at + 1)))
	}
	g.Expect(out.String()).To(gomega.Equal(" 5.0s  4.0/s asked, 3.0/s through, 1 under way, aik p50 21ms p99 48ms, 5 failed, 5 dropped, lag 1.2ms, 1.50 cores (TPM 0.25)\n" +
		"  10s  4.0/s asked, 3.0/s through, 1 under way, aik p50 21ms p99 48ms, 5 failed, 5 dropped, lag 1.2ms, 1.50 cores (TPM 0.25)\n"))
	out.Reset()
	quiet := newLoadShow(&shell{err: &out, json: true}, "tiny", nil, 0)
	quiet.second(second(9))
	g.Expect(out.Len()).To(gomega.BeZero())
}

func TestSparkline(t *testing.T) {
	g := gomega.NewWithT(t)
	g.Expect(sparkline([]float64{0, 1, 2, 4, 8, 7})).To(gomega.Equal("▁▂▃▅█▇"))
	g.Expect(sparkline([]float64{0, 0})).To(gomega.Equal("▁▁"))
	g.Expect(sparkline(nil)).To(gomega.BeEmpty())
}

// A result that says more of the generator says so where nobody can miss it.
func TestLimitedByTheGenerator(t *testing.T) {
	g := gomega.NewWithT(t)
	var out bytes.Buffer
	s := figure.Summary{Name: "tiny", Target: "direct", Verdicts: []figure.Verdict{{Expr: "aik.p99 < 1s", Have: "nothing"}},
		Steps: []figure.Figures{{Name: "aik", Scope: true, Count: 7, Errors: 2, Outcomes: map[string]int64{"ok": 5, "HTTP 429": 2}, Causes: map[string]string{"HTTP 429": "too\n many"}}}}
	g.Expect(writeLoad(&out, s)).To(gomega.Succeed())
	g.Expect(out.String()).NotTo(gomega.ContainSubstring("LIMITED"))
	g.Expect(out.String()).To(gomega.ContainSubstring("  missed  aik.p99 < 1s: have nothing (it was not measured)\n"))
	g.Expect(out.String()).To(gomega.MatchRegexp(`(?m)^  aik +HTTP 429 +2  too many$`))
	s.Self.LimitedBy = "all 2 cores were busy in 9 of 10 seconds"
	out.Reset()
	g.Expect(writeLoad(&out, s)).To(gomega.Succeed())
	g.Expect(out.String()).To(gomega.ContainSubstring("\n  LIMITED BY THE GENERATOR, not by the target: all 2 cores were busy in 9 of 10 seconds.\n"))
}

// Only what a load has left is taken away.
func TestLoadFolder(t *testing.T) {
	g := gomega.NewWithT(t)
	top := t.TempDir()
	for _, dir := range []string{top, filepath.Join(top, "r1"), filepath.Join(top, "r2")} {
		_, err := openLoadDir(dir, []byte("name: x\n"), "windtunnel load x.yaml", false)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(os.WriteFile(filepath.Join(dir, "aik.real.hgrm"), nil, 0o644)).To(gomega.Succeed())
	}
	foreign := filepath.Join(top, "r2", "notes.txt")
	g.Expect(os.WriteFile(foreign, nil, 0o644)).To(gomega.Succeed())
	g.Expect(createLoadDir(top)).To(gomega.MatchError(errForeign))
	g.Expect(filepath.Join(top, "r1", "aik.real.hgrm")).To(gomega.BeAnExistingFile())
	g.Expect(os.Remove(foreign)).To(gomega.Succeed())
	g.Expect(createLoadDir(top)).To(gomega.Succeed())
	left, err := os.ReadDir(top)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(left).To(gomega.BeEmpty())
}
