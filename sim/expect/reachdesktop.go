package expect

import (
	"github.com/onsi/gomega/types"

	"windtunnel.test/sim/journal"
)

// ReachDesktop succeeds for a PC on which somebody has got to the desktop.
func ReachDesktop() types.GomegaMatcher {
	return happened("reach the desktop", func(e journal.Event) bool { return e.Kind == "desktop.reached" }, lastOf("screen.shown", "it showed nothing"))
}
