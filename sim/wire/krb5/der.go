package krb5

import (
	"encoding/binary"
	"time"

	"github.com/jcmturner/gokrb5/v8/types"
)

// The messages of every logon are put together here and not by reflection,
// which took a third of a logon's time. Reading, which has to mind what it gets,
// is the library's.

// tlv is an element of DER with a tag of one byte.
func tlv(tag byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	b := make([]byte, 0, n+6)
	switch {
	case n < 0x80:
		b = append(b, tag, byte(n))
	case n <= 0xff:
		b = append(b, tag, 0x81, byte(n))
	case n <= 0xffff:
		b = append(b, tag, 0x82, byte(n>>8), byte(n))
	default:
		b = append(b, tag, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// Elements by their kind. An absent one is nil and takes no room.
func sequence(parts ...[]byte) []byte { return tlv(0x30, parts...) }
func field(n byte, part []byte) []byte {
	if part == nil {
		return nil
	}
	return tlv(0xa0|n, part)
}
func application(n int, part []byte) []byte { return tlv(0x60|byte(n), part) }
func octets(b []byte) []byte                { return tlv(0x04, b) }
func general(s string) []byte               { return tlv(0x1b, []byte(s)) }

func integer(v int64) []byte {
	n := 1
	for x := v; x > 127 || x < -128; x >>= 8 {
		n++
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(v))
	return tlv(0x02, b[8-n:])
}

// optional is an integer that is left out where it is zero.
func optional(v int64) []byte {
	if v == 0 {
		return nil
	}
	return integer(v)
}

// moment is a KerberosTime; a zero one is left out.
func moment(t time.Time) []byte {
	if t.IsZero() {
		return nil
	}
	return tlv(0x18, []byte(t.UTC().Format("20060102150405Z")))
}

func (f Flags) der() []byte {
	return tlv(0x03, binary.BigEndian.AppendUint32([]byte{0}, uint32(f)))
}

func (n Name) der() []byte {
	if n.Zero() {
		return nil
	}
	parts := make([][]byte, len(n.Parts))
	for i, p := range n.Parts {
		parts[i] = general(p)
	}
	return sequence(field(0, integer(int64(n.Type))), field(1, sequence(parts...)))
}

func (k Key) der() []byte {
	if k.Value == nil {
		return nil
	}
	return sequence(field(0, integer(int64(k.Type))), field(1, octets(k.Value)))
}

func (c Checksum) der() []byte {
	if c.Value == nil {
		return nil
	}
	return sequence(field(0, integer(int64(c.Type))), field(1, octets(c.Value)))
}

func sealedDER(e types.EncryptedData) []byte {
	return sequence(field(0, integer(int64(e.EType))), field(1, optional(int64(e.KVNO))), field(2, octets(e.Cipher)))
}

func paDER(list []PAData) []byte {
	if len(list) == 0 {
		return nil
	}
	parts := make([][]byte, len(list))
	for i, p := range list {
		parts[i] = sequence(field(1, integer(int64(p.Type))), field(2, octets(p.Value)))
	}
	return sequence(parts...)
}

func typesDER(list []int32) []byte {
	parts := make([][]byte, len(list))
	for i, t := range list {
		parts[i] = integer(int64(t))
	}
	return sequence(parts...)
}
