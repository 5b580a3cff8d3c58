package odj

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// maxAuthorities bounds the sub-authorities of a SID ([MS-DTYP] 2.4.2.2).
const maxAuthorities = 15

// guid writes a GUID of the usual text form, braces or not; "" is all zeroes.
func (e *encoder) guid(s string) {
	e.align(4)
	b, _ := guidBytes(s) // checked before
	e.raw(b[:])
}

func (d *decoder) guid() string {
	p := d.take(4, 16)
	if p == nil || [16]byte(p) == [16]byte{} {
		return ""
	}
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(p), binary.LittleEndian.Uint16(p[4:]), binary.LittleEndian.Uint16(p[6:]), p[8:10], p[10:])
}

func guidBytes(s string) (b [16]byte, err error) {
	if s == "" {
		return b, nil
	}
	text := strings.Trim(s, "{}")
	raw, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(raw) != 16 || len(text) != 36 {
		return b, fmt.Errorf("%q is no GUID", s)
	}
	binary.LittleEndian.PutUint32(b[:], binary.BigEndian.Uint32(raw))
	binary.LittleEndian.PutUint16(b[4:], binary.BigEndian.Uint16(raw[4:]))
	binary.LittleEndian.PutUint16(b[6:], binary.BigEndian.Uint16(raw[6:]))
	copy(b[8:], raw[8:])
	return b, nil
}

// sid is a security identifier taken apart ([MS-DTYP] 2.4.2).
type sid struct {
	authority uint64
	subs      []uint32
}

func parseSID(s string) (sid, error) {
	parts := strings.Split(s, "-")
	if len(parts) < 4 || len(parts) > 3+maxAuthorities || parts[0] != "S" || parts[1] != "1" {
		return sid{}, fmt.Errorf("%q is no SID", s)
	}
	authority, err := strconv.ParseUint(parts[2], 10, 48)
	if err != nil {
		return sid{}, fmt.Errorf("%q is no SID", s)
	}
	out := sid{authority: authority}
	for _, p := range parts[3:] {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return sid{}, fmt.Errorf("%q is no SID", s)
		}
		out.subs = append(out.subs, uint32(n))
	}
	return out, nil
}

func (s sid) String() string {
	var b strings.Builder
	b.WriteString("S-1-" + strconv.FormatUint(s.authority, 10))
	for _, n := range s.subs {
		b.WriteString("-" + strconv.FormatUint(uint64(n), 10))
	}
	return b.String()
}

// sid is a pointer to a SID; "" is a null pointer.
func (e *encoder) sid(text string) {
	e.pointer(text != "", func() {
		s, _ := parseSID(text) // checked before
		e.u32(uint32(len(s.subs)))
		var authority [8]byte
		binary.BigEndian.PutUint64(authority[:], s.authority)
		e.raw([]byte{1, byte(len(s.subs))})
		e.raw(authority[2:])
		for _, n := range s.subs {
			e.u32(n)
		}
	})
}

func (d *decoder) sid(text *string) {
	d.pointer(false, func() {
		n := d.u32()
		head := d.take(1, 8)
		if head == nil {
			return
		}
		if n == 0 || n > maxAuthorities || head[0] != 1 || uint32(head[1]) != n {
			d.fail(fmt.Errorf("SID of %d sub-authorities", n))
			return
		}
		s := sid{authority: binary.BigEndian.Uint64(append([]byte{0, 0}, head[2:]...))}
		for range n {
			s.subs = append(s.subs, d.u32())
		}
		*text = s.String()
	})
}
