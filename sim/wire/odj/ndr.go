package odj

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"
)

// MaxBlob bounds what is decoded, in bytes. A real blob has two to three
// kilobytes, with policies and certificates some hundreds.
const MaxBlob = 1 << 20

// Type serialisation version 1 ([MS-RPCE] 2.2.6.1 and 2.2.6.2): a common header
// (version 1, little endian, 8 bytes of header, filler) and a private header
// (length of what follows, filler).
var commonHeader = []byte{1, 0x10, 8, 0, 0xcc, 0xcc, 0xcc, 0xcc}

const (
	headers       = 16
	firstReferent = 0x20000 // as Windows numbers them
	maxCount      = 64      // blobs, parts; real ones have up to five
)

var (
	errShort    = errors.New("cut short")
	errHeader   = errors.New("no type serialisation header of version 1, little endian")
	errLength   = errors.New("length does not fit")
	errPointer  = errors.New("null pointer where data has to be")
	errString   = errors.New("string is not terminated")
	errTooLarge = fmt.Errorf("more than %d bytes", MaxBlob)
)

// encoder writes one serialised type. What a pointer leads to stands behind the
// structure that the pointer is in, in the order of the pointers ([C706] 14.3.12.3).
type encoder struct {
	b        []byte
	referent uint32
	deferred []func()
}

// serialise writes a type behind a unique pointer, with the headers.
func serialise(body func(*encoder)) []byte {
	e := &encoder{referent: firstReferent}
	e.pointer(true, func() { body(e) })
	e.follow()
	for len(e.b)%8 != 0 {
		e.b = append(e.b, 0)
	}
	out := append(make([]byte, 0, headers+len(e.b)), commonHeader...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(e.b)))
	out = append(out, 0, 0, 0, 0)
	return append(out, e.b...)
}

func (e *encoder) align(n int) {
	for len(e.b)%n != 0 {
		e.b = append(e.b, 0)
	}
}

func (e *encoder) u16(v uint16) {
	e.align(2)
	e.b = binary.LittleEndian.AppendUint16(e.b, v)
}

func (e *encoder) u32(v uint32) {
	e.align(4)
	e.b = binary.LittleEndian.AppendUint32(e.b, v)
}

func (e *encoder) raw(p []byte) { e.b = append(e.b, p...) }

// pointer writes a unique pointer; to writes what it leads to.
func (e *encoder) pointer(present bool, to func()) {
	if !present {
		e.u32(0)
		return
	}
	e.u32(e.referent)
	e.referent += 4
	e.deferred = append(e.deferred, to)
}

// follow writes what the pointers so far lead to.
func (e *encoder) follow() {
	todo := e.deferred
	e.deferred = nil
	for _, f := range todo {
		f()
		e.follow()
	}
}

// text is a pointer to a string with its NUL; "" is a null pointer.
func (e *encoder) text(s string) {
	e.pointer(s != "", func() {
		u := append(utf16.Encode([]rune(s)), 0)
		e.u32(uint32(len(u)))
		e.u32(0)
		e.u32(uint32(len(u)))
		for _, c := range u {
			e.u16(c)
		}
	})
}

// counted is a UNICODE_STRING: its maximum has room for a NUL that is not sent.
func (e *encoder) counted(s string) {
	u := utf16.Encode([]rune(s))
	if len(u) == 0 {
		e.u16(0)
		e.u16(0)
		e.u32(0)
		return
	}
	e.u16(uint16(2 * len(u)))
	e.u16(uint16(2*len(u) + 2))
	e.pointer(true, func() {
		e.u32(uint32(len(u) + 1))
		e.u32(0)
		e.u32(uint32(len(u)))
		for _, c := range u {
			e.u16(c)
		}
	})
}

// bytes is an OP_BLOB: a length and a pointer to so many bytes.
func (e *encoder) bytes(p []byte) {
	e.u32(uint32(len(p)))
	e.pointer(len(p) > 0, func() {
		e.u32(uint32(len(p)))
		e.raw(p)
	})
}

// decoder reads one serialised type. After the first error it gives zeroes.
type decoder struct {
	b        []byte
	at       int
	err      error
	deferred []func()
}

// deserialise reads a type behind a unique pointer.
func deserialise(what string, p []byte, body func(*decoder)) error {
	err := func() error {
		switch {
		case len(p) > MaxBlob:
			return errTooLarge
		case len(p) < headers:
			return errShort
		case string(p[:4]) != string(commonHeader[:4]):
			return errHeader
		}
		n := binary.LittleEndian.Uint32(p[8:])
		if uint64(n) > uint64(len(p)-headers) {
			return errLength
		}
		d := &decoder{b: p[headers : headers+int(n)]}
		d.pointer(true, func() { body(d) })
		d.follow()
		return d.err
	}()
	if err != nil {
		return fmt.Errorf("odj: %s: %w", what, err)
	}
	return nil
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// take gives the next n bytes, aligned; nil after an error.
func (d *decoder) take(align, n int) []byte {
	at := (d.at + align - 1) / align * align
	if d.err == nil && (n < 0 || at > len(d.b) || n > len(d.b)-at) {
		d.fail(errShort)
	}
	if d.err != nil {
		return nil
	}
	d.at = at + n
	return d.b[at:d.at]
}

func (d *decoder) u16() uint16 {
	if p := d.take(2, 2); p != nil {
		return binary.LittleEndian.Uint16(p)
	}
	return 0
}

func (d *decoder) u32() uint32 {
	if p := d.take(4, 4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

// pointer reads a unique pointer; to reads what it leads to.
func (d *decoder) pointer(required bool, to func()) {
	switch {
	case d.u32() != 0:
		d.deferred = append(d.deferred, to)
	case required:
		d.fail(errPointer)
	}
}

func (d *decoder) follow() {
	todo := d.deferred
	d.deferred = nil
	for _, f := range todo {
		if d.err == nil {
			f()
			d.follow()
		}
	}
}

// varying reads a conformant varying array of characters. A terminated one has
// its NUL counted.
func (d *decoder) varying(terminated bool) string {
	most, offset, n := d.u32(), d.u32(), d.u32()
	if d.err == nil && (offset != 0 || n > most || uint64(n) > uint64(len(d.b)-d.at)/2) {
		d.fail(errLength)
	}
	p := d.take(2, 2*int(n))
	if d.err != nil {
		return ""
	}
	u := make([]uint16, n)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(p[2*i:])
	}
	if terminated {
		if n == 0 || u[n-1] != 0 {
			d.fail(errString)
			return ""
		}
		u = u[:n-1]
	}
	return string(utf16.Decode(u))
}

func (d *decoder) text(s *string) {
	d.pointer(false, func() { *s = d.varying(true) })
}

func (d *decoder) counted(s *string) {
	length, most := d.u16(), d.u16()
	if d.err == nil && (length > most || length%2 != 0) {
		d.fail(errLength)
	}
	d.pointer(false, func() {
		if *s = d.varying(false); len(utf16.Encode([]rune(*s))) != int(length)/2 {
			d.fail(errLength)
		}
	})
}

func (d *decoder) bytes(p *[]byte) {
	n := d.u32()
	d.pointer(n > 0, func() {
		if d.u32() != n {
			d.fail(errLength)
			return
		}
		if b := d.take(1, int(n)); n > 0 && b != nil {
			*p = append([]byte{}, b...)
		}
	})
}

// count reads how many elements an array behind a pointer has.
func (d *decoder) count() int {
	n := d.u32()
	if n > maxCount {
		d.fail(fmt.Errorf("%d elements", n))
		return 0
	}
	return int(n)
}
