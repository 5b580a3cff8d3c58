package fault

import (
	"encoding/binary"
	"strconv"
	"sync"
	"time"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vclock"
)

// Fired is the journal's kind for a fault that happened. Its fields are rule, layer, host, operation, n and action.
const Fired = "fault.fired"

// Point is a place in a run where something can break.
type Point struct {
	Layer     string // HTTP, TPM, Event or Stream
	Host      string // for HTTP and streams
	Operation string
	Device    string
	N         int // number of this point among the device's of this layer, from 1; 0: the injector counts
}

// Injector decides at every point. It is safe for concurrent use. A nil Injector breaks nothing.
type Injector struct {
	seed  vclock.Seed
	j     *journal.Journal
	start time.Time

	mu     sync.Mutex
	rules  []Rule
	seen   []map[string]int // per rule: points that matched, by device
	points map[string]int   // of callers that do not count, by layer and device
}

// New makes an injector with rules that are valid ([ValidateAll]). The journal says what time it is and gets the firings;
// start is what From and Until count from.
func New(seed vclock.Seed, j *journal.Journal, start time.Time, rules []Rule) *Injector {
	i := &Injector{seed: seed, j: j, start: start, points: map[string]int{}}
	i.SetRules(rules)
	return i
}

// SetRules replaces all rules from now on. Their counts begin anew.
func (i *Injector) SetRules(rules []Rule) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.rules = append([]Rule(nil), rules...)
	i.seen = make([]map[string]int, len(rules))
	for n := range i.seen {
		i.seen[n] = map[string]int{}
	}
}

// Add puts rules after those in force, whose counts go on.
func (i *Injector) Add(rules ...Rule) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, r := range rules {
		i.rules = append(i.rules, r)
		i.seen = append(i.seen, map[string]int{})
	}
}

// Remove takes the rule of that name away, and says whether there was one.
func (i *Injector) Remove(name string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	for k, r := range i.rules {
		if r.Name == name {
			i.rules = append(i.rules[:k:k], i.rules[k+1:]...)
			i.seen = append(i.seen[:k:k], i.seen[k+1:]...)
			return true
		}
	}
	return false
}

// Rules lists the rules in force.
func (i *Injector) Rules() []Rule {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]Rule(nil), i.rules...)
}

// At says whether something breaks here, and what. Of several rules that would fire the first in the list does; every
// rule counts every point that it matches.
func (i *Injector) At(p Point) (Action, bool) {
	if i == nil {
		return Action{}, false
	}
	rule, n, ok := i.decide(p, i.j.Now().Sub(i.start))
	if !ok {
		return Action{}, false
	}
	i.j.Record(p.Device, Fired, journal.F("rule", rule.Name), journal.F("layer", p.Layer), journal.F("host", p.Host),
		journal.F("operation", p.Operation), journal.F("n", n), journal.F("action", rule.Do))
	return rule.Do, true
}

func (i *Injector) decide(p Point, at time.Duration) (fired Rule, n int, ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if p.N == 0 {
		counter := p.Layer + " " + p.Device
		i.points[counter]++
		p.N = i.points[counter]
	}
	for k, r := range i.rules {
		if !r.When.matches(p, at) {
			continue
		}
		i.seen[k][p.Device]++
		if !ok && r.When.due(i.seen[k][p.Device]) && i.drawn(r, p) {
			fired, ok = r, true
		}
	}
	return fired, p.N, ok
}

func (w When) matches(p Point, at time.Duration) bool {
	layer, operation := w.Layer, w.Operation
	if w.Event != "" {
		layer, operation = Event, w.Event
	} else if layer == "" && p.Layer == Event {
		return false
	}
	return (layer == "" || layer == p.Layer) &&
		(w.Host == "" || Match(w.Host, p.Host)) &&
		(operation == "" || Match(operation, p.Operation)) &&
		(w.Device == "" || Match(w.Device, p.Device)) &&
		at >= w.From && (w.Until == 0 || at < w.Until)
}

// due applies Nth and Every to the count of a rule's points of a device.
func (w When) due(count int) bool {
	switch {
	case w.Every > 0 && w.Nth > 0:
		return count >= w.Nth && (count-w.Nth)%w.Every == 0
	case w.Every > 0:
		return count%w.Every == 0
	case w.Nth > 0:
		return count == w.Nth
	}
	return true
}

// drawn throws the rule's dice for this point of this device.
func (i *Injector) drawn(r Rule, p Point) bool {
	if r.When.Share == 0 || r.When.Share == 1 {
		return true
	}
	k := i.seed.Key("fault", r.Name, p.Layer, p.Device, strconv.Itoa(p.N))
	return float64(binary.BigEndian.Uint64(k[:])>>11)/(1<<53) < r.When.Share
}
