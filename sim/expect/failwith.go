package expect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onsi/gomega/types"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
)

// failures are the events by which a flow says that it has failed.
var failures = []string{"autopilot.failed", "user.failed"}

// FailWith succeeds for a PC whose technician or user flow has failed with a code.
func FailWith(code hresult.Code) types.GomegaMatcher {
	return happened(fmt.Sprintf("fail with %v", code), func(e journal.Event) bool {
		return slices.Contains(failures, e.Kind) && codeOf(e) == code
	}, func(events []journal.Event) string {
		for _, e := range slices.Backward(events) {
			if slices.Contains(failures, e.Kind) {
				return "it failed with " + e.Text("code")
			}
		}
		return "it did not fail"
	})
}

func codeOf(e journal.Event) hresult.Code {
	text, _, _ := strings.Cut(e.Text("code"), " ")
	code, err := hresult.Parse(text)
	if err != nil {
		return hresult.OK
	}
	return code
}
