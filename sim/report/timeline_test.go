package report_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report"
)

var start = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

// life is a PC's life in short, made by hand. Each step is the time since the
// one before it, the kind, and the fields.
func life() []journal.Event {
	var events []journal.Event
	now := start
	on := func(after time.Duration, kind string, fields ...any) {
		now = now.Add(after)
		e := journal.Event{Seq: uint64(len(events) + 1), Time: now, Device: "PF4K2J7A", Kind: kind}
		for i := 0; i < len(fields); i += 2 {
			e.Fields = append(e.Fields, journal.F(fields[i].(string), fields[i+1]))
		}
		events = append(events, e)
	}
	const s, m, d = time.Second, time.Minute, 24 * time.Hour
	on(0, "device.made", "serial", "PF4K2J7A", "model", "Contoso Book 14", "tpm", "discrete-a")
	on(12*m, "phase.end", "phase", "registered", "took", 12*m)
	on(0, "phase.end", "phase", "queue", "took", time.Duration(0))
	arrived := now
	on(0, "device.power.on", "boot", 1)
	on(2*s, "screen.shown", "screen", "firmware", "title", "Contoso")
	on(1*s, "tpm.command", "operation", "TPM2_PCR_Extend", "result", "ok")
	on(20*s, "screen.shown", "screen", "oobe.signin", "title", "Welcome to Contoso")
	on(9*s, "person.struck", "screen", "oobe.signin", "key", "Windows", "times", 5)
	on(0, "screen.shown", "screen", "autopilot.options", "title", "What would you like to do?")
	on(4*s, "person.pressed", "screen", "autopilot.options", "button", "Continue")
	on(1*s, "msa.ticket", "tpmValidated", false, "expires", now.Add(d))
	on(1*s, "http.request", "host", "ztd.dds.microsoft.com", "operation", "profile", "method", "POST", "n", 7, "status", 503)
	on(30*s, "http.request", "host", "ztd.dds.microsoft.com", "operation", "profile", "method", "POST", "n", 8, "status", 200)
	on(0, "autopilot.profile", "outcome", "found", "profile", "Contoso standard", "user", "ada@contoso.example")
	on(0, "screen.shown", "screen", "autopilot.landing", "title", "Windows Autopilot")
	on(12*s, "person.pressed", "screen", "autopilot.landing", "button", "Provision")
	on(0, "esp.category", "category", "DevicePreparation", "state", "inProgress")
	on(0, "esp.row", "category", "DevicePreparation", "row", "Securing your hardware", "state", "inProgress", "text", "Working on it...")
	on(1*s, "tpm.attest.start")
	on(3*s, "tpm.attest.failed", "attempt", 1, "code", "0x81039001", "error", "aik: HTTP 503")
	on(m, "aik.challenge", "host", "ifx-keyid-1.microsoftaik.azure.net")
	on(1*s, "tpm.command", "operation", "TPM2_ActivateCredential", "result", "ok")
	on(1*s, "aik.certificate", "serial", "4c11", "aik", "000b")
	on(0, "msa.ticket", "tpmValidated", true, "expires", now.Add(d))
	on(0, "tpm.attest.done")
	on(0, "esp.row", "category", "DevicePreparation", "row", "Securing your hardware", "state", "succeeded", "text", "Complete")
	on(7*s, "entra.join", "deviceId", "5f0c2b1e", "as", "", "key", "00ff")
	on(9*s, "mdm.enrolled", "entDMID", "17", "whiteGlove", true, "upn", "")
	on(0, "mdm.session", "origin", 5, "login", "none", "commands", 12, "outcome", "ok")
	on(1*s, "policy.applied", "uri", "./Device/Vendor/MSFT/Policy/Config/Update/AllowAutoUpdate", "value", "1", "scope", "")
	on(1*s, "certificate.installed", "name", "wifi", "subject", "CN=PF4K2J7A", "scope", "")
	on(90*s, "http.transfer", "host", "cdn.example", "n", 21, "bytes", 48_200_000, "done", 48_200_000)
	on(0, "app.install", "app", "Company Portal", "state", "InProgress", "code", "0x00000000")
	on(2*m, "app.install", "app", "Company Portal", "state", "Completed", "code", "0x00000000")
	on(0, "log.line", "file", "IntuneManagementExtension.log", "component", "Win32App", "message", "done\nand done")
	on(0, "esp.row", "category", "DeviceSetup", "row", "Apps", "state", "failed", "text", "Error (0x81036502)")
	on(0, "refused", "service", "fakeentra/drs", "operation", "join", "check", "attested key", "code", "0x801C03F3")
	on(0, "printer.jammed", "paperLeft", 3)
	on(10*s, "person.pressed", "screen", "autopilot.success", "button", "Reseal")
	on(0, "device.resealed", "joined", true)
	on(5*s, "device.power.off", "why", "shut down")
	on(0, "phase.end", "phase", "technician", "took", now.Sub(arrived))
	on(9*d+2*time.Hour, "phase.end", "phase", "shelf", "took", 9*d+2*time.Hour)
	arrived = now
	on(0, "device.power.on", "boot", 2)
	on(3*m, "desktop.reached", "user", "ada@contoso.example")
	on(0, "phase.end", "phase", "user", "took", now.Sub(arrived))
	on(2*m, "entra.device.compliance", "deviceId", "5f0c2b1e", "compliant", true)
	on(0, "story.ended", "outcome", "failed", "code", "0x81036502", "phase", "Apps", "check", "")
	return events
}

