// Package load makes load: it has devices arrive, and says what became of them.
//
// In an open loop each arrival has an intended moment, which follows from the
// plan alone. What is slow, be it the target, the devices or this process, does
// not put later arrivals off: each is an actor of its own, and its latency counts
// from the moment at which it was to begin. In a closed loop a number of devices
// go round, each as fast as it can; what the target's slowness keeps them from
// asking is then not in the figures, which is what coordinated omission means.
//
// The generator does not know what a device is. A [Source] has [Subject]s, each
// of which does what an arrival is about; sim/load/pcs has virtual PCs. All time
// is the clock's: what is wanted of figures is tested in virtual time, exactly.
//
// Every arrival that was due ends in one of three ways, and none is lost:
//
//	started = finished + interrupted      those that got a Subject
//	due     = started + dropped           dropped: no Subject was free in time
//
// A load that ran into a limit of its own says more about the generator than
// about the target: [Run] looks for that each second, and says so in words in
// Summary.Self.LimitedBy.
package load
