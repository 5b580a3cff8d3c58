// Package defects says which builds of Windows have which faults: a table from
// Microsoft's pages of known and of resolved issues, with the updates that
// mended them.
//
// It says only that a build has a fault. What Windows does otherwise then, and
// what comes of it, is written where that is done:
//
//	if defects.Has(w.Installation.Build, defects.LosesProfile) { ... }
//
// A new fault is a row in defects.yaml and a constant here.
package defects
