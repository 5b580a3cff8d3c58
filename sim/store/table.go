package store

import (
	"cmp"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"sort"
)

// Table holds rows of type V by key. Make it with [NewTable].
type Table[V any] struct {
	db      *DB
	name    string
	rows    map[string]*row[V]
	byKey   []string  // sorted
	bySeq   []*row[V] // in order of insertion
	indexes []*index[V]
	changes uint64
}

type row[V any] struct {
	key   string
	seq   uint64
	value V
}

type index[V any] struct {
	name string
	of   func(V) []string
	keys map[string][]string // sorted keys by indexed value
}

// Option adds something to a table.
type Option[V any] func(*Table[V])

// Index lets rows be found by other texts than their key. The function lists those of a row, none or several; it must
// depend on the row alone.
func Index[V any](name string, of func(V) []string) Option[V] {
	return func(t *Table[V]) {
		t.indexes = append(t.indexes, &index[V]{name: name, of: of, keys: map[string][]string{}})
	}
}

// NewTable adds a table to the database. Two of one name are a mistake and panic, and so is a type of rows that encoding/json
// would lose something of.
func NewTable[V any](db *DB, name string, opts ...Option[V]) *Table[V] {
	if at := lossy(reflect.TypeFor[V](), map[reflect.Type]bool{}); at != "" {
		panic(fmt.Sprintf("store: rows of table %q lose %s when they are kept", name, at))
	}
	t := &Table[V]{db: db, name: name, rows: map[string]*row[V]{}}
	for _, o := range opts {
		o(t)
	}
	db.add(t)
	return t
}

func (t *Table[V]) tableName() string { return t.name }

// Get is the row of that key.
func (t *Table[V]) Get(tx *Tx, key string) (V, bool) {
	tx.check(t.db, false)
	if r := t.rows[key]; r != nil {
		return r.value, true
	}
	var none V
	return none, false
}

// Len is the number of rows.
func (t *Table[V]) Len(tx *Tx) int {
	tx.check(t.db, false)
	return len(t.rows)
}

// Changes counts the changes of the table's rows, so that what was made of them can be kept until there is another. It says
// nothing across databases: a dump does not carry it.
func (t *Table[V]) Changes(tx *Tx) uint64 {
	tx.check(t.db, false)
	return t.changes
}

// Put adds the row, or replaces it; a replaced row keeps its place in the order of insertion.
func (t *Table[V]) Put(tx *Tx, key string, v V) {
	tx.check(t.db, true)
	tx.touch(t, key)
	if r := t.rows[key]; r != nil {
		old := r.value
		t.replace(r, v)
		tx.undo = append(tx.undo, func() { t.replace(r, old) })
		return
	}
	t.db.seq++
	r := &row[V]{key: key, seq: t.db.seq, value: v}
	t.insert(r)
	tx.undo = append(tx.undo, func() {
		t.remove(r)
		t.db.seq--
	})
}

// Delete removes the row, and says whether there was one.
func (t *Table[V]) Delete(tx *Tx, key string) bool {
	tx.check(t.db, true)
	r := t.rows[key]
	if r == nil {
		return false
	}
	tx.touch(t, key)
	t.remove(r)
	tx.undo = append(tx.undo, func() { t.insert(r) })
	return true
}

// All lists the rows by key. It lists what there is when it begins, less what is deleted before its turn; the loop may
// change the table.
func (t *Table[V]) All(tx *Tx) iter.Seq2[string, V] {
	return t.list(tx, func() []string { return slices.Clone(t.byKey) })
}

// insertedChunk is how many rows Inserted looks ahead: a loop that ends early has not paid for the whole table.
const insertedChunk = 64

// Inserted lists the rows from the oldest to the newest, otherwise as All.
func (t *Table[V]) Inserted(tx *Tx) iter.Seq2[string, V] {
	tx.check(t.db, false)
	return func(yield func(string, V) bool) {
		tx.check(t.db, false)
		var chunk [insertedChunk]*row[V]
		for last, end := uint64(0), t.db.seq; ; {
			at := sort.Search(len(t.bySeq), func(i int) bool { return t.bySeq[i].seq > last })
			n := copy(chunk[:], t.bySeq[at:])
			if n == 0 {
				return
			}
			for _, r := range chunk[:n] {
				if r.seq > end { // put in by the loop
					return
				}
				if t.rows[r.key] == r && !yield(r.key, r.value) {
					return
				}
				last = r.seq
			}
		}
	}
}

// By lists the rows that an index has under a value, by key, otherwise as All. An index that the table does not have is a
// mistake and panics.
func (t *Table[V]) By(tx *Tx, indexName, value string) iter.Seq2[string, V] {
	x := t.index(indexName)
	return t.list(tx, func() []string { return slices.Clone(x.keys[value]) })
}

func (t *Table[V]) index(name string) *index[V] {
	for _, x := range t.indexes {
		if x.name == name {
			return x
		}
	}
	panic(fmt.Sprintf("store: table %q has no index %q", t.name, name))
}

// First is the first row that By would list.
func (t *Table[V]) First(tx *Tx, indexName, value string) (key string, v V, ok bool) {
	tx.check(t.db, false)
	keys := t.index(indexName).keys[value]
	if len(keys) == 0 {
		return "", v, false
	}
	return keys[0], t.rows[keys[0]].value, true
}

func (t *Table[V]) list(tx *Tx, keys func() []string) iter.Seq2[string, V] {
	tx.check(t.db, false)
	return func(yield func(string, V) bool) {
		tx.check(t.db, false)
		for _, key := range keys() {
			if r := t.rows[key]; r != nil && !yield(key, r.value) {
				return
			}
		}
	}
}

func (t *Table[V]) insert(r *row[V]) {
	t.changes++
	t.rows[r.key] = r
	t.byKey = insertSorted(t.byKey, r.key)
	at := sort.Search(len(t.bySeq), func(i int) bool { return t.bySeq[i].seq > r.seq })
	t.bySeq = slices.Insert(t.bySeq, at, r)
	for _, x := range t.indexes {
		x.add(r.key, x.of(r.value))
	}
}

func (t *Table[V]) remove(r *row[V]) {
	t.changes++
	delete(t.rows, r.key)
	t.byKey = deleteSorted(t.byKey, r.key)
	at, _ := slices.BinarySearchFunc(t.bySeq, r.seq, func(r *row[V], seq uint64) int { return cmp.Compare(r.seq, seq) })
	t.bySeq = slices.Delete(t.bySeq, at, at+1)
	for _, x := range t.indexes {
		x.drop(r.key, x.of(r.value))
	}
}

func (t *Table[V]) replace(r *row[V], v V) {
	t.changes++
	for _, x := range t.indexes {
		if was, is := x.of(r.value), x.of(v); !slices.Equal(was, is) {
			x.drop(r.key, was)
			x.add(r.key, is)
		}
	}
	r.value = v
}

func (x *index[V]) add(key string, values []string) {
	for _, value := range values {
		x.keys[value] = insertSorted(x.keys[value], key)
	}
}

func (x *index[V]) drop(key string, values []string) {
	for _, value := range values {
		if rest := deleteSorted(x.keys[value], key); len(rest) > 0 {
			x.keys[value] = rest
		} else {
			delete(x.keys, value)
		}
	}
}

func insertSorted(keys []string, key string) []string {
	at, found := slices.BinarySearch(keys, key)
	if found {
		return keys
	}
	return slices.Insert(keys, at, key)
}

func deleteSorted(keys []string, key string) []string {
	if at, found := slices.BinarySearch(keys, key); found {
		return slices.Delete(keys, at, at+1)
	}
	return keys
}
