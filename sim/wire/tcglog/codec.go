package tcglog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Limits of what is read, far above what a PC writes.
const (
	MaxBytes  = 1 << 20 // of a log
	maxEvent  = 1 << 18 // bytes of one event's data
	maxEvents = 4096
	maxBanks  = 8
)

// The Spec ID event (10.4.5.1) is in the old form, so that a reader of old logs
// finds its way: register 0, EV_NO_ACTION, a digest of 20 zero bytes.
const sha1Size = 20

// wordSize is uintnSize of a firmware of 64 bits.
const wordSize = 2

var (
	specSignature = []byte("Spec ID Event03\x00")
	// specVersion: platform class 0 (client), minor version 0, major version 2.
	specVersion = []byte{0, 0, 0, 0, 0, 2}
)

var (
	errShort = errors.New("truncated")
	errLong  = errors.New("longer than any log")
	errSpec  = errors.New("does not begin with a Spec ID event")
	errBanks = errors.New("banks are not those of the Spec ID event")
	errPCR   = errors.New("no such register")
	errMany  = errors.New("too many")
	errTwice = errors.New("the same bank twice")
)

// Marshal writes the log. The events' digests have to be one for each of the
// log's algorithms, as Add makes them and Parse reads them.
func (l *Log) Marshal() []byte {
	spec := append(append(bytes.Clone(specSignature), specVersion...), l.Errata, wordSize)
	spec = binary.LittleEndian.AppendUint32(spec, uint32(len(l.Algorithms)))
	for _, a := range l.Algorithms {
		spec = binary.LittleEndian.AppendUint16(spec, uint16(a))
		spec = binary.LittleEndian.AppendUint16(spec, uint16(a.Size()))
	}
	spec = append(append(spec, byte(len(l.Vendor))), l.Vendor...)

	b := binary.LittleEndian.AppendUint32(nil, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(NoAction))
	b = append(b, make([]byte, sha1Size)...)
	b = appendSized(b, spec)
	for _, e := range l.Events {
		b = binary.LittleEndian.AppendUint32(b, uint32(e.PCR))
		b = binary.LittleEndian.AppendUint32(b, uint32(e.Type))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(e.Digests)))
		for _, d := range e.Digests {
			b = binary.LittleEndian.AppendUint16(b, uint16(d.Algorithm))
			b = append(b, d.Value...)
		}
		b = appendSized(b, e.Data)
	}
	return b
}

func appendSized(b, data []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	return append(b, data...)
}

// Parse reads a log. What it gives marshals to the same bytes again.
func Parse(b []byte) (*Log, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("tcglog: %d bytes: %w", len(b), errLong)
	}
	r := &reader{b: b}
	l := &Log{}
	if err := l.readSpec(r); err != nil {
		return nil, fmt.Errorf("tcglog: first event: %w", err)
	}
	for len(r.b) > 0 {
		if len(l.Events) == maxEvents {
			return nil, fmt.Errorf("tcglog: events: %w", errMany)
		}
		e, err := l.readEvent(r)
		if err != nil {
			return nil, fmt.Errorf("tcglog: event %d: %w", len(l.Events)+1, err)
		}
		l.Events = append(l.Events, e)
	}
	return l, nil
}

func (l *Log) readSpec(r *reader) error {
	pcr, typ, digest := r.u32(), EventType(r.u32()), r.take(sha1Size)
	s := &reader{b: r.sized()}
	signature, version, rest := s.take(len(specSignature)), s.take(len(specVersion)), s.take(2)
	if r.failed || s.failed {
		return errShort
	}
	if pcr != 0 || typ != NoAction || !bytes.Equal(digest, make([]byte, sha1Size)) ||
		!bytes.Equal(signature, specSignature) || !bytes.Equal(version, specVersion) || rest[1] != wordSize {
		return errSpec
	}
	l.Errata = rest[0]
	n := s.u32()
	if n == 0 || n > maxBanks {
		return fmt.Errorf("%d banks: %w", n, errBanks)
	}
	for range n {
		a, size := Algorithm(s.u16()), s.u16()
		if s.failed {
			return errShort
		}
		if a.Size() == 0 || int(size) != a.Size() {
			return fmt.Errorf("%v of %d bytes: %w", a, size, ErrAlgorithm)
		}
		for _, other := range l.Algorithms {
			if other == a {
				return fmt.Errorf("%v: %w", a, errTwice)
			}
		}
		l.Algorithms = append(l.Algorithms, a)
	}
	vendor := s.take(1)
	if s.failed || len(s.b) != int(vendor[0]) {
		return errSpec
	}
	if len(s.b) > 0 {
		l.Vendor = s.b
	}
	return nil
}

func (l *Log) readEvent(r *reader) (Event, error) {
	pcr, typ, n := r.u32(), EventType(r.u32()), r.u32()
	switch {
	case r.failed:
		return Event{}, errShort
	case pcr >= PCRs:
		return Event{}, fmt.Errorf("register %d: %w", pcr, errPCR)
	case int64(n) != int64(len(l.Algorithms)):
		return Event{}, fmt.Errorf("%d digests: %w", n, errBanks)
	}
	e := Event{PCR: int(pcr), Type: typ, Digests: make([]Digest, n)}
	for i, want := range l.Algorithms {
		a := Algorithm(r.u16())
		if !r.failed && a != want {
			return Event{}, fmt.Errorf("%v: %w", a, errBanks)
		}
		e.Digests[i] = Digest{a, r.take(want.Size())}
	}
	if e.Data = r.sized(); r.failed {
		return Event{}, errShort
	}
	return e, nil
}

// reader takes little-endian bytes apart; the first short read sticks.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) take(n int) []byte {
	if r.failed || n < 0 || n > len(r.b) {
		r.failed, r.b = true, nil
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) u16() uint16 {
	if b := r.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// sized reads a length of four bytes and so many bytes.
func (r *reader) sized() []byte {
	n := r.u32()
	if n > maxEvent {
		r.failed, r.b = true, nil
		return nil
	}
	return r.take(int(n))
}
