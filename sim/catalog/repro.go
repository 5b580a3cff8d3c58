package catalog

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"windtunnel.test/sim"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
)

// Options of a reproduction. Lab is needed.
type Options struct {
	Lab  *vtpm.Lab
	Home vnet.Home
}

// Reproduction is what the runs of an entry came to.
type Reproduction struct {
	Entry *Entry
	Parts []Run
}

// Run is one of them.
type Run struct {
	Part
	Result *sim.Result
	Events []journal.Event // of all PCs, and of the world, as they happened
	Moment *journal.Event  // what decides, nil where the entry does not say or it did not happen
}

// Holds tells whether everything came as the part says.
func (r Run) Holds() bool { return r.Result.Met() && !r.Result.Interrupted }

// Decides tells whether an event of the run is its moment. Those of Events have
// the number of their cell besides.
func (r Run) Decides(e journal.Event) bool {
	m := r.Moment
	if m == nil || e.Kind != m.Kind || len(e.Fields) < len(m.Fields) {
		return false
	}
	e.Fields = e.Fields[:len(m.Fields)]
	return e.String() == m.String()
}

// Missed are the expectations that were not met, and what was found.
func (r Run) Missed() (texts []string) {
	for _, x := range r.Result.Expectations {
		if !x.Met {
			texts = append(texts, x.Text)
		}
	}
	return texts
}

// Holds tells whether all parts did.
func (r *Reproduction) Holds() bool {
	return !slices.ContainsFunc(r.Parts, func(p Run) bool { return !p.Holds() })
}

// Repro runs an entry's parts, one after the other. An entry without a scenario
// has none, and holds. Beside an error are the parts that were run.
func (l *List) Repro(ctx context.Context, e *Entry, o Options) (*Reproduction, error) {
	out := &Reproduction{Entry: e}
	parts, err := l.Parts(e)
	if err != nil {
		return out, err
	}
	for _, p := range parts {
		run, err := perform(ctx, p, o)
		if err != nil {
			return out, fmt.Errorf("%s, %s: %w", e.ID, p.Role, err)
		}
		if p.Role == Shown && e.Moment != nil {
			run.Moment = momentOf(run.Result)
		}
		out.Parts = append(out.Parts, run)
		if err := ctx.Err(); err != nil {
			return out, err
		}
	}
	return out, nil
}

// perform runs one part.
func perform(ctx context.Context, p Part, o Options) (Run, error) {
	var mu sync.Mutex
	run := Run{Part: p}
	keep := journal.SinkFunc(func(e journal.Event) {
		mu.Lock()
		defer mu.Unlock()
		run.Events = append(run.Events, e)
	})
	var err error
	run.Result, err = sim.Run(ctx, sim.RunOptions{Scenario: p.Scenario, Lab: o.Lab, Home: o.Home, Parallel: 1, Journal: keep})
	return run, err
}

// momentOf is the event that met the last expectation, which is the entry's
// moment.
func momentOf(r *sim.Result) *journal.Event {
	last := r.Expectations[len(r.Expectations)-1]
	if !last.Met {
		return nil
	}
	return last.Event
}
