package tcglog_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"os"
	"testing"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/wire/tcglog"
)

var update = flag.Bool("update", false, "write the golden files")

const golden = "testdata/sample.bin"

func TestGolden(t *testing.T) {
	g := gomega.NewWithT(t)
	b := sample().Marshal()
	if *update {
		g.Expect(os.WriteFile(golden, b, 0o644)).To(gomega.Succeed())
	}
	want, err := os.ReadFile(golden)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(b).To(gomega.Equal(want))
	back, err := tcglog.Parse(b)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(back).To(gomega.Equal(sample()))
	g.Expect(back.Check(tcglog.SHA256)).To(gomega.Succeed())
}

func TestRoundTrip(t *testing.T) {
	algorithms := []tcglog.Algorithm{tcglog.SHA1, tcglog.SHA256, tcglog.SHA384, tcglog.SHA512}
	rapid.Check(t, func(t *rapid.T) {
		l := &tcglog.Log{Errata: rapid.Byte().Draw(t, "errata"), Algorithms: rapid.Permutation(algorithms).Draw(t, "banks")[:rapid.IntRange(1, 4).Draw(t, "count")]}
		for range rapid.IntRange(0, 6).Draw(t, "events") {
			l.AddMeasured(rapid.IntRange(0, 23).Draw(t, "register"), tcglog.EventType(rapid.Uint32().Draw(t, "type")),
				rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(t, "data"), rapid.SliceOf(rapid.Byte()).Draw(t, "measured"))
		}
		back, err := tcglog.Parse(l.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		gomega.NewWithT(t).Expect(back).To(gomega.Equal(l))
	})
}

func TestReplay(t *testing.T) {
	g := gomega.NewWithT(t)
	l := &tcglog.Log{Algorithms: []tcglog.Algorithm{tcglog.SHA256}}
	before, err := l.Replay(tcglog.SHA256)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(before[0]).To(gomega.Equal(make([]byte, 32)))
	g.Expect(before[17]).To(gomega.Equal(bytes.Repeat([]byte{0xff}, 32)))

	l.Add(3, tcglog.NoAction, []byte("told, not extended"))
	after, err := l.Replay(tcglog.SHA256)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(after).To(gomega.Equal(before))

	// The value that every PC shows in a register that only got its separator.
	l.Add(5, tcglog.Separator, make([]byte, 4))
	after, err = l.Replay(tcglog.SHA256)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(hex.EncodeToString(after[5])).To(gomega.Equal("3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969"))
	g.Expect(after[6]).To(gomega.Equal(before[6]))
	_, err = l.Replay(tcglog.SHA1)
	g.Expect(err).To(gomega.MatchError(tcglog.ErrAlgorithm))
}

// Words that were changed are found by their digests; a digest that was
// changed with them is not, but it changes the replay.
func TestCheckFindsChangedWords(t *testing.T) {
	g := gomega.NewWithT(t)
	whole, err := sample().Replay(tcglog.SHA256)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	for i, e := range sample().Events {
		l := sample()
		l.Events[i].Data = append(bytes.Clone(e.Data), 0)
		same, err := l.Replay(tcglog.SHA256)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(same).To(gomega.Equal(whole))
		switch e.Type {
		case tcglog.EFIPlatformFirmwareBlob2, tcglog.EFIBootServicesApplication:
			g.Expect(l.Check(tcglog.SHA256)).To(gomega.Succeed())
		default:
			g.Expect(l.Check(tcglog.SHA256)).To(gomega.MatchError(tcglog.ErrDigest))
		}
		for d := range l.Events[i].Digests {
			l.Events[i].Digests[d].Value[0] ^= 1
		}
		other, err := l.Replay(tcglog.SHA256)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(other[e.PCR]).NotTo(gomega.Equal(whole[e.PCR]))
	}
}

func TestRefusals(t *testing.T) {
	g := gomega.NewWithT(t)
	b := sample().Marshal()
	for n := range len(b) {
		if l, err := tcglog.Parse(b[:n]); err == nil { // cut between two events it is a shorter log
			g.Expect(b[:n]).To(gomega.Equal(l.Marshal()))
		}
	}
	for at, name := range map[int]string{0: "register", 4: "type", 8: "digest", 28: "length", 32: "signature", 32 + 16: "class", 32 + 24: "banks", 32 + 28: "algorithm"} {
		bad := bytes.Clone(b)
		bad[at] ^= 0x40
		_, err := tcglog.Parse(bad)
		g.Expect(err).To(gomega.HaveOccurred(), name)
	}
	first := 32 + int(binary.LittleEndian.Uint32(b[28:]))
	for at, name := range map[int]string{first: "register", first + 8: "count", first + 12: "bank"} {
		bad := bytes.Clone(b)
		bad[at] ^= 0x40
		_, err := tcglog.Parse(bad)
		g.Expect(err).To(gomega.HaveOccurred(), name)
	}
	_, err := tcglog.Parse(make([]byte, tcglog.MaxBytes+1))
	g.Expect(err).To(gomega.HaveOccurred())
}

func TestVariables(t *testing.T) {
	g := gomega.NewWithT(t)
	v := tcglog.Variable{Owner: tcglog.GlobalVariable, Name: "SecureBoot", Data: []byte{1}}
	back, err := tcglog.ParseVariable(v.Marshal())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(back).To(gomega.Equal(v))
	for n := range len(v.Marshal()) {
		_, err := tcglog.ParseVariable(v.Marshal()[:n])
		g.Expect(err).To(gomega.HaveOccurred())
	}
	half := v.Marshal()
	half[32], half[33] = 0x00, 0xd8 // the first half of a pair
	_, err = tcglog.ParseVariable(half)
	g.Expect(err).To(gomega.HaveOccurred())
}

func TestTaggedEvents(t *testing.T) {
	g := gomega.NewWithT(t)
	deep := tcglog.Bool(tcglog.CodeIntegrity, true)
	for range 3 {
		deep = tcglog.Tagged{Tag: tcglog.TrustBoundary, Inside: []tcglog.Tagged{deep}}
	}
	back, err := tcglog.ParseTagged(deep.Marshal())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(back).To(gomega.Equal(deep))
	seen := 0
	back.Walk(func(in tcglog.Tagged) {
		if in.Tag == tcglog.CodeIntegrity && in.True() {
			seen++
		}
	})
	g.Expect(seen).To(gomega.Equal(1))
	deeper := tcglog.Tagged{Tag: tcglog.TrustBoundary, Inside: []tcglog.Tagged{deep}}
	for _, bad := range [][]byte{nil, {1, 2, 3}, deeper.Marshal(), append(deep.Marshal(), deep.Marshal()...)} {
		_, err := tcglog.ParseTagged(bad)
		g.Expect(err).To(gomega.HaveOccurred())
	}
	g.Expect(tcglog.Bool(tcglog.SafeMode, false).True()).To(gomega.BeFalse())
	g.Expect(tcglog.Wide(tcglog.DataExecution, 1<<40).True()).To(gomega.BeTrue())
}

// FuzzParse: what is read writes back to the same bytes, and can be replayed.
func FuzzParse(f *testing.F) {
	f.Add(sample().Marshal())
	f.Add(sample().Marshal()[:80])
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := tcglog.Parse(b)
		if err != nil {
			return
		}
		if !bytes.Equal(l.Marshal(), b) {
			t.Fatal("does not write back")
		}
		for _, a := range l.Algorithms {
			if _, err := l.Replay(a); err != nil {
				t.Fatal(err)
			}
			_ = l.Check(a) // an error is an answer
		}
		for _, e := range l.Events {
			_, _ = tcglog.ParseVariable(e.Data)
			_, _ = tcglog.ParseTagged(e.Data)
		}
		_, _ = l.Windows() // an error is an answer
	})
}

// FuzzEventData does the same for the structures inside events.
func FuzzEventData(f *testing.F) {
	for _, e := range sample().Events {
		f.Add(e.Data)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := tcglog.ParseVariable(b); err == nil && !bytes.Equal(v.Marshal(), b) {
			t.Fatal("the variable does not write back")
		}
		if v, err := tcglog.ParseTagged(b); err == nil && !bytes.Equal(v.Marshal(), b) {
			t.Fatal("the tagged event does not write back")
		}
	})
}
