package vtpm

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"
)

func TestImageCache(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	l, warnings := labAt(t, dir)
	a, b := ChipID{infineon, 1}, ChipID{infineon, 2}

	var steps [][2]int
	progress := func(done, total int) { steps = append(steps, [2]int{done, total}) }
	g.Expect(l.Build(t.Context(), []ChipID{a, b, a}, progress)).To(Succeed())
	g.Expect(steps).To(Equal([][2]int{{0, 2}, {1, 2}, {2, 2}}))
	g.Expect(l.Stats().ImagesMade).To(Equal(map[string]int{infineon: 2}))
	made := l.Stats().Commands
	cold := lifeIn(t, l, a)

	// Warm: nothing is made, and the chip is the same.
	steps, made = nil, l.Stats().Commands-made
	warm, _ := labAt(t, dir)
	g.Expect(warm.Build(t.Context(), []ChipID{a, b}, progress)).To(Succeed())
	g.Expect(steps).To(BeEmpty())
	g.Expect(lifeIn(t, warm, a)).To(Equal(cold))
	g.Expect(warm.Stats().Commands).To(Equal(made))
	g.Expect(warm.Stats().DistinctEKs).To(Equal(1))
	g.Expect(warm.Stats().EngineSeconds).To(BeNumerically(">", 0))
	g.Expect(warm.Stats().ImagesMade).To(BeEmpty())

	// Damaged: named, discarded, made again, and still the same.
	path := must(l.cache.Path(a))
	good := must(os.ReadFile(path))
	for name, spoil := range spoilers(good, must(os.ReadFile(must(l.cache.Path(b))))) {
		for _, repair := range []func(){
			func() { g.Expect(l.Build(t.Context(), []ChipID{a, b}, nil)).To(Succeed(), name) },
			func() { g.Expect(lifeIn(t, l, a)).To(Equal(cold), name) },
		} {
			*warnings = nil
			g.Expect(os.Remove(path)).To(Succeed())
			g.Expect(spoil(path)).To(Succeed())
			repair()
			g.Expect(*warnings).To(HaveLen(1), name)
			g.Expect((*warnings)[0]).To(HavePrefix("damaged image "+path+": "), name)
			again, err := l.cache.load(a)
			g.Expect(err).NotTo(HaveOccurred(), name)
			g.Expect(again.ek).To(Equal(must(decodeImage(good, a)).ek), name)
		}
	}
	// Nothing but images is left behind.
	g.Expect(names(dir)).To(ConsistOf(lockName, must(FindModel(infineon)).folder()))
	g.Expect(names(filepath.Dir(path))).To(ConsistOf("00000001.img", "00000002.img"))
}

// spoilers are the ways in which a file can be something else than a good
// image.
func spoilers(good, other []byte) map[string]func(path string) error {
	content := func(b []byte) func(string) error {
		return func(path string) error { return os.WriteFile(path, b, 0o644) }
	}
	flipped := append([]byte(nil), good...)
	flipped[len(flipped)/2] ^= 1
	return map[string]func(string) error{
		"a flipped bit":   content(flipped),
		"cut short":       content(good[:len(good)/2]),
		"empty":           content(nil),
		"of another chip": content(other),
		"a directory":     func(path string) error { return os.Mkdir(path, 0o755) },
		"unreadable":      func(path string) error { return os.Symlink(filepath.Base(path), path) }, // for root, too
	}
}

func names(dir string) (list []string) {
	for _, e := range must(os.ReadDir(dir)) {
		list = append(list, e.Name())
	}
	return list
}

// What cannot be discarded is an error that says where to look.
func TestDamagedImageThatStays(t *testing.T) {
	g := NewWithT(t)
	l, warnings := labAt(t, t.TempDir())
	id := ChipID{infineon, 1}
	path := must(l.cache.Path(id))
	g.Expect(os.MkdirAll(filepath.Join(path, "mine"), 0o755)).To(Succeed())
	g.Expect(l.Build(t.Context(), []ChipID{id}, nil)).To(MatchError(And(ContainSubstring("discard"), ContainSubstring(path))))
	g.Expect(*warnings).To(BeEmpty())
}

func TestBuildStopsWithItsContext(t *testing.T) {
	g := NewWithT(t)
	l, _ := labAt(t, t.TempDir())
	ids := []ChipID{{infineon, 1}, {infineon, 2}, {infineon, 3}, {infineon, 4}, {infineon, 5}, {infineon, 6}, {infineon, 7}, {infineon, 8}}
	ctx, cancel := context.WithCancel(t.Context())
	err := l.Build(ctx, ids, func(done, _ int) {
		if done == 1 {
			cancel()
		}
	})
	g.Expect(err).To(MatchError(context.Canceled))
	made := l.Stats().ImagesMade[infineon]
	g.Expect(made).To(And(BeNumerically(">=", 1), BeNumerically("<", len(ids))))

	// It goes on from there.
	first := -1
	g.Expect(l.Build(t.Context(), ids[:made+1], func(_, total int) {
		if first < 0 {
			first = total
		}
	})).To(Succeed())
	g.Expect(first).To(And(BeNumerically(">=", 1), BeNumerically("<=", made+1)))
	g.Expect(l.cache.Missing(ids[:made+1])).To(BeZero())
	g.Expect(l.Stats().ImagesMade[infineon]).To(Equal(made + first))
}

func TestImageRoundTrip(t *testing.T) {
	bytes := func(t *rapid.T, name string, low, high int) []byte {
		return rapid.SliceOfN(rapid.Byte(), low, high).Draw(t, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		id := ChipID{infineon, rapid.IntRange(0, 1<<30).Draw(t, "n")}
		img := &image{
			nv: bytes(t, "nv", 0, 500), ek: bytes(t, "ek", 256, 256),
			aik: birth{bytes(t, "data", 0, 80), bytes(t, "hash", 0, 40), bytes(t, "ticket", 0, 60)},
		}
		for range rapid.IntRange(0, 3).Draw(t, "keys") {
			img.pool = append(img.pool, bytes(t, "key", 0, 100))
		}
		file := encodeImage(id, img)
		got, err := decodeImage(file, id)
		if err != nil || !reflect.DeepEqual(got.marshal(), img.marshal()) {
			t.Fatalf("came back as %v, %v", got, err)
		}
		if _, err := decodeImage(file, ChipID{infineon, id.N + 1}); err == nil {
			t.Fatal("taken for another chip")
		}
	})
}

func FuzzImage(f *testing.F) {
	id := ChipID{infineon, 1}
	f.Add(encodeImage(id, &image{nv: make([]byte, 16), ek: make([]byte, 256), pool: [][]byte{{1}}}))
	f.Add([]byte(imageMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if img, err := decodeImage(b, id); err == nil && len(img.ek) != 256 {
			t.Fatal("accepted without an EK")
		}
	})
}
