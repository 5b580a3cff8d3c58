package expect

import (
	"fmt"

	"github.com/onsi/gomega/types"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
)

// SeeRequest succeeds for a PC of which a host has seen a request: globs over the
// host's name and over the operation, as the service names it.
func SeeRequest(host, operation string) types.GomegaMatcher {
	return happened(fmt.Sprintf("ask %s for %s", host, operation), func(e journal.Event) bool {
		return e.Kind == "http.request" && fault.Match(host, e.Text("host")) && fault.Match(operation, e.Text("operation"))
	}, lastOf("http.request", "it asked nobody for anything"))
}
