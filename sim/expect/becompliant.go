package expect

import (
	"github.com/onsi/gomega/types"

	"windtunnel.test/sim/device"
)

// BeCompliant succeeds for a PC that Entra ID takes for compliant: what
// conditional access looks at. One of which Intune has never said anything is not.
func BeCompliant() types.GomegaMatcher {
	return &matcher{what: "be compliant", fits: func(pc *device.PC) (ok bool, instead string, err error) {
		instead = "Intune has said nothing of it"
		for e := range pc.History {
			if e.Kind == "entra.device.compliance" {
				v, _ := e.Get("compliant")
				ok, _ = v.(bool)
				instead = "the last said was " + e.String()
			}
		}
		return ok, instead, nil
	}}
}
