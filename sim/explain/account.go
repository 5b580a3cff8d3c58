package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim"
	"windtunnel.test/sim/catalog"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/report"
	"windtunnel.test/sim/scenario"
)

// Account is what there is to tell about one PC. In JSON it is what
// `windtunnel explain --json` prints.
type Account struct {
	Device  string   `json:"device"`
	Serial  string   `json:"serial"`
	Model   string   `json:"model"`
	TPM     string   `json:"tpm,omitempty"`
	Outcome string   `json:"outcome"` // desktop, resealed, failed, stuck(screen, row) or unfinished
	Code    string   `json:"code,omitempty"`
	Phase   string   `json:"phase,omitempty"` // as the page names it
	Parts   []Part   `json:"parts"`           // of its life
	Screen  string   `json:"screen,omitempty"`
	Spec    string   `json:"spec,omitempty"` // what a spec has expected, and did not get
	Why     []Ground `json:"why"`
	Helps   []Remedy `json:"helps"`  // issues that fit
	Others  []Other  `json:"others"` // where none does: those that share something
	Again   string   `json:"again"`

	Last []journal.Event `json:"-"` // before the end, as a story tells them
}

// Part is a part of a PC's life.
type Part struct {
	Name     string  `json:"name"`
	Seconds  float64 `json:"seconds"`
	Finished bool    `json:"finished"`
}

// Ground is one thing that speaks for the end that it came to.
type Ground struct {
	Kind string    `json:"kind"` // wait, reason, refusal, fault, request, setting, change, log
	Text string    `json:"text"`
	At   time.Time `json:"at,omitzero"` // virtual
}

// Other is an issue that shows the same code, or waits on the same screen.
type Other struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// Remedy is what the catalogue knows.
type Remedy struct {
	ID      string   `json:"id"`
	Title   string   `json:"title"`
	Cause   string   `json:"cause"`
	Text    string   `json:"remedy"`
	Sources []string `json:"sources"`
	By      []string `json:"foundBy"`
}

// Unknown says that a run has no such PC.
type Unknown struct {
	Device string
	Known  []string // serial numbers
}

func (u *Unknown) Error() string { return fmt.Sprintf("the run has no PC %q", u.Device) }

// Of explains one PC, by its serial number or name. scene is the run's resolved
// scenario, or nil where there is none; issues may be nil.
func Of(past *report.Past, device string, scene *scenario.Scenario, issues *catalog.List) (*Account, error) {
	c := &collector{wanted: device, known: &Unknown{Device: device}, others: map[string]bool{}, spec: past.Header.Spec != ""}
	if err := past.Events(c.take); err != nil {
		return nil, err
	}
	a, err := c.account(scene, issues)
	if err != nil {
		return nil, err
	}
	a.Again = "windtunnel replay " + report.Quote(past.Path) + " --timeline " + report.Quote(a.Serial)
	if c.spec {
		a.Again, a.Spec = past.Header.Spec, past.Header.Expected
	}
	return a, nil
}

// OfEvents is Of a run whose events are at hand; how to run it again it can't say.
func OfEvents(events []journal.Event, device string, scene *scenario.Scenario, issues *catalog.List) (*Account, error) {
	c := &collector{wanted: device, known: &Unknown{Device: device}, others: map[string]bool{}}
	for _, e := range events {
		c.take(e)
	}
	return c.account(scene, issues)
}

func (c *collector) account(scene *scenario.Scenario, issues *catalog.List) (*Account, error) {
	if c.pc.Device == "" {
		return nil, c.known
	}
	a := c.finish()
	if !a.Good() {
		a.Why = append(append(a.Why, a.waits()...), c.grounds(scene)...)
	}
	return &a, c.remedies(issues, &a)
}

// collector goes through a journal once.
type collector struct {
	wanted string
	known  *Unknown
	others map[string]bool // names of PCs so far
	spec   bool            // the run is of a spec, in which PCs have no stories that end
	pc     Account
	events []journal.Event // the PC's, and what services say of it
	world  []journal.Event // what changed in its cell
	whole  []journal.Event // what a judge of this PC alone would hear: its own, and nobody's in its cell
	cell   any
	ended  *journal.Event
	walled bool // a rule of a site's firewall, or a fault, kept requests away
}