func TestTimelineTellsTheStory(t *testing.T) {
	var b bytes.Buffer
	g := gomega.NewWithT(t)
	g.Expect(report.Timeline(&b, life(), report.TimelineOptions{Title: "PF4K2J7A"})).To(gomega.Succeed())
	golden(t, "story.txt", b.Bytes())
}

func TestTimelineWithEverything(t *testing.T) {
	var b bytes.Buffer
	g := gomega.NewWithT(t)
	g.Expect(report.Timeline(&b, life(), report.TimelineOptions{Detail: report.Everything})).To(gomega.Succeed())
	golden(t, "everything.txt", b.Bytes())
}

func TestTimelineOfNothing(t *testing.T) {
	var b bytes.Buffer
	g := gomega.NewWithT(t)
	g.Expect(report.Timeline(&b, nil, report.TimelineOptions{})).To(gomega.Succeed())
	g.Expect(b.String()).To(gomega.Equal("(nothing happened)\n"))
}

// An event with whatever fields never breaks a line, and never a terminal.
func TestTimelineKeepsToItsLines(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, kind := range []string{"", ".", "refused", "x.y", "screen.shown", "phase.end", "mdm.session", "esp.row"} {
		var b bytes.Buffer
		e := journal.Event{Time: start, Kind: kind}
		for _, key := range []string{"text", "title", "error", "phase", "outcome", "service", "check", "row", "x"} {
			e.Fields = append(e.Fields, journal.F(key, "a\nb\x1b[31m{code}["))
		}
		g.Expect(report.Timeline(&b, []journal.Event{e}, report.TimelineOptions{Detail: report.Everything})).To(gomega.Succeed())
		g.Expect(strings.Count(b.String(), "\n")).To(gomega.BeNumerically("<=", 2), kind) // with the day
		g.Expect(b.String()).NotTo(gomega.ContainSubstring("\x1b"))
	}
}

func ExampleTimeline() {
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	_ = report.Timeline(os.Stdout, []journal.Event{
		{Time: at(0), Kind: "device.power.on", Fields: []journal.Field{journal.F("boot", 1)}},
		{Time: at(842), Kind: "esp.row", Fields: []journal.Field{journal.F("row", "Securing your hardware"), journal.F("text", "Complete")}},
	}, report.TimelineOptions{})
	// Output:
	//    Tuesday 2026-09-01
	// 08:00:00 +0:00:00      PC         Power on, boot 1
	// 08:14:02 +0:14:02      ESP        Securing your hardware: Complete
}

func TestTheLastOfATimelineFoldsWhatIsSaidAgain(t *testing.T) {
	g := gomega.NewWithT(t)
	var events []journal.Event
	for i := range 500 {
		events = append(events, journal.Event{Time: start.Add(time.Duration(i) * time.Minute), Kind: "mdm.session.ended", Fields: []journal.Field{journal.F("sent", i > 100)}})
	}
	events = append(events, journal.Event{Time: start.Add(9 * time.Hour), Kind: "device.power.on", Fields: []journal.Field{journal.F("boot", 2)}})
	said := report.Last(events, 30, report.TimelineOptions{Detail: report.Everything})
	g.Expect(strings.Count(said, "\n")).To(gomega.BeNumerically("<", 30))
	g.Expect(said).To(gomega.MatchRegexp(`(?m)^[0-9:]{8} \+8:19:00 +and \d+ more of these\n[0-9:]{8} \+9:00:00 +PC `))
	g.Expect(strings.Count(report.Last(events, 2, report.TimelineOptions{Detail: report.Everything}), "\n")).To(gomega.Equal(2))
}
