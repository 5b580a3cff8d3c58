package expect

import (
	"fmt"
	"time"

	"github.com/onsi/gomega/types"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/report"
)

// TakeVirtual succeeds for a PC whose last event is at most so much virtual time
// after it was first switched on.
func TakeVirtual(atMost time.Duration) types.GomegaMatcher {
	return &matcher{what: fmt.Sprintf("take at most %s", report.Duration(atMost)), fits: func(pc *device.PC) (bool, string, error) {
		var begin, end time.Time
		for e := range pc.History {
			if begin.IsZero() && e.Kind == "device.power.on" {
				begin = e.Time
			}
			end = e.Time
		}
		if begin.IsZero() {
			return false, "nobody has switched it on", nil
		}
		took := end.Sub(begin)
		return took <= atMost, "it took " + report.Duration(took), nil
	}}
}
