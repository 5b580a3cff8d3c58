package sim

import (
	"slices"
	"sync"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vclock"
)

// watch tells whoever wants to know how far the cells are.
type watch struct {
	mu     sync.Mutex
	o      RunOptions
	p      Progress
	stage  map[string]string // of each PC
	clocks []vclock.Clock
	err    error // of the run's journal
}

func newWatch(o RunOptions, total int) *watch {
	return &watch{o: o, p: Progress{Stage: "fleet", Total: total, Phases: map[string]int{}}, stage: map[string]string{}}
}

func (w *watch) images(done, total int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.o.Progress != nil {
		w.o.Progress(Progress{Stage: "tpm images", Done: done, Total: total})
	}
}

func (w *watch) begin(_ int, world *World) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clocks = append(w.clocks, world.Clock)
}

// end lets go of a world that has ended, so that a run of a hundred cells holds
// no more than those that live.
func (w *watch) end(world *World) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clocks = slices.DeleteFunc(w.clocks, func(c vclock.Clock) bool { return c == world.Clock })
}

// sink serialises the cells' events into the run's journal and counts.
func (w *watch) sink(n int) journal.Sink {
	return journal.SinkFunc(func(e journal.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.count(e)
		if w.o.Journal == nil || w.err != nil {
			return
		}
		e.Fields = append(slices.Clip(e.Fields), journal.Loose("cell", n))
		w.err = w.o.Journal.Write(e)
	})
}

// nextStage is where a PC is after a phase has ended.
var nextStage = map[string]string{
	"registered": "waiting", "queue": "technician", "technician": "shelf", "shelf": "user", "user": "desktop",
}

func (w *watch) count(e journal.Event) {
	var to string
	switch e.Kind {
	case "device.made":
		to = "registering"
	case "phase.end":
		to = nextStage[e.Text("phase")]
	case "story.ended":
		if to = "failed"; e.Text("outcome") == Resealed {
			to = "resealed"
		}
	}
	if to == "" {
		return
	}
	if from := w.stage[e.Device]; from != "" {
		w.p.Phases[from]--
	}
	w.stage[e.Device] = to
	w.p.Phases[to]++
	if w.o.Progress == nil {
		return
	}
	p := w.p
	p.Done = w.p.Phases["desktop"] + w.p.Phases["resealed"] + w.p.Phases["failed"]
	p.Phases = map[string]int{}
	for k, v := range w.p.Phases {
		p.Phases[k] = v
	}
	for _, c := range w.clocks {
		if now := c.Now(); p.Virtual.IsZero() || now.Before(p.Virtual) {
			p.Virtual = now
		}
	}
	w.o.Progress(p)
}
