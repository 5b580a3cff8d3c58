// Package browser has pages looked at in headless Chromium, for tests of what
// people see: what colours there are, and whether anything sticks out. Chromium
// is Debian's package of that name. With WINDTUNNEL_SCREENSHOTS=DIR its pictures
// are left there, to be looked at.
package browser

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
)

// Schemes of colours, as arguments of Screenshot.
const Dark, Light = "--blink-settings=preferredColorScheme=0", "--blink-settings=preferredColorScheme=1"

// Run does something with a page and gives what it printed.
func Run(t *testing.T, html string, args ...string) []byte {
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

// Screenshot is a picture of a page in a window of that size.
func Screenshot(t *testing.T, html, name string, width, height int, args ...string) image.Image {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+".png")
	if dir := os.Getenv("WINDTUNNEL_SCREENSHOTS"); dir != "" { // to be looked at
		file = filepath.Join(dir, name+".png")
	}
	Run(t, html, append(args, "--screenshot="+file, fmt.Sprintf("--window-size=%d,%d", width, height))...)
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

// Ink counts the pixels of a colour.
func Ink(img image.Image, c color.RGBA) int {
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

// Paper makes the rules for paper those for the screen.
func Paper(html string) string {
	return strings.ReplaceAll(strings.ReplaceAll(html, "@media screen", "@media not all"), "@media print", "@media all")
}

// Phone makes a page one for 400 pixels: Chromium has no window below 500,
// where the rules for narrow ones hold already.
func Phone(html string) string {
	return strings.Replace(html, "max-width: 1180px", "max-width: 400px", 1)
}

// measure is a script that writes into the page what sticks out of it, tables
// that scroll by themselves left out but for cells with long texts on no phone, and texts of
// charts that leave their drawing.
const measure = `<script>addEventListener("load", () => {
  const out = [], wide = document.body.getBoundingClientRect().right, from = document.body.getBoundingClientRect().left;
  for (const e of document.querySelectorAll("body *")) {
    const r = e.getBoundingClientRect(), scrolls = e.parentElement.closest(".wide") && !(innerWidth > 600 && e.classList.contains("long"));
    if (r.width && !scrolls && (r.right > wide + 1 || r.left < from - 1)) out.push(e.tagName + " " + e.className + " " + r.left + ".." + r.right);
    const drawing = e.tagName == "text" && e.closest("svg.chart"), chart = drawing && drawing.getBoundingClientRect();
    if (chart && (r.right > chart.right + 1 || r.left < chart.left - 1 || r.bottom > chart.bottom + 1)) out.push("text " + e.textContent + " leaves its chart");
  }
  document.documentElement.setAttribute("data-measured", innerWidth + ":" + document.documentElement.scrollWidth + ":" + out.join("|"));
})</script></body>`

// SticksOut says what of a page does not fit into a window of that width, after
// the page's own answer of how wide it is; "1280:1280:" is nothing.
func SticksOut(t *testing.T, html string, width int) string {
	t.Helper()
	html = strings.Replace(html, `<meta http-equiv="Content-Security-Policy"`, `<meta name="x"`, 1)
	html = strings.Replace(html, "</body>", measure, 1)
	out := string(Run(t, html, "--dump-dom", fmt.Sprintf("--window-size=%d,900", width)))
	_, rest, _ := strings.Cut(out, `data-measured="`)
	got, _, _ := strings.Cut(rest, `"`)
	return got
}

// Pages prints a page and gives how many sheets of paper that takes.
func Pages(t *testing.T, html string) int {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.pdf")
	if dir := os.Getenv("WINDTUNNEL_SCREENSHOTS"); dir != "" {
		file = filepath.Join(dir, "report.pdf")
	}
	Run(t, html, "--print-to-pdf="+file, "--no-pdf-header-footer")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(b, []byte("%PDF-")) {
		t.Fatalf("no PDF but %d bytes", len(b))
	}
	return bytes.Count(b, []byte("/Type /Page\n"))
}
