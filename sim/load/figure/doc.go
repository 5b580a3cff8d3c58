// Package figure counts what became of a load's arrivals: histograms by step
// and outcome, figures second by second, the summary at the end, and the
// thresholds that judge it. It neither starts arrivals nor looks at a clock:
// all moments are in what it is given.
//
// A [Recorder] takes each [Arrival] once it has ended. For every scope and
// every step it keeps one pair of HdrHistograms per class of outcome: from the
// intended start, and from the real one. Bounds are 1 µs to 1 h with three
// significant digits; what lies outside is put at the bound and counted in
// Summary.Clamped. Its memory depends on the number of different steps and
// outcomes, which is limited ([Other]), not on the number of arrivals. The
// warm-up is counted but gives no figures, and misbehaving devices have figures
// of their own.
//
// # Files
//
//   - summary.json: a [Summary]
//   - series.jsonl: a [Second] a line
//   - STEP.intended.hgrm, STEP.real.hgrm: percentile distributions in
//     milliseconds, for HdrHistogram's plotter
//
// # Thresholds
//
// A threshold is FIGURE OPERATOR VALUE, the operator one of < <= > >= == !=.
//
//	aik.p99 < 200ms          a scope or step, and a quantile from the intended start:
//	                         min mean p50 p75 p90 p95 p99 p99.9 p99.99 max
//	aik.real.p99 < 150ms     the same from the real start
//	aik.errors.rate < 0.1%   also count, rate, errors, refused, refused.rate
//	rate >= 0.99 * target    of the whole load: rate, target, count, errors,
//	                         errors.rate, dropped, interrupted, lag.p50, lag.p90,
//	                         lag.p99, lag.max, generator.cores (or generator.cpu),
//	                         engine.share
//
// A figure that was not measured, such as a quantile of a step that never
// happened, is not met; its [Verdict] says that it is not known.
package figure
