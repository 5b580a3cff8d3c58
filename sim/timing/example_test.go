package timing_test

import (
	"fmt"

	"windtunnel.test/sim/timing"
)

func Example() {
	p := timing.Default()
	if err := p.Override(map[string]any{"esp.timeout": "90m"}); err != nil {
		panic(err)
	}
	fmt.Println(p.ESP.Timeout, p.MDM.SyncSchedule, p.Flow.Latest)
	fmt.Println(p.Override(map[string]any{"esp.timout": "2h"}))
	// Output:
	// 1h30m0s 3m x5, 15m x8, 8h 6 months
	// timing: unknown key "esp.timout"; near: esp.timeout
}
