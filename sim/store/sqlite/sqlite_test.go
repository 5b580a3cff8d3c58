package sqlite_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/store/sqlite"
)

type device struct {
	Serial string
	Tags   []string `json:",omitempty"`
	Boots  int
}

// world is a database with two tables.
type world struct {
	db      *store.DB
	devices *store.Table[device]
	notes   *store.Table[string]
}

func over(db *store.DB) *world {
	return &world{
		db:      db,
		devices: store.NewTable(db, "devices", store.Index("serial", func(d device) []string { return []string{d.Serial} })),
		notes:   store.NewTable[string](db, "notes"),
	}
}

// tb is what a test and a property check have in common.
type tb interface {
	Helper()
	Fatalf(string, ...any)
}

func open(t tb, path string) *world {
	t.Helper()
	db, err := sqlite.Open(path)
	if err != nil {
		t.Fatalf("%v", err)
	}
	w := over(db)
	if err := db.Err(); err != nil {
		t.Fatalf("%v", err)
	}
	return w
}

func (w *world) close(t tb) {
	t.Helper()
	if err := w.db.Close(); err != nil {
		t.Fatalf("%v", err)
	}
}

func (w *world) put(t tb, key string, d device) {
	t.Helper()
	if err := w.db.Update(func(tx *store.Tx) error { w.devices.Put(tx, key, d); return nil }); err != nil {
		t.Fatalf("%v", err)
	}
}

func (w *world) dump(t tb) string {
	t.Helper()
	var b strings.Builder
	if err := w.db.Dump(&b); err != nil {
		t.Fatalf("%v", err)
	}
	return b.String()
}

func (w *world) keys() (list []string) {
	_ = w.db.View(func(tx *store.Tx) error {
		for k := range w.devices.Inserted(tx) {
			list = append(list, k)
		}
		return nil
	})
	return list
}

func TestRowsOutliveTheProcess(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "state with ? and %.db")
	w := open(t, path)
	g.Expect(w.db.Life()).To(BeEmpty(), "the first")
	w.put(t, "c", device{Serial: "3", Tags: []string{"lab"}})
	w.put(t, "a", device{Serial: "1"})
	w.put(t, "c", device{Serial: "33"})
	failed := errors.New("no")
	g.Expect(w.db.Update(func(tx *store.Tx) error { w.devices.Put(tx, "x", device{}); return failed })).To(MatchError(failed))
	g.Expect(func() {
		_ = w.db.Update(func(tx *store.Tx) error { w.devices.Delete(tx, "a"); panic("no") })
	}).To(PanicWith("no"))
	before := w.dump(t)
	w.close(t)
	g.Expect(w.db.Update(func(tx *store.Tx) error { return nil })).To(MatchError(store.ErrClosed))
	g.Expect(w.keys()).To(Equal([]string{"c", "a"}), "what is in memory can be read")
	w.close(t)

	w = open(t, path)
	defer w.close(t)
	g.Expect(w.db.Life()).To(Equal("2"))
	g.Expect(w.dump(t)).To(Equal(before))
	w.put(t, "b", device{Serial: "33"})
	g.Expect(w.keys()).To(Equal([]string{"c", "a", "b"}))
	_ = w.db.View(func(tx *store.Tx) error {
		key, _, _ := w.devices.First(tx, "serial", "33")
		g.Expect(key).To(Equal("b"))
		return nil
	})
	info, err := os.Stat(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(info.Mode().Perm()).To(Equal(os.FileMode(0o600)))
}

// What memory has after any transactions of which some fail, a file has that was closed and opened in between.
func TestAgreesWithMemory(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		path := filepath.Join(dir, fmt.Sprint(n))
		kept, memory := open(t, path), over(store.New())
		defer func() { kept.close(t) }()
		for range rapid.IntRange(1, 12).Draw(t, "transactions") {
			steps := drawSteps(t)
			fail := rapid.IntRange(0, 3).Draw(t, "fail") == 0
			for _, w := range []*world{kept, memory} {
				err := w.db.Update(func(tx *store.Tx) error {
					for _, do := range steps {
						do(w, tx)
					}
					if fail {
						return errors.New("fail")
					}
					return nil
				})
				if (err != nil) != fail {
					t.Fatalf("%v", err)
				}
			}
			if rapid.IntRange(0, 2).Draw(t, "reopen") == 0 {
				kept.close(t)
				kept = open(t, path)
			}
			if got, want := kept.dump(t), memory.dump(t); got != want {
				t.Fatalf("file  %s\nmemory %s", got, want)
			}
			if got, want := fmt.Sprint(kept.keys()), fmt.Sprint(memory.keys()); got != want {
				t.Fatalf("by insertion: file %s, memory %s", got, want)
			}
		}
	})
}

