package store_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/store"
)

type device struct {
	Serial string
	Tags   []string
	Boots  int
}

type world struct {
	db      *store.DB
	devices *store.Table[device]
	notes   *store.Table[string]
}

func newWorld() *world {
	db := store.New()
	return &world{
		db: db,
		devices: store.NewTable(db, "devices",
			store.Index("serial", func(d device) []string { return []string{d.Serial} }),
			store.Index("tag", func(d device) []string { return d.Tags })),
		notes: store.NewTable[string](db, "notes"),
	}
}

func (w *world) update(t testing.TB, f func(tx *store.Tx)) {
	t.Helper()
	NewWithT(t).Expect(w.db.Update(func(tx *store.Tx) error { f(tx); return nil })).To(Succeed())
}

func (w *world) dump(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	NewWithT(t).Expect(w.db.Dump(&b)).To(Succeed())
	return b.String()
}

func (w *world) fill(t testing.TB) {
	w.update(t, func(tx *store.Tx) {
		w.devices.Put(tx, "c", device{Serial: "3", Tags: []string{"lab", "old"}})
		w.devices.Put(tx, "a", device{Serial: "1", Tags: []string{"lab"}})
		w.devices.Put(tx, "b", device{Serial: "2"})
		w.notes.Put(tx, "n", "hello")
	})
}

func keys[V any](seq func(func(string, V) bool)) []string {
	list := []string{}
	for k := range seq {
		list = append(list, k)
	}
	return list
}

func TestOrderAndIndexes(t *testing.T) {
	g := NewWithT(t)
	w := newWorld()
	w.fill(t)
	w.update(t, func(tx *store.Tx) {
		g.Expect(keys(w.devices.All(tx))).To(Equal([]string{"a", "b", "c"}))
		g.Expect(keys(w.devices.Inserted(tx))).To(Equal([]string{"c", "a", "b"}))
		g.Expect(keys(w.devices.By(tx, "tag", "lab"))).To(Equal([]string{"a", "c"}))
		g.Expect(keys(w.devices.By(tx, "tag", "new"))).To(BeEmpty())
		g.Expect(w.devices.Len(tx)).To(Equal(3))

		w.devices.Put(tx, "c", device{Serial: "33", Tags: []string{"new", "new"}})
		g.Expect(keys(w.devices.Inserted(tx))).To(Equal([]string{"c", "a", "b"}), "a replaced row keeps its place")
		g.Expect(keys(w.devices.By(tx, "tag", "lab"))).To(Equal([]string{"a"}))
		g.Expect(keys(w.devices.By(tx, "tag", "new"))).To(Equal([]string{"c"}))
		key, d, ok := w.devices.First(tx, "serial", "33")
		g.Expect(ok).To(BeTrue())
		g.Expect(key + d.Serial).To(Equal("c33"))
		_, _, ok = w.devices.First(tx, "serial", "3")
		g.Expect(ok).To(BeFalse())

		g.Expect(w.devices.Delete(tx, "a")).To(BeTrue())
		g.Expect(w.devices.Delete(tx, "a")).To(BeFalse())
		_, ok = w.devices.Get(tx, "a")
		g.Expect(ok).To(BeFalse())
	})
}

func TestChangesAreCounted(t *testing.T) {
	g := NewWithT(t)
	w := newWorld()
	changes := func() (n uint64) {
		w.update(t, func(tx *store.Tx) { n = w.devices.Changes(tx) })
		return n
	}
	last := changes()
	changed := func(yes bool, what string) {
		now := changes()
		g.Expect(now > last).To(Equal(yes), what)
		last = now
	}
	w.fill(t)
	changed(true, "new rows")
	w.update(t, func(tx *store.Tx) { w.notes.Put(tx, "n", "another table") })
	changed(false, "another table")
	w.update(t, func(tx *store.Tx) { w.devices.Put(tx, "a", device{Serial: "1", Tags: []string{"lab"}, Boots: 2}) })
	changed(true, "a row was replaced")
	g.Expect(w.db.Update(func(tx *store.Tx) error {
		w.devices.Delete(tx, "a")
		return errors.New("no")
	})).NotTo(Succeed())
	changed(true, "it went and came back")
	g.Expect(w.db.Restore(strings.NewReader(w.dump(t)))).To(Succeed())
	changed(true, "restored")
}

func TestLoopMayChangeTheTable(t *testing.T) {
	g := NewWithT(t)
	w := newWorld()
	w.fill(t)
	var seen []string
	w.update(t, func(tx *store.Tx) {
		for k := range w.devices.All(tx) {
			seen = append(seen, k)
			w.devices.Delete(tx, "b")
			w.devices.Put(tx, k+k, device{})
		}
		g.Expect(keys(w.devices.All(tx))).To(Equal([]string{"a", "aa", "c", "cc"}))
	})
	g.Expect(seen).To(Equal([]string{"a", "c"}))
}

