package chart

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Point is one value of a line. Y is NaN where there is none: the line has a
// gap there.
type Point struct{ X, Y float64 }

// Gap is a point without a value.
func Gap(x float64) Point { return Point{x, math.NaN()} }

// Line is one line of a chart.
type Line struct {
	Name   string
	Tone   int  // its colour and dashes, 0 to Tones-1
	Steps  bool // a value holds until the next, as an asked rate does
	Points []Point
}

// Tones is the number of colours that [Style] has.
const Tones = 7

// Lines is a chart.
type Lines struct {
	ID          string // of its elements; once in a page, letters, digits and "-"
	Title       string
	Description string // what is to be seen, in a sentence
	X, Y        Axis
	Lines       []Line
}

// Measures of a drawing, in its own units: at 460 CSS pixels they are pixels.
// The text can still be read at 340.
const (
	width, height            = 460, 250
	left, right, top, bottom = 62, 12, 12, 44
	most                     = 600 // points of a line
)

// SVG draws the chart.
func (l Lines) SVG() string {
	var xs, ys []float64
	for _, line := range l.Lines {
		for _, p := range line.Points {
			xs, ys = append(xs, p.X), append(ys, p.Y)
		}
	}
	d := drawing{x: l.X.fit(xs), y: l.Y.fit(ys)}
	if l.X.Scale == Linear && len(xs) > 0 { // time ends where the values end
		d.x.high = max(maximum(xs), l.X.Max, 1e-9)
	}
	d.printf(`<svg class="chart" viewBox="0 0 %d %d" role="img" aria-labelledby="%s-t %[3]s-d"><title id="%[3]s-t">%[4]s</title><desc id="%[3]s-d">%[5]s</desc>`+"\n",
		width, height, l.ID, html.EscapeString(l.Title), html.EscapeString(l.Description))
	d.grid()
	for _, line := range l.Lines {
		d.line(line)
	}
	d.printf("</svg>\n")
	return d.String()
}

// Legend names the lines, as HTML with a sample of each.
func (l Lines) Legend() string {
	var b strings.Builder
	b.WriteString(`<ul class="legend">`)
	for _, line := range l.Lines {
		fmt.Fprintf(&b, `<li><svg viewBox="0 0 28 10" aria-hidden="true"><path class="line t%d" d="M0 5H28"/></svg>%s</li>`, line.Tone%Tones, html.EscapeString(line.Name))
	}
	b.WriteString("</ul>\n")
	return b.String()
}

func maximum(values []float64) float64 {
	m := math.Inf(-1)
	for _, v := range values {
		m = max(m, v)
	}
	return m
}

// drawing is a chart that is being drawn.
type drawing struct {
	strings.Builder
	x, y axis
}

func (d *drawing) printf(format string, args ...any) { fmt.Fprintf(d, format, args...) }

func (d *drawing) px(v float64) float64 { return left + d.x.at(v)*(width-left-right) }
func (d *drawing) py(v float64) float64 { return height - bottom - d.y.at(v)*(height-top-bottom) }

// grid draws the axes with their ticks.
func (d *drawing) grid() {
	for _, t := range d.y.ticks {
		y := d.py(t)
		d.printf(`<path class="grid" d="M%d %.1fH%d"/><text class="tick" text-anchor="end" x="%d" y="%.1f">%s</text>`+"\n", left, y, width-right, left-6, y+4, html.EscapeString(d.y.write(t)))
	}
	for _, t := range d.x.ticks {
		if d.x.Scale == Linear && t > d.x.high {
			continue
		}
		x := d.px(t)
		d.printf(`<path class="grid" d="M%.1f %dV%d"/><text class="tick" text-anchor="%s" x="%.1f" y="%d">%s</text>`+"\n", x, top, height-bottom, anchor(x), x, height-bottom+16, html.EscapeString(d.x.write(t)))
	}
	d.printf(`<path class="axis" d="M%d %dV%dH%d"/>`+"\n", left, top, height-bottom, width-right)
	d.printf(`<text class="label" text-anchor="middle" x="%d" y="%d">%s</text>`, (left+width-right)/2, height-8, html.EscapeString(d.x.Label))
	d.printf(`<text class="label" text-anchor="middle" transform="translate(13 %d) rotate(-90)">%s</text>`+"\n", (top+height-bottom)/2, html.EscapeString(d.y.Label))
}

// anchor keeps the last tick's text inside the drawing.
func anchor(x float64) string {
	if x > width-right-12 {
		return "end"
	}
	return "middle"
}

// line draws one line; a value between two gaps is a dot.
func (d *drawing) line(l Line) {
	var path strings.Builder
	points := Thin(l.Points, most)
	pen := false
	for i, p := range points {
		if math.IsNaN(p.Y) {
			pen = false
			continue
		}
		x, y := d.px(p.X), d.py(p.Y)
		alone := !pen && (i+1 == len(points) || math.IsNaN(points[i+1].Y))
		switch {
		case alone:
			d.printf(`<circle class="dot t%d" cx="%.1f" cy="%.1f" r="2.2"/>`+"\n", l.Tone%Tones, x, y)
		case !pen:
			fmt.Fprintf(&path, "M%.1f %.1f", x, y)
		case l.Steps:
			fmt.Fprintf(&path, "H%.1fV%.1f", x, y)
		default:
			fmt.Fprintf(&path, "L%.1f %.1f", x, y)
		}
		pen = true
	}
	if path.Len() > 0 {
		d.printf(`<path class="line t%d" d="%s"/>`+"\n", l.Tone%Tones, path.String())
	}
}
