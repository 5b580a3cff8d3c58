package page_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/load/page"
)

var update = flag.Bool("update", false, "write the golden file")

func written(t *testing.T, d page.Data) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	const name = "testdata/report.html"
	got := written(t, made())
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; go test -update writes it anew, and then look at it in a browser", name)
	}
}

func TestStandsAlone(t *testing.T) {
	g := NewWithT(t)
	text := written(t, made())
	for _, outside := range []string{"<script", "<link", "<img", "src=", "url(", "@import", "http://", "https://"} {
		g.Expect(text).NotTo(ContainSubstring(outside))
	}
}

func TestSaysWhatMatters(t *testing.T) {
	g := NewWithT(t)
	text := written(t, made())
	for _, said := range []string{
		"3 of 4 thresholds missed", "Limited by the generator", "nothing was measured", "Misbehaviour not refused",
		"0x80072EE2 (", "HTTP 429 Too Many Requests", "attestation &lt;ramp&gt;", "wrong-ek",
		"windtunnel load scenarios/load/attestation.yaml --target serve --seed 42", "Example CPU",
	} {
		g.Expect(text).To(ContainSubstring(said))
	}
	g.Expect(text).NotTo(ContainSubstring("NaN"))
	g.Expect(strings.Index(text, "thresholds missed")).To(BeNumerically("<", strings.Index(text, "What was run")))
}

func TestGoodNewsHasNoWarning(t *testing.T) {
	g := NewWithT(t)
	d := page.Data{Summary: figure.Summary{Verdicts: []figure.Verdict{{Expr: "dropped == 0", Have: "0", Met: true, Known: true}}}}
	text := written(t, d)
	g.Expect(text).To(ContainSubstring("The threshold was met"))
	g.Expect(text).NotTo(ContainSubstring(`class="warning"`))
}

// TestFewFigures writes pages of loads that ended before they had any.
func TestFewFigures(t *testing.T) {
	g := NewWithT(t)
	g.Expect(written(t, page.Data{})).To(ContainSubstring("No thresholds were set"))
	d := made()
	d.Seconds = d.Seconds[:1]
	d.Summary.Stopped = "Ctrl-C"
	text := written(t, d)
	g.Expect(text).To(ContainSubstring("Ended early"))
	g.Expect(text).NotTo(ContainSubstring("NaN"))
}

// TestWellFormed has each drawing read by an XML parser.
func TestWellFormed(t *testing.T) {
	text := written(t, made())
	drawings := strings.Split(text, "<svg")[1:]
	if len(drawings) < 10 {
		t.Fatalf("%d drawings", len(drawings))
	}
	for _, d := range drawings {
		body, _, _ := strings.Cut(d, "</svg>")
		for dec := xml.NewDecoder(strings.NewReader("<svg" + body + "</svg>")); ; {
			_, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%v in <svg%s", err, body)
			}
		}
	}
}
