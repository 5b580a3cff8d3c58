package scenario

import (
	"fmt"
	"slices"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
)

// eventKind refuses a glob over kinds of events that fits none.
func eventKind(glob string) error {
	if glob == "" || slices.ContainsFunc(journal.Kinds(), func(k string) bool { return fault.Match(glob, k) }) {
		return nil
	}
	return fmt.Errorf("no event is called %q%s", glob, near(glob, journal.Kinds()))
}
