// Package explain tells of one PC of a run why its story ended as it did: what
// happened, which refusal, fault, setting or wait decided, what its screen and
// its event logs said, and what the catalogue of known issues knows to help.
//
// It reads the folder that `windtunnel run --out` has made, nothing else: what it
// says stands in the journal or in the scenario.
//
//	past, err := report.Open("result")
//	a, err := explain.Of(past, "PF4K2J7A", issues)
//	a.Write(os.Stdout)
package explain
