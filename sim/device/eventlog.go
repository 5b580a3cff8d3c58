package device

import (
	"windtunnel.test/sim/journal"
)

// Kinds of the events that a PC's logs are made of. EventWiped is where the
// logs begin again: they are on the disk, and it was emptied.
const (
	EventLogged = "eventlog"
	EventLine   = "log.line"
	EventWiped  = "disk.wiped"
)

// Log writes one record to a Windows event channel. Level is as Windows names
// it: Critical, Error, Warning, Information or Verbose; properties are the
// record's values in their order, as strings. It goes to the journal as kind
// EventLogged, which is where the device's logs are made from.
func (w *Windows) Log(channel string, id int, level, message string, properties ...string) {
	fields := []journal.Field{journal.F("channel", channel), journal.F("id", id), journal.F("level", level), journal.F("message", message)}
	if len(properties) > 0 {
		fields = append(fields, journal.F("properties", properties))
	}
	if w.Registry().String(KeyOOBE, "ComputerName") == "" { // records keep the name of their moment
		fields = append(fields, journal.F("computer", w.ComputerName()))
	}
	w.Event(EventLogged, w.dated(fields)...)
}

// WriteLog writes one line to a log file of Windows, kind EventLine. The file
// shows local time, so the event has the zone's bias: the minutes that local
// time is behind UTC.
func (w *Windows) WriteLog(file, component, message string) {
	fields := []journal.Field{journal.F("file", file), journal.F("component", component), journal.F("message", message)}
	w.Event(EventLine, append(w.dated(fields), journal.F("bias", w.Zone().Bias(w.Now())))...)
}

// dated adds what the PC's own clock shows where that is not the run's time.
func (w *Windows) dated(fields []journal.Field) []journal.Field {
	if now := w.Now(); !now.Equal(w.Clock.Now()) {
		fields = append(fields, journal.F("clock", now))
	}
	return fields
}

// Wiped notes that the disk was emptied; whoever empties it calls this at once
// afterwards.
func (pc *PC) Wiped() {
	pc.leavePackages()
	pc.Event(EventWiped)
}
