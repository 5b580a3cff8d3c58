package shrink_test

import (
	"context"
	"fmt"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/shrink"
)

// A run that is only judged: PCs fail wherever an app is called Contoso Notes.
func Example() {
	s, problems := scenario.Load(quickstart.Name, quickstart.YAML, sim.LoadOptions(false))
	if len(problems) > 0 {
		fmt.Println(problems)
		return
	}
	failure := shrink.Failure{Outcome: sim.FailedEnd, Code: "0x87D1041C"}
	r, err := shrink.Shrink(context.Background(), shrink.Options{Scenario: s, Failure: failure, Run: func(_ context.Context, s *scenario.Scenario) (*sim.Summary, error) {
		sum := &sim.Summary{}
		for _, app := range s.Tenant.Apps {
			if app.DisplayName == "Contoso Notes" {
				sum.Failures = []sim.FailureGroup{{Outcome: failure.Outcome, Code: failure.Code}}
			}
		}
		return sum, nil
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, app := range r.Scenario.Tenant.Apps {
		fmt.Println(app.DisplayName)
	}
	fmt.Println(r.Scenario.Fleet.Count(), "PC left of", s.Fleet.Count())
	// Output:
	// Contoso Notes
	// 1 PC left of 200
}
