package report

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"windtunnel.test/sim/journal"
)

// Recording is an earlier run's journal that a new run is held against: it is
// a journal.Sink for the new run. Only digests are kept, eight bytes an event.
type Recording struct {
	path  string
	cut   bool
	cells map[int]*recorded
}

// recorded is one cell's side of both runs.
type recorded struct {
	digests []uint64
	last    time.Time // of the recorded events
	moment  int       // how many of them are before that time
	at      int       // how many events of the new run there were
	other   *journal.Event
}

// Difference is the first event of a cell that is not the same in both runs.
type Difference struct {
	Cell     int
	N        int            // place of the event in its cell, from 1
	Recorded *journal.Event // nil: the earlier run had ended
	Now      *journal.Event // nil: the new run had ended
}

// Recording reads the journal of a run. One that was killed or interrupted is
// compared as far as it goes, without each cell's last moment: in it everything
// was told to stop.
func (p *Past) Recording() (*Recording, error) {
	r := &Recording{path: filepath.Join(p.Path, JournalName), cells: map[int]*recorded{}}
	r.cut = p.Header.Spec == "" && (p.Summary == nil || p.Summary.Interrupted) // a spec's folder is written when it has failed
	err := r.read(func(e journal.Event) bool {
		c := r.cell(e)
		if !e.Time.Equal(c.last) {
			c.last, c.moment = e.Time, len(c.digests)
		}
		c.digests = append(c.digests, digest(e))
		return true
	})
	if r.cut {
		for _, c := range r.cells {
			c.digests = c.digests[:c.moment]
		}
	}
	return r, err
}

// Cut tells whether the recorded run did not come to its end.
func (r *Recording) Cut() bool { return r.cut }

// Events is how many recorded events there are to compare with.
func (r *Recording) Events() int {
	n := 0
	for _, c := range r.cells {
		n += len(c.digests)
	}
	return n
}

func (r *Recording) read(visit func(journal.Event) bool) (err error) {
	f, err := os.Open(r.path)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for e, err := range journal.ReadFile(f) {
		switch {
		case errors.Is(err, journal.ErrCut):
			r.cut = true
			return nil
		case err != nil:
			return fmt.Errorf("replay: %w", err)
		case !visit(e):
			return nil
		}
	}
	return nil
}

// Write takes the next event of the new run.
func (r *Recording) Write(e journal.Event) error {
	c := r.cell(e)
	if c.other == nil && (c.at >= len(c.digests) && !r.cut || c.at < len(c.digests) && c.digests[c.at] != digest(e)) {
		c.other = &e
	}
	if c.other == nil {
		c.at++
	}
	return nil
}

// Close does nothing.
func (r *Recording) Close() error { return nil }

// Differences are the first ones of each cell, in the cells' order; none where
// the new run did what the earlier one did.
func (r *Recording) Differences() ([]Difference, error) {
	var list []Difference
	for _, n := range slices.Sorted(maps.Keys(r.cells)) {
		if c := r.cells[n]; c.other != nil || c.at < len(c.digests) {
			list = append(list, Difference{Cell: n, N: c.at + 1, Now: c.other})
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	seen := map[int]int{}
	err := r.read(func(e journal.Event) bool {
		n := cellOf(e)
		seen[n]++
		i := slices.IndexFunc(list, func(d Difference) bool { return d.Cell == n && d.N == seen[n] })
		if i >= 0 {
			list[i].Recorded = &e
		}
		return true
	})
	return list, err
}

// String shows both events.
func (d Difference) String() string {
	show := func(e *journal.Event) string {
		if e == nil {
			return "(the run had ended)"
		}
		return e.String()
	}
	return fmt.Sprintf("Cell %d goes another way at event %s:\n  then  %s\n  now   %s\n", d.Cell, Count(d.N), show(d.Recorded), show(d.Now))
}

func (r *Recording) cell(e journal.Event) *recorded {
	n := cellOf(e)
	c := r.cells[n]
	if c == nil {
		c = &recorded{}
		r.cells[n] = c
	}
	return c
}

func cellOf(e journal.Event) int {
	v, _ := e.Get("cell")
	n, _ := v.(int)
	return n
}

// digest is over what the trace hash is over.
func digest(e journal.Event) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %q %q", e.Time.UnixNano(), e.Device, e.Kind)
	for _, f := range e.Fields {
		if f.Loose {
			continue
		}
		v := f.Value
		if t, ok := v.(time.Time); ok {
			v = t.UnixNano()
		}
		fmt.Fprintf(h, " %q %T %v", f.Key, v, v)
	}
	return h.Sum64()
}
