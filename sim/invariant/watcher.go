package invariant

import (
	"fmt"
	"sync"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/journal"
)

// Invariant is something that is true after every event of every world.
type Invariant struct {
	Name string // "one-installer"
	Says string // the sentence
	// broken says how it is not, "" where it holds.
	broken func(*look) string
}

// All lists the invariants, in the order in which they are looked at.
func All() []Invariant {
	var all []Invariant
	for _, some := range [][]Invariant{powerRules, screenRules, pageRules, appRules, identityRules, trustRules, domainRules, storyRules} {
		all = append(all, some...)
	}
	return all
}

// Violation is an invariant that was found broken.
type Violation struct {
	Invariant Invariant
	Event     journal.Event // after which it was seen
	What      string
}

// String is the violation on one line.
func (v Violation) String() string {
	return fmt.Sprintf("%s (%s): %s, after %s", v.Invariant.Name, v.Invariant.Says, v.What, v.Event)
}

// look is what an invariant is judged by: an event, the world as it has left
// it, and what was seen before it.
type look struct {
	journal.Event
	w    *sim.World
	eyes *eyes
	pc   *device.PC // nil: not an event of a PC
	m    *memory    // of that PC
	all  *past
}

// eyes are how state is seen that cannot be read off a PC's disk and screen.
type eyes struct {
	installing func(*device.PC) []string
	room       func(*device.PC) int64
	dark       func(*device.PC) bool // there is no power
	// records are how many managed devices and registrations Intune has of a PC.
	records func(*sim.World, *device.PC) (managed, registered int)
	ends    func(*sim.World) []sim.End
}

var own = eyes{
	installing: (*device.PC).Installing,
	room:       func(pc *device.PC) int64 { return pc.Disk.Room() },
	dark:       func(pc *device.PC) bool { return !pc.On() },
	records: func(w *sim.World, pc *device.PC) (managed, registered int) {
		t := w.Intune.Tenant()
		for _, r := range t.Registrations() {
			if r.Serial == pc.Hardware.Serial {
				registered++
			}
		}
		return len(t.DevicesBySerial(pc.Hardware.Serial)), registered
	},
	ends: (*sim.World).Ends,
}

// enough is how many violations are kept: what follows from one is of no use.
const enough = 20

// Watcher looks at worlds. The zero value is ready; it may watch many at once.
type Watcher struct {
	mu     sync.Mutex
	rules  []Invariant
	worlds map[*sim.World]*past
	eyes   *eyes // nil: own
	found  []Violation
	events int
}

// Hear looks at a world after an event. It is the Hear of a run.
func (x *Watcher) Hear(w *sim.World, e journal.Event) {
	x.mu.Lock()
	if x.worlds == nil {
		x.worlds, x.rules = map[*sim.World]*past{}, All()
	}
	if x.eyes == nil {
		x.eyes = &own
	}
	p := x.worlds[w]
	if p == nil {
		p = newPast(w)
		x.worlds[w] = p
	}
	x.events++
	x.mu.Unlock()

	l := &look{Event: e, w: w, eyes: x.eyes, all: p}
	if e.Device != "" {
		if l.pc = w.PC(e.Device); l.pc != nil {
			l.m = p.of(e.Device)
		}
	}
	for _, rule := range x.rules {
		if what := rule.broken(l); what != "" {
			x.broken(Violation{Invariant: rule, Event: e, What: what})
		}
	}
	p.remember(l)
}

func (x *Watcher) broken(v Violation) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.found) < enough {
		x.found = append(x.found, v)
	}
}

// Violations are those found so far, the first ones of many.
func (x *Watcher) Violations() []Violation {
	x.mu.Lock()
	defer x.mu.Unlock()
	return append([]Violation(nil), x.found...)
}

// Events is how many events were looked at.
func (x *Watcher) Events() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.events
}

// Err is an error of all violations, nil where there are none.
func (x *Watcher) Err() error {
	all := x.Violations()
	if len(all) == 0 {
		return nil
	}
	text := ""
	for _, v := range all {
		text += "\n  " + v.String()
	}
	return fmt.Errorf("%d invariants are broken:%s", len(all), text)
}
