package hwhash

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// UUID is a system UUID in SMBIOS wire order: the first three groups of the text form are little-endian
// (DMTF DSP0134 7.2.1).
type UUID [16]byte

// IsZero reports whether no UUID is set, as on boards that were never provisioned.
func (u UUID) IsZero() bool { return u == UUID{} }

// String gives the lower-case text form that Windows shows.
func (u UUID) String() string {
	return fmt.Sprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%x-%x",
		u[3], u[2], u[1], u[0], u[5], u[4], u[7], u[6], u[8:10], u[10:16])
}

// ParseUUID reads the text form, in either letter case.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	plain := strings.ReplaceAll(s, "-", "")
	if len(s) != 36 || len(plain) != 32 {
		return u, fmt.Errorf("hwhash: %q is not a UUID of the form 8-4-4-4-12", s)
	}
	b, err := hex.DecodeString(plain)
	if err != nil {
		return u, fmt.Errorf("hwhash: parse UUID %q: %w", s, err)
	}
	copy(u[:], b)
	u[0], u[1], u[2], u[3] = u[3], u[2], u[1], u[0]
	u[4], u[5] = u[5], u[4]
	u[6], u[7] = u[7], u[6]
	return u, nil
}

// TPMText is the parts of record 13.
type TPMText struct {
	Version  string // "2.0"
	Level    string // "0"
	Revision string // "1.38"
	VendorID string // four characters, "IFX "
	Firmware string // "7.85.4555.0" or "15.22"
}

// String gives the text as Windows writes it into the hash and into the PlatformType header of AIK requests.
func (t TPMText) String() string {
	return fmt.Sprintf("TPM-Version:%s -Level:%s-Revision:%s-VendorID:'%s'-Firmware:%s",
		t.Version, t.Level, t.Revision, t.VendorID, t.Firmware)
}

var tpmText = regexp.MustCompile(`^TPM-Version:(\S+) ?-Level:([^-]*)-Revision:([^-]*)-VendorID:'([^']*)'-Firmware:(.*)$`)

// ParseTPMText reads a record 13.
func ParseTPMText(s string) (TPMText, error) {
	m := tpmText.FindStringSubmatch(s)
	if m == nil {
		return TPMText{}, fmt.Errorf("hwhash: %q is not a TPM description", s)
	}
	return TPMText{m[1], m[2], m[3], m[4], m[5]}, nil
}
