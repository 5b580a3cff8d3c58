package vtpm

import (
	"bytes"
	"context"
	"debug/elf"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-tpm/tpm2"
	. "github.com/onsi/gomega"
)

const simulatorModule = "github.com/google/go-tpm-tools"

// The table of variables is written down; the compiled simulator says what it
// should be. Test binaries are stripped, so its object file is asked.
func TestVariablesAreThoseOfTheSimulator(t *testing.T) {
	g := NewWithT(t)
	out, err := exec.Command("go", "list", "-export", "-f", "{{.Export}}", simulatorModule+"/simulator/internal").Output()
	g.Expect(err).NotTo(HaveOccurred())
	archive, err := os.ReadFile(strings.TrimSpace(string(out)))
	g.Expect(err).NotTo(HaveOccurred())

	want := stateSymbols(t, archive)
	have := map[string]int{}
	for _, v := range variables() {
		have[v.name] = v.size
	}
	g.Expect(have).To(Equal(want))
	g.Expect(have).To(HaveLen(56))
}

// stateSymbols are the sizes of the global variables without a value in the
// object files of an archive that make up a TPM's state.
func stateSymbols(t *testing.T, archive []byte) map[string]int {
	state := regexp.MustCompile(`^(s_.*|g_.*|g[pcro]|go)$`)
	scratch := map[string]bool{"s_actionIoBuffer": true, "s_jumpBuffer": true}
	found := map[string]int{}
	for _, object := range objects(t, archive) {
		f, err := elf.NewFile(bytes.NewReader(object))
		if err != nil {
			continue // Go's own part of the archive
		}
		symbols, err := f.Symbols()
		if err != nil {
			continue
		}
		for _, s := range symbols {
			global := elf.ST_BIND(s.Info) == elf.STB_GLOBAL && elf.ST_TYPE(s.Info) == elf.STT_OBJECT
			if !global || int(s.Section) >= len(f.Sections) || f.Sections[s.Section].Type != elf.SHT_NOBITS {
				continue
			}
			if state.MatchString(s.Name) && !scratch[s.Name] {
				found[s.Name] = int(s.Size)
			}
		}
	}
	return found
}

// objects are the members of a Unix archive.
func objects(t *testing.T, archive []byte) (members [][]byte) {
	r := bytes.NewReader(archive[len("!<arch>\n"):])
	for {
		header := make([]byte, 60)
		if _, err := io.ReadFull(r, header); err != nil {
			return members
		}
		size, err := strconv.Atoi(strings.TrimSpace(string(header[48:58])))
		if err != nil {
			t.Fatal(err)
		}
		body := make([]byte, size+size%2)
		if _, err := io.ReadFull(r, body); err != nil {
			t.Fatal(err)
		}
		members = append(members, body[:size])
	}
}

func TestSimulatorVersionIsTheModules(t *testing.T) {
	g := NewWithT(t)
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", simulatorModule).Output()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(strings.TrimSpace(string(out))).To(Equal(simulatorVersion))
}

// bare is a chip without keys: manufactured, started, in a slot.
type bare struct {
	bench
	n   int
	log bytes.Buffer // what it answered
}

func newBare(t testing.TB, n int) *bare {
	g := NewWithT(t)
	slot, err := shared.slots.take()
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(shared.slots.put(slot)).To(Succeed()) })
	b := &bare{n: n, bench: bench{ctx: context.Background(), lab: shared, slot: slot}}
	b.entropy.key[0], b.entropy.key[1] = byte(n), byte(n>>8)
	g.Expect(shared.reset(opManufacture, slot, b.entropy.next())).To(Succeed())
	g.Expect(startup(b)).To(Succeed())
	return b
}

// step is the i-th command of a script that differs from chip to chip.
func (b *bare) step(i int) error {
	var f *frame
	switch (i*7 + b.n) % 5 {
	case 0:
		f = newFrame(tpm2.TPMCCGetRandom, nil).u16(20)
	case 1:
		digest := bytes.Repeat([]byte{byte(b.n), byte(i)}, 16)
		f = newFrame(tpm2.TPMCCPCRExtend, handles{tpm2.TPMHandle(b.n % 16)}, empty)
		f.u32(1).u16(uint16(tpm2.TPMAlgSHA256)).raw(digest)
	case 2:
		selection, err := selectPCRs([]int{b.n % 16})
		if err != nil {
			return err
		}
		f = newFrame(tpm2.TPMCCPCRRead, nil).raw(selection)
	case 3:
		return nvStore(b, tpm2.TPMHandle(0x01000000+i), bytes.Repeat([]byte{byte(b.n)}, 40+i))
	case 4:
		h, err := startPolicy(b, make([]byte, 16))
		if err != nil {
			return err
		}
		b.log.Write([]byte{byte(h)})
		return flush(b, h)
	}
	r, err := f.send(b)
	if err == nil {
		b.log.Write(r.b)
	}
	return err
}

