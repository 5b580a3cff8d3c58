package explain_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/catalog"
	"windtunnel.test/sim/explain"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report"
	"windtunnel.test/sim/scenario"
)

var update = flag.Bool("update", false, "write golden files anew")

const host = "ifx-1.microsoftaik.azure.net"

// recorded writes the folder of a run in which one PC met a wall, a fault and a
// refusal, one got to its desktop, and one was still waiting.
func recorded(t *testing.T) (*report.Past, *scenario.Scenario) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "fleet.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	d, err := report.Create(dir, text, report.Header{Build: "test", Home: "direct"})
	if err != nil {
		t.Fatal(err)
	}
	at, seq := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC), uint64(0)
	say := func(after time.Duration, device, kind string, fields ...journal.Field) {
		at = at.Add(after)
		seq++
		if err := d.Journal().Write(journal.Event{Seq: seq, Time: at, Device: device, Kind: kind, Fields: append(fields, journal.Loose("cell", 0))}); err != nil {
			t.Fatal(err)
		}
	}
	f := journal.F
	for device, serial := range []string{"", "AAA", "BBB", "CCC"} {
		if device > 0 {
			say(0, "PC-000"+string(rune('0'+device)), "device.made", f("serial", serial), f("model", "Fabrikam FieldBook 13"), f("tpm", "infineon-slb9670"))
		}
	}
	say(20*time.Minute, "PC-0001", "phase.end", f("phase", "registered"), f("took", 20*time.Minute))
	say(0, "PC-0001", "phase.end", f("phase", "queue"), f("took", time.Duration(0)))
	say(0, "PC-0002", "phase.end", f("phase", "registered"), f("took", 20*time.Minute))
	say(time.Minute, "", "timeline.changed", f("change", 1))
	say(time.Minute, "PC-0001", "device.power.on", f("boot", 1))
	say(time.Minute, "PC-0001", "refused", f("service", "ztd"), f("operation", "profile"), f("check", "device is registered"), f("code", "0x80180014"))
	for range 3 {
		say(time.Minute, "PC-0001", "fault.fired", f("rule", "busy"), f("layer", "http"), f("host", "graph.microsoft.com"), f("operation", "graph.me"), f("n", 2), f("action", "status 503"))
		say(0, "PC-0001", "http.request", f("host", host), f("operation", "aik.GetCACaps"), f("status", 0), f("code", "0x80072EFD"))
		say(0, "PC-0001", "eventlog", f("channel", "Microsoft-Windows-ModernDeployment-Diagnostics-Provider/Autopilot"), f("id", 171), f("level", "Error"), f("message", "AutopilotManager failed to set the TPM identity confirmed. HRESULT = 0x80072EFD"))
	}
	say(0, "PC-0001", "autopilot.failed", f("code", "0x81039001"), f("phase", "DevicePreparation.TpmAttestationSubcategory"), f("error", "attest TPM: 0x81039001"))
	say(0, "PC-0001", "screen.shown", f("screen", "autopilot.failure"), f("title", "Something went wrong"))
	say(time.Minute, "PC-0001", "story.ended", f("outcome", "failed"), f("code", "0x81039001"), f("phase", "DevicePreparation.TpmAttestationSubcategory"), f("check", "ztd profile: device is registered"))
	say(time.Hour, "PC-0002", "phase.end", f("phase", "user"), f("took", time.Hour))
	say(time.Hour, "PC-0003", "story.ended", f("outcome", "stuck(esp, Apps)"), f("code", ""), f("phase", "esp"), f("check", ""))
	if err := d.Finish(&sim.Summary{Failures: []sim.FailureGroup{{Sample: "AAA"}}}, nil); err != nil {
		t.Fatal(err)
	}
	past, err := report.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, problems := scenario.Load("fleet.yaml", text, sim.LoadOptions(false))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return past, s
}

func TestAccounts(t *testing.T) {
	g := gomega.NewWithT(t)
	past, s := recorded(t)
	var all bytes.Buffer
	for _, pc := range []string{"aaa", "PC-0002"} {
		a, err := explain.Of(past, pc, s, nil)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(a.Write(&all)).To(gomega.Succeed())
		all.WriteString("\n")
	}
	said := strings.ReplaceAll(all.String(), past.Path, "DIR")
	golden := filepath.Join("testdata", "accounts.golden")
	if *update {
		g.Expect(os.WriteFile(golden, []byte(said), 0o644)).To(gomega.Succeed())
	}
	want, err := os.ReadFile(golden)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(said).To(gomega.Equal(string(want)))
}

func TestTheCatalogueIsAsked(t *testing.T) {
	g := gomega.NewWithT(t)
	past, s := recorded(t)
	issues, err := catalog.Embedded()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	a, err := explain.Of(past, "AAA", s, issues)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(a.Helps).To(gomega.BeEmpty(), "no run of an issue has this journal")
	g.Expect(a.Others).NotTo(gomega.BeEmpty())
	for _, h := range a.Others {
		e, ok := issues.Find(h.ID)
		g.Expect(ok).To(gomega.BeTrue())
		g.Expect(e.Seen.Codes).To(gomega.ContainElement("0x81039001"), h.ID)
	}
	first, _ := issues.Find(a.Others[0].ID)
	g.Expect(first.Class).To(gomega.ContainElement("NET"), "a wall stood in the way")
	a, err = explain.Of(past, "BBB", s, issues)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(a.Helps).To(gomega.BeEmpty(), "nothing is wrong with it")

	a, err = explain.Of(past, "CCC", s, issues)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(a.Why[0].Text).To(gomega.HavePrefix("known to wait without end: "))
	g.Expect(a.Why[0].Text).To(gomega.ContainSubstring("S24"))

	_, err = explain.Of(past, "DDD", s, issues)
	var unknown *explain.Unknown
	g.Expect(err).To(gomega.BeAssignableToTypeOf(unknown))
	g.Expect(err.(*explain.Unknown).Known).To(gomega.Equal([]string{"AAA", "BBB", "CCC"}))
}
