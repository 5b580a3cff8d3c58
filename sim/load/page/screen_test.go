package page_test

import (
	"fmt"
	"image/color"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/house/browser"
)

func TestLooks(t *testing.T) {
	html := written(t, made())
	bright := []color.RGBA{{0xff, 0xff, 0xff, 0xff}, {0x0b, 0x5c, 0xad, 0xff}, {0xa3, 0x4a, 0x00, 0xff}, {0xb3, 0x26, 0x1e, 0xff}}
	dim := []color.RGBA{{0x15, 0x18, 0x1d, 0xff}, {0x6c, 0xb2, 0xff, 0xff}, {0xff, 0xb0, 0x66, 0xff}, {0xff, 0x8f, 0x85, 0xff}}
	for _, look := range []struct {
		name, html, scheme string
		width, height      int
		ground             []color.RGBA // the ground, and three inks
	}{
		{"light", html, browser.Light, 1280, 4200, bright},
		{"dark", html, browser.Dark, 1280, 4200, dim},
		{"phone-light", browser.Phone(html), browser.Light, 500, 8200, bright},
		{"phone-dark", browser.Phone(html), browser.Dark, 500, 8200, dim},
		{"print", browser.Paper(html), browser.Dark, 720, 4600, bright},
	} {
		t.Run(look.name, func(t *testing.T) {
			img := browser.Screenshot(t, look.html, look.name, look.width, look.height, look.scheme)
			g := NewWithT(t)
			area := img.Bounds().Dx() * img.Bounds().Dy()
			g.Expect(color.RGBAModel.Convert(img.At(1, 1))).To(Equal(look.ground[0]))
			g.Expect(browser.Ink(img, look.ground[0])).To(BeNumerically(">", area/2), "the ground")
			for i, c := range look.ground[1:] {
				g.Expect(browser.Ink(img, c)).To(BeNumerically(">", 300), "ink %d", i)
			}
		})
	}
}

func TestNothingSticksOut(t *testing.T) {
	for _, look := range []struct {
		name   string
		width  int
		change func(string) string
	}{
		{"desktop", 1280, func(s string) string { return s }},
		{"tablet", 800, func(s string) string { return s }},
		{"phone", 500, browser.Phone},
		{"paper", 720, browser.Paper},
	} {
		t.Run(look.name, func(t *testing.T) {
			got := browser.SticksOut(t, look.change(written(t, made())), look.width)
			if want := fmt.Sprintf("%d:%d:", look.width, look.width); got != want {
				t.Errorf("sticks out: %s, want %s", got, want)
			}
		})
	}
}

func TestPrints(t *testing.T) {
	if pages := browser.Pages(t, written(t, made())); pages < 2 || pages > 8 {
		t.Errorf("%d pages", pages)
	}
}
