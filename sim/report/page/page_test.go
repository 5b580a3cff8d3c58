package page_test

import (
	"bytes"
	"fmt"
	"image/color"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/house/browser"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report/page"
)

var start = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

// made is a made-up run: forty PCs, of which ten fail in two ways.
func made() page.Data {
	at := func(d time.Duration, kind string, fields ...journal.Field) journal.Event {
		return journal.Event{Time: start.Add(d), Device: "PC-0001", Kind: kind, Fields: fields}
	}
	story := page.Story{Serial: "CD41LYX0", Events: []journal.Event{
		at(0, "device.made", journal.F("serial", "CD41LYX0"), journal.F("model", "Contoso Aero")),
		at(40*time.Minute, "device.power.on", journal.F("boot", 1)),
		at(41*time.Minute, "screen.shown", journal.F("screen", "autopilot.landing"), journal.F("title", "Windows Autopilot")),
		at(42*time.Minute, "person.pressed", journal.F("button", "Next")),
		at(43*time.Minute, "refused", journal.F("service", "aik"), journal.F("operation", "aik.enroll"), journal.F("check", "vulnerable firmware")),
		at(44*time.Minute, "autopilot.failed", journal.F("code", "0x81039024"), journal.F("phase", "<Securing & hardware>")),
		at(45*time.Minute, "story.ended", journal.F("outcome", "failed"), journal.F("code", "0x81039024"), journal.F("phase", ""), journal.F("check", "")),
	}}
	faults := &page.Faults{}
	for i := range 7 {
		_ = faults.Write(journal.Event{Time: start.Add(time.Duration(i) * time.Minute), Device: fmt.Sprintf("PC-%04d", i%3), Kind: "fault.fired",
			Fields: []journal.Field{journal.F("rule", "busy"), journal.F("layer", "http"), journal.F("operation", fmt.Sprintf("op%d", i)), journal.F("action", "status 503")}})
	}
	return page.Data{
		Summary: &sim.Summary{
			Scenario: "An <office>", Seed: 7, Devices: 40, Cells: 2, Outcomes: map[string]int{"desktop": 30, "failed": 8, "stuck(esp, Apps)": 2}, TraceHash: strings.Repeat("0123456789abcdef", 4), Home: "direct",
			VirtualSeconds: 9 * 86400, WallSeconds: 2.04, Refusals: 5, Faults: 7, Build: "1.0", Problems: []string{"timeline 1: no PC fits"},
			Phases: []sim.PhaseStats{{Name: "technician", Count: 30, Min: 300, P50: 340, P90: 400, P99: 420, Max: 430}, {Name: "shelf", Count: 30, Min: 1800, P50: 4e5, P90: 7e5, P99: 7.5e5, Max: 7.6e5}},
			Failures: []sim.FailureGroup{{Outcome: "failed", Code: "0x81039024", Phase: "DevicePreparation.TpmAttestationSubcategory", Check: "aik aik.enroll: vulnerable firmware", Count: 8, Sample: "CD41LYX0",
				Reason: "Securing your hardware: HTTP 400: the TPM's firmware needs an update: Get \"https://ifx-keyid-1a71a7a00ce527f9c2070020c01fbe155e0ae315.microsoftaik.azure.net/templates/Aik/scep?operation=GetCACaps\"", Replay: "windtunnel replay out --timeline CD41LYX0"}},
			Expectations: []sim.Expectation{
				{Expected: "failures == 0", Text: "failures == 0: have 10"}, {Expected: "phase.technician.p90 < 45m", Text: "phase.technician.p90 < 45m: have 6m40s", Met: true},
			},
		},
		Stories: []page.Story{story}, Faults: faults.List(),
		Matrix: &page.Matrix{
			Title: "Exchanges and faults", Text: "Each exchange of a flow was failed with each fault.", Columns: []string{"status 503", "cut", "no such name"}, Rows: []string{"aik.request", "drs.join"},
			Cells: [][]page.Cell{{{Short: "desktop", Mark: page.Good}, {Short: "0x81039001", Long: "three times in vain", Mark: page.Told}, {}}, {{Short: "stuck", Mark: page.Waits}, {Short: "no code", Mark: page.Broken}, {Short: "desktop", Mark: page.Good}}},
		},
		Commands: []page.Command{{Why: "The same run", Line: "windtunnel replay out"}},
	}
}

