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

// follower keeps all events of the PC with a serial number.
type follower struct {
	serial string
	device string // "" until that PC is made
	cell   any
	events []journal.Event
}

func (f *follower) Write(e journal.Event) error {
	if f.serial == "" {
		return nil
	}
	cell, _ := e.Get("cell")
	if f.device == "" && e.Kind == "device.made" && e.Text("serial") == f.serial {
		f.device, f.cell = e.Device, cell
	}
	if f.device != "" && e.Device == f.device && cell == f.cell {
		f.events = append(f.events, e)
	}
	return nil
}

func (*follower) Close() error { return nil }
