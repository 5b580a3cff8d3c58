package walk

import "windtunnel.test/sim/ending"

// Outcomes of a life in which something failed; see package ending.
const (
	Success    = ending.Success
	Documented = ending.Documented
	Endless    = ending.Waiting
	Failure    = ending.Failure
)

// Outcomes lists them.
func Outcomes() []string { return ending.Outcomes() }
