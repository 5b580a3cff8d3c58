// Package compare says by how much two loads differ, and whether that is more
// than they differ from themselves.
//
// A side is one or more folders of results. A folder holds a summary.json, or
// repeats in r1, r2, ... with one each. Every repeat gives one value of each
// figure; the 95 % interval of the difference is Welch's (Biometrika 34, 1947),
// over the logarithms where the figure is a time or a rate, so that the
// difference is a ratio, and over the values themselves where it is a share of
// errors. With one repeat on a side there is no interval, and that is said.
//
// Loads of different scenarios, builds or machines are not compared unless it
// is asked for: most of the difference would be theirs.
//
// What it is not: a judge. Of many figures one in twenty lies outside its
// interval by chance alone.
package compare