func drawSteps(t *rapid.T) (steps []func(*world, *store.Tx)) {
	for range rapid.IntRange(0, 5).Draw(t, "steps") {
		k := rapid.SampledFrom([]string{"a", "b", "c", "d", "A", "", "é", "x\x00y"}).Draw(t, "key")
		switch d := (device{Serial: rapid.StringOf(rapid.RuneFrom([]rune("ab\"\\<\u2028\x01ü"))).Draw(t, "serial"), Boots: rapid.Int().Draw(t, "boots")}); rapid.IntRange(0, 3).Draw(t, "what") {
		case 0:
			steps = append(steps, func(w *world, tx *store.Tx) { w.devices.Delete(tx, k) })
		case 1:
			steps = append(steps, func(w *world, tx *store.Tx) { w.notes.Put(tx, k, d.Serial) })
		default:
			steps = append(steps, func(w *world, tx *store.Tx) { w.devices.Put(tx, k, d) })
		}
	}
	return steps
}

// A disk that is full: the error comes back, memory is as it was, and what is smaller still goes in.
func TestFullDisk(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "state")
	db, err := sqlite.OpenSmall(path, 10)
	g.Expect(err).NotTo(HaveOccurred())
	w := over(db)
	w.put(t, "a", device{Serial: "1"})
	before := w.dump(t)
	for range 3 {
		err = w.db.Update(func(tx *store.Tx) error {
			w.devices.Delete(tx, "a")
			w.notes.Put(tx, "n", "small")
			w.notes.Put(tx, "long", strings.Repeat("x", 100_000))
			return nil
		})
		g.Expect(err).To(MatchError(ContainSubstring("full")))
		g.Expect(w.dump(t)).To(Equal(before))
	}
	w.put(t, "b", device{Serial: "2"})
	after := w.dump(t)
	w.close(t)
	w = open(t, path)
	defer w.close(t)
	g.Expect(w.dump(t)).To(Equal(after))
}

func TestTablesComeAndGo(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "state")
	w := open(t, path)
	w.put(t, "a", device{Serial: "1"})
	w.close(t)

	for range 2 { // a version that does not know the table keeps it
		db, err := sqlite.Open(path)
		g.Expect(err).NotTo(HaveOccurred())
		notes := store.NewTable[string](db, "notes")
		g.Expect(db.Update(func(tx *store.Tx) error { notes.Put(tx, "n", "hello"); return nil })).To(Succeed())
		g.Expect(db.Restore(strings.NewReader(`{"version":1,"seq":1,"tables":[{"name":"notes","rows":[{"key":"m","seq":1,"value":"restored"}]}]}`))).To(Succeed())
		g.Expect(db.Close()).To(Succeed())
	}

	db, err := sqlite.Open(path)
	g.Expect(err).NotTo(HaveOccurred())
	notes := store.NewTable[string](db, "notes")
	g.Expect(db.Update(func(tx *store.Tx) error { notes.Put(tx, "o", "before"); return nil })).To(Succeed())
	late := store.NewTable[device](db, "devices")
	_ = db.View(func(tx *store.Tx) error {
		d, ok := late.Get(tx, "a")
		g.Expect(ok).To(BeTrue())
		g.Expect(d.Serial).To(Equal("1"))
		return nil
	})
	g.Expect(db.Close()).To(Succeed())

	db, err = sqlite.Open(path)
	g.Expect(err).NotTo(HaveOccurred())
	store.NewTable[string](db, "devices")
	g.Expect(db.Err()).To(MatchError(And(ContainSubstring(`table "devices"`), ContainSubstring(`row "a"`))), "rows of another type")
	g.Expect(db.Update(func(*store.Tx) error { return nil })).NotTo(Succeed())
	g.Expect(db.Restore(strings.NewReader(`{"version":1}`))).NotTo(Succeed())
	g.Expect(db.Close()).To(Succeed())
	w = open(t, path)
	defer w.close(t)
	g.Expect(w.keys()).To(Equal([]string{"a"}), "nothing was lost by it")
}

