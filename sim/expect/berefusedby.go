package expect

import (
	"github.com/onsi/gomega/types"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
)

// BeRefusedBy succeeds for a PC whose request a service has refused because of a
// check: its name, such as "vulnerable firmware", or a glob.
func BeRefusedBy(check string) types.GomegaMatcher {
	return happened("be refused by the check \""+check+"\"", func(e journal.Event) bool {
		return e.Kind == journal.Refused && fault.Match(check, e.Text("check"))
	}, lastOf(journal.Refused, "nobody refused it anything"))
}
