package report

import (
	"path/filepath"

	"windtunnel.test/sim/journal"
)

// Events gives the events of a run's journal in their order, until visit wants no
// more; that of a run that was killed as far as it goes.
func (p *Past) Events(visit func(journal.Event) bool) error {
	r := &Recording{path: filepath.Join(p.Path, JournalName)}
	return r.read(visit)
}

// PhaseName is a part of a PC's life as people call it.
func PhaseName(phase string) string { return phaseName(phase) }

// FollowsOn is what comes after a phase that was the last to end.
func FollowsOn(phase string) string { return follows[phase] }

// CodeName adds the symbolic name to an HRESULT written in hexadecimal:
// "0x80180014 (MENROLL_E_DEVICENOTSUPPORTED)". Other codes stay as they are.
func CodeName(code string) string { return codeName(code) }

// Sentence is an event in words: whose doing it was, and what happened.
func Sentence(e journal.Event) string {
	who, text, _ := in(e)
	return who + ": " + text
}
