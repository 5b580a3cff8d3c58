package store

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// DB is a set of tables under one lock. Make it with [New] or [NewBacked].
type DB struct {
	mu     sync.RWMutex
	tables []anyTable // sorted by name
	seq    uint64     // of the last row inserted
	life   atomic.Pointer[life]

	home *home // nil: memory only
}

// anyTable is a table whatever its row type.
type anyTable interface {
	tableName() string
	dump() ([]rawRow, error)
	restore([]rawRow) (commit func(), err error)
	encode(key string) (Change, error)
}

// Tx is a transaction. It is of no use after the function that it was given to has returned.
type Tx struct {
	db      *DB
	write   bool
	over    bool
	undo    []func()
	touched []touch // only with a home
}

// New makes an empty database.
func New() *DB { return &DB{} }

func (db *DB) add(t anyTable) {
	db.mu.Lock()
	defer db.mu.Unlock()
	at, found := slices.BinarySearchFunc(db.tables, t.tableName(), func(t anyTable, name string) int { return cmp.Compare(t.tableName(), name) })
	if found {
		panic(fmt.Sprintf("store: two tables %q", t.tableName()))
	}
	db.tables = slices.Insert(db.tables, at, t)
	if db.home != nil {
		db.home.claim(t)
	}
}

// Update runs f as the only transaction there is. If f returns an error or panics, everything it changed is changed back,
// and the error is returned or the panic goes on. With a second home, what f changed is kept there when Update returns nil;
// where that fails it is changed back as well, and the home's error is returned.
func (db *DB) Update(f func(tx *Tx) error) error {
	if db.home != nil {
		return db.home.update(db, f)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	tx := &Tx{db: db, write: true}
	done := false
	defer func() {
		tx.over = true
		if !done {
			tx.rollback()
		}
	}()
	if err := f(tx); err != nil {
		return err
	}
	done = true
	return nil
}

// View runs f beside other readers.
func (db *DB) View(f func(tx *Tx) error) error {
	db.mu.RLock()
	defer db.mu.RUnlock()
	tx := &Tx{db: db}
	defer func() { tx.over = true }()
	return f(tx)
}

func (tx *Tx) rollback() {
	for _, f := range slices.Backward(tx.undo) {
		f()
	}
}

// check stops what would otherwise be a race or a lost change: both are mistakes in the caller.
func (tx *Tx) check(db *DB, write bool) {
	switch {
	case tx.over:
		panic("store: the transaction is over")
	case tx.db != db:
		panic("store: the transaction belongs to another database")
	case write && !tx.write:
		panic("store: change in a View")
	}
}
