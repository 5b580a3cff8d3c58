package report_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/report"
)

func summary() *sim.Summary {
	return &sim.Summary{
		Build: "(devel) 0123456789ab", Scenario: "quickstart", Seed: 7, Home: "direct", Devices: 200, Cells: 2,
		Outcomes:  map[string]int{"desktop": 195, "failed": 3, "stuck(esp, Apps)": 2},
		TraceHash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		Start:     start, End: start.Add(21*24*time.Hour + 4*time.Hour), VirtualSeconds: (21*24 + 4) * 3600, WallSeconds: 41.27,
		Events: 112_345, Scheduled: 2_345_678, Refusals: 12,
		Phases: []sim.PhaseStats{
			{Name: "technician", Count: 198, P50: 2526, P90: 3100.4, P99: 4000, Max: 4100},
			{Name: "shelf", Count: 197, P50: 9 * 86400, P90: 17 * 86400, P99: 20 * 86400, Max: 21*86400 - 1},
			{Name: "user", Count: 197, P50: 1512, P90: 59.4, P99: 3599.7, Max: 86399},
		},
		TPM: sim.TPMStats{Commands: 31_234, EngineSeconds: 22.13, DistinctEKs: 200, ImagesMade: 12, ImagesFound: 188},
		Failures: []sim.FailureGroup{
			{Outcome: "failed", Code: "0x80180014", Phase: "Registering your device for mobile management", Check: "fakeintune/mde: enrolment restriction", Count: 3, Sample: "PF4K2J7A", Reason: "enrol: the platform is\nblocked", Replay: "windtunnel run --devices 200 --seed 7 --timeline PF4K2J7A"},
			{Outcome: "stuck(esp, Apps)", Count: 2, Sample: "PF4K2J7B"},
		},
		Expectations: []sim.Expectation{{Text: "outcome.desktop == all: have 195", Got: 195}, {Text: "distinctEKs == 200: have 200", Met: true, Got: 200}},
		NotModelled:  []string{"tenant.groups[0].theme"},
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	g := gomega.NewWithT(t)
	g.Expect(report.Table(&b, summary(), "windtunnel run --devices 200 --seed 7")).To(gomega.Succeed())
	golden(t, "table.txt", b.Bytes())
}

func TestTableOfAnInterruptedRun(t *testing.T) {
	var b bytes.Buffer
	g := gomega.NewWithT(t)
	s := &sim.Summary{Scenario: "x", Devices: 1, Cells: 1, Interrupted: true, Start: start, End: start,
		Failures: []sim.FailureGroup{{Outcome: sim.Unfinished, Count: 1}}, Expectations: []sim.Expectation{{Text: "outcome.desktop == all"}}}
	g.Expect(report.Table(&b, s, "")).To(gomega.Succeed())
	golden(t, "interrupted.txt", b.Bytes())
}

func TestDuration(t *testing.T) {
	g := gomega.NewWithT(t)
	for d, want := range map[time.Duration]string{
		0: "0.0s", 420 * time.Millisecond: "0.4s", 9949 * time.Millisecond: "9.9s", 9951 * time.Millisecond: "10s",
		59*time.Second + 600*time.Millisecond: "1m00s", 247 * time.Second: "4m07s", time.Hour - time.Millisecond: "1h00m",
		125 * time.Minute: "2h05m", 24*time.Hour - time.Second: "1d 00h", 220 * time.Hour: "9d 04h", -time.Minute: "-1m00s",
	} {
		g.Expect(report.Duration(d)).To(gomega.Equal(want), d.String())
	}
}

func TestCount(t *testing.T) {
	g := gomega.NewWithT(t)
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		g.Expect(report.Count(n)).To(gomega.Equal(want))
	}
}
