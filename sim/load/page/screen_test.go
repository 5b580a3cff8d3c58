package page_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// chromium does something with a page and gives what it printed.
func chromium(t *testing.T, html string, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "report.html")
	if err := os.WriteFile(file, []byte(html), 0o644); err != nil {
		t.Fatal(err)
	}
	all := append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
		"--disable-background-networking", "--force-color-profile=srgb", "--force-device-scale-factor=1", "--user-data-dir=" + filepath.Join(dir, "profile")}, args...)
	cmd := exec.Command("chromium", append(all, "file://"+file)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium (Debian's package of that name): %v\n%s", err, errs.String())
	}
	return out
}

func screenshot(t *testing.T, html, name string, width, height int, args ...string) image.Image {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+".png")
	if dir := os.Getenv("WINDTUNNEL_SCREENSHOTS"); dir != "" { // to be looked at
		file = filepath.Join(dir, name+".png")
	}
	chromium(t, html, append(args, "--screenshot="+file, fmt.Sprintf("--window-size=%d,%d", width, height))...)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// ink counts the pixels of a colour.
func ink(img image.Image, c color.RGBA) int {
	n := 0
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			if color.RGBAModel.Convert(img.At(x, y)) == c {
				n++
			}
		}
	}
	return n
}

// paper makes the rules for paper those for the screen.
func paper(html string) string {
	return strings.ReplaceAll(strings.ReplaceAll(html, "@media screen", "@media not all"), "@media print", "@media all")
}

// phone makes the page one for 400 pixels: Chromium has no window below 500,
// where the rules for narrow ones hold already.
func phone(html string) string {
	return strings.Replace(html, "max-width: 1180px", "max-width: 400px", 1)
}

func TestLooks(t *testing.T) {
	const dark, light = "--blink-settings=preferredColorScheme=0", "--blink-settings=preferredColorScheme=1"
	html := written(t, made())
	bright := []color.RGBA{{0xff, 0xff, 0xff, 0xff}, {0x0b, 0x5c, 0xad, 0xff}, {0xa3, 0x4a, 0x00, 0xff}, {0xb3, 0x26, 0x1e, 0xff}}
	dim := []color.RGBA{{0x15, 0x18, 0x1d, 0xff}, {0x6c, 0xb2, 0xff, 0xff}, {0xff, 0xb0, 0x66, 0xff}, {0xff, 0x8f, 0x85, 0xff}}
	for _, look := range []struct {
		name, html, scheme string
		width, height      int
		ground             []color.RGBA // the ground, and three inks
	}{
		{"light", html, light, 1280, 4200, bright},
		{"dark", html, dark, 1280, 4200, dim},
		{"phone-light", phone(html), light, 500, 8200, bright},
		{"phone-dark", phone(html), dark, 500, 8200, dim},
		{"print", paper(html), dark, 720, 4600, bright},
	} {
		t.Run(look.name, func(t *testing.T) {
			img := screenshot(t, look.html, look.name, look.width, look.height, look.scheme)
			g := NewWithT(t)
			area := img.Bounds().Dx() * img.Bounds().Dy()
			g.Expect(color.RGBAModel.Convert(img.At(1, 1))).To(Equal(look.ground[0]))
			g.Expect(ink(img, look.ground[0])).To(BeNumerically(">", area/2), "the ground")
			for i, c := range look.ground[1:] {
				g.Expect(ink(img, c)).To(BeNumerically(">", 300), "ink %d", i)
			}
		})
	}
}

// measure is a script that writes into the page what sticks out of it, tables
// that scroll by themselves left out, and texts of charts that leave their
// drawing.
const measure = `<script>addEventListener("load", () => {
  const out = [], wide = document.body.getBoundingClientRect().right, from = document.body.getBoundingClientRect().left;
  for (const e of document.querySelectorAll("body *")) {
    const r = e.getBoundingClientRect(), scrolls = e.parentElement.closest(".wide");
    if (r.width && !scrolls && (r.right > wide + 1 || r.left < from - 1)) out.push(e.tagName + " " + e.className + " " + r.left + ".." + r.right);
    const chart = e.tagName == "text" && e.closest("svg.chart").getBoundingClientRect();
    if (chart && (r.right > chart.right + 1 || r.left < chart.left - 1 || r.bottom > chart.bottom + 1)) out.push("text " + e.textContent + " leaves its chart");
  }
  document.documentElement.setAttribute("data-measured", innerWidth + ":" + document.documentElement.scrollWidth + ":" + out.join("|"));
})</script></body>`

func TestNothingSticksOut(t *testing.T) {
	for _, look := range []struct {
		name   string
		width  int
		change func(string) string
	}{
		{"desktop", 1280, func(s string) string { return s }},
		{"tablet", 800, func(s string) string { return s }},
		{"phone", 500, phone},
		{"paper", 720, paper},
	} {
		t.Run(look.name, func(t *testing.T) {
			html := look.change(written(t, made()))
			html = strings.Replace(html, `<meta http-equiv="Content-Security-Policy"`, `<meta name="x"`, 1)
			html = strings.Replace(html, "</body>", measure, 1)
			out := string(chromium(t, html, "--dump-dom", fmt.Sprintf("--window-size=%d,900", look.width)))
			_, rest, _ := strings.Cut(out, `data-measured="`)
			got, _, _ := strings.Cut(rest, `"`)
			if want := fmt.Sprintf("%d:%d:", look.width, look.width); got != want {
				t.Errorf("sticks out: %s, want %s", got, want)
			}
		})
	}
}

func TestPrints(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.pdf")
	if dir := os.Getenv("WINDTUNNEL_SCREENSHOTS"); dir != "" {
		file = filepath.Join(dir, "report.pdf")
	}
	chromium(t, written(t, made()), "--print-to-pdf="+file, "--no-pdf-header-footer")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if pages := bytes.Count(b, []byte("/Type /Page\n")); !bytes.HasPrefix(b, []byte("%PDF-")) || pages < 2 || pages > 8 {
		t.Errorf("%d pages in %d bytes", pages, len(b))
	}
}
