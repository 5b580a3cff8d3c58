package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sort"
)

const dumpVersion = 1

// maxSeq is far more rows than anybody inserts, and far less than SQLite can number.
const maxSeq = 1 << 62

type rawDump struct {
	Version int        `json:"version"`
	Seq     uint64     `json:"seq"`
	Tables  []rawTable `json:"tables"`
}

type rawTable struct {
	Name string   `json:"name"`
	Rows []rawRow `json:"rows"`
}

type rawRow struct {
	Key   string          `json:"key"`
	Seq   uint64          `json:"seq"`
	Value json.RawMessage `json:"value"`
}

// Dump writes all tables as one JSON document: tables by name, rows by key. The same content gives the same bytes.
func (db *DB) Dump(w io.Writer) error {
	db.mu.RLock()
	defer db.mu.RUnlock()
	out := rawDump{Version: dumpVersion, Seq: db.seq, Tables: []rawTable{}}
	for _, t := range db.tables {
		rows, err := t.dump()
		if err != nil {
			return fmt.Errorf("store: dump table %q: %w", t.tableName(), err)
		}
		out.Tables = append(out.Tables, rawTable{t.tableName(), rows})
	}
	if err := json.NewEncoder(w).Encode(out); err != nil {
		return fmt.Errorf("store: dump: %w", err)
	}
	return nil
}

// Restore replaces the content of all tables by what Dump wrote; a table that the dump does not have becomes empty. With
// an error (a dump of another version, an unknown table, a row that does not fit) nothing is replaced.
func (db *DB) Restore(r io.Reader) error {
	var in rawDump
	digest := sha256.New()
	d := json.NewDecoder(io.TeeReader(r, digest))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return fmt.Errorf("store: restore: %w", err)
	}
	if in.Version != dumpVersion {
		return fmt.Errorf("store: restore: version %d, want %d", in.Version, dumpVersion)
	}
	if in.Seq > maxSeq {
		return fmt.Errorf("store: restore: number %d is more rows than there can be", in.Seq)
	}
	if db.home != nil {
		db.home.alone(db)
		defer db.home.turn.Unlock()
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	rows, err := db.distribute(in)
	if err != nil {
		return fmt.Errorf("store: restore: %w", err)
	}
	commits := make([]func(), len(db.tables))
	for i, t := range db.tables {
		if commits[i], err = t.restore(rows[i]); err != nil {
			return fmt.Errorf("store: restore table %q: %w", t.tableName(), err)
		}
	}
	next := db.life.Load().restored(sha256.Sum256(digest.Sum(nil)))
	if db.home != nil {
		if in.Seq, err = db.home.replace(in, next, db.tables); err != nil {
			return fmt.Errorf("store: restore: %w", err)
		}
	}
	for _, commit := range commits {
		commit()
	}
	db.seq = in.Seq
	db.life.Store(next)
	return nil
}

// replace writes a dump over all tables that are added, and gives the number of the last row of any.
func (h *home) replace(in rawDump, next *life, tables []anyTable) (uint64, error) {
	if h.err != nil {
		return 0, h.err
	}
	for _, rows := range h.waiting {
		for _, r := range rows {
			in.Seq = max(in.Seq, r.Seq)
		}
	}
	b := Batch{State: State{Seq: in.Seq, Starts: next.starts, Origin: next.origin}}
	for _, t := range tables {
		b.Clear = append(b.Clear, t.tableName())
	}
	for _, t := range in.Tables {
		for _, r := range t.Rows {
			b.Changes = append(b.Changes, Change{t.Name, Row(r)})
		}
	}
	return in.Seq, h.b.Write(b)
}

// distribute gives each table its rows, and refuses what cannot have come from Dump.
func (db *DB) distribute(in rawDump) ([][]rawRow, error) {
	rows := make([][]rawRow, len(db.tables))
	given, seqs := map[string]bool{}, map[uint64]bool{}
	for _, t := range in.Tables {
		i := slices.IndexFunc(db.tables, func(have anyTable) bool { return have.tableName() == t.Name })
		if i < 0 || given[t.Name] {
			return nil, fmt.Errorf("table %q is unknown or there twice", t.Name)
		}
		given[t.Name] = true
		for _, r := range t.Rows {
			if r.Seq == 0 || r.Seq > in.Seq || seqs[r.Seq] {
				return nil, fmt.Errorf("table %q: row %q: number %d is out of order", t.Name, r.Key, r.Seq)
			}
			seqs[r.Seq] = true
		}
		rows[i] = t.Rows
	}
	return rows, nil
}

func (t *Table[V]) dump() ([]rawRow, error) {
	rows := make([]rawRow, 0, len(t.byKey))
	for _, key := range t.byKey {
		r := t.rows[key]
		value, err := json.Marshal(r.value)
		if err != nil {
			return nil, fmt.Errorf("row %q: %w", key, err)
		}
		rows = append(rows, rawRow{key, r.seq, value})
	}
	return rows, nil
}

// encode is the row of that key as a home keeps it.
func (t *Table[V]) encode(key string) (Change, error) {
	c := Change{t.name, Row{Key: key}}
	r := t.rows[key]
	if r == nil {
		return c, nil
	}
	c.Seq = r.seq
	var err error
	c.Value, err = json.Marshal(r.value)
	return c, err
}

func (t *Table[V]) restore(raw []rawRow) (func(), error) {
	fresh := &Table[V]{rows: map[string]*row[V]{}}
	for _, x := range t.indexes {
		fresh.indexes = append(fresh.indexes, &index[V]{name: x.name, of: x.of, keys: map[string][]string{}})
	}
	raw = slices.Clone(raw)
	sort.Slice(raw, func(i, j int) bool { return raw[i].Seq < raw[j].Seq })
	for _, in := range raw {
		if fresh.rows[in.Key] != nil {
			return nil, fmt.Errorf("row %q is there twice", in.Key)
		}
		r := &row[V]{key: in.Key, seq: in.Seq}
		d := json.NewDecoder(bytes.NewReader(in.Value))
		d.DisallowUnknownFields()
		if err := d.Decode(&r.value); err != nil {
			return nil, fmt.Errorf("row %q: %w", in.Key, err)
		}
		fresh.insert(r)
	}
	return func() {
		t.rows, t.byKey, t.bySeq, t.indexes = fresh.rows, fresh.byKey, fresh.bySeq, fresh.indexes
		t.changes++
	}, nil
}
