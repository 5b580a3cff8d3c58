package aik

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// TPMName says which TPM a certificate is about, in the form of its subject alternative name: a directory name with
// three attributes (TCG EK Credential Profile 3.2.9).
type TPMName struct {
	Manufacturer string // "id:49465800": four bytes of vendor id in hexadecimal
	Model        string // "SLB9670"
	Version      string // "id:00070055": firmware version in hexadecimal
}

// MarshalSAN writes the value of a subjectAltName extension, each attribute in a set of its own.
func (n TPMName) MarshalSAN() ([]byte, error) {
	var sequence []byte
	for _, a := range []struct {
		oid   asn1.ObjectIdentifier
		value string
	}{{oidTPMManufacturer, n.Manufacturer}, {oidTPMModel, n.Model}, {oidTPMVersion, n.Version}} {
		pair, err := asn1.Marshal(struct {
			Type  asn1.ObjectIdentifier
			Value string `asn1:"utf8"`
		}{a.oid, a.value})
		if err != nil {
			return nil, fmt.Errorf("aik: TPM name: %w", err)
		}
		sequence = append(sequence, nest(asn1.ClassUniversal, asn1.TagSet, pair)...)
	}
	name := nest(asn1.ClassUniversal, asn1.TagSequence, sequence)
	return nest(asn1.ClassUniversal, asn1.TagSequence, nest(asn1.ClassContextSpecific, 4, name)), nil
}

// ParseTPMSAN reads the value of a subjectAltName extension. Vendors put the three attributes into one set or into
// three, and other names beside them.
func ParseTPMSAN(der []byte) (TPMName, error) {
	var names []asn1.RawValue
	if err := unmarshalWhole(der, &names, ""); err != nil {
		return TPMName{}, fmt.Errorf("aik: TPM name: %w", err)
	}
	var out TPMName
	for _, general := range names {
		if general.Class != asn1.ClassContextSpecific || general.Tag != 4 {
			continue
		}
		var rdns pkix.RDNSequence
		if err := unmarshalWhole(general.Bytes, &rdns, ""); err != nil {
			return TPMName{}, fmt.Errorf("aik: TPM name: %w", err)
		}
		for _, set := range rdns {
			out.read(set)
		}
	}
	if out.Manufacturer == "" || out.Model == "" || out.Version == "" {
		return TPMName{}, errors.New("aik: TPM name: manufacturer, model or version is missing")
	}
	return out, nil
}

// TPMNameOf gives the TPM's name from an EK or AIK certificate.
func TPMNameOf(cert *x509.Certificate) (TPMName, error) {
	for _, e := range cert.Extensions {
		if e.Id.Equal(oidSubjectAltName) {
			return ParseTPMSAN(e.Value)
		}
	}
	return TPMName{}, errors.New("aik: TPM name: certificate has no subject alternative name")
}

// Vendor is the vendor's name as it stands in the service's host name, in lower case: "ifx", "stm", "ntc", "intc",
// "amd"; "" when the manufacturer is not an id of four letters.
func (n TPMName) Vendor() string {
	id, err := hex.DecodeString(strings.TrimPrefix(n.Manufacturer, "id:"))
	if err != nil || len(id) != 4 {
		return ""
	}
	return strings.ToLower(strings.TrimRight(string(id), "\x00 "))
}

func (n *TPMName) read(set pkix.RelativeDistinguishedNameSET) {
	for _, a := range set {
		value, _ := a.Value.(string)
		switch {
		case a.Type.Equal(oidTPMManufacturer):
			n.Manufacturer = value
		case a.Type.Equal(oidTPMModel):
			n.Model = value
		case a.Type.Equal(oidTPMVersion):
			n.Version = value
		}
	}
}

// nest wraps bytes under a tag. Marshalling a raw value with small numbers cannot fail.
func nest(class, tag int, inner []byte) []byte {
	der, _ := asn1.Marshal(asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: inner})
	return der
}
