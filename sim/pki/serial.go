package pki

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"math/big"
)

// serial digests what the certificate will say. The top bit is cleared and the next one set, so that the number is positive
// and always 16 bytes long (RFC 5280 4.1.2.2 allows up to 20).
func (ca *CA) serial(t *x509.Certificate, pub crypto.PublicKey) (*big.Int, error) {
	d := digest{sha256.New()}
	issuer, err := x509.MarshalPKIXPublicKey(ca.Key.Public())
	if err != nil {
		return nil, fmt.Errorf("serial: %w", err)
	}
	d.bytes(issuer)
	subject, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, fmt.Errorf("serial: %w", err)
	}
	d.bytes(subject)
	if err := d.template(t); err != nil {
		return nil, fmt.Errorf("serial: %w", err)
	}
	n := d.Sum(nil)[:16]
	n[0] = n[0]&0x7F | 0x40
	return new(big.Int).SetBytes(n), nil
}

// digest hashes length-prefixed fields, so that no two templates run together.
type digest struct{ hash.Hash }

func (d digest) bytes(b []byte) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(b)))
	d.Write(n[:])
	d.Write(b)
}

// template covers every member of a template that CreateCertificate reads and that can differ between two certificates of
// one key and one moment.
func (d digest) template(t *x509.Certificate) error {
	name := t.RawSubject
	if len(name) == 0 {
		var err error
		if name, err = asn1.Marshal(t.Subject.ToRDNSequence()); err != nil {
			return err
		}
	}
	d.bytes(name)
	uris := make([]string, len(t.URIs))
	for i, u := range t.URIs {
		uris[i] = u.String()
	}
	text, err := json.Marshal([]any{
		t.NotBefore.Unix(), t.NotAfter.Unix(), t.IsCA, t.MaxPathLen, t.MaxPathLenZero, t.KeyUsage, t.ExtKeyUsage, t.UnknownExtKeyUsage,
		t.DNSNames, t.EmailAddresses, t.IPAddresses, uris, t.PolicyIdentifiers, t.OCSPServer, t.IssuingCertificateURL,
		t.CRLDistributionPoints, t.SubjectKeyId, extensions(t.ExtraExtensions),
	})
	if err != nil {
		return err
	}
	d.bytes(text)
	return nil
}

func extensions(list []pkix.Extension) []string {
	var s []string
	for _, e := range list {
		s = append(s, fmt.Sprintf("%v %v %x", e.Id, e.Critical, e.Value))
	}
	return s
}
