package vtpm

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// image is a chip as the factory delivers it, without power: NV memory, and
// beside it what the TPM gave out while it was made.
type image struct {
	nv    []byte // the reference code's NV memory
	ek    []byte // modulus of the EK that Windows uses, 256 or 384 bytes
	ekECC []byte // point of the other EK, 64 bytes; empty: there is none
	aik   birth
	pool  [][]byte // wrapped keys: TPM2B_PUBLIC, TPM2B_PRIVATE
}

// packer and unpacker are stateless in EncodeAll and DecodeAll, which many
// goroutines may call.
var (
	packer, _   = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2), zstd.WithWindowSize(32<<10), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false))
	unpacker, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(1<<20))
)

// pack returns no more memory than it takes: thousands of results are kept.
func pack(b []byte) []byte { return bytes.Clone(packer.EncodeAll(b, make([]byte, 0, len(b)/2))) }

func unpack(b []byte) ([]byte, error) {
	out, err := unpacker.DecodeAll(b, nil)
	if err != nil {
		return nil, fmt.Errorf("vtpm: unpack: %w", err)
	}
	return out, nil
}

func (i *image) marshal() []byte {
	f := &frame{}
	f.sized(i.nv).sized(i.ek).sized(i.ekECC).sized(i.aik.data).sized(i.aik.hash).sized(i.aik.ticket)
	f.u16(uint16(len(i.pool)))
	for _, k := range i.pool {
		f.sized(k)
	}
	return f.b
}

func unmarshalImage(b []byte) (*image, error) {
	r := &reader{b: b}
	i := &image{nv: r.sized(), ek: r.sized(), ekECC: r.sized(), aik: birth{r.sized(), r.sized(), r.sized()}}
	for n := r.u16(); n > 0 && r.err == nil; n-- {
		i.pool = append(i.pool, r.sized())
	}
	if r.err != nil || len(r.b) != 0 || (len(i.ek) != 256 && len(i.ek) != 384) {
		return nil, errors.New("vtpm: image is malformed")
	}
	if len(i.ekECC) > 0 {
		if _, err := p256(i.ekECC); err != nil {
			return nil, fmt.Errorf("vtpm: image is malformed: %w", err)
		}
	}
	return i, nil
}
