package page

import (
	"slices"
	"strings"
	"sync"
	"time"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
)

// Fault is a rule that fired.
type Fault struct {
	Rule, Layer, Action string
	Times, PCs          int
	First               string // when
	Where               string // operations, the first few
}

// Faults listens for rules that fire. It is a journal.Sink for events that come
// one at a time.
type Faults struct {
	mu    sync.Mutex
	rules map[string]*fired
}

type fired struct {
	Fault
	pcs map[string]bool
	ops []string
}

// Write counts an event.
func (f *Faults) Write(e journal.Event) error {
	if e.Kind != fault.Fired {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rules == nil {
		f.rules = map[string]*fired{}
	}
	name := e.Text("rule")
	r := f.rules[name]
	if r == nil {
		r = &fired{Fault: Fault{Rule: name, Layer: e.Text("layer"), Action: e.Text("action"), First: e.Time.UTC().Format(time.DateTime)}, pcs: map[string]bool{}}
		f.rules[name] = r
	}
	r.Times++
	r.pcs[e.Device] = true
	if op := e.Text("operation"); !slices.Contains(r.ops, op) {
		r.ops = append(r.ops, op)
	}
	return nil
}

// Close does nothing.
func (*Faults) Close() error { return nil }

// List gives the rules by name.
func (f *Faults) List() (list []Fault) {
	const few = 4
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		r.PCs = len(r.pcs)
		r.Where = strings.Join(r.ops[:min(few, len(r.ops))], ", ")
		if len(r.ops) > few {
			r.Where += ", …"
		}
		list = append(list, r.Fault)
	}
	slices.SortFunc(list, func(a, b Fault) int { return strings.Compare(a.Rule, b.Rule) })
	return list
}
