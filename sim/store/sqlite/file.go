package sqlite

import (
	"database/sql"
	"errors"
	"fmt"

	"windtunnel.test/sim/store"
)

// file is the home that [store.NewBacked] works with.
type file struct {
	db                      *sql.DB
	put, drop, empty, state *sql.Stmt
}

func (f *file) statements() error {
	for statement, text := range map[**sql.Stmt]string{
		&f.put:   "INSERT INTO row VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq, value = excluded.value",
		&f.drop:  "DELETE FROM row WHERE tbl = ? AND key = ?",
		&f.empty: "DELETE FROM row WHERE tbl = ?",
		&f.state: "UPDATE state SET seq = ?, starts = ?, origin = ?",
	} {
		var err error
		if *statement, err = f.db.Prepare(text); err != nil {
			return err
		}
	}
	return nil
}

// Load is the rows of all tables.
func (f *file) Load() (store.Kept, error) {
	k, err := f.load()
	return k, named(err)
}

func (f *file) load() (store.Kept, error) {
	k := store.Kept{Rows: map[string][]store.Row{}}
	if err := f.db.QueryRow("SELECT seq, starts, origin FROM state").Scan(&k.Seq, &k.Starts, &k.Origin); err != nil {
		return k, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	rows, err := f.db.Query("SELECT tbl, key, seq, value FROM row ORDER BY tbl, key")
	if err != nil {
		return k, err
	}
	defer func() { _ = rows.Close() }() // Err below says what went wrong
	for rows.Next() {
		var table string
		var r store.Row
		if err := rows.Scan(&table, &r.Key, &r.Seq, (*[]byte)(&r.Value)); err != nil {
			return k, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		k.Rows[table] = append(k.Rows[table], r)
	}
	return k, rows.Err()
}

// Write is one transaction.
func (f *file) Write(b store.Batch) error {
	tx, err := f.db.Begin()
	if err != nil {
		return named(err)
	}
	if err := f.write(tx, b); err != nil {
		return errors.Join(named(err), rollback(tx))
	}
	if err := tx.Commit(); err != nil {
		return errors.Join(named(err), rollback(tx))
	}
	return nil
}

func (f *file) write(tx *sql.Tx, b store.Batch) error {
	if _, err := tx.Stmt(f.state).Exec(b.Seq, b.Starts, b.Origin); err != nil {
		return err
	}
	for _, table := range b.Clear {
		if _, err := tx.Stmt(f.empty).Exec(table); err != nil {
			return err
		}
	}
	put, drop := tx.Stmt(f.put), tx.Stmt(f.drop)
	for _, c := range b.Changes {
		var err error
		if c.Value == nil {
			_, err = drop.Exec(c.Table, c.Key)
		} else {
			_, err = put.Exec(c.Table, c.Key, c.Seq, string(c.Value))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rollback is what is wrong beside the error that made it necessary.
func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

// Close writes what is in the WAL into the file, and gives the lock back.
func (f *file) Close() error { return f.db.Close() }
