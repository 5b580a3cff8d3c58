package directory

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// GUID is an objectGUID as it is on the wire: the first three fields are
// little-endian ([MS-DTYP] 2.3.4.2).
type GUID [16]byte

// ParseGUID reads the text form, with or without braces.
func ParseGUID(s string) (GUID, error) {
	var g GUID
	bare := strings.Trim(s, "{}")
	b, err := hex.DecodeString(strings.ReplaceAll(bare, "-", ""))
	if err != nil || len(b) != 16 || len(bare) != 36 {
		return g, fmt.Errorf("directory: %q is no GUID", s)
	}
	copy(g[:], b)
	return g.swapped(), nil
}

func (g GUID) swapped() GUID {
	g[0], g[1], g[2], g[3] = g[3], g[2], g[1], g[0]
	g[4], g[5], g[6], g[7] = g[5], g[4], g[7], g[6]
	return g
}

// String is the text form in lower case.
func (g GUID) String() string {
	s := g.swapped()
	h := hex.EncodeToString(s[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// SID is a security identifier in its binary form ([MS-DTYP] 2.4.2.2), so that
// SIDs can be compared.
type SID string

// sidMax is SID_MAX_SUB_AUTHORITIES.
const sidMax = 15

// NewSID is S-1-authority-subs.
func NewSID(authority uint64, subs ...uint32) SID {
	b := []byte{1, byte(len(subs)), byte(authority >> 40), byte(authority >> 32), byte(authority >> 24), byte(authority >> 16), byte(authority >> 8), byte(authority)}
	for _, s := range subs {
		b = binary.LittleEndian.AppendUint32(b, s)
	}
	return SID(b)
}

// SIDFromBytes checks the binary form.
func SIDFromBytes(b []byte) (SID, error) {
	if len(b) < 8 || b[0] != 1 || b[1] > sidMax || len(b) != 8+4*int(b[1]) {
		return "", fmt.Errorf("directory: %x is no SID", b)
	}
	return SID(b), nil
}

// ParseSID reads the text form "S-1-5-21-...".
func ParseSID(s string) (SID, error) {
	parts := strings.Split(s, "-")
	if len(parts) < 3 || len(parts) > 3+sidMax || !strings.EqualFold(parts[0], "S") || parts[1] != "1" {
		return "", fmt.Errorf("directory: %q is no SID", s)
	}
	authority, err := strconv.ParseUint(parts[2], 10, 48)
	if err != nil {
		return "", fmt.Errorf("directory: %q is no SID", s)
	}
	subs := make([]uint32, 0, sidMax)
	for _, p := range parts[3:] {
		v, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return "", fmt.Errorf("directory: %q is no SID", s)
		}
		subs = append(subs, uint32(v))
	}
	return NewSID(authority, subs...), nil
}

// RID is the last sub-authority; 0 for a SID without any.
func (s SID) RID() uint32 {
	if len(s) < 12 {
		return 0
	}
	return binary.LittleEndian.Uint32([]byte(s[len(s)-4:]))
}

// With is the SID of an account of this domain.
func (s SID) With(rid uint32) SID {
	b := []byte(s)
	b[1]++
	return SID(binary.LittleEndian.AppendUint32(b, rid))
}

// Domain is the SID without its RID.
func (s SID) Domain() SID {
	if len(s) < 12 {
		return s
	}
	b := []byte(s[:len(s)-4])
	b[1]--
	return SID(b)
}

// Bytes is the binary form.
func (s SID) Bytes() []byte { return []byte(s) }

// String is the text form.
func (s SID) String() string {
	if len(s) < 8 {
		return ""
	}
	b := []byte(s)
	var authority uint64
	for _, x := range b[2:8] {
		authority = authority<<8 | uint64(x)
	}
	out := "S-1-" + strconv.FormatUint(authority, 10)
	for b = b[8:]; len(b) >= 4; b = b[4:] {
		out += "-" + strconv.FormatUint(uint64(binary.LittleEndian.Uint32(b)), 10)
	}
	return out
}

// Well-known SIDs ([MS-DTYP] 2.4.2.4).
var (
	Everyone           = NewSID(1, 0)
	AnonymousLogon     = NewSID(5, 7)
	PrincipalSelf      = NewSID(5, 10)
	AuthenticatedUsers = NewSID(5, 11)
	LocalSystem        = NewSID(5, 18)
	Builtin            = NewSID(5, 32)
	Administrators     = Builtin.With(544)
)

// Well-known RIDs of a domain (the same section).
const (
	ridAdministrator     = 500
	ridGuest             = 501
	ridKrbtgt            = 502
	ridDomainAdmins      = 512
	ridDomainUsers       = 513
	ridDomainGuests      = 514
	ridDomainComputers   = 515
	ridDomainControllers = 516
	ridSchemaAdmins      = 518
	ridEnterpriseAdmins  = 519
	ridFirst             = 1000 // of the controllers' own accounts
)
