package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"windtunnel.test/sim/store"
)

// Version is the version of the file's layout, its user_version.
const Version = 1

// application marks the file as ours (sqlite.org/pragma.html#pragma_application_id): "WTst".
const application = 0x57547374

// What can be wrong with a file.
var (
	ErrInUse   = errors.New("another process has it open")
	ErrCorrupt = errors.New("it is damaged")
	ErrForeign = errors.New("it is not a Windtunnel state file")
	ErrNewer   = errors.New("a newer Windtunnel has written it")
)

// Open opens the file, or makes it. Where there is no directory for it, that is an error.
func Open(path string) (*store.DB, error) {
	f, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("state file %s: %w", path, named(err))
	}
	db, err := store.NewBacked(f)
	if err != nil {
		return nil, fmt.Errorf("state file %s: %w", path, errors.Join(err, f.Close()))
	}
	return db, nil
}

func open(path string) (*file, error) {
	if err := touch(path); err != nil {
		return nil, err
	}
	uri := url.URL{Scheme: "file", OmitHost: true, Path: path}
	db, err := sql.Open("sqlite", uri.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // the lock on the file is this connection's
	f := &file{db: db}
	if err := f.prepare(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// touch makes a missing file readable by its owner alone: there are keys in it.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// prepare takes the lock, checks what file it is before anything in it is changed, and lays a new one out.
func (f *file) prepare() error {
	// Exclusive before WAL: the index of the WAL is in memory then, and the lock is held until the end (sqlite.org/wal.html,
	// "Use of WAL Without Shared-Memory").
	if err := f.pragmas("locking_mode=EXCLUSIVE", "synchronous=NORMAL", "temp_store=MEMORY"); err != nil {
		return err
	}
	fresh, err := f.check()
	if err != nil {
		return err
	}
	if err := f.pragmas("journal_mode=WAL"); err != nil {
		return err
	}
	if fresh {
		if err := f.layOut(); err != nil {
			return err
		}
	}
	return f.statements()
}

func (f *file) pragmas(list ...string) error {
	for _, pragma := range list {
		if _, err := f.db.Exec("PRAGMA " + pragma); err != nil {
			return err
		}
	}
	return nil
}

// check refuses what Open must not touch. fresh is a file with nothing in it.
func (f *file) check() (fresh bool, err error) {
	var id, version, objects int
	for query, value := range map[string]*int{"PRAGMA application_id": &id, "PRAGMA user_version": &version, "SELECT count(*) FROM sqlite_schema": &objects} {
		if err := f.db.QueryRow(query).Scan(value); err != nil {
			return false, err
		}
	}
	switch {
	case id == 0 && version == 0 && objects == 0:
		return true, nil
	case id != application:
		return false, ErrForeign
	case version > Version:
		return false, fmt.Errorf("%w: layout %d, this one knows %d", ErrNewer, version, Version)
	}
	var verdict string
	if err := f.db.QueryRow("PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return false, err
	}
	if verdict != "ok" {
		return false, fmt.Errorf("%w: %s", ErrCorrupt, verdict)
	}
	return false, nil
}

// layOut is one transaction, so that a process that is killed in it leaves an empty file.
func (f *file) layOut() error {
	tx, err := f.db.Begin()
	if err != nil {
		return err
	}
	for _, statement := range []string{
		fmt.Sprintf("PRAGMA application_id=%d", application),
		fmt.Sprintf("PRAGMA user_version=%d", Version),
		// Values are JSON text. Keys are compared byte by byte, as in memory.
		"CREATE TABLE row (tbl TEXT NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (tbl, key)) STRICT, WITHOUT ROWID",
		"CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, starts INTEGER NOT NULL, origin TEXT NOT NULL) STRICT",
		"INSERT INTO state VALUES (1, 0, 0, '')",
	} {
		if _, err := tx.Exec(statement); err != nil {
			return errors.Join(err, rollback(tx))
		}
	}
	return tx.Commit()
}

// named adds to SQLite's own error what it means here.
func named(err error) error {
	var e *driver.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xFF { // the primary result code
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("%w: %w", ErrInUse, err)
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", ErrForeign, err)
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}
