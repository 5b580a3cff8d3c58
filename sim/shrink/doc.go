// Package shrink makes a small scenario of a large one that fails: fewer PCs,
// apps, configurations, faults, changes, sites and settings, and still the same
// failure, by outcome, code, phase and check.
//
// It is delta debugging (Zeller and Hildebrandt, Simplifying and Isolating
// Failure-Inducing Input, IEEE TSE 28(2), 2002) over the parts of the resolved
// scenario, one kind of part after the other, until a round changes nothing. Each
// try is a run in virtual time, some side by side; the result does not depend on
// how many. What is left is one of the smallest: without any single part of it
// the failure is gone.
//
// A PC that stays behind alone would draw other lots than in its fleet. So PCs
// are first pinned to what they had drawn (TPM, place, times, user), and what of
// that does not matter is taken away at the end like all else.
package shrink
