// Package invariant holds a world against what is true of every world at every
// moment, whatever its scenario is: that two installers never have Windows
// Installer's lock, that a PC that is off does nothing, that nobody believes a
// token that has expired, that the outcomes add up to the fleet.
//
// A [Watcher] is given to a run as its Hear and looks after every event, at the
// event's fields and at the world itself: disks, screens, certificates, and what
// the services have. It changes nothing and records nothing, so a run that is
// watched has the trace hash of one that is not. What it finds broken is a
// mistake of the simulation, never one of a scenario.
//
// How a PC's story may end is another question; see package ending.
package invariant
