package ldap

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
)

// GUID is a GUID as it stands in objectGUID: the first three fields with their low octets first ([MS-DTYP] 2.3.4.2).
type GUID [16]byte

// String is the text form: 62a0ff2e-97b9-4513-943f-0d221bd30080.
func (g GUID) String() string {
	var b [36]byte
	at := 0
	for i, from := range [...]int{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15} {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b[at] = '-'
			at++
		}
		hex.Encode(b[at:], g[from:from+1])
		at += 2
	}
	return string(b[:])
}

// IsZero tells whether it is the null GUID.
func (g GUID) IsZero() bool { return g == GUID{} }

// ParseGUID reads the text form, with or without braces.
func ParseGUID(s string) (GUID, error) {
	var g GUID
	text := strings.TrimSuffix(strings.TrimPrefix(s, "{"), "}")
	parts := strings.Split(text, "-")
	if len(text) != 36 || len(parts) != 5 || len(parts[0]) != 8 || len(parts[1]) != 4 || len(parts[2]) != 4 || len(parts[3]) != 4 {
		return g, malformed("GUID %q", s)
	}
	raw, err := hex.DecodeString(strings.Join(parts, ""))
	if err != nil {
		return g, malformed("GUID %q", s)
	}
	copy(g[:], raw)
	for _, f := range [][]byte{g[:4], g[4:6], g[6:8]} {
		for i, j := 0, len(f)-1; i < j; i, j = i+1, j-1 {
			f[i], f[j] = f[j], f[i]
		}
	}
	return g, nil
}

// GUIDFromBytes reads the value of objectGUID.
func GUIDFromBytes(b []byte) (GUID, error) {
	if len(b) != 16 {
		return GUID{}, malformed("GUID of %d octets", len(b))
	}
	return GUID(b), nil
}

// SID is a security identifier as it stands in objectSid ([MS-DTYP] 2.4.2.2), comparable; "" is none.
type SID string

// maxSubAuthorities is the format's own bound.
const maxSubAuthorities = 15

// SIDFromBytes reads the value of objectSid.
func SIDFromBytes(b []byte) (SID, error) {
	if len(b) < 8 || b[0] != 1 || b[1] > maxSubAuthorities || len(b) != 8+4*int(b[1]) {
		return "", malformed("SID of %d octets", len(b))
	}
	return SID(b), nil
}

// NewSID puts one together: NewSID(5, 21, 1, 2, 3, 500) is S-1-5-21-1-2-3-500.
func NewSID(authority uint64, sub ...uint32) SID {
	b := binary.BigEndian.AppendUint64(nil, authority)
	b[0], b[1] = 1, byte(len(sub))
	for _, s := range sub {
		b = binary.LittleEndian.AppendUint32(b, s)
	}
	return SID(b)
}

// ParseSID reads the text form, S-1-5-21-...
func ParseSID(s string) (SID, error) {
	parts := strings.Split(s, "-")
	if len(parts) < 3 || len(parts) > 3+maxSubAuthorities || !strings.EqualFold(parts[0], "S") || parts[1] != "1" {
		return "", malformed("SID %q", s)
	}
	authority, err := strconv.ParseUint(parts[2], 10, 48)
	if err != nil {
		return "", malformed("SID %q", s)
	}
	sub := make([]uint32, 0, maxSubAuthorities)
	for _, p := range parts[3:] {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return "", malformed("SID %q", s)
		}
		sub = append(sub, uint32(n))
	}
	return NewSID(authority, sub...), nil
}

// String is the text form.
func (s SID) String() string {
	if len(s) < 8 {
		return ""
	}
	var high [8]byte
	copy(high[2:], s[2:8])
	b := strconv.AppendUint([]byte("S-1-"), binary.BigEndian.Uint64(high[:]), 10)
	for rest := []byte(s[8:]); len(rest) >= 4; rest = rest[4:] {
		b = strconv.AppendUint(append(b, '-'), uint64(binary.LittleEndian.Uint32(rest)), 10)
	}
	return string(b)
}

// Bytes is the value of objectSid.
func (s SID) Bytes() []byte { return []byte(s) }

// With is the SID of an account in the domain that s is.
func (s SID) With(rid uint32) SID {
	b := binary.LittleEndian.AppendUint32([]byte(s), rid)
	b[1]++
	return SID(b)
}

// RID is the last sub-authority, 0 where there is none.
func (s SID) RID() uint32 {
	if len(s) < 12 {
		return 0
	}
	return binary.LittleEndian.Uint32([]byte(s[len(s)-4:]))
}

// Domain is the SID without its last sub-authority.
func (s SID) Domain() SID {
	if len(s) < 12 {
		return ""
	}
	b := []byte(s[:len(s)-4])
	b[1]--
	return SID(b)
}
