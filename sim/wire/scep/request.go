package scep

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

// Names of the operations in a request's query (RFC 8894 4).
const (
	OpGetCACaps    = "GetCACaps"
	OpGetCACert    = "GetCACert"
	OpPKIOperation = "PKIOperation"
)

// Media types of answers (RFC 8894 4).
const (
	TypeCapabilities = "text/plain"
	TypeCACert       = "application/x-x509-ca-cert"
	TypeCARACert     = "application/x-x509-ca-ra-cert"
	TypePKIMessage   = "application/x-pki-message"
)

// Paths of a server below its root, as Windows' Network Device Enrollment Service and other servers have them.
const (
	NDESPath  = "/certsrv/mscep/mscep.dll"
	PKIClient = NDESPath + "/pkiclient.exe"
	AdminPath = "/certsrv/mscep_admin"
)

// oidChallenge is challengePassword (RFC 2985 5.4.1).
var oidChallenge = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 7}

// Challenge is the challengePassword of a certificate request, "" if it has none.
func Challenge(csr *x509.CertificateRequest) (string, error) {
	var info struct {
		Raw        asn1.RawContent
		Version    int
		Subject    asn1.RawValue
		PublicKey  asn1.RawValue
		Attributes []asn1.RawValue `asn1:"tag:0,set"`
	}
	if _, err := asn1.Unmarshal(csr.RawTBSCertificateRequest, &info); err != nil {
		return "", fmt.Errorf("scep: request attributes: %w", err)
	}
	for _, raw := range info.Attributes {
		var attr struct {
			Type   asn1.ObjectIdentifier
			Values []asn1.RawValue `asn1:"set"`
		}
		if _, err := asn1.Unmarshal(raw.FullBytes, &attr); err != nil {
			return "", fmt.Errorf("scep: request attributes: %w", err)
		}
		if !attr.Type.Equal(oidChallenge) {
			continue
		}
		var text string
		if len(attr.Values) != 1 {
			return "", errors.New("scep: challengePassword has not one value")
		}
		if _, err := asn1.Unmarshal(attr.Values[0].FullBytes, &text); err != nil {
			return "", fmt.Errorf("scep: challengePassword: %w", err)
		}
		return text, nil
	}
	return "", nil
}

// AddChallenge writes a PKCS#10 request anew with a challengePassword, and has it signed by key again. The standard
// library's requests cannot carry one.
func AddChallenge(csr []byte, challenge string, sign func(tbs []byte) (signature []byte, err error)) ([]byte, error) {
	var outer struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(csr, &outer); err != nil {
		return nil, fmt.Errorf("scep: add challenge: %w", err)
	}
	var info struct {
		Version    int
		Subject    asn1.RawValue
		PublicKey  asn1.RawValue
		Attributes []asn1.RawValue `asn1:"tag:0,set"`
	}
	if _, err := asn1.Unmarshal(outer.TBS.FullBytes, &info); err != nil {
		return nil, fmt.Errorf("scep: add challenge: %w", err)
	}
	var set attributeSet
	for _, a := range info.Attributes {
		set.encoded = append(set.encoded, bytes.Clone(a.FullBytes))
	}
	set.add(oidChallenge, "printable", challenge)
	attrs, err := set.marshal()
	if err != nil {
		return nil, fmt.Errorf("scep: add challenge: %w", err)
	}
	attrs[0] = 0xA0
	tbs, err := asn1.Marshal(struct {
		Version            int
		Subject, PublicKey asn1.RawValue
		Attributes         asn1.RawValue
	}{info.Version, info.Subject, info.PublicKey, asn1.RawValue{FullBytes: attrs}})
	if err != nil {
		return nil, fmt.Errorf("scep: add challenge: %w", err)
	}
	signature, err := sign(tbs)
	if err != nil {
		return nil, fmt.Errorf("scep: add challenge: %w", err)
	}
	der, err := asn1.Marshal(struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}{asn1.RawValue{FullBytes: tbs}, outer.Algorithm, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
	if err != nil {
		return nil, fmt.Errorf("scep: add challenge: %w", err)
	}
	return der, nil
}

// ParseIssuerAndSerial reads the content of a GetCert request (RFC 8894 3.3.4): the issuer's name in DER, and the number.
func ParseIssuerAndSerial(der []byte) (issuer []byte, serial *big.Int, err error) {
	var v issuerAndSerial
	if rest, err := asn1.Unmarshal(der, &v); err != nil || len(rest) > 0 {
		return nil, nil, errors.New("scep: issuer and serial number: malformed")
	}
	return v.Issuer.FullBytes, v.Serial, nil
}

// MarshalIssuerAndSerial writes that of a certificate.
func MarshalIssuerAndSerial(cert *x509.Certificate) ([]byte, error) {
	return asn1.Marshal(identify(cert))
}

// ParseIssuerAndSubject reads the content of a CertPoll request (RFC 8894 3.3.3), two names in DER.
func ParseIssuerAndSubject(der []byte) (issuer, subject []byte, err error) {
	var v struct{ Issuer, Subject asn1.RawValue }
	if rest, err := asn1.Unmarshal(der, &v); err != nil || len(rest) > 0 {
		return nil, nil, errors.New("scep: issuer and subject: malformed")
	}
	return v.Issuer.FullBytes, v.Subject.FullBytes, nil
}

// MarshalIssuerAndSubject writes it.
func MarshalIssuerAndSubject(issuer, subject []byte) ([]byte, error) {
	return asn1.Marshal(struct{ Issuer, Subject asn1.RawValue }{asn1.RawValue{FullBytes: issuer}, asn1.RawValue{FullBytes: subject}})
}
