package chart_test

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/report/chart"
)

func Example() {
	l := chart.Lines{
		ID: "latency", Title: "Latency", Description: "p99 by second",
		X: chart.Axis{Label: "time in s"}, Y: chart.Axis{Label: "latency in ms"},
		Lines: []chart.Line{{Name: "p99", Points: []chart.Point{{X: 0, Y: 10}, {X: 1, Y: 30}}}},
	}
	svg := l.SVG()
	fmt.Println(strings.Count(svg, `class="line`), strings.Contains(svg, `aria-labelledby="latency-t latency-d"`))
	// Output: 1 true
}

var tick = regexp.MustCompile(`class="tick"[^>]*>([^<]*)<`)

func ticks(l chart.Lines) (all []string) {
	for _, m := range tick.FindAllStringSubmatch(l.SVG(), -1) {
		all = append(all, m[1])
	}
	return all
}

func TestTicks(t *testing.T) {
	for _, test := range []struct {
		name string
		y    chart.Axis
		of   []float64
		want string
	}{
		{"from zero", chart.Axis{}, []float64{3, 9.5}, "0 5 10"},
		{"fractions", chart.Axis{}, []float64{0.1, 0.35}, "0 0.1 0.2 0.3 0.4"},
		{"nothing", chart.Axis{}, []float64{0, 0}, "0 0.5 1"},
		{"below zero", chart.Axis{}, []float64{-4, 4}, "-4 -2 0 2 4"},
		{"least height", chart.Axis{Max: 4}, []float64{0, 0}, "0 1 2 3 4"},
		{"decades", chart.Axis{Scale: chart.Log}, []float64{0, 2, 3500}, "1 10 100 1000 10000"},
		{"two decades", chart.Axis{Scale: chart.Log}, []float64{12, 800}, "10 20 50 100 200 500 1000"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := chart.Lines{X: chart.Axis{Format: func(float64) string { return "" }}, Y: test.y, Lines: []chart.Line{{}}}
			for i, v := range test.of {
				l.Lines[0].Points = append(l.Lines[0].Points, chart.Point{X: float64(i), Y: v})
			}
			got := strings.TrimSpace(strings.Join(ticks(l), " "))
			NewWithT(t).Expect(got).To(Equal(test.want))
		})
	}
}

func TestEachNineIsAsLong(t *testing.T) {
	l := chart.Lines{X: chart.Axis{Scale: chart.Percentile}, Lines: []chart.Line{{Points: []chart.Point{{X: 0, Y: 1}, {X: 99.99, Y: 2}, {X: 100, Y: 3}}}}}
	at := map[string]float64{}
	for _, m := range regexp.MustCompile(`x="([0-9.]+)" y="222">([0-9.]+)<`).FindAllStringSubmatch(l.SVG(), -1) {
		at[m[2]], _ = strconv.ParseFloat(m[1], 64)
	}
	g := NewWithT(t)
	g.Expect(at["99"] - at["90"]).To(BeNumerically("~", at["90"]-at["0"], 0.2))
	g.Expect(at["99.99"] - at["99.9"]).To(BeNumerically("~", at["90"]-at["0"], 0.2))
}

func TestGapsAndLonelyPoints(t *testing.T) {
	g := NewWithT(t)
	l := chart.Lines{Lines: []chart.Line{{Points: []chart.Point{{X: 0, Y: 1}, {X: 1, Y: 2}, chart.Gap(2), {X: 3, Y: 1}, chart.Gap(4), {X: 5, Y: 1}, {X: 6, Y: 1}}}}}
	svg := l.SVG()
	g.Expect(svg).NotTo(ContainSubstring("NaN"))
	g.Expect(strings.Count(svg, "<circle")).To(Equal(1))
	path := regexp.MustCompile(`class="line t0" d="([^"]*)"`).FindStringSubmatch(svg)[1]
	g.Expect(strings.Count(path, "M")).To(Equal(2))
}

func TestTextIsEscaped(t *testing.T) {
	l := chart.Lines{ID: "a", Title: "<b>", Description: `"&"`, X: chart.Axis{Label: "<x>"}, Y: chart.Axis{Label: "<y>"}, Lines: []chart.Line{{Name: "<i>"}}}
	for _, raw := range []string{"<b>", `"&"`, "<x>", "<y>", "<i>"} {
		NewWithT(t).Expect(l.SVG() + l.Legend()).NotTo(ContainSubstring(raw))
	}
}

func TestThinKeepsWhatStandsOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ys := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 1, 3000).Draw(t, "ys")
		points := make([]chart.Point, len(ys))
		low, high := math.Inf(1), math.Inf(-1)
		for i, y := range ys {
			points[i] = chart.Point{X: float64(i), Y: y}
			low, high = min(low, y), max(high, y)
		}
		n := rapid.IntRange(2, 700).Draw(t, "n")
		thin := chart.Thin(points, n)
		if len(thin) > max(n, 2) {
			t.Fatalf("%d points of %d", len(thin), n)
		}
		gotLow, gotHigh := math.Inf(1), math.Inf(-1)
		for i, p := range thin {
			gotLow, gotHigh = min(gotLow, p.Y), max(gotHigh, p.Y)
			if i > 0 && p.X <= thin[i-1].X {
				t.Fatal("out of order")
			}
		}
		if gotLow != low || gotHigh != high {
			t.Fatalf("%v..%v became %v..%v", low, high, gotLow, gotHigh)
		}
	})
}

// TestContrast holds each tone and text against its ground (WCAG 2.2, 1.4.3:
// 4.5 to 1).
func TestContrast(t *testing.T) {
	light, dark, ok := strings.Cut(chart.Style, "prefers-color-scheme: dark")
	if !ok {
		t.Fatal("no dark colours")
	}
	for name, css := range map[string]string{"light": light, "dark": dark} {
		found := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z0-9-]+): #([0-9a-f]{6})`).FindAllStringSubmatch(css, -1) {
			found[m[1]] = luminance(t, m[2])
		}
		if len(found) != 4+chart.Tones {
			t.Errorf("%s: %d colours", name, len(found))
		}
		for ink, l := range found {
			a, b := max(l, found["paper"]), min(l, found["paper"])
			if ratio := (a + 0.05) / (b + 0.05); ink != "paper" && ink != "rule" && ratio < 4.5 {
				t.Errorf("%s: %s has a contrast of %.2f", name, ink, ratio)
			}
		}
	}
}

// luminance is WCAG's relative luminance of an sRGB colour.
func luminance(t *testing.T, hex string) float64 {
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	part := func(shift int) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

func TestStyleHasEachTone(t *testing.T) {
	for i := range chart.Tones {
		NewWithT(t).Expect(chart.Style).To(ContainSubstring(".t" + strconv.Itoa(i) + " {"))
	}
}
