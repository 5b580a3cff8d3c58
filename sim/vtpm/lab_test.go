package vtpm

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/vclock"
)

// labAt is a lab with a cache of its own, and what it warned of.
func labAt(t *testing.T, dir string) (*Lab, *[]string) {
	warnings := &[]string{}
	l, err := Open(Options{CacheDir: dir, Warn: func(s string) { *warnings = append(*warnings, s) }})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { NewWithT(t).Expect(l.Close()).To(Succeed()) })
	return l, warnings
}

// lifeIn is one life of a chip in a run of its own.
func lifeIn(t *testing.T, l *Lab, id ChipID) (out string) {
	w := newWorld(t, 1)
	c, err := l.Deal(w.clock, id, w.run)
	w.ok(err)
	w.actor("pc", func(ctx context.Context) { out = life(ctx, w, c) })
	w.drive()
	return out
}

func TestImageCache(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	l, warnings := labAt(t, dir)
	a, b := ChipID{infineon, 1}, ChipID{infineon, 2}

	var steps [][2]int
	progress := func(done, total int) { steps = append(steps, [2]int{done, total}) }
	g.Expect(l.Build(t.Context(), []ChipID{a, b, a}, progress)).To(Succeed())
	g.Expect(steps).To(Equal([][2]int{{0, 2}, {1, 2}, {2, 2}}))
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

	// Damaged: named, discarded, made again, and still the same.
	path := l.cache.path(a)
	good, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	for name, bad := range map[string][]byte{
		"flipped bit":     append(append([]byte(nil), good[:200]...), append([]byte{good[200] ^ 1}, good[201:]...)...),
		"cut short":       good[:len(good)/2],
		"empty":           {},
		"of another chip": must(os.ReadFile(l.cache.path(b))),
	} {
		*warnings = nil
		g.Expect(os.WriteFile(path, bad, 0o644)).To(Succeed())
		g.Expect(lifeIn(t, l, a)).To(Equal(cold), name)
		g.Expect(*warnings).To(HaveLen(1), name)
		g.Expect((*warnings)[0]).To(ContainSubstring(path))
	}
	// Nothing but images is left behind.
	g.Expect(must(os.ReadDir(dir))).To(HaveLen(1))
	g.Expect(must(os.ReadDir(filepath.Dir(path)))).To(HaveLen(2))
}

func TestBuildStopsWithItsContext(t *testing.T) {
	g := NewWithT(t)
	l, _ := labAt(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	err := l.Build(ctx, []ChipID{{infineon, 1}, {infineon, 2}, {infineon, 3}}, func(done, _ int) {
		if done == 1 {
			cancel()
		}
	})
	g.Expect(err).To(MatchError(context.Canceled))
	img, err := l.find(ChipID{infineon, 3})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(img).To(BeNil())
}

func TestUnknownModel(t *testing.T) {
	g := NewWithT(t)
	l, _ := labAt(t, t.TempDir())
	_, err := l.Deal(vclock.NewWall(), ChipID{"infinion", 1}, 1)
	g.Expect(err).To(MatchError(ContainSubstring(infineon)))
	g.Expect(l.Build(t.Context(), []ChipID{{"infinion", 1}}, nil)).NotTo(Succeed())
	g.Expect(l.Build(t.Context(), []ChipID{{infineon, -1}}, nil)).NotTo(Succeed())
	_, err = Open(Options{CacheDir: t.TempDir(), Engines: 2})
	g.Expect(err).To(HaveOccurred())
}

func TestModels(t *testing.T) {
	g := NewWithT(t)
	g.Expect(Models()).To(Equal([]string{infineon, "nuvoton-npct750", stm}))
	m, err := FindModel(infineon)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(m.VersionText()).To(Equal("TPM-Version:2.0 -Level:0-Revision:1.38-VendorID:'IFX '-Firmware:7.85"))
	g.Expect(m.firmwareID()).To(Equal("00070055"))
	g.Expect(m.Latency.Of(Cost{Load: 1, Sign: 2})).To(Equal(m.Latency.Load.Value + 2*m.Latency.Sign.Value))
	g.Expect(m.Latency.CreateRSA.Value).To(BeNumerically(">", time.Second))
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

func FuzzResponse(f *testing.F) {
	f.Add(joinBlob([]byte("public"), []byte("private")))
	f.Add(templates().key)
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = rsaPublic(b)
		_, _ = unmarshalImage(b)
		r := &reader{b: b, sessions: true}
		_ = (&created{}).proof(r.parameters())
		if c, err := (&Chip{}).openBlob("", b); err == nil && len(c.Blob()) != len(b) {
			t.Fatal("a blob does not come out as it went in")
		}
	})
}
