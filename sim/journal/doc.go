// Package journal records what happens in a run: one [Event] for everything that a device, a person or a service does.
//
// Timelines, reports, the Windows event logs of a device and the trace hash all come from here. The trace hash is SHA-256
// over the events in order, in an encoding of its own ([Journal.Hash]); two runs of the same seed and build have the same.
// A field that cannot be the same twice (bytes that a library drew for itself, real time) is written with [Loose] and stays
// outside the hash.
//
// Events go to sinks as they happen: a [Memory] that keeps the last ones of each device, a [FileSink] that writes
// compressed JSON lines of which a killed run keeps what was flushed, or a function. Kinds are dotted with the verb last,
// "device.power.on"; a service that refuses something records the kind [Refused].
//
// The journal decides nothing: no rule of a run may read it. It takes no lock that outlasts a call and never waits.
// In virtual time it is called by actors, never by work that is offloaded, because only actors run in a fixed order.
package journal
