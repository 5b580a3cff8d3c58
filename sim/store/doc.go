// Package store keeps the state of a service: typed tables of rows with text keys, changed in transactions.
//
// A [DB] holds tables; [NewTable] adds one with its row type and its indexes. Rows are read in [DB.View] and changed in
// [DB.Update], which does all that its function does or, if the function returns an error or panics, nothing. Everything
// that lists rows does so in a fixed order, by key or by insertion, whatever the machine. [DB.Dump] and [DB.Restore] carry
// the content as JSON.
//
// Rows go in and come out by value. What a row points to (slices, maps) belongs to the table once it is put: change a copy
// and put that. A transaction must not wait, that is neither call the clock nor the network, and must not start another
// one: it holds the database's lock.
//
// Rows are read in memory. [New] keeps them there only; with [NewBacked] they have a second home, such as a file of
// package sqlite, in which each change is before Update returns. So rows have to be what encoding/json can carry, which
// [NewTable] checks. Transactions that several goroutines begin at the same time are written together.
package store
