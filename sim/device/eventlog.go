package device

import "windtunnel.test/sim/journal"

// Log writes one record to a Windows event channel. It goes to the journal as
// kind "eventlog", which is where the device's logs are made from.
func (w *Windows) Log(channel string, id int, level, message string) {
	w.Event("eventlog", journal.F("channel", channel), journal.F("id", id), journal.F("level", level), journal.F("message", message))
}

// WriteLog writes one line to a log file of Windows, kind "log.line".
func (w *Windows) WriteLog(file, component, message string) {
	w.Event("log.line", journal.F("file", file), journal.F("component", component), journal.F("message", message))
}
