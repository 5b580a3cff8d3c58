package main

import "windtunnel.test/sim/journal"

// both hands events to several sinks; nil ones are left out. Whoever made them
// closes them.
type both []journal.Sink

func (b both) Write(e journal.Event) error {
	for _, s := range b {
		if s == nil {
			continue
		}
		if err := s.Write(e); err != nil {
			return err
		}
	}
	return nil
}

func (both) Close() error { return nil }

// follower keeps all events of the PCs that it follows, and what services say
// about them before they have ever been switched on.
type follower struct {
	want    func(serial string) bool
	serials map[string]string          // of the PCs followed, by name
	events  map[string][]journal.Event // by serial number
	cells   map[string]any             // that the PCs are in, by serial number
}

func newFollower(want func(serial string) bool) *follower {
	return &follower{want: want, serials: map[string]string{}, events: map[string][]journal.Event{}, cells: map[string]any{}}
}

func (f *follower) Write(e journal.Event) error {
	cell, _ := e.Get("cell")
	if e.Kind == "registration.failed" { // of all PCs of the cell
		for serial, home := range f.cells {
			if home == cell {
				f.events[serial] = append(f.events[serial], e)
			}
		}
		return nil
	}
	serial := e.Text("serial")
	if e.Kind == "device.made" && f.want(serial) {
		f.serials[e.Device] = serial
		f.events[serial], f.cells[serial] = nil, cell
	}
	if own, followed := f.serials[e.Device]; followed {
		serial = own
	}
	if _, followed := f.events[serial]; followed {
		f.events[serial] = append(f.events[serial], e)
	}
	return nil
}

func (*follower) Close() error { return nil }
