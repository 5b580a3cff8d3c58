package krb5

import (
	"bytes"
	"encoding/asn1"
	"encoding/binary"
	"errors"
)

// Mechanisms by their object identifiers.
var (
	oidKerberos   = asn1.ObjectIdentifier{1, 2, 840, 113554, 1, 2, 2} // RFC 4121 4.1
	oidMSKerberos = asn1.ObjectIdentifier{1, 2, 840, 48018, 1, 2, 2}  // [MS-SPNG] 1.9: Windows 2000's mistake, kept since
	oidSPNEGO     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 2}        // RFC 4178
)

// Token identifiers (RFC 4121 4.1).
var (
	idAPRequest = []byte{1, 0}
	idAPReply   = []byte{2, 0}
	idError     = []byte{3, 0}
)

// ContextFlags are what the two ends of a security context want of it (RFC 4121
// 4.1.1.1).
type ContextFlags uint32

// The flags.
const (
	FlagDelegate        ContextFlags = 1
	FlagMutual          ContextFlags = 2
	FlagReplay          ContextFlags = 4
	FlagSequence        ContextFlags = 8
	FlagConfidentiality ContextFlags = 16
	FlagIntegrity       ContextFlags = 32
	FlagDCE             ContextFlags = 0x1000
)

// checksumGSS is the type of an authenticator's checksum that carries them.
const checksumGSS = 0x8003

var (
	errMech = errors.New("krb5: a mechanism other than Kerberos")
	errGSS  = errors.New("krb5: malformed GSS-API token")
)

// gssChecksum is RFC 4121's use of the authenticator's checksum, without channel
// bindings.
func gssChecksum(f ContextFlags) Checksum {
	b := make([]byte, 24)
	binary.LittleEndian.PutUint32(b, 16)
	binary.LittleEndian.PutUint32(b[20:], uint32(f))
	return Checksum{checksumGSS, b}
}

func flagsOfChecksum(c Checksum) (ContextFlags, error) {
	if c.Type != checksumGSS || len(c.Value) < 24 || binary.LittleEndian.Uint32(c.Value) != 16 {
		return 0, Refusal(ErrInappropriateCksum)
	}
	return ContextFlags(binary.LittleEndian.Uint32(c.Value[20:])), nil
}

// frame puts a token of a mechanism into the frame that every initial token has
// (RFC 2743 3.1).
func frame(mech asn1.ObjectIdentifier, inner ...[]byte) []byte {
	oid, _ := asn1.Marshal(mech) // constants of ours
	content := append(oid, bytes.Join(inner, nil)...)
	b, _ := asn1.Marshal(asn1.RawValue{Class: asn1.ClassApplication, Tag: 0, IsCompound: true, Bytes: content})
	return b
}

// unframe takes it off.
func unframe(t []byte) (asn1.ObjectIdentifier, []byte, error) {
	var v asn1.RawValue
	if rest, err := asn1.Unmarshal(t, &v); err != nil || len(rest) > 0 || v.Class != asn1.ClassApplication || v.Tag != 0 || !v.IsCompound {
		return nil, nil, errGSS
	}
	var mech asn1.ObjectIdentifier
	inner, err := asn1.Unmarshal(v.Bytes, &mech)
	if err != nil {
		return nil, nil, errGSS
	}
	return mech, inner, nil
}

// openToken gives what stands in a framed token of Kerberos with an identifier.
// A KRB-ERROR in its place is an *[Error].
func openToken(t, id []byte) ([]byte, error) {
	mech, inner, err := unframe(t)
	if err != nil {
		return nil, err
	}
	if !mech.Equal(oidKerberos) && !mech.Equal(oidMSKerberos) {
		return nil, errMech
	}
	if body, ok := bytes.CutPrefix(inner, idError); ok {
		e, err := DecodeError(body)
		if err != nil {
			return nil, err
		}
		return nil, e
	}
	body, ok := bytes.CutPrefix(inner, id)
	if !ok {
		return nil, errGSS
	}
	return body, nil
}
