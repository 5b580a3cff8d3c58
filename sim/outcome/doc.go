// Package outcome judges what a run came to by what happened in it: the items of
// a scenario's `expect` that are about single PCs and about events.
//
//	j := outcome.New(s.Expect)
//	j.Event(e)                        // each, as it happens
//	j.End(outcome.End{...})           // each PC's
//	for _, v := range outcome.Verdicts(s.Expect, j) { ... }
//
// A Judge keeps a few numbers of each PC and no events but those that decide, so
// that it can listen to a run of any size. It works alike on a run that is under
// way and on the journal of one that has ended. Cells have a Judge each, and
// Verdicts looks at all of them together.
//
// It does not look into PCs or services: values of a PC's registry and what
// Microsoft Graph says are given to it.
package outcome
