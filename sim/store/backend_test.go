package store_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/store"
)

// shelf is a second home that can fail.
type shelf struct {
	mu     sync.Mutex
	kept   store.Kept
	fail   bool
	writes int
	closed int
}

var errShelf = errors.New("the shelf broke")

func (s *shelf) Load() (store.Kept, error) {
	k := s.kept
	k.Rows = maps.Clone(k.Rows)
	return k, nil
}

func (s *shelf) Write(b store.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes++; s.fail {
		return errShelf
	}
	s.kept.State = b.State
	if s.kept.Rows == nil {
		s.kept.Rows = map[string][]store.Row{}
	}
	for _, t := range b.Clear {
		delete(s.kept.Rows, t)
	}
	for _, c := range b.Changes {
		rows := slices.DeleteFunc(s.kept.Rows[c.Table], func(r store.Row) bool { return r.Key == c.Key })
		if c.Value != nil {
			rows = append(rows, c.Row)
		}
		s.kept.Rows[c.Table] = rows
	}
	return nil
}

func (s *shelf) Close() error { s.closed++; return nil }

func (s *shelf) open(t tb) *world {
	db, err := store.NewBacked(s)
	if err != nil {
		t.Fatalf("%v", err)
	}
	w := &world{db: db, devices: store.NewTable(db, "devices", store.Index("serial", func(d device) []string { return []string{d.Serial} })), notes: store.NewTable[string](db, "notes")}
	if err := db.Err(); err != nil {
		t.Fatalf("%v", err)
	}
	return w
}

type tb interface {
	Fatalf(format string, args ...any)
}

func text(t tb, db *store.DB) string {
	var b strings.Builder
	if err := db.Dump(&b); err != nil {
		t.Fatalf("%v", err)
	}
	return b.String()
}

// Whatever fails, memory and what the home has are the same, and both are as after the last Update that was acknowledged.
func TestFailedWritesAreUndone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &shelf{}
		w := s.open(t)
		want := text(t, w.db)
		for range rapid.IntRange(1, 15).Draw(t, "transactions") {
			s.fail = rapid.Bool().Draw(t, "fails")
			n := rapid.IntRange(0, 4).Draw(t, "steps")
			err := w.db.Update(func(tx *store.Tx) error {
				for range n {
					k := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key")
					if rapid.Bool().Draw(t, "delete") {
						w.devices.Delete(tx, k)
					} else {
						w.devices.Put(tx, k, device{Serial: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "serial")})
					}
				}
				return nil
			})
			switch {
			case err != nil && (!s.fail || !errors.Is(err, errShelf)):
				t.Fatalf("%v", err)
			case err == nil:
				want = text(t, w.db)
			}
			if got := text(t, w.db); got != want {
				t.Fatalf("memory %s\nwant %s", got, want)
			}
			s.fail = false
			if got := text(t, s.open(t).db); got != want {
				t.Fatalf("kept %s\nwant %s", got, want)
			}
		}
	})
}

// Writers that come together share the failure of their write, and none of their changes stays.
func TestWritersTogetherFailTogether(t *testing.T) {
	g := NewWithT(t)
	s := &shelf{}
	w := s.open(t)
	w.update(t, func(tx *store.Tx) { w.notes.Put(tx, "n", "before") })
	before := w.dump(t)
	s.fail = true
	var wg sync.WaitGroup
	begun := make(chan struct{})
	for i := range 8 {
		wg.Go(func() {
			<-begun
			for j := range 20 {
				if err := w.db.Update(func(tx *store.Tx) error {
					w.notes.Put(tx, "n", fmt.Sprint(i, j))
					w.notes.Put(tx, fmt.Sprint(i), "new")
					return nil
				}); !errors.Is(err, errShelf) {
					t.Errorf("%v", err)
				}
			}
		})
	}
	close(begun)
	wg.Wait()
	g.Expect(w.dump(t)).To(Equal(before))
	s.fail = false
	w.update(t, func(tx *store.Tx) { w.notes.Put(tx, "m", "after") })
	g.Expect(text(t, s.open(t).db)).To(Equal(w.dump(t)))
}

func TestNothingChangedNothingWritten(t *testing.T) {
	g := NewWithT(t)
	s := &shelf{}
	w := s.open(t)
	writes := s.writes
	w.update(t, func(tx *store.Tx) { w.devices.Delete(tx, "none") })
	g.Expect(s.writes).To(Equal(writes))
	w.update(t, func(tx *store.Tx) { w.notes.Put(tx, "n", "x"); w.notes.Delete(tx, "n") })
	g.Expect(s.kept.Rows["notes"]).To(BeEmpty())
	g.Expect(w.db.Close()).To(Succeed())
	g.Expect(w.db.Close()).To(Succeed())
	g.Expect(s.closed).To(Equal(1))
	g.Expect(w.db.Restore(strings.NewReader(`{"version":1}`))).To(MatchError(store.ErrClosed))
}

// Lives of one history have different names, since identifiers are counted in them.
func TestLives(t *testing.T) {
	g := NewWithT(t)
	s := &shelf{}
	names := map[string]bool{}
	for range 3 {
		w := s.open(t)
		names[w.db.Life()] = true
		dump := w.dump(t)
		for range 2 {
			g.Expect(w.db.Restore(strings.NewReader(dump))).To(Succeed())
			names[w.db.Life()] = true
		}
	}
	g.Expect(names).To(HaveLen(9))
	g.Expect(names).To(HaveKey(""))
	memory := newWorld()
	g.Expect(memory.db.Life()).To(BeEmpty())
	g.Expect(memory.db.Err()).To(Succeed())
	g.Expect(memory.db.Close()).To(Succeed())
}
