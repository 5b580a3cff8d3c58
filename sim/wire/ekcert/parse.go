package ekcert

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
)

// What Parse lets pass.
const (
	StoredHeader  = "TCG stored-certificate header before the certificate"
	Trailing      = "bytes after the certificate"
	ExplicitFalse = "critical FALSE written out"
	NegativeID    = "negative serial number"
	OAEPKey       = "key of algorithm RSAES-OAEP"
	NoKeyID       = "no authority key identifier"
)

// Certificate is an EK certificate.
type Certificate struct {
	*x509.Certificate          // Raw and RawTBSCertificate are the vendor's bytes
	Tolerated         []string // what is odd about it, in the words above
}

var (
	oidOAEP = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 7}
	oidRSA  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
)

// Parse reads what stands at an EK certificate's NV index, or what a vendor's
// host answered.
func Parse(b []byte) (*Certificate, error) {
	out := &Certificate{}
	b, stored, err := unwrap(b)
	if err != nil {
		return nil, fmt.Errorf("ekcert: %w", err)
	}
	if stored {
		out.tolerate(StoredHeader)
	}
	var outer asn1.RawValue
	rest, err := asn1.Unmarshal(b, &outer)
	if err != nil || outer.Class != asn1.ClassUniversal || outer.Tag != asn1.TagSequence || !outer.IsCompound {
		return nil, fmt.Errorf("ekcert: not a certificate: %w", errors.Join(errShape, err))
	}
	if len(rest) > 0 {
		out.tolerate(Trailing)
	}
	strict, tbs, err := out.straighten(outer.FullBytes)
	if err != nil {
		return nil, fmt.Errorf("ekcert: %w", err)
	}
	if out.Certificate, err = x509.ParseCertificate(strict); err != nil {
		return nil, fmt.Errorf("ekcert: %w", err)
	}
	out.Raw, out.RawTBSCertificate = outer.FullBytes, tbs
	if len(out.AuthorityKeyId) == 0 {
		out.tolerate(NoKeyID)
	}
	return out, nil
}

func (c *Certificate) tolerate(what string) {
	for _, t := range c.Tolerated {
		if t == what {
			return
		}
	}
	c.Tolerated = append(c.Tolerated, what)
}

var errShape = errors.New("the structure is not that of a certificate")

// unwrap takes off the header of a TCG_PCCLIENT_STORED_CERT with a full
// certificate (TCG PC Client Specific Implementation Specification for
// Conventional BIOS, section 7.3): tag 0x1001, type 0, size.
func unwrap(b []byte) (rest []byte, stored bool, err error) {
	if len(b) < 5 || binary.BigEndian.Uint16(b) != 0x1001 {
		return b, false, nil
	}
	size := int(binary.BigEndian.Uint16(b[3:]))
	if b[2] != 0 || 5+size > len(b) {
		return nil, false, errors.New("the stored certificate is not a full one")
	}
	return bytes.TrimPrefix(b[5:5+size], []byte{0x10, 0x02}), true, nil // TCG_FULL_CERT
}

// Places in a TBSCertificate that begins with a version (RFC 5280, section
// 4.1): serial number, subject public key, and the first that is optional.
const (
	placeSerial   = 1
	placeKey      = 6
	placeOptional = 7
)

// straighten makes strict DER of a certificate, as far as it is known to
// differ. tbs is the part that was signed, as it was.
func (c *Certificate) straighten(der []byte) (strict, tbs []byte, err error) {
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		return nil, nil, err
	}
	parts, err := Elements(outer.Bytes)
	if err != nil || len(parts) != 3 {
		return nil, nil, errors.Join(errShape, err)
	}
	tbs = parts[0].FullBytes
	fields, err := Elements(parts[0].Bytes)
	if err != nil || len(fields) <= placeKey || fields[0].Class != asn1.ClassContextSpecific {
		return nil, nil, errors.Join(errShape, err)
	}
	if serial := fields[placeSerial].Bytes; len(serial) > 0 && serial[0]&0x80 != 0 {
		c.tolerate(NegativeID)
		fields[placeSerial] = asn1.RawValue{Tag: asn1.TagInteger, Bytes: append([]byte{0}, serial...)}
	}
	if fields[placeKey], err = c.plainKey(fields[placeKey]); err != nil {
		return nil, nil, err
	}
	for i := placeOptional; i < len(fields); i++ {
		if fields[i].Class == asn1.ClassContextSpecific && fields[i].Tag == 3 {
			if fields[i], err = c.plainExtensions(fields[i]); err != nil {
				return nil, nil, err
			}
		}
	}
	plain, err := asn1.Marshal(fields)
	if err != nil {
		return nil, nil, err
	}
	strict, err = asn1.Marshal([]asn1.RawValue{{FullBytes: plain}, parts[1], parts[2]})
	return strict, tbs, err
}

// plainKey calls an RSA key that is declared for OAEP an RSA key.
func (c *Certificate) plainKey(spki asn1.RawValue) (asn1.RawValue, error) {
	var key struct {
		Algorithm struct {
			OID        asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Bits asn1.BitString
	}
	if _, err := asn1.Unmarshal(spki.FullBytes, &key); err != nil {
		return spki, errors.Join(errShape, err)
	}
	if !key.Algorithm.OID.Equal(oidOAEP) {
		return spki, nil
	}
	c.tolerate(OAEPKey)
	key.Algorithm.OID, key.Algorithm.Parameters = oidRSA, asn1.NullRawValue
	der, err := asn1.Marshal(key)
	return asn1.RawValue{FullBytes: der}, err
}

// plainExtensions leaves out "critical FALSE".
func (c *Certificate) plainExtensions(field asn1.RawValue) (asn1.RawValue, error) {
	var list asn1.RawValue
	if _, err := asn1.Unmarshal(field.Bytes, &list); err != nil {
		return field, errors.Join(errShape, err)
	}
	extensions, err := Elements(list.Bytes)
	if err != nil {
		return field, errors.Join(errShape, err)
	}
	for i, e := range extensions {
		parts, err := Elements(e.Bytes)
		if err != nil {
			return field, errors.Join(errShape, err)
		}
		if len(parts) == 3 && parts[1].Tag == asn1.TagBoolean && bytes.Equal(parts[1].Bytes, []byte{0}) {
			c.tolerate(ExplicitFalse)
			der, err := asn1.Marshal([]asn1.RawValue{parts[0], parts[2]})
			if err != nil {
				return field, err
			}
			extensions[i] = asn1.RawValue{FullBytes: der}
		}
	}
	der, err := asn1.Marshal(extensions)
	if err != nil {
		return field, err
	}
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 3, IsCompound: true, Bytes: der}, nil
}

// Elements takes the contents of a constructed value apart.
func Elements(b []byte) (list []asn1.RawValue, err error) {
	for len(b) > 0 {
		var v asn1.RawValue
		if b, err = asn1.Unmarshal(b, &v); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}