func TestErrorUndoesEverything(t *testing.T) {
	g := NewWithT(t)
	w := newWorld()
	w.fill(t)
	before := w.dump(t)
	change := func(tx *store.Tx) {
		w.devices.Delete(tx, "c")
		w.devices.Put(tx, "d", device{Serial: "4", Tags: []string{"lab"}})
		w.devices.Put(tx, "a", device{Serial: "11"})
		w.devices.Put(tx, "a", device{Serial: "12"})
		w.devices.Delete(tx, "a")
		w.notes.Delete(tx, "n")
	}
	failed := errors.New("no")
	g.Expect(w.db.Update(func(tx *store.Tx) error { change(tx); return failed })).To(MatchError(failed))
	g.Expect(w.dump(t)).To(Equal(before))
	g.Expect(func() { _ = w.db.Update(func(tx *store.Tx) error { change(tx); panic("no") }) }).To(PanicWith("no"))
	g.Expect(w.dump(t)).To(Equal(before))
	w.update(t, func(tx *store.Tx) {
		g.Expect(keys(w.devices.Inserted(tx))).To(Equal([]string{"c", "a", "b"}))
		g.Expect(keys(w.devices.By(tx, "tag", "lab"))).To(Equal([]string{"a", "c"}))
	})
}

func TestMisuseIsSaid(t *testing.T) {
	g := NewWithT(t)
	w, other := newWorld(), newWorld()
	var kept *store.Tx
	g.Expect(w.db.View(func(tx *store.Tx) error {
		kept = tx
		g.Expect(func() { w.notes.Put(tx, "x", "y") }).To(PanicWith("store: change in a View"))
		g.Expect(func() { other.notes.Len(tx) }).To(PanicWith("store: the transaction belongs to another database"))
		g.Expect(func() { w.notes.By(tx, "none", "") }).To(PanicWith(`store: table "notes" has no index "none"`))
		return nil
	})).To(Succeed())
	g.Expect(func() { w.notes.Get(kept, "x") }).To(PanicWith("store: the transaction is over"))
	g.Expect(func() { store.NewTable[int](w.db, "notes") }).To(PanicWith(`store: two tables "notes"`))
}

func TestDumpAndRestore(t *testing.T) {
	g := NewWithT(t)
	w := newWorld()
	w.fill(t)
	text := w.dump(t)
	g.Expect(text).To(HavePrefix(`{"version":1,"seq":4,"tables":[{"name":"devices","rows":[{"key":"a","seq":2,"value":{"Serial":"1"`))
	copied := newWorld()
	copied.update(t, func(tx *store.Tx) { copied.notes.Put(tx, "gone", "soon") })
	g.Expect(copied.db.Restore(strings.NewReader(text))).To(Succeed())
	g.Expect(copied.dump(t)).To(Equal(text))
	copied.update(t, func(tx *store.Tx) {
		g.Expect(keys(copied.devices.Inserted(tx))).To(Equal([]string{"c", "a", "b"}))
		g.Expect(keys(copied.devices.By(tx, "tag", "lab"))).To(Equal([]string{"a", "c"}))
		copied.devices.Put(tx, "0", device{})
		g.Expect(keys(copied.devices.Inserted(tx))).To(Equal([]string{"c", "a", "b", "0"}), "numbers go on")
	})
}

func TestRestoreRefuses(t *testing.T) {
	w := newWorld()
	w.fill(t)
	before := w.dump(t)
	for text, want := range map[string]string{
		``:                        "EOF",
		`{"version":2}`:           "version 2, want 1",
		`{"version":1,"extra":0}`: "unknown field",
		`{"version":1,"seq":18446744073709551615}`:                                                                                 "more rows than there can be",
		`{"version":1,"tables":[{"name":"apps"}]}`:                                                                                 `table "apps" is unknown`,
		`{"version":1,"tables":[{"name":"notes"},{"name":"notes"}]}`:                                                               "there twice",
		`{"version":1,"seq":1,"tables":[{"name":"notes","rows":[{"key":"a","seq":2,"value":""}]}]}`:                                "out of order",
		`{"version":1,"seq":2,"tables":[{"name":"notes","rows":[{"key":"a","seq":1,"value":1}]}]}`:                                 `row "a"`,
		`{"version":1,"seq":2,"tables":[{"name":"devices","rows":[{"key":"a","seq":1,"value":{"Colour":1}}]}]}`:                    "unknown field",
		`{"version":1,"seq":2,"tables":[{"name":"notes","rows":[{"key":"a","seq":1,"value":""},{"key":"a","seq":2,"value":""}]}]}`: "there twice",
	} {
		g := NewWithT(t)
		g.Expect(w.db.Restore(strings.NewReader(text))).To(MatchError(ContainSubstring(want)), text)
		g.Expect(w.dump(t)).To(Equal(before))
	}
}

