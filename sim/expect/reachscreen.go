package expect

import (
	"github.com/onsi/gomega/types"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
)

// ReachScreen succeeds for a PC that has shown a screen: its identifier, such as
// "autopilot.failure", or a glob. An identifier that no screen has is an error.
func ReachScreen(id string) types.GomegaMatcher {
	return known(scenario.KnownScreen(id), "reach the screen "+id, func(e journal.Event) bool { return e.Kind == "screen.shown" && fault.Match(id, e.Text("screen")) }, lastOf("screen.shown", "it showed nothing"))
}
