package scenario

import (
	"fmt"
	"slices"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
)

// eventKind refuses a glob over kinds of events that fits none.
func eventKind(glob string) error { return word("event", glob, journal.Kinds()) }

// KnownScreen refuses a glob over identifiers of screens that fits none.
func KnownScreen(glob string) error { return word("screen", glob, journal.Screens()) }

// KnownChannel refuses a glob over channels of Windows' event logs that fits none.
func KnownChannel(glob string) error {
	return word("channel of the event log", glob, journal.Channels())
}

func word(what, glob string, known []string) error {
	if glob == "" || slices.ContainsFunc(known, func(k string) bool { return fault.Match(glob, k) }) {
		return nil
	}
	return fmt.Errorf("no %s is called %q%s", what, glob, near(glob, known))
}

// known notes a word that check does not know.
func (d *decoder) known(n *node, path string, check func(glob string) error) {
	if n.kind != kindString { // whoever reads it has said so
		return
	}
	if err := check(n.text); err != nil {
		d.errorf(n, "%s: %v", path, err)
	}
}
