package explain_test

import (
	"fmt"
	"os"

	"windtunnel.test/sim/catalog"
	"windtunnel.test/sim/explain"
	"windtunnel.test/sim/report"
)

// What `windtunnel explain` does with the folder of a run.
func ExampleOf() {
	past, err := report.Open("result")
	if err != nil {
		fmt.Println(err)
		return
	}
	issues, err := catalog.Embedded()
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := explain.Of(past, "PF4K2J7A", nil, issues)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = a.Write(os.Stdout) // a terminal that is gone is told nothing
	// Output:
	// result has no scenario.yaml: give the folder that `windtunnel run --out` has made
}
