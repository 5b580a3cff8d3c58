// Package fault is where things that simply break come from: a 503, a lost connection, a power cut, a TPM that answers an
// error once. Such faults are data, a list of [Rule], the same in Go, in a scenario's file and on the management listener.
//
// Every layer that can fail asks the [Injector] at each [Point] that it passes, and does what the returned [Action] says as
// far as it concerns that layer. Nothing else in the house breaks on purpose: what follows from the state of a tenant, a
// TPM, a clock or a network is not a fault and needs no rule.
//
// When a rule fires depends on its own seed, on the device and on how many points of that device it has seen, never on
// what other devices do: the same seed breaks the same exchange of the same device in every run. Each firing is recorded
// with the kind "fault.fired".
//
// A rule that answers 429 or 503 says when to come back, and unless it has neither share, nth, every nor until, a client
// that comes back gets through in the end.
package fault
