package vclock_test

import (
	"io"
	"regexp"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/vclock"
)

// The values are part of what a seed means: a change of them is a change of
// every trace.
func TestSeedIsStable(t *testing.T) {
	g := NewWithT(t)
	s := vclock.Seed(42)
	g.Expect(s.UUID("device", "1")).To(Equal("1d915560-21c5-42bb-b371-5909f2622a0e"))
	g.Expect(s.Derive("cell", "0")).To(Equal(vclock.Seed(0x2ed08b6a3fd2310f)))
	g.Expect(s.Stream("person").Uint64()).To(Equal(uint64(0x1091e918d9907e16)))
	b := make([]byte, 8)
	_, err := io.ReadFull(s.Reader("nonce"), b)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(b).To(HaveExactElements(byte(0xe6), byte(0x5e), byte(0x58), byte(0xaa), byte(0x5f), byte(0xb7), byte(0x33), byte(0x44)))
}

func TestSeedNames(t *testing.T) {
	g := NewWithT(t)
	s := vclock.Seed(1)
	g.Expect(s.Key("ab", "c")).NotTo(Equal(s.Key("a", "bc")))
	g.Expect(s.Key("a")).NotTo(Equal(s.Key("a", "")))
	g.Expect(s.Key("a")).NotTo(Equal(vclock.Seed(2).Key("a")))
	g.Expect(s.Key("a")).To(Equal(s.Key("a")))
	g.Expect(s.Stream("a").Uint64()).To(Equal(s.Stream("a").Uint64()))
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	rapid.Check(t, func(t *rapid.T) {
		id := vclock.Seed(rapid.Uint64().Draw(t, "seed")).UUID(rapid.String().Draw(t, "name"))
		if !form.MatchString(id) {
			t.Fatalf("%s is no version 4 UUID", id)
		}
	})
}
