// Package page makes the HTML report of a run: what was expected and what came,
// how long the parts of PCs' lives took, the stories of those that failed as
// lanes, the fault rules that fired, and how to see it again. A walk's table of
// exchanges and faults can be part of it.
//
// A page is one file without scripts that needs no network, for light and dark
// screens and for paper. The same run makes the same page.
package page
