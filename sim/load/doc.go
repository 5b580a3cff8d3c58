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
// Every arrival whose moment was there ends in one of three ways, and none is
// lost ([Tally]): it came to an end, it was broken off when the plan's patience
// was over, or it was dropped because no device was free in time.
//
// Times are the clock's, and the wall clock's readings follow the machine's own
// clock: one that is set while a load goes on is seen in its figures.
//
// A load that ran into a limit of its own says more about the generator than
// about the target: [Run] looks for that each second, and says so in words in
// Summary.Self.LimitedBy.
package load
