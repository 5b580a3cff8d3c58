package fault_test

import (
	"fmt"
	"time"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
)

func Example() {
	rules := []fault.Rule{{
		Name: "busy AIK service",
		When: fault.When{Host: "*.microsoftaik.azure.net", Nth: 1},
		Do:   fault.Action{Status: 429, RetryAfter: 30 * time.Second},
	}}
	if err := fault.ValidateAll(rules); err != nil {
		panic(err)
	}
	injector := fault.New(1, journal.New(&hand{now: start}), start, rules)
	here := fault.Point{Layer: fault.HTTP, Host: "ifx-keyid-42.microsoftaik.azure.net", Operation: "GetCACaps", Device: "PC-1"}
	for range 2 {
		do, ok := injector.At(here)
		fmt.Println(ok, do)
	}
	// Output:
	// true status 429, retryAfter 30s
	// false
}
