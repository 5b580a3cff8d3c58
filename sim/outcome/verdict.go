package outcome

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
)

// Verdict is what came of one item.
type Verdict struct {
	Text     string // what was expected, and what was found
	Met      bool
	Got      float64        // events or objects that fit, or PCs of which it is so
	Evidence *journal.Event // the first event that fits, or the nearest that does not; nil: none
}

// Verdicts judges what all cells together have seen: one verdict for each
// expectation, the zero one for a figure.
func Verdicts(expect scenario.Expectations, judges ...*Judge) []Verdict {
	out := make([]Verdict, len(expect))
	for i, x := range expect {
		if x.Item == nil {
			continue
		}
		out[i] = verdict(i, x.Item, judges)
	}
	return out
}

func verdict(i int, x *scenario.ExpectItem, judges []*Judge) Verdict {
	c := collected{x: x, i: i}
	for _, j := range judges {
		switch {
		case x.Ends != nil:
			c.ends(j)
		case x.Registry != nil:
			c.registry(j)
		case x.Graph != nil:
			c.graph(j)
		case x.Device == "":
			c.anywhere(j)
		default:
			c.ofEach(j)
		}
	}
	return c.verdict()
}

// collected is an item as the cells have seen it.
type collected struct {
	x        *scenario.ExpectItem
	i        int
	subjects int // PCs that it is about
	good     int // of them
	count    int // events or objects
	missed   []string
	evidence *journal.Event
	near     *journal.Event
	nears    int
}

func (c *collected) miss(format string, args ...any) {
	const most = 3
	switch {
	case len(c.missed) < most:
		c.missed = append(c.missed, fmt.Sprintf(format, args...))
	case len(c.missed) == most:
		c.missed = append(c.missed, "and others")
	}
}

func (c *collected) ends(j *Judge) {
	for _, e := range j.ends {
		if c.x.Device != "" && !fault.Match(c.x.Device, e.Device) && !fault.Match(c.x.Device, e.Serial) {
			continue
		}
		c.subjects++
		screen, row := j.screens[e.Device], ""
		name, rest, stuck := strings.Cut(e.Outcome, "(")
		if stuck {
			screen, row, _ = strings.Cut(strings.TrimSuffix(rest, ")"), ", ")
		}
		p := c.x.Ends
		fits := name == p.Outcome
		for _, of := range [][2]string{{p.Code, e.Code}, {p.Phase, e.Phase}, {p.Reason, e.Reason}, {p.Screen, screen}, {p.Row, row}} {
			fits = fits && (of[0] == "" || same(of[0], of[1]))
		}
		if _, check, _ := strings.Cut(e.Check, ": "); p.Check != "" { // "aik aik.enroll: vulnerable firmware"
			fits = fits && (same(p.Check, e.Check) || same(p.Check, check))
		}
		if fits {
			c.good++
			continue
		}
		have := (&scenario.EndPattern{Outcome: name, Code: e.Code, Phase: e.Phase, Check: e.Check, Reason: e.Reason, Screen: screen, Row: row}).String()
		c.miss("%s ended %s", e.Device, have)
	}
}

func (c *collected) registry(j *Judge) {
	for _, device := range slices.Sorted(maps.Keys(j.registry[c.i])) {
		value := j.registry[c.i][device]
		c.subjects++
		switch is := c.x.Registry.Is; {
		case value == absent && is == "", value != absent && is != "" && same(is, value):
			c.good++
		case value == absent:
			c.miss("%s has no such value", device)
		default:
			c.miss("%s has %q", device, value)
		}
	}
}

func (c *collected) graph(j *Judge) {
	c.count += j.objects[c.i]
	if a := j.answers[c.i]; a != "" {
		c.miss("%s", a)
	}
}

func (c *collected) anywhere(j *Judge) {
	for _, device := range slices.Sorted(maps.Keys(j.seen[c.i])) {
		t := j.seen[c.i][device]
		c.count += t.count
		c.look(t)
	}
}

// ofEach judges the PCs that the glob fits or, where it fits none, whoever else
// has that name.
func (c *collected) ofEach(j *Judge) {
	names := slices.Collect(maps.Keys(j.seen[c.i]))
	for device := range j.serials {
		if j.fits(c.x.Device, device) && !slices.Contains(names, device) {
			names = append(names, device)
		}
	}
	slices.Sort(names)
	for _, device := range names {
		t := j.seen[c.i][device]
		if t == nil {
			t = &tally{}
		}
		c.subjects++
		c.count += t.count
		c.look(t)
		if c.x.Count.Met(t.count) {
			c.good++
		} else {
			c.miss("%s has %d", device, t.count)
		}
	}
}

func (c *collected) look(t *tally) {
	if t.count > 0 && (c.evidence == nil || t.first.Time.Before(c.evidence.Time)) {
		c.evidence = &t.first
	}
	if t.nears > 0 && (c.near == nil || c.near.Time.Before(t.near.Time)) {
		c.near = &t.near
	}
	c.nears += t.nears
}

func (c *collected) verdict() Verdict {
	v := Verdict{Got: float64(c.count), Evidence: c.evidence}
	aboutPCs := c.x.Ends != nil || c.x.Registry != nil || c.x.Device != ""
	if aboutPCs {
		v.Met = c.subjects > 0 && c.good == c.subjects
		v.Got = float64(c.good)
	} else {
		v.Met = c.x.Count.Met(c.count)
	}
	var have []string
	switch {
	case v.Met:
	case aboutPCs && c.subjects == 0:
		have = append(have, "there is no such PC")
	case !aboutPCs:
		have = append(have, fmt.Sprintf("have %d", c.count))
	}
	if !v.Met {
		have = append(have, c.missed...)
		if e := c.near; e != nil && c.evidence == nil {
			have = append(have, fmt.Sprintf("nearest of %d: %s", c.nears, cut(e.String())))
			v.Evidence = e
		} else if e := c.evidence; e != nil {
			have = append(have, "first: "+cut(e.String()))
		}
	}
	v.Text = c.x.String()
	if len(have) > 0 {
		v.Text += ": " + strings.Join(have, "; ")
	}
	return v
}

func cut(s string) string {
	const most = 300
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
