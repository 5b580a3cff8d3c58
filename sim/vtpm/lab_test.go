package vtpm

import (
	"context"
	"testing"

	. "github.com/onsi/gomega"

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

func TestUnknownModel(t *testing.T) {
	g := NewWithT(t)
	l, _ := labAt(t, t.TempDir())
	_, err := l.Deal(vclock.NewWall(), ChipID{"infinion", 1}, 1)
	g.Expect(err).To(MatchError(ContainSubstring(infineon)))
	g.Expect(l.Build(t.Context(), []ChipID{{"infinion", 1}}, nil)).NotTo(Succeed())
	g.Expect(l.Build(t.Context(), []ChipID{{infineon, -1}}, nil)).NotTo(Succeed())
	_, err = Open(Options{CacheDir: t.TempDir(), Engines: -1})
	g.Expect(err).To(HaveOccurred())
}

func FuzzResponse(f *testing.F) {
	f.Add(joinBlob([]byte("public"), []byte("private")))
	f.Add(templates().key)
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = rsaPublic(b)
		_, _ = eccPoint(b)
		_, _ = unmarshalImage(b)
		r := &reader{b: b, sessions: true}
		_ = (&created{}).proof(r.parameters())
		if c, err := (&Chip{}).openBlob("", b); err == nil && len(c.Blob()) != len(b) {
			t.Fatal("a blob does not come out as it went in")
		}
	})
}