func (c *collector) take(e journal.Event) bool {
	cell, _ := e.Get("cell")
	if e.Kind == "device.made" {
		serial := e.Text("serial")
		c.known.Known = append(c.known.Known, serial)
		c.others[e.Device] = true
		if c.pc.Device == "" && (strings.EqualFold(serial, c.wanted) || strings.EqualFold(e.Device, c.wanted)) {
			c.pc.Device, c.pc.Serial, c.pc.Model, c.pc.TPM = e.Device, serial, e.Text("model"), e.Text("tpm")
			c.cell = cell
		}
	}
	if c.pc.Device == "" || cell != c.cell {
		return true
	}
	if serial := e.Text("serial"); e.Device == c.pc.Device || !c.others[e.Device] && (serial == "" || serial == c.pc.Serial) {
		c.whole = append(c.whole, e)
	}
	switch {
	case e.Device == c.pc.Device || e.Text("serial") == c.pc.Serial:
		c.events = append(c.events, e)
		if e.Kind == "story.ended" {
			c.ended = &e
		}
	case e.Device == "" && (e.Kind == "timeline.changed" || e.Kind == "timeline.failed" || e.Kind == "registration.failed" || e.Kind == fault.Fired):
		if c.ended == nil {
			c.world = append(c.world, e)
		}
	}
	return true
}

// finish makes the story's outline.
func (c *collector) finish() Account {
	a := c.pc
	a.Parts, a.Why, a.Helps, a.Others = []Part{}, []Ground{}, []Remedy{}, []Other{}
	last, since := "", c.events[0].Time
	for _, e := range c.events {
		switch e.Kind {
		case "phase.end":
			took, _ := e.Get("took")
			d, _ := took.(time.Duration)
			last, since = e.Text("phase"), e.Time
			a.Parts = append(a.Parts, Part{report.PhaseName(last), d.Seconds(), true})
			if last == "user" {
				a.Outcome = sim.Desktop
			}
		case "screen.shown":
			if id := e.Text("screen"); id != "off" && id != "firmware" && (c.ended == nil || !e.Time.After(c.ended.Time)) {
				a.Screen = id
			}
		}
	}
	end := c.events[len(c.events)-1].Time
	if c.ended != nil {
		a.Outcome, a.Code, a.Phase = c.ended.Text("outcome"), c.ended.Text("code"), c.ended.Text("phase")
		end = c.ended.Time
	}
	if a.Outcome == "" {
		a.Outcome = sim.Unfinished
		if e := c.failure(); e != nil { // of a spec, in which PCs have no stories that end
			a.Outcome, a.Code, a.Phase = sim.FailedEnd, e.Text("code"), e.Text("phase")
		}
	}
	if a.Outcome != sim.Desktop && a.Outcome != sim.Resealed {
		name, _, _ := strings.Cut(report.FollowsOn(last), ",")
		switch {
		case name != "":
		case c.spec:
			name = "Up to the end of the spec"
		default:
			name = "Before its technician came"
		}
		a.Parts = append(a.Parts, Part{name, end.Sub(since).Seconds(), false})
	}
	before := slices.DeleteFunc(slices.Clone(c.events), func(e journal.Event) bool { return e.Time.After(end) })
	a.Last = before[max(0, len(before)-lastEvents):]
	return a
}

// failure is the last event in which Windows says what it has failed with, since
// the PC was last switched on.
func (c *collector) failure() *journal.Event {
	for i := range slices.Backward(c.events) {
		if slices.Contains(failures, c.events[i].Kind) {
			return &c.events[i]
		}
		if c.events[i].Kind == "device.power.on" {
			return nil
		}
	}
	return nil
}

// lastEvents is how many events before the end an account keeps; a story tells a
// part of them.
const lastEvents = 60

// Good tells whether the PC got where it was to go.
func (a *Account) Good() bool { return a.Outcome == sim.Desktop || a.Outcome == sim.Resealed }
