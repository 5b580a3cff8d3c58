// Package figure counts what became of a load's arrivals: histograms by step
// and outcome, figures second by second, the summary at the end, and the
// thresholds that judge it.
package figure