// A chip answers the same whoever was served in between.
func TestThousandChipsInRandomOrder(t *testing.T) {
	g := NewWithT(t)
	const chips, steps = 1000, 10
	mixed := make([]*bare, chips)
	var turns []int
	for n := range mixed {
		mixed[n] = newBare(t, n)
		for range steps {
			turns = append(turns, n)
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
	at := make([]int, chips)
	for _, n := range turns {
		g.Expect(mixed[n].step(at[n])).To(Succeed())
		at[n]++
	}
	answers := map[string]bool{}
	for n, b := range mixed {
		alone := newBare(t, n)
		for i := range steps {
			g.Expect(alone.step(i)).To(Succeed())
		}
		g.Expect(b.log.Bytes()).To(Equal(alone.log.Bytes()), "chip %d", n)
		answers[b.log.String()] = true
	}
	g.Expect(answers).To(HaveLen(chips))
}

// An internal failure stops the chip that it happened in until its next reset,
// and no other.
func TestFailureModeStaysWithItsChip(t *testing.T) {
	g := NewWithT(t)
	sick, well := newBare(t, 1), newBare(t, 2)
	state, err := shared.slots.at(sick.slot)
	g.Expect(err).NotTo(HaveOccurred())
	// No free session slot where the count says that there is one.
	at, size := shared.engine.field("s_sessions")
	copy(state[at:at+size], bytes.Repeat([]byte{0xff}, size))

	_, err = startPolicy(sick, make([]byte, 16))
	g.Expect(err).To(MatchError(tpm2.TPMRCFailure))
	random := func(b *bare) error {
		_, err := newFrame(tpm2.TPMCCGetRandom, nil).u16(8).send(b)
		return err
	}
	g.Expect(random(well)).To(Succeed())
	g.Expect(random(sick)).To(MatchError(tpm2.TPMRCFailure))
	g.Expect(random(well)).To(Succeed())
	g.Expect(shared.reset(opReset, sick.slot, [32]byte{})).To(Succeed())
	g.Expect(startup(sick)).To(Succeed())
	g.Expect(random(sick)).To(Succeed())
}

func TestExecRefusesWhatIsNoCommand(t *testing.T) {
	g := NewWithT(t)
	b := newBare(t, 1)
	for _, command := range [][]byte{nil, {0x80}, make([]byte, maxCommand+1)} {
		_, err := shared.Exec(t.Context(), Slot{Index: b.slot}, command)
		g.Expect(err).To(HaveOccurred())
	}
	_, err := shared.Exec(t.Context(), Slot{Index: 1 << 30}, make([]byte, 10))
	g.Expect(err).To(HaveOccurred())
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = shared.Exec(ended, Slot{Index: b.slot}, make([]byte, 10))
	g.Expect(err).To(MatchError(context.Canceled))
}

// Whatever arrives, the engine answers and the next command works.
func FuzzExec(f *testing.F) {
	f.Add([]byte("\x80\x01\x00\x00\x00\x0c\x00\x00\x01\x7b\x00\x08"))
	f.Add([]byte("\x80\x02\x00\x00\x00\x1b\x00\x00\x01\x82\x00\x00\x00\x01\x00\x00\x00\x09\x40\x00\x00\x09\x00\x00\x00\x00\x00"))
	b := newBare(f, 1)
	f.Fuzz(func(t *testing.T, command []byte) {
		_, _ = shared.Exec(t.Context(), Slot{Index: b.slot, Entropy: b.entropy.next()}, command)
		other := newBare(t, 2)
		if _, err := newFrame(tpm2.TPMCCGetRandom, nil).u16(8).send(other); err != nil {
			t.Fatal(err)
		}
	})
}
