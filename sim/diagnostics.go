package sim

import (
	"fmt"
	"io"
	"iter"
	"slices"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/diag"
	"windtunnel.test/sim/journal"
)

// Diagnostics writes the package that Windows' diagnostics tool would collect
// on a PC at this moment, on or off. Its logs are what the world remembers.
func (w *World) Diagnostics(out io.Writer, serial string) error {
	pc := w.PC(serial)
	if pc == nil {
		return fmt.Errorf("diagnostics: no PC %q", serial)
	}
	return collectFrom(pc, out)
}

// collector is the tool on every PC.
func collector(w *device.Windows, out io.Writer) error { return collectFrom(w.PC, out) }

func collectFrom(pc *device.PC, out io.Writer) error {
	s, err := diag.Of(pc)
	if err != nil {
		return err
	}
	return diag.Collect(out, s)
}

// history gives a PC's events of the journal back, as far as they are
// remembered.
func (w *World) history(name string) iter.Seq[journal.Event] {
	return func(yield func(journal.Event) bool) {
		for _, e := range w.Timeline.Timeline(name) {
			if !yield(e) {
				return
			}
		}
	}
}

// stick is the removable drive in everybody's pocket; nil where nobody keeps
// what is on it.
func (w *World) stick() func(pc *device.PC, name string, content []byte) {
	if w.options.Saved == nil {
		return nil
	}
	return func(pc *device.PC, name string, content []byte) { w.options.Saved(pc.Hardware.Serial, name, content) }
}

// leave gives away what is left of a PC, once.
func (w *World) leave(s *Story) {
	w.mu.Lock()
	done := s.left || w.options.Remains == nil
	s.left = true
	w.mu.Unlock()
	if done {
		return
	}
	source, err := diag.Of(s.pc)
	if err != nil { // the hardware hash is checked when a PC is made
		panic(err)
	}
	w.options.Remains(source)
}

// leaveAll does so for the PCs whose stories were not through when the world
// came to its end.
func (w *World) leaveAll() {
	w.mu.Lock()
	stories := slices.Clone(w.stories)
	w.mu.Unlock()
	for _, s := range stories {
		w.leave(s)
	}
}

// keepOf is how many events of each PC are kept in a run of so many.
func keepOf(pcs int) int {
	const several = 100
	if pcs > several {
		return keepFleetEvents
	}
	return keepEvents
}
