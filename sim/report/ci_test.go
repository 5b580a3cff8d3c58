package report_test

import (
	"bytes"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/report"
)

// missed is a run of whose three expectations two were missed.
var missed = &sim.Summary{
	Build: "1.0", Scenario: "office", Seed: 7, Home: "direct", WallSeconds: 1.5, TraceHash: "abc", Start: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC),
	Expectations: []sim.Expectation{
		{Expected: "failures == 0", Text: "failures == 0: have 0", Met: true, Line: 10},
		{Expected: "phase.user.p90 < 45m", Text: "phase.user.p90 < 45m: have 50m", Line: 11},
		{Expected: `PC-0001 ends: failed with 0x81039001`, Text: "PC-0001 ends: failed with 0x81039001: 100% \"not\" <so>\nPC-0001 ended desktop", Line: 12, Evidence: "2026-09-01 PC-0001 story.ended"},
	},
}

func TestJUnit(t *testing.T) {
	var b bytes.Buffer
	NewWithT(t).Expect(report.JUnit(&b, missed, "office.yaml", "windtunnel run office.yaml --seed 7")).To(Succeed())
	golden(t, "junit.xml", b.Bytes())
	g := NewWithT(t)
	b.Reset()
	stopped := *missed
	stopped.Interrupted = true
	g.Expect(report.JUnit(&b, &stopped, "", "")).To(Succeed())
	g.Expect(b.String()).To(ContainSubstring(`<testsuites tests="3" failures="0">`))
	g.Expect(b.String()).To(ContainSubstring(`skipped="3"`))
}

func TestAnnotations(t *testing.T) {
	g := NewWithT(t)
	var b bytes.Buffer
	g.Expect(report.Annotations(&b, missed, "a,b/office.yaml")).To(Succeed())
	g.Expect(b.String()).To(Equal("::error file=a%2Cb/office.yaml,line=11,title=Missed%3A phase.user.p90 < 45m::phase.user.p90 < 45m: have 50m\n" +
		"::error file=a%2Cb/office.yaml,line=12,title=Missed%3A PC-0001 ends%3A failed with 0x81039001::PC-0001 ends: failed with 0x81039001: 100%25 \"not\" <so>%0APC-0001 ended desktop%0A2026-09-01 PC-0001 story.ended\n"))
	b.Reset()
	g.Expect(report.Annotations(&b, missed, "")).To(Succeed())
	g.Expect(b.String()).To(HavePrefix("::error title=Missed%3A phase"))
}