func written(t *testing.T, d page.Data) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSays(t *testing.T) {
	g := NewWithT(t)
	html := written(t, made())
	for _, text := range []string{
		"An &lt;office&gt;", "1 of 2 expectations missed", "timeline 1: no PC fits", "stuck(esp, Apps)", "75.0%", "Technician flow", "aik aik.enroll: vulnerable firmware", "windtunnel replay out --timeline CD41LYX0",
		"PC CD41LYX0: failed: 0x81039024", "… 40m00s", "op0, op1, op2, op3, …", "three times in vain", `class="broken"`, "<details><summary>The story as text</summary>",
	} {
		g.Expect(html).To(ContainSubstring(text))
	}
	g.Expect(html).NotTo(ContainSubstring("<script"))
	g.Expect(html).NotTo(ContainSubstring("http://"))
	g.Expect(html).NotTo(ContainSubstring("<Securing"))
	g.Expect(html).To(Equal(written(t, made())), "the same page of the same run")
}

func TestVerdicts(t *testing.T) {
	g := NewWithT(t)
	d := made()
	s := *d.Summary
	d.Summary = &s
	s.Interrupted = true
	g.Expect(written(t, d)).To(ContainSubstring("Interrupted: nothing is judged"))
	s.Interrupted, s.Expectations = false, nil
	g.Expect(written(t, d)).To(ContainSubstring("Nothing was expected"))
	walked := written(t, page.Data{Matrix: d.Matrix})
	g.Expect(walked).To(ContainSubstring("1 of 5 cells are mistakes"))
	g.Expect(walked).NotTo(ContainSubstring("summary.json"))
}

func TestLooks(t *testing.T) {
	html := written(t, made())
	bright := []color.RGBA{{0xff, 0xff, 0xff, 0xff}, {0x0b, 0x5c, 0xad, 0xff}, {0xb3, 0x26, 0x1e, 0xff}, {0x1b, 0x6e, 0x2f, 0xff}}
	dim := []color.RGBA{{0x15, 0x18, 0x1d, 0xff}, {0x6c, 0xb2, 0xff, 0xff}, {0xff, 0x8f, 0x85, 0xff}, {0x7a, 0xd6, 0x94, 0xff}}
	for _, look := range []struct {
		name, html, scheme string
		width              int
		ground             []color.RGBA // the ground, and three inks
	}{
		{"run-light", html, browser.Light, 1280, bright},
		{"run-dark", html, browser.Dark, 1280, dim},
		{"run-phone", browser.Phone(html), browser.Dark, 500, dim},
		{"run-paper", browser.Paper(html), browser.Dark, 720, bright},
	} {
		t.Run(look.name, func(t *testing.T) {
			img := browser.Screenshot(t, look.html, look.name, look.width, 3000, look.scheme)
			g := NewWithT(t)
			g.Expect(color.RGBAModel.Convert(img.At(1, 1))).To(Equal(look.ground[0]))
			for i, c := range look.ground[1:] {
				g.Expect(browser.Ink(img, c)).To(BeNumerically(">", 150), "ink %d", i)
			}
			if got, want := browser.SticksOut(t, look.html, look.width), fmt.Sprintf("%d:%d:", look.width, look.width); got != want {
				t.Errorf("sticks out: %s, want %s", got, want)
			}
		})
	}
	if pages := browser.Pages(t, html); pages < 1 || pages > 6 {
		t.Errorf("%d pages on paper", pages)
	}
}
