package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Backend is a second home of the rows: what is in it outlives the process. Its calls come one at a time.
type Backend interface {
	// Load gives all that is kept. It is called once, first.
	Load() (Kept, error)
	// Write keeps a batch, whole or, with an error, not at all. When it returns, the batch outlives the process.
	Write(Batch) error
	Close() error
}

// State is what a database counts beside its rows.
type State struct {
	Seq    uint64 // of the last row inserted
	Starts int    // how often the home was opened
	Origin string // digest of what was restored into it, "" for nothing
}

// Kept is the content of a home. Its rows are in any order.
type Kept struct {
	State
	Rows map[string][]Row // by table
}

// Row is a row as a home keeps it.
type Row struct {
	Key   string
	Seq   uint64 // place in the order of insertion
	Value json.RawMessage
}

// Batch is what changed since the last one.
type Batch struct {
	State
	Clear   []string // tables that become empty before the changes
	Changes []Change // at most one a row
}

// Change is a row that was put, or with a nil Value deleted.
type Change struct {
	Table string
	Row
}

// ErrClosed is about a change of a database after Close.
var ErrClosed = errors.New("store: the database is closed")

// NewBacked makes a database of what b keeps. Rows are read in memory; each Update is in b before it returns. A table gets
// its rows when [NewTable] adds it; rows of tables that are never added stay in b. Opening counts as a start, see
// [DB.Life]. Call Close when done.
func NewBacked(b Backend) (*DB, error) {
	kept, err := b.Load()
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := kept.check(); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	kept.Starts++
	if err := b.Write(Batch{State: kept.State}); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	db := &DB{seq: kept.Seq, home: &home{b: b, waiting: kept.Rows}}
	db.life.Store(newLife(kept.Starts, kept.Origin))
	return db, nil
}

// check refuses what no database has written.
func (k Kept) check() error {
	for _, table := range slices.Sorted(maps.Keys(k.Rows)) {
		seqs := map[uint64]bool{}
		for _, r := range k.Rows[table] {
			if r.Seq == 0 || r.Seq > k.Seq || seqs[r.Seq] {
				return fmt.Errorf("table %q: row %q: number %d is out of order", table, r.Key, r.Seq)
			}
			seqs[r.Seq] = true
		}
	}
	return nil
}

// claim gives a new table the rows that are kept for it. Rows that do not fit are an error that every Update from then on
// returns, and Err: the table is empty then, and nothing must be made of that.
func (h *home) claim(t anyTable) {
	rows, ok := h.waiting[t.tableName()]
	if !ok {
		return
	}
	raw := make([]rawRow, len(rows))
	for i, r := range rows {
		raw[i] = rawRow(r)
	}
	commit, err := t.restore(raw)
	if err != nil {
		if h.err == nil {
			h.err = fmt.Errorf("store: table %q as it is kept: %w", t.tableName(), err)
		}
		return
	}
	commit()
	delete(h.waiting, t.tableName())
}

// Err says whether a table that was added found rows that are not of its type, as those of another version may be. The
// database takes no changes then. Ask when all tables are added.
func (db *DB) Err() error {
	if db.home == nil {
		return nil
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	return db.home.err
}

// Close lets go of the second home, if there is one. What there is in memory can still be read, not changed.
func (db *DB) Close() error {
	if db.home == nil {
		return nil
	}
	db.home.alone(db)
	defer db.home.turn.Unlock()
	db.mu.Lock()
	defer db.mu.Unlock()
	if errors.Is(db.home.err, ErrClosed) {
		return nil
	}
	db.home.err = ErrClosed
	if err := db.home.b.Close(); err != nil {
		return fmt.Errorf("store: close: %w", err)
	}
	return nil
}
