package sqlite_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/store"
)

// The test binary is its own victim: with this variable it writes to the file that it names until it is killed.
const victim = "WINDTUNNEL_SQLITE_VICTIM"

func TestMain(m *testing.M) {
	if path := os.Getenv(victim); path != "" {
		write(path)
	}
	os.Exit(m.Run())
}

const victimsWriters = 4

// write puts, for ever, two rows a transaction that have to agree, and says on stdout which transactions were acknowledged.
// Rows of very different lengths and deletions move the pages about.
func write(path string) {
	w := open(toStderr{}, path)
	for n := range victimsWriters {
		go func() {
			w.writeFor(n)
		}()
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent is gone too
	os.Exit(1)
}

func (w *world) writeFor(n int) {
	draw := rand.New(rand.NewPCG(uint64(n), 1))
	mine := strconv.Itoa(n)
	for i := w.last(mine) + 1; ; i++ {
		long := string(make([]byte, draw.IntN(20_000)))
		err := w.db.Update(func(tx *store.Tx) error {
			w.devices.Put(tx, mine, device{Serial: mine, Boots: i})
			w.notes.Put(tx, mine, strconv.Itoa(i))
			w.notes.Put(tx, fmt.Sprintf("%s-%d", mine, draw.IntN(20)), long)
			w.notes.Delete(tx, fmt.Sprintf("%s-%d", mine, draw.IntN(20)))
			return nil
		})
		if err != nil {
			toStderr{}.Fatalf("%v", err)
		}
		fmt.Printf("%d %d\n", n, i) // one write: a line is there whole or not at all
	}
}

// last is what the rows of a writer say, -1 where they do not agree.
func (w *world) last(n string) (last int) {
	_ = w.db.View(func(tx *store.Tx) error {
		d, _ := w.devices.Get(tx, n)
		note, ok := w.notes.Get(tx, n)
		if last = d.Boots; ok && note != strconv.Itoa(last) {
			last = -1
		}
		return nil
	})
	return last
}

type toStderr struct{}

func (toStderr) Helper() {}
func (toStderr) Fatalf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func TestKilled(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "state")
	acknowledged := map[string]int{}
	for round := range 12 {
		acks := rand.IntN(150)
		if round == 0 {
			acks = 0 // while it makes the file, or soon after
		}
		killAfter(t, path, acks, acknowledged)
		w := open(t, path)
		for n := range victimsWriters {
			mine := strconv.Itoa(n)
			last := w.last(mine)
			g.Expect(last).To(BeNumerically(">=", acknowledged[mine]), "round %d, writer %s: an acknowledged change is gone, or one is there by half", round, mine)
			acknowledged[mine] = last
		}
		w.close(t)
	}
	total := 0
	for _, n := range acknowledged {
		total += n
	}
	t.Logf("%d transactions", total)
}

// killAfter lets a process write until it has acknowledged so many transactions, kills it, and notes all that it has said.
func killAfter(t *testing.T, path string, acks int, acknowledged map[string]int) {
	g := NewWithT(t)
	self, err := os.Executable()
	g.Expect(err).NotTo(HaveOccurred())
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), victim+"="+path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	g.Expect(err).NotTo(HaveOccurred())
	defer in.Close()
	out, err := cmd.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(cmd.Start()).To(Succeed())
	lines := bufio.NewScanner(out)
	read := 0
	for ; read < acks && lines.Scan(); read++ {
		note(g, lines.Text(), acknowledged)
	}
	g.Expect(cmd.Process.Kill()).To(Succeed())
	for lines.Scan() {
		note(g, lines.Text(), acknowledged)
	}
	g.Expect(cmd.Wait()).To(MatchError("signal: killed"), "after %d of %d", read, acks)
}

func note(g *WithT, line string, acknowledged map[string]int) {
	var n string
	var i int
	_, err := fmt.Sscan(line, &n, &i)
	g.Expect(err).NotTo(HaveOccurred(), line)
	acknowledged[n] = max(acknowledged[n], i)
}
