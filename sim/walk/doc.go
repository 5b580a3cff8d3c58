// Package walk fails every exchange of a flow in turn, in every way in which one
// can fail, and judges how each of these lives ends.
//
// [Run] lets one PC of a scenario go its way undisturbed and numbers its HTTP
// exchanges and the classes of TPM commands that it gives. Then it runs the same
// PC once for each exchange and each [Kind] of fault, every time in a world of its
// own that has one fault rule more, many side by side. A life may end at success,
// on a screen that says what failed with a code that is written down and a record
// in an event log, or in one of the endless waits that Windows is known for
// (package ending). Whatever else hangs, panics, ends without a code, or leaves a
// state in which Windows cannot be, is a mistake of the simulation.
//
// A cell of the table is replayed by the scenario that [Result.Replay] gives: the
// one PC and the one rule. Results depend on the scenario and its seed alone, not
// on how many worlds live side by side.
package walk
