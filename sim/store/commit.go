package store

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// home is the second home of a database. Transactions of several goroutines that come at the same time are written as one
// batch: the first takes the lock on memory, each runs its function in turn, the last writes for all and lets readers in.
// So no reader sees what is not kept yet.
type home struct {
	b       Backend
	waiting map[string][]Row // of tables that are not added yet; under the database's lock
	err     error            // why nothing can be changed any more; under the same

	coming atomic.Int32 // writers that are about to take their turn
	turn   sync.Mutex   // of writers
	batch  *batch       // the open one; under turn
}

// maxBatch bounds how long the first writer waits for the others.
const maxBatch = 128

type batch struct {
	txs  []*Tx
	done chan struct{}
	err  error // once done
}

// touch names a row that a transaction has changed.
type touch struct {
	table anyTable
	key   string
}

func (h *home) update(db *DB, f func(tx *Tx) error) error {
	h.coming.Add(1)
	h.turn.Lock()
	h.coming.Add(-1)
	if h.batch == nil {
		db.mu.Lock()
		h.batch = &batch{done: make(chan struct{})}
	}
	b := h.batch
	err, kept := h.run(db, f)
	if !kept {
		return err
	}
	<-b.done
	return b.err
}

// alone is for what is no transaction: it takes the turn and ends the batch that others may have left open for those who
// come. The turn has to be given back.
func (h *home) alone(db *DB) {
	h.turn.Lock()
	if h.batch != nil {
		h.write(db)
	}
}

// run takes the transaction's turn, and writes the batch where nobody else comes. kept tells that it is in the batch.
func (h *home) run(db *DB, f func(tx *Tx) error) (err error, kept bool) {
	tx := &Tx{db: db, write: true}
	defer func() { // also where f panics
		tx.over = true
		if kept {
			h.batch.txs = append(h.batch.txs, tx)
		} else {
			tx.rollback()
		}
		if h.coming.Load() == 0 || len(h.batch.txs) >= maxBatch {
			h.write(db)
		}
		h.turn.Unlock()
	}()
	if h.err != nil {
		return h.err, false
	}
	if err := f(tx); err != nil {
		return err, false
	}
	return nil, true
}

// write ends the open batch.
func (h *home) write(db *DB) {
	b := h.batch
	h.batch = nil
	defer close(b.done)
	defer db.mu.Unlock()
	changes, err := b.changes()
	if err == nil && len(changes) > 0 {
		err = h.b.Write(Batch{State: db.state(), Changes: changes})
	}
	if err == nil {
		return
	}
	b.err = fmt.Errorf("store: %w", err)
	for _, tx := range slices.Backward(b.txs) {
		tx.rollback()
	}
}

// changes are the rows as they are now that any transaction of the batch has touched, in a fixed order.
func (b *batch) changes() ([]Change, error) {
	seen := map[touch]bool{}
	var list []Change
	for _, tx := range b.txs {
		for _, t := range tx.touched {
			if seen[t] {
				continue
			}
			seen[t] = true
			c, err := t.table.encode(t.key)
			if err != nil {
				return nil, fmt.Errorf("table %q: row %q: %w", t.table.tableName(), t.key, err)
			}
			list = append(list, c)
		}
	}
	return list, nil
}

func (db *DB) state() State {
	l := db.life.Load()
	if l == nil {
		return State{Seq: db.seq}
	}
	return State{Seq: db.seq, Starts: l.starts, Origin: l.origin}
}

// touch notes a change for the second home.
func (tx *Tx) touch(t anyTable, key string) {
	if tx.db.home != nil {
		tx.touched = append(tx.touched, touch{t, key})
	}
}
