// Package house keeps the rules of the house as tests: which room may import
// which (imports_test.go), that nothing reads real time or global randomness
// outside the clock, starts goroutines behind the scheduler's back, or holds a
// lock over a call into the clock (source_test.go), and that every rule of the
// pre-provisioning page has a witness or is listed as still without
// (seedrules.go). It holds no product code.
package house
