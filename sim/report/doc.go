// Package report tells people what a run came to: the table at its end, the
// timeline of one PC, and the folder that a run leaves behind.
//
// [Table] writes a [sim.Summary] for somebody who has just watched a run end.
// [Timeline] writes the events of one PC so that they read like the story of
// its life. [Create] makes the folder with resolved scenario, journal, summary
// and sample timelines; [Open] reads it again and [Recording] finds where a
// second run of the same scenario takes another way.
//
// It judges nothing: whether an expectation is met stands in the summary.
// Nothing here reads a clock; real time comes in as figures.
package report
