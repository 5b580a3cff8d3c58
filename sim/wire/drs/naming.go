package drs

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Private extensions of a device certificate, below 1.2.840.113556.1.5.284
// ([MS-DVRJ] 2.2.2.1; those of the cloud after published certificate dumps).
var (
	OIDDeviceID = private(2) // GUID: device id
	OIDUserID   = private(3) // GUID: object id of the joining user
	OIDTenantID = private(5) // GUID: tenant id; AD FS uses .4 for its domain
	OIDJoinKind = private(7) // text: "0" registered, "1" joined
	OIDRegion   = private(8) // text: NA, EU, AS, ...
)

func private(n int) asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113556, 1, 5, 284, n}
}

// IssuerName is the name that signs device certificates.
func IssuerName() pkix.Name {
	dc := func(v string) pkix.AttributeTypeAndValue {
		return pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}, Value: v}
	}
	return pkix.Name{
		CommonName:         "MS-Organization-Access",
		OrganizationalUnit: []string{"82dbaca4-3e81-46ca-9c73-0950c1eaca97"},
		ExtraNames:         []pkix.AttributeTypeAndValue{dc("windows"), dc("net")},
	}
}

// Identity is what a device certificate says. UserID is empty for a join
// without a user.
type Identity struct {
	DeviceID, UserID, TenantID string // GUIDs
	Joined                     bool   // false: registered (workplace)
	Region                     string // "" leaves the extension out
}

// Extensions codes the identity. GUIDs travel in Windows' mixed byte order
// inside an OCTET STRING with a two-byte length (04 81 10), as real ones do.
func (id Identity) Extensions() ([]pkix.Extension, error) {
	var out []pkix.Extension
	add := func(oid asn1.ObjectIdentifier, v []byte) {
		out = append(out, pkix.Extension{Id: oid, Value: append([]byte{asn1.TagOctetString, 0x81, byte(len(v))}, v...)})
	}
	for _, g := range []struct {
		oid  asn1.ObjectIdentifier
		guid string
	}{{OIDDeviceID, id.DeviceID}, {OIDUserID, id.UserID}, {OIDTenantID, id.TenantID}} {
		if g.guid == "" && g.oid.Equal(OIDUserID) {
			continue
		}
		b, err := GUIDBytes(g.guid)
		if err != nil {
			return nil, fmt.Errorf("drs: certificate extension %v: %w", g.oid, err)
		}
		add(g.oid, b[:])
	}
	kind := "0"
	if id.Joined {
		kind = "1"
	}
	add(OIDJoinKind, []byte(kind))
	if id.Region != "" {
		add(OIDRegion, []byte(id.Region))
	}
	return out, nil
}

// ParseIdentity reads the extensions of a device certificate and checks that
// the common name is the device id that the extension names.
func ParseIdentity(cert *x509.Certificate) (Identity, error) {
	var id Identity
	for _, e := range cert.Extensions {
		v := octets(e.Value)
		switch {
		case e.Id.Equal(OIDDeviceID):
			id.DeviceID = guidText(v)
		case e.Id.Equal(OIDUserID):
			id.UserID = guidText(v)
		case e.Id.Equal(OIDTenantID):
			id.TenantID = guidText(v)
		case e.Id.Equal(OIDJoinKind):
			id.Joined = string(v) == "1"
		case e.Id.Equal(OIDRegion):
			id.Region = string(v)
		}
	}
	if id.DeviceID == "" || id.TenantID == "" {
		return Identity{}, errors.New("drs: certificate names no device or no tenant")
	}
	if !strings.EqualFold(cert.Subject.CommonName, id.DeviceID) {
		return Identity{}, fmt.Errorf("drs: certificate subject %q is not device %s", cert.Subject.CommonName, id.DeviceID)
	}
	return id, nil
}

// octets strips the OCTET STRING wrapper in its short (04 10) and long
// (04 81 10) form; bytes without one are returned as they are.
func octets(b []byte) []byte {
	switch {
	case len(b) >= 3 && b[0] == asn1.TagOctetString && b[1] == 0x81 && int(b[2]) == len(b)-3:
		return b[3:]
	case len(b) >= 2 && b[0] == asn1.TagOctetString && int(b[1]) == len(b)-2:
		return b[2:]
	}
	return b
}

func guidText(b []byte) string {
	if len(b) != 16 {
		return ""
	}
	return FormatGUID([16]byte(b))
}

// GUIDBytes codes a GUID's text (with or without braces) in Windows' memory
// order: the first three groups little-endian, the rest as written.
func GUIDBytes(guid string) ([16]byte, error) {
	s := strings.TrimSuffix(strings.TrimPrefix(guid, "{"), "}")
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return [16]byte{}, fmt.Errorf("drs: %q is not a GUID", guid)
	}
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(b) != 16 {
		return [16]byte{}, fmt.Errorf("drs: %q is not a GUID", guid)
	}
	return swap([16]byte(b)), nil
}

// FormatGUID is the inverse of [GUIDBytes], in lower case without braces.
func FormatGUID(b [16]byte) string {
	b = swap(b)
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// swap turns the first three groups between their two byte orders.
func swap(b [16]byte) [16]byte {
	b[0], b[1], b[2], b[3] = b[3], b[2], b[1], b[0]
	b[4], b[5] = b[5], b[4]
	b[6], b[7] = b[7], b[6]
	return b
}

// SID is the security identifier of a cloud principal: S-1-12-1- and the four
// little-endian words of its object id ([MS-DTYP] 2.4.2.4, authority 12).
func SID(objectID string) (string, error) {
	b, err := GUIDBytes(objectID)
	if err != nil {
		return "", err
	}
	w := func(i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }
	return fmt.Sprintf("S-1-12-1-%d-%d-%d-%d", w(0), w(1), w(2), w(3)), nil
}

// AdministratorsSID is the local group that MembershipChanges names.
const AdministratorsSID = "S-1-5-32-544"
