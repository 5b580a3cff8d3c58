// Package page writes what a load came to as one HTML file that a tester can
// send on: it needs no network and no script, looks right on light and dark
// screens, on a phone and on paper, and each chart has a table below it for
// those who can't see it.
//
// The verdict comes first, then what was run and on which machine, and in a
// box that can't be overlooked what takes away from the result: a generator
// that could not keep up, an early end. Then latency, rates and errors over
// time, percentile curves, where steps lie inside their scopes, and tables.
//
// It works out nothing of its own: figures are those of package figure, and
// the drawing is sim/report/chart's. The same data gives the same bytes.
package page
