// Package sim puts a world together: a tenant with its cloud services, sites
// with their networks, PCs with their TPMs, and the people who handle them.
//
// A [World] is one cell: one clock, one tenant, at most a few hundred PCs. It
// is what a spec makes for itself. [Run] runs a scenario file's whole fleet, as
// many worlds side by side as the scenario has cells, and sums up.
//
// Everything a run does follows from the scenario and the seed. Two runs of
// the same build with the same two have the same trace hash.
package sim