// The table behaves as a map with an order, through any row of transactions of which some fail.
func TestAgainstAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		model, order := map[string]device{}, []string{}
		key := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		for range rapid.IntRange(1, 20).Draw(t, "transactions") {
			m, o := maps.Clone(model), slices.Clone(order)
			err := w.db.Update(func(tx *store.Tx) error {
				for range rapid.IntRange(1, 5).Draw(t, "steps") {
					k := key.Draw(t, "key")
					_, had := m[k]
					if rapid.Bool().Draw(t, "delete") {
						if w.devices.Delete(tx, k) != had {
							t.Fatal("Delete says otherwise")
						}
						delete(m, k)
						o = slices.DeleteFunc(o, func(have string) bool { return have == k })
						continue
					}
					v := device{Serial: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "serial")}
					w.devices.Put(tx, k, v)
					if m[k] = v; !had {
						o = append(o, k)
					}
				}
				if rapid.Bool().Draw(t, "fail") {
					return errors.New("fail")
				}
				return nil
			})
			if err == nil {
				model, order = m, o
			}
			compare(t, w, model, order)
		}
	})
}

func compare(t *rapid.T, w *world, model map[string]device, order []string) {
	if err := w.db.View(func(tx *store.Tx) error {
		if got, want := keys(w.devices.All(tx)), slices.Sorted(maps.Keys(model)); !slices.Equal(got, want) {
			return fmt.Errorf("by key %v, want %v", got, want)
		}
		if got := keys(w.devices.Inserted(tx)); !slices.Equal(got, order) {
			return fmt.Errorf("by insertion %v, want %v", got, order)
		}
		for _, serial := range []string{"1", "2"} {
			var want []string
			for k, d := range model {
				if d.Serial == serial {
					want = append(want, k)
				}
			}
			slices.Sort(want)
			if got := keys(w.devices.By(tx, "serial", serial)); !slices.Equal(got, want) {
				return fmt.Errorf("by serial %s %v, want %v", serial, got, want)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestConcurrentUse(t *testing.T) {
	g := NewWithT(t)
	w := newWorld()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				_ = w.db.Update(func(tx *store.Tx) error {
					d, _ := w.devices.Get(tx, "a")
					d.Boots++
					w.devices.Put(tx, "a", d)
					return nil
				})
				_ = w.db.View(func(tx *store.Tx) error { w.devices.Len(tx); return nil })
			}
		})
	}
	wg.Wait()
	w.update(t, func(tx *store.Tx) {
		d, _ := w.devices.Get(tx, "a")
		g.Expect(d.Boots).To(Equal(400))
	})
}

func FuzzRestore(f *testing.F) {
	w := newWorld()
	w.fill(f)
	f.Add([]byte(w.dump(f)))
	f.Add([]byte(`{"version":1,"seq":1,"tables":[{"name":"notes","rows":[{"key":"a","seq":1,"value":"x"}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		w := newWorld()
		if w.db.Restore(bytes.NewReader(text)) != nil {
			return
		}
		first := w.dump(t)
		again := newWorld()
		if err := again.db.Restore(strings.NewReader(first)); err != nil || again.dump(t) != first {
			t.Fatalf("%s does not restore: %v", first, err)
		}
	})
}

func BenchmarkPut(b *testing.B) {
	w := newWorld()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		_ = w.db.Update(func(tx *store.Tx) error {
			w.devices.Put(tx, fmt.Sprint(n%10000), device{Serial: "1"})
			return nil
		})
	}
}

// What a row holds has to outlive the process, so a type that would lose something is a mistake.
func TestRowTypesThatLoseSomething(t *testing.T) {
	g := NewWithT(t)
	type hidden struct{ Name, secret string }
	type left struct {
		Name string `json:"-"`
	}
	db := store.New()
	g.Expect(func() { store.NewTable[hidden](db, "a") }).To(PanicWith(ContainSubstring("hidden.secret")))
	g.Expect(func() { store.NewTable[map[string][]*left](db, "b") }).To(PanicWith(ContainSubstring("left.Name")))
	g.Expect(func() { store.NewTable[error](db, "c") }).To(PanicWith(ContainSubstring("error")))
	_ = hidden{}.secret
	type tree struct {
		Children []tree
		Made     time.Time
		Raw      json.RawMessage
	}
	g.Expect(func() { store.NewTable[tree](db, "d") }).NotTo(Panic())
}
