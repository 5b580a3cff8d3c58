package vtpm

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-tpm/tpm2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/pki"
)

// turns is a chip whose commands go to the engines in turn: to that of this
// process, then to each child.
type turns struct {
	engines []engine
	slot    int
	state   []byte
	entropy entropy
	n       int
	log     bytes.Buffer // what it answered
}

func newTurns(t testing.TB, l *Lab, n int) *turns {
	return newTurnsOf(t, l, n, len(children(l))+1)
}

func newTurnsOf(t testing.TB, l *Lab, n, engines int) *turns {
	g := NewWithT(t)
	slot, err := l.slots.take()
	g.Expect(err).NotTo(HaveOccurred())
	c := &turns{engines: []engine{l.engine.home}, slot: slot}
	for _, w := range children(l) {
		c.engines = append(c.engines, w)
	}
	c.engines = c.engines[:engines]
	c.state, err = l.slots.at(slot)
	g.Expect(err).NotTo(HaveOccurred())
	c.entropy.key[0] = byte(n)
	_, err = c.operate(opManufacture, nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(startup(c)).To(Succeed())
	return c
}

func (c *turns) Send(command []byte) ([]byte, error) { return c.operate(opCommand, command) }

func (c *turns) operate(op operation, command []byte) ([]byte, error) {
	e := c.engines[c.n%len(c.engines)]
	c.n++
	r := &request{op: op, slot: c.slot, state: c.state, command: command, entropy: c.entropy.next(), millis: uint64(c.n)}
	response, _, err := e.run(r)
	c.log.Write(response)
	return response, err
}

// errand is a few commands that belong together, and what they come to.
type errand func(c *turns, b []byte) ([]byte, error)

// errands are of all kinds that leave something in a chip from one command to
// the next. All of them end with nothing loaded.
var errands = map[string]errand{
	"random": func(c *turns, _ []byte) ([]byte, error) { return random(c) },
	"extend": func(c *turns, b []byte) ([]byte, error) {
		d := sha256.Sum256(b)
		return nil, pcrExtend(c, int(d[0]%16), tpm2.TPMAlgSHA256, d[:])
	},
	"policy": func(c *turns, b []byte) ([]byte, error) {
		h, err := startPolicy(c, make([]byte, 16))
		if err != nil {
			return nil, err
		}
		return nil, flush(c, h)
	},
	"primary": func(c *turns, b []byte) ([]byte, error) {
		h, err := makePrimaryOf(c, eccTemplate())
		if err == nil {
			h, err = away(c, h)
		}
		if err != nil {
			return nil, err
		}
		return nil, flush(c, h)
	},
	"hash": sequence(func(c *turns) (tpm2.TPMHandle, error) { return startHash(c, tpm2.TPMAlgSHA256) }),
	"saved hash": sequence(func(c *turns) (tpm2.TPMHandle, error) {
		h, err := startHash(c, tpm2.TPMAlgSHA256)
		if err != nil {
			return 0, err
		}
		return away(c, h)
	}),
	"event": event,
	"HMAC": sequence(func(c *turns) (tpm2.TPMHandle, error) {
		return startMAC(c, keyedHash(tpm2.TPMAlgHMAC, tpm2.TPMAlgSHA256), tpm2.TPMAlgNull)
	}),
	"CMAC": sequence(func(c *turns) (tpm2.TPMHandle, error) { return startMAC(c, aesTemplate(), tpm2.TPMAlgCMAC) }),
}

// away saves what is loaded and loads it again.
func away(c *turns, h tpm2.TPMHandle) (tpm2.TPMHandle, error) {
	saved, err := newFrame(tpm2.TPMCCContextSave, handles{h}).send(c)
	if err != nil {
		return 0, err
	}
	if err := flush(c, h); err != nil && !errors.Is(err, tpm2.TPMRCHandle) {
		return 0, err // a sequence is gone when it is saved
	}
	back, err := newFrame(tpm2.TPMCCContextLoad, nil).raw(saved.rest()).send(c)
	if err != nil {
		return 0, err
	}
	return tpm2.TPMHandle(back.u32()), back.err
}

// sequence is a start, three updates of bytes each on an engine of its own, and
// the end.
func sequence(start func(c *turns) (tpm2.TPMHandle, error)) errand {
	return func(c *turns, b []byte) ([]byte, error) {
		h, err := start(c)
		if err != nil {
			return nil, err
		}
		for _, part := range thirds(b) {
			if _, err := newFrame(tpm2.TPMCCSequenceUpdate, handles{h}, empty).sized(part).send(c); err != nil {
				return nil, err
			}
		}
		r, err := newFrame(tpm2.TPMCCSequenceComplete, handles{h}, empty).sized(nil).u32(uint32(tpm2.TPMRHNull)).send(c)
		if err != nil {
			return nil, err
		}
		return bytes.Clone(r.parameters().sized()), r.err
	}
}

func thirds(b []byte) [][]byte {
	return [][]byte{b[:len(b)/3], b[len(b)/3 : 2*len(b)/3], b[2*len(b)/3:]}
}

func startHash(c *turns, hash tpm2.TPMAlgID) (tpm2.TPMHandle, error) {
	r, err := newFrame(tpm2.TPMCCHashSequenceStart, nil).sized(nil).u16(uint16(hash)).send(c)
	if err != nil {
		return 0, err
	}
	return tpm2.TPMHandle(r.u32()), r.err
}

// event is a sequence with all hash algorithms at once.
func event(c *turns, b []byte) ([]byte, error) {
	h, err := startHash(c, tpm2.TPMAlgNull)
	if err != nil {
		return nil, err
	}
	for _, part := range thirds(b) {
		if _, err := newFrame(tpm2.TPMCCSequenceUpdate, handles{h}, empty).sized(part).send(c); err != nil {
			return nil, err
		}
	}
	r, err := newFrame(tpm2.TPMCCEventSequenceComplete, handles{tpm2.TPMRHNull, h}, empty, empty).sized(nil).send(c)
	if err != nil {
		return nil, err
	}
	return bytes.Clone(r.parameters().rest()), r.err
}

// startMAC begins a MAC with a new key, which is flushed at once: the sequence
// has a copy.
func startMAC(c *turns, template []byte, scheme tpm2.TPMAlgID) (tpm2.TPMHandle, error) {
	key, err := makePrimaryOf(c, template)
	if err != nil {
		return 0, err
	}
	r, err := newFrame(tpm2.TPMCCHMACStart, handles{key}, empty).sized(nil).u16(uint16(scheme)).send(c)
	if err != nil {
		return 0, err
	}
	return tpm2.TPMHandle(r.u32()), flush(c, key)
}

func makePrimaryOf(c *turns, template []byte) (tpm2.TPMHandle, error) {
	k, err := createPrimary(c, tpm2.TPMRHOwner, template)
	if err != nil {
		return 0, err
	}
	return k.handle, nil
}

const keyAttributes = 0x00040072 // sign, userWithAuth, fixed, made by the TPM

func keyedHash(scheme, hash tpm2.TPMAlgID) []byte {
	return (&frame{}).u16(uint16(tpm2.TPMAlgKeyedHash)).u16(uint16(tpm2.TPMAlgSHA256)).u32(keyAttributes).sized(nil).
		u16(uint16(scheme)).u16(uint16(hash)).sized(nil).b
}

func aesTemplate() []byte {
	return (&frame{}).u16(uint16(tpm2.TPMAlgSymCipher)).u16(uint16(tpm2.TPMAlgSHA256)).u32(keyAttributes).sized(nil).
		u16(uint16(tpm2.TPMAlgAES)).u16(128).u16(uint16(tpm2.TPMAlgCMAC)).sized(nil).b
}

func eccTemplate() []byte {
	return (&frame{}).u16(uint16(tpm2.TPMAlgECC)).u16(uint16(tpm2.TPMAlgSHA256)).u32(keyAttributes).sized(nil).
		u16(uint16(tpm2.TPMAlgNull)).u16(uint16(tpm2.TPMAlgECDSA)).u16(uint16(tpm2.TPMAlgSHA256)).
		u16(uint16(tpm2.TPMECCNistP256)).u16(uint16(tpm2.TPMAlgNull)).sized(nil).sized(nil).b
}

// Whatever a chip is asked, and whichever engines it comes to: the answers are
// the same bytes.
func TestAnyEnginesAnswerTheSame(t *testing.T) {
	l := crew(t, 4, 0)
	names := []string{"CMAC", "HMAC", "event", "extend", "hash", "policy", "primary", "random"}
	if !positionIndependent(t) {
		// The reference code saves a sequence with the address of its
		// algorithm, sealed: the blob differs, though any engine loads it.
		names = append(names, "saved hash")
	}
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 255).Draw(rt, "chip")
		script := rapid.SliceOfN(rapid.SampledFrom(names), 1, 8).Draw(rt, "script")
		data := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(rt, "data")
		var want []byte
		for _, engines := range []int{1, 2, 4} {
			c := newTurnsOf(t, l, n, engines)
			for _, name := range script {
				if _, err := errands[name](c, data); err != nil {
					rt.Fatalf("%s with %d engines: %v", name, engines, err)
				}
			}
			if engines == 1 {
				want = c.log.Bytes()
			} else if !bytes.Equal(c.log.Bytes(), want) {
				rt.Fatalf("%d engines answer otherwise", engines)
			}
			if err := l.slots.put(c.slot); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

// Other threads of the process ask OpenSSL for random bytes while a chip works:
// they take nothing from the entropy of its commands.
func TestLibcryptoElsewhereDisturbsNoChip(t *testing.T) {
	g := NewWithT(t)
	l := crew(t, 1, 0)
	work := func() []byte {
		c := newTurns(t, l, 1)
		for range 10 {
			for _, name := range []string{"primary", "random", "HMAC"} {
				_, err := errands[name](c, []byte("data"))
				g.Expect(err).NotTo(HaveOccurred())
			}
		}
		return c.log.Bytes()
	}
	want := work()
	var signers sync.WaitGroup
	var over atomic.Bool
	for range 2 {
		signers.Go(func() {
			key, digest := pki.PooledRSA(0), sha256.Sum256(nil)
			for !over.Load() {
				if _, err := key.Sign(nil, digest[:], crypto.SHA256); err != nil {
					t.Error(err)
				}
			}
		})
	}
	got := work()
	over.Store(true)
	signers.Wait()
	g.Expect(got).To(Equal(want))
}

// positionIndependent tells whether each process has this program elsewhere.
func positionIndependent(t *testing.T) bool {
	f, err := elf.Open("/proc/self/exe")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	defer f.Close()
	return f.Type == elf.ET_DYN
}

// A sequence goes from engine to engine.
func TestSequencesMoveBetweenEngines(t *testing.T) {
	g := NewWithT(t)
	c := newTurns(t, crew(t, 3, 0), 1)
	data := bytes.Repeat([]byte("sequence "), 60)
	digest := sha256.Sum256(data)
	g.Expect(errands["hash"](c, data)).To(Equal(digest[:]))

	got, err := errands["event"](c, data)
	g.Expect(err).NotTo(HaveOccurred())
	sha1, sha384, sha512 := sha1.Sum(data), sha512.Sum384(data), sha512.Sum512(data)
	for _, want := range [][]byte{sha1[:], digest[:], sha384[:], sha512[:]} {
		g.Expect(bytes.Contains(got, want)).To(BeTrue())
	}
	// A MAC's key never leaves the chip; that of a HMAC comes in with this.
	secret := []byte("0123456789abcdef0123456789abcdef")
	mac := hmac.New(sha256.New, secret)
	mac.Write(data)
	template := bytes.Clone(keyedHash(tpm2.TPMAlgHMAC, tpm2.TPMAlgSHA256))
	binary.BigEndian.PutUint32(template[4:], keyAttributes&^0x20) // sensitiveDataOrigin
	got, err = sequence(func(c *turns) (tpm2.TPMHandle, error) {
		k, err := createPrimary(c, tpm2.TPMRHOwner, template, withPassword(nil, secret))
		if err != nil {
			return 0, err
		}
		r, err := newFrame(tpm2.TPMCCHMACStart, handles{k.handle}, empty).sized(nil).u16(uint16(tpm2.TPMAlgNull)).send(c)
		if err != nil {
			return 0, err
		}
		return tpm2.TPMHandle(r.u32()), flush(c, k.handle)
	})(c, data)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got).To(Equal(mac.Sum(nil)))
}

// An address means nothing in another process, which may lie elsewhere. The
// reference code's structures are aligned to 4 bytes at least.
func TestSlotsHoldNoAddresses(t *testing.T) {
	g := NewWithT(t)
	l := crew(t, 1, 0)
	areas := mapped(t)
	for name, start := range map[string]func(c *turns) (tpm2.TPMHandle, error){
		"hash":  func(c *turns) (tpm2.TPMHandle, error) { return startHash(c, tpm2.TPMAlgSHA384) },
		"event": func(c *turns) (tpm2.TPMHandle, error) { return startHash(c, tpm2.TPMAlgNull) },
		"HMAC": func(c *turns) (tpm2.TPMHandle, error) {
			return startMAC(c, keyedHash(tpm2.TPMAlgHMAC, tpm2.TPMAlgSHA1), tpm2.TPMAlgNull)
		},
		"CMAC": func(c *turns) (tpm2.TPMHandle, error) { return startMAC(c, aesTemplate(), tpm2.TPMAlgCMAC) },
	} {
		c := newTurns(t, l, 1)
		_, err := start(c)
		g.Expect(err).NotTo(HaveOccurred(), name)
		for _, v := range variables() {
			field := c.state[v.offset : v.offset+v.size]
			for i := 0; i+8 <= len(field); i += 4 {
				p := binary.LittleEndian.Uint64(field[i:])
				if slices.ContainsFunc(areas, func(a [2]uint64) bool { return a[0] <= p && p < a[1] }) {
					t.Errorf("%s: %s holds %#x at %d", name, v.name, p, i)
				}
			}
		}
	}
}

// mapped are the parts of this process's memory where the program, its
// libraries, its stacks and its heap lie.
func mapped(t *testing.T) (areas [][2]uint64) {
	text, err := os.ReadFile("/proc/self/maps")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	for line := range bytes.Lines(text) {
		var from, to uint64
		if _, err := fmt.Sscanf(string(line), "%x-%x", &from, &to); err != nil {
			t.Fatal(err)
		}
		areas = append(areas, [2]uint64{from, to})
	}
	return areas
}
