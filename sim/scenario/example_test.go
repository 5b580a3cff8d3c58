package scenario_test

import (
	"fmt"

	"windtunnel.test/sim/scenario"
)

func Example() {
	const file = `
tenant:
  domain: contoso.com
  moreUsers: {count: 2}
sites:
  - {name: bench, kind: bench}
  - {name: home, kind: home, wired: false}
people:
  technicians: [{site: bench, count: 1}]
fleet:
  groups:
    - {name: laptops, count: 2, wireless: 50%, shelf: 3d, destinations: home}
expect:
  outcome: {desktop: all}
`
	s, problems := scenario.Load("small.yaml", []byte(file), scenario.Options{})
	if len(problems) > 0 {
		fmt.Println(problems)
		return
	}
	for _, pc := range s.Devices() {
		fmt.Println(pc.Name, pc.Windows.Build, pc.Bench, "->", pc.Destination, "for", pc.User)
	}
	for _, r := range s.Expect.Evaluate(map[string]float64{"devices": 2, "outcome.desktop": 1}) {
		fmt.Println(r.Met, r)
	}

	_, problems = scenario.Load("small.yaml", []byte("seed: 7\nsiets: []"), scenario.Options{})
	fmt.Println(problems[2])
	// Output:
	// PC-0001 26200.6584 bench -> home for user001@contoso.com
	// PC-0002 26200.6584 bench -> home for user002@contoso.com
	// false outcome.desktop == all: have 1
	// small.yaml:1:1: fleet: is missing (the PCs)
}
