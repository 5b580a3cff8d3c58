// Package catalog is the known issues of Autopilot pre-provisioning: what must be
// so that one is seen, what is seen then, and what helps. Each is an [Entry], a
// file P04.yaml that holds a scenario, what it must come to, and the documented
// remedy as a change of that scenario. Nothing of an issue is written in Go: an
// arrangement is what any scenario file can say, laid over a base scenario in
// which all is well.
//
//	entries, err := catalog.Embedded()
//	e, ok := entries.Find("P04")
//	r, err := catalog.Repro(ctx, e, catalog.Options{Lab: lab})
//	r.Holds() // the issue is seen, and its remedy helps
//
// An overlay's mappings merge; lists whose items have names merge by those names;
// timeline and faults are appended; other lists and all else replaces; null takes
// away.
package catalog
