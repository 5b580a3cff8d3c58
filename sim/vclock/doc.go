// Package vclock is time, order and randomness of the simulation.
//
// Everything with a life of its own (a device, a person, a service's timer) is
// an actor: straight-line code that blocks in a Clock and nowhere else. There are
// two clocks. In Virtual, actors are coroutines of one loop: one runs at a time,
// and when all of them wait, time jumps to the next event. In Wall they are
// goroutines in real time.
//
// # Order
//
// A Virtual clock takes the next event by time, then by a permutation of the
// actors that is drawn from the seed, then by sequence, and lets that actor run
// until it blocks again. So what happens depends on the program and the seed, and
// not on GOMAXPROCS, on the machine or on how long anything really takes; another
// seed explores another interleaving. A Sleep of zero lets all others that are
// due at this moment go first, whatever the permutation says, so that polling
// cannot starve what it polls for.
//
// # Work beside the actors
//
// Heavy work goes through Offload, which overlaps it with other actors without
// any influence on the order. Nothing else starts a goroutine in virtual time; a
// library that has its own (an HTTP server, a TLS handshake) is given a Surrogate
// context.
//
// # Rules for actors
//
//   - Block in the clock only: no channels, no time.Sleep, no lock that another
//     actor holds across a clock call. A watchdog names who breaks this.
//   - Pass on the context that you were given: it carries cancellation, and the
//     way back to the actor on foreign goroutines.
//   - Cancel with WithCancel and WithTimeout of the clock. What the context
//     package's own functions cancel is noticed only when a sleep is over.
//   - Return when a clock call returns ErrStopped.
//   - Draw randomness from a stream of a Seed that is named after its owner.
//   - Don't call runtime.LockOSThread: a coroutine moves between threads.
//
// # What it is not
//
// It does not replace package time in foreign code: deadlines that a library
// keeps by itself (http.Client.Timeout, context.WithTimeout) run in real time,
// and should not be used. It knows nothing of networks, devices or journals.
package vclock