func TestRestoreIsKept(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	from, to := open(t, filepath.Join(dir, "from")), open(t, filepath.Join(dir, "to"))
	from.put(t, "c", device{Serial: "3"})
	from.put(t, "a", device{Serial: "1"})
	text := from.dump(t)
	from.close(t)
	to.put(t, "gone", device{})
	g.Expect(to.db.Restore(strings.NewReader(text))).To(Succeed())
	life := to.db.Life()
	g.Expect(life).NotTo(BeEmpty(), "the rows were counted elsewhere")
	g.Expect(to.db.Restore(strings.NewReader(text))).To(Succeed())
	g.Expect(to.db.Life()).NotTo(Equal(life))
	g.Expect(to.db.Restore(strings.NewReader(`{"version":9}`))).NotTo(Succeed())
	g.Expect(to.dump(t)).To(Equal(text))
	life = to.db.Life()
	to.close(t)
	to = open(t, filepath.Join(dir, "to"))
	defer to.close(t)
	g.Expect(to.dump(t)).To(Equal(text))
	g.Expect(to.keys()).To(Equal([]string{"c", "a"}))
	g.Expect(to.db.Life()).NotTo(Equal(life))
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	ours := func(name string) string {
		path := filepath.Join(dir, name)
		w := open(t, path)
		for i := range 50 {
			w.put(t, fmt.Sprint(i), device{Serial: strings.Repeat("s", 200)})
		}
		w.close(t)
		return path
	}
	raw := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		NewWithT(t).Expect(os.WriteFile(path, content, 0o600)).To(Succeed())
		return path
	}
	with := func(path string, statements ...string) string {
		db, err := sql.Open("sqlite", path)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		for _, s := range statements {
			_, err := db.Exec(s)
			NewWithT(t).Expect(err).NotTo(HaveOccurred(), s)
		}
		NewWithT(t).Expect(db.Close()).To(Succeed())
		return path
	}
	damaged := func(name string) string {
		path := ours(name)
		content, err := os.ReadFile(path)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		for i := 4096; i < len(content); i += 97 {
			content[i] ^= 0x5A
		}
		return raw(name, content)
	}
	held := ours("held")
	defer open(t, held).close(t)

	for name, c := range map[string]struct {
		path string
		want any
	}{
		"newer":              {with(ours("newer"), "PRAGMA user_version=2"), sqlite.ErrNewer},
		"in use":             {held, sqlite.ErrInUse},
		"damaged":            {damaged("damaged"), sqlite.ErrCorrupt},
		"text":               {raw("text", []byte(strings.Repeat("tenant:\n", 100))), sqlite.ErrForeign},
		"another's":          {with(filepath.Join(dir, "another"), "CREATE TABLE bookmarks (url TEXT)"), sqlite.ErrForeign},
		"state is gone":      {with(ours("state"), "DELETE FROM state"), sqlite.ErrCorrupt},
		"number out of turn": {with(ours("number"), "UPDATE row SET seq = 7"), ContainSubstring("out of order")},
		"no directory":       {filepath.Join(dir, "none", "state"), os.ErrNotExist},
		"a directory":        {dir, ContainSubstring("directory")},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			before, _ := os.ReadFile(c.path)
			_, err := sqlite.Open(c.path)
			g.Expect(err).To(MatchError(c.want))
			g.Expect(err).To(MatchError(ContainSubstring(c.path)))
			after, _ := os.ReadFile(c.path)
			g.Expect(bytes.Equal(after, before)).To(BeTrue(), "it is as it was")
		})
	}
}

// Many at once are written together, and none of them is lost.
func TestManyWriters(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "state")
	w := open(t, path)
	failed := errors.New("no")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 60 {
				err := w.db.Update(func(tx *store.Tx) error {
					d, _ := w.devices.Get(tx, "a")
					d.Boots++
					w.devices.Put(tx, "a", d)
					if i%3 == 0 {
						return failed
					}
					return nil
				})
				if i%3 == 0 && !errors.Is(err, failed) || i%3 != 0 && err != nil {
					t.Errorf("%v", err)
				}
				_ = w.db.View(func(tx *store.Tx) error { w.devices.Len(tx); return nil })
				if i%20 == 7 {
					w.dump(t)
				}
			}
		})
	}
	wg.Wait()
	w.close(t)
	w = open(t, path)
	defer w.close(t)
	_ = w.db.View(func(tx *store.Tx) error {
		d, _ := w.devices.Get(tx, "a")
		g.Expect(d.Boots).To(Equal(8 * 40))
		return nil
	})
}

func BenchmarkPut(b *testing.B) {
	for _, writers := range []int{1, 32} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			w := open(b, filepath.Join(b.TempDir(), "state"))
			b.SetParallelism(writers)
			b.RunParallel(func(pb *testing.PB) {
				for n := 0; pb.Next(); n++ {
					w.put(b, fmt.Sprint(n%1000), device{Serial: strings.Repeat("s", 1000), Boots: n})
				}
			})
			w.close(b)
		})
	}
}
