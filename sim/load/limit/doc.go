// Package limit searches for the highest rate of arrivals at which a load keeps
// its thresholds, and says how sure that is.
//
// It goes upward, doubling or by given steps, until a rate is missed; halves
// the distance between the last rate kept and the first one missed until it is
// within the tolerance; and then repeats both of them, by turns, so that a
// machine that slows down meanwhile does so for both. Only these repeats count
// for what is said about certainty: the search has picked its rates by the
// others.
//
// Noise is expected. A trial that misses is done once more, and where the two
// differ a third one decides. A rate that does not hold when it is repeated is
// given up for one a tolerance lower; one above that sometimes is kept after
// all, for one a tolerance higher: what lies between is said to be undecided.
//
// A trial in which the generator, not the target, was at its end is no limit of
// the target. The search ends below it, and the result says so.
//
// What it is not: a model of the target. It neither fits a curve nor looks at
// anything but whether thresholds were met.
package limit
