package tpmattest

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"fmt"

	"windtunnel.test/sim/wire/ekcert"
)

// maxExtraEKCertificates is how many certificates may follow the EK certificate (MS-WCCE 2.2.2.7.12).
const maxExtraEKCertificates = 3

// EKInfo is what a device tells a certificate authority about its endorsement key, inside an encrypted attribute
// (szOID_ENROLL_EK_INFO, MS-WCCE 2.2.2.7.12).
type EKInfo struct {
	// Key is the EK: *rsa.PublicKey or *ecdsa.PublicKey.
	Key crypto.PublicKey
	// Certificate is the EK certificate as it stands in NV, DER or nearly so; nil when the TPM has none.
	Certificate []byte
	// Extra are up to three more EK certificates, DER.
	Extra [][]byte
}

// Marshal writes SEQUENCE { SubjectPublicKeyInfo, Certificate or NULL, up to three Certificates }.
func (e EKInfo) Marshal() ([]byte, error) {
	if len(e.Extra) > maxExtraEKCertificates {
		return nil, fmt.Errorf("tpmattest: EK info: %d extra certificates, at most %d", len(e.Extra), maxExtraEKCertificates)
	}
	cert := e.Certificate
	if cert == nil {
		cert = asn1.NullBytes
	}
	return marshalKeyInfo(e.Key, append([][]byte{cert}, e.Extra...))
}

// ParseEKInfo reads what [EKInfo.Marshal] writes. Certificates are cut out and not parsed: real EK certificates are
// not always strict DER, and who issues AIK certificates decides what becomes of such a one.
func ParseEKInfo(b []byte) (EKInfo, error) {
	key, items, err := parseKeyInfo(b)
	if err != nil {
		return EKInfo{}, refuse(CheckFormat, "EK info: %w", err)
	}
	if len(items) > 1+maxExtraEKCertificates {
		return EKInfo{}, refuse(CheckFormat, "EK info: %d extra certificates", len(items)-1)
	}
	out := EKInfo{Key: key}
	for i, item := range items {
		switch {
		case i == 0 && item.Tag == asn1.TagNull && item.Class == asn1.ClassUniversal:
		case i == 0:
			out.Certificate = item.FullBytes
		default:
			out.Extra = append(out.Extra, item.FullBytes)
		}
	}
	return out, nil
}

// ParseCertificate gives the EK certificate, which must be about the EK that was sent beside it. What vendors' certificates
// get wrong is let pass (package ekcert).
func (e EKInfo) ParseCertificate() (*x509.Certificate, error) {
	if e.Certificate == nil {
		return nil, refuse(CheckCertificate, "no EK certificate")
	}
	cert, err := ekcert.Parse(e.Certificate)
	if err != nil {
		return nil, refuse(CheckCertificate, "EK certificate: %w", err)
	}
	if !SameKey(cert.PublicKey, e.Key) {
		return nil, refuse(CheckKey, "EK certificate is about another key")
	}
	return cert.Certificate, nil
}

// AIKInfo names the AIK that vouches for a key, inside an encrypted attribute (szOID_ENROLL_AIK_INFO,
// MS-WCCE 2.2.2.7.15).
type AIKInfo struct {
	Key         crypto.PublicKey
	Certificate []byte // DER; nil when there is none
}

// Marshal writes SEQUENCE { SubjectPublicKeyInfo, Certificate when there is one }.
func (a AIKInfo) Marshal() ([]byte, error) {
	if a.Certificate == nil {
		return marshalKeyInfo(a.Key, nil)
	}
	return marshalKeyInfo(a.Key, [][]byte{a.Certificate})
}

// ParseAIKInfo reads what [AIKInfo.Marshal] writes.
func ParseAIKInfo(b []byte) (AIKInfo, error) {
	key, items, err := parseKeyInfo(b)
	if err != nil {
		return AIKInfo{}, refuse(CheckFormat, "AIK info: %w", err)
	}
	switch len(items) {
	case 0:
		return AIKInfo{Key: key}, nil
	case 1:
		return AIKInfo{Key: key, Certificate: items[0].FullBytes}, nil
	}
	return AIKInfo{}, refuse(CheckFormat, "AIK info: %d certificates", len(items))
}

func marshalKeyInfo(key crypto.PublicKey, items [][]byte) ([]byte, error) {
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("tpmattest: key info: %w", err)
	}
	seq := []asn1.RawValue{{FullBytes: spki}}
	for _, item := range items {
		seq = append(seq, asn1.RawValue{FullBytes: item})
	}
	b, err := asn1.Marshal(seq)
	if err != nil {
		return nil, fmt.Errorf("tpmattest: key info: %w", err)
	}
	return b, nil
}

func parseKeyInfo(b []byte) (crypto.PublicKey, []asn1.RawValue, error) {
	var seq []asn1.RawValue
	rest, err := asn1.Unmarshal(b, &seq)
	switch {
	case err != nil:
		return nil, nil, err
	case len(rest) != 0:
		return nil, nil, fmt.Errorf("%d bytes follow", len(rest))
	case len(seq) == 0:
		return nil, nil, fmt.Errorf("no public key")
	}
	key, err := x509.ParsePKIXPublicKey(seq[0].FullBytes)
	if err != nil {
		return nil, nil, err
	}
	return key, seq[1:], nil
}
