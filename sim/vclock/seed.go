package vclock

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"math/rand/v2"
)

// Seed is where all randomness of a run comes from. Streams, keys and derived
// seeds are named after their owner, so that one owner's draws never shift
// another's. Different purposes with the same names are independent.
type Seed uint64

// Derive is the seed of something inside the owner of s: a cell, a device.
func (s Seed) Derive(names ...string) Seed {
	k := s.digest("derive", names)
	return Seed(binary.BigEndian.Uint64(k[:8]))
}

// Stream is a new generator at its beginning: ChaCha8 with a key that is the
// SHA-256 of the seed and the names. It is not for use by two actors at once.
func (s Seed) Stream(names ...string) *rand.Rand {
	return rand.New(rand.NewChaCha8(s.digest("stream", names)))
}

// Reader is a stream of bytes, for libraries that take an io.Reader. Mind that
// several functions of crypto/... ignore theirs.
func (s Seed) Reader(names ...string) io.Reader {
	return rand.NewChaCha8(s.digest("reader", names))
}

// Key is 32 bytes that belong to the names.
func (s Seed) Key(names ...string) [32]byte { return s.digest("key", names) }

// UUID is a version 4 UUID (RFC 9562 section 5.4) in lower case.
func (s Seed) UUID(names ...string) string {
	k := s.digest("uuid", names)
	k[6] = k[6]&0x0f | 0x40
	k[8] = k[8]&0x3f | 0x80
	var out [36]byte
	hex.Encode(out[0:8], k[0:4])
	hex.Encode(out[9:13], k[4:6])
	hex.Encode(out[14:18], k[6:8])
	hex.Encode(out[19:23], k[8:10])
	hex.Encode(out[24:36], k[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

// digest puts each name's length before it, so that ("ab", "c") and ("a", "bc")
// differ.
func (s Seed) digest(purpose string, names []string) [32]byte {
	b := make([]byte, 0, 128)
	b = append(b, "windtunnel/"...)
	b = append(b, purpose...)
	b = append(b, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(s))
	for _, n := range names {
		b = binary.BigEndian.AppendUint32(b, uint32(len(n)))
		b = append(b, n...)
	}
	return sha256.Sum256(b)
}

// rank maps the n-th actor to its place in the permutation of this seed. Each
// step of the finaliser of SplitMix64 (Steele, Lea, Flood 2014) can be undone,
// so no two actors share a place.
func (s Seed) rank(n uint64) uint64 {
	z := n*0x9e3779b97f4a7c15 + uint64(s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
