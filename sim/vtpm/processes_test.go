package vtpm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"
)

// builderVariable makes the test binary a process that builds images in the
// directory that it names, and says after each how many it has made itself.
const builderVariable = "VTPM_TEST_BUILD"

const together = 12 // images that the processes build

func chipRange(n int) (ids []ChipID) {
	for i := range n {
		ids = append(ids, ChipID{infineon, i})
	}
	return ids
}

// builder is what such a process does.
func builder(dir string) int {
	l, err := Open(Options{CacheDir: dir, Engines: 1})
	if err == nil {
		made := func() { fmt.Println("made", l.Stats().ImagesMade[infineon]) }
		err = l.Build(context.Background(), chipRange(together), func(int, int) { made() })
		made()
		err = errors.Join(err, l.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// process is a builder that runs.
type process struct {
	*exec.Cmd
	lines *bufio.Scanner
	made  int
}

func startBuilder(g *WithT, t *testing.T, dir string) *process {
	cmd := exec.Command(must(os.Executable()), "-test.run=^$")
	cmd.Env = append(os.Environ(), builderVariable+"="+dir, "TMPDIR="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(cmd.Start()).To(Succeed())
	return &process{Cmd: cmd, lines: bufio.NewScanner(out)}
}

// next reads what the process says next, false when it is over.
func (p *process) next() bool {
	for p.lines.Scan() {
		if n, ok := strings.CutPrefix(p.lines.Text(), "made "); ok {
			p.made = must(strconv.Atoi(n))
			return true
		}
	}
	return false
}

// Two processes share the work: no image is made twice.
func TestTwoProcessesBuildTheSameImages(t *testing.T) {
	g, dir := NewWithT(t), t.TempDir()
	a, b := startBuilder(g, t, dir), startBuilder(g, t, dir)
	for _, p := range []*process{a, b} {
		for p.next() {
		}
		g.Expect(p.Wait()).To(Succeed())
	}
	g.Expect(a.made + b.made).To(Equal(together))
	expectGood(g, t, dir)
}

// One of them is killed in the middle of an image: the other makes that one,
// and what the dead one has made stays as it is.
func TestBuilderIsKilled(t *testing.T) {
	g, dir := NewWithT(t), t.TempDir()
	half := filepath.Join(dir, must(FindModel(infineon)).folder(), halfName(together-1))
	g.Expect(os.MkdirAll(filepath.Dir(half), 0o755)).To(Succeed())
	g.Expect(os.WriteFile(half, []byte("half an im"), 0o644)).To(Succeed())
	a := startBuilder(g, t, dir)
	for a.made < 2 {
		g.Expect(a.next()).To(BeTrue())
	}
	b := startBuilder(g, t, dir)
	g.Expect(b.next()).To(BeTrue()) // it is at work
	g.Expect(a.Process.Signal(syscall.SIGKILL)).To(Succeed())
	g.Expect(a.Wait()).NotTo(Succeed())
	before := files(filepath.Dir(half))
	for b.next() {
	}
	g.Expect(b.Wait()).To(Succeed())
	expectGood(g, t, dir)
	after := files(filepath.Dir(half))
	for name, info := range before {
		if strings.HasSuffix(name, imageExt) {
			g.Expect(os.SameFile(info, after[name])).To(BeTrue(), "%s was made again", name)
		}
	}
	g.Expect(b.made).To(BeNumerically("<=", together-a.made))
	g.Expect(b.made).To(BeNumerically(">", 0))
}

func files(dir string) map[string]os.FileInfo {
	list := map[string]os.FileInfo{}
	for _, name := range names(dir) {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
			list[name] = info
		}
	}
	return list
}

// expectGood expects all images and nothing else.
func expectGood(g *WithT, t *testing.T, dir string) {
	t.Helper()
	l, warnings := labAt(t, dir)
	g.Expect(l.missing(chipRange(together))).To(BeEmpty())
	g.Expect(*warnings).To(BeEmpty())
	f := must(l.cache.Folders())
	g.Expect(f).To(HaveLen(1))
	g.Expect(f[0].Current).To(BeTrue())
	g.Expect(f[0].Chips).To(HaveLen(together))
	g.Expect(names(f[0].Dir)).To(HaveLen(together))
}

func TestRemoveImages(t *testing.T) {
	g, dir := NewWithT(t), t.TempDir()
	l, _ := labAt(t, dir)
	ids := chipRange(3)
	g.Expect(l.Build(t.Context(), ids, nil)).To(Succeed())
	f := must(l.cache.Folders())[0]
	g.Expect(f.Bytes).To(BeNumerically(">", 3000))

	// Not while somebody makes images of the model.
	leave, err := l.enter(ids)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = l.cache.Remove(f, 0, All)
	g.Expect(err).To(MatchError(ContainSubstring("being made by another process")))
	leave()
	place := must(claimChip(ids[1]))
	h := must(l.cache.tryHold(place, false))
	_, err = l.cache.Remove(f, 0, All)
	g.Expect(err).To(HaveOccurred())
	g.Expect(h.letGo()).To(Succeed())

	r, err := l.cache.Remove(f, 1, 1)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(r.Images).To(Equal(1))
	g.Expect(l.cache.Missing(ids)).To(Equal(1))
	r, err = l.cache.Remove(f, 0, All)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(r.Images).To(Equal(2))
	g.Expect(l.cache.Folders()).To(BeEmpty())
}

func TestWaitingForAnImageEndsWithTheContext(t *testing.T) {
	g := NewWithT(t)
	l, _ := labAt(t, t.TempDir())
	id := ChipID{infineon, 1}
	h := must(l.cache.tryHold(must(claimChip(id)), false))
	ctx, cancel := context.WithCancel(t.Context())
	err := l.Build(ctx, []ChipID{id, {infineon, 2}}, func(done, _ int) {
		if done == 1 { // the other one
			cancel()
		}
	})
	g.Expect(err).To(HaveOccurred())
	g.Expect(h.letGo()).To(Succeed())
	g.Expect(l.Build(t.Context(), []ChipID{id, {infineon, 2}}, nil)).To(Succeed())
	g.Expect(l.Stats().ImagesMade[infineon]).To(Equal(2))
}
