package pki

import (
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"

	"windtunnel.test/sim/vclock"
)

// Options say how a certificate authority differs from the usual one. The zero value is the usual one.
type Options struct {
	Subject   pkix.Name     // empty: only a common name, the CA's name
	NotBefore time.Time     // zero: five years before now, since authorities are older than what they certify
	Life      time.Duration // zero: thirty years from NotBefore
	Key       crypto.Signer // nil: the P-256 key of (seed, "ca", name)
	OmitAKI   bool          // what it issues carries no authority key identifier, as some TPM vendors' EK certificates do
	Policies  []asn1.ObjectIdentifier
	EKU       []x509.ExtKeyUsage // empty: any
}

// Defaults of [Options]. They are ours: nothing in a run is meant to hang on an authority's own dates.
const (
	caAge  = 5 * 365 * 24 * time.Hour
	caLife = 30 * 365 * 24 * time.Hour
)

// CA is a certificate authority. It is immutable and safe for concurrent use as far as its Key is.
type CA struct {
	Name   string
	Cert   *x509.Certificate
	Key    crypto.Signer
	Parent *CA // nil for a root

	seed vclock.Seed
	o    Options
}

// NewRoot makes a self-signed authority. The same arguments give the same certificate, byte for byte.
func NewRoot(now time.Time, seed vclock.Seed, name string, o Options) (*CA, error) {
	return newCA(now, seed, name, o, nil)
}

// Sub makes an authority below ca. Its key is named after the whole path from the root.
func (ca *CA) Sub(now time.Time, name string, o Options) (*CA, error) {
	return newCA(now, ca.seed.Derive("sub", ca.Name), name, o, ca)
}

func newCA(now time.Time, seed vclock.Seed, name string, o Options, parent *CA) (*CA, error) {
	ca := &CA{Name: name, Key: o.Key, Parent: parent, seed: seed, o: o}
	if ca.Key == nil {
		ca.Key = Key(seed, "ca", name)
	}
	if o.Subject.String() == "" {
		o.Subject.CommonName = name
	}
	if o.NotBefore.IsZero() {
		o.NotBefore = now.Add(-caAge)
	}
	if o.Life == 0 {
		o.Life = caLife
	}
	tmpl := &x509.Certificate{
		Subject:               o.Subject,
		NotBefore:             o.NotBefore,
		NotAfter:              o.NotBefore.Add(o.Life),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
		PolicyIdentifiers:     o.Policies,
		ExtKeyUsage:           o.EKU,
	}
	issuer := parent
	if parent == nil {
		issuer = ca
	}
	cert, err := issuer.Issue(now, tmpl, ca.Key.Public())
	if err != nil {
		return nil, fmt.Errorf("pki: authority %q: %w", name, err)
	}
	ca.Cert = cert
	return ca, nil
}

// Issue certifies pub. It completes a copy of tmpl: a serial number of 16 bytes that is a digest of the issuer, the
// template and pub (so that issuing does not depend on what was issued before; asking for exactly the same again gives
// the same certificate), the subject key identifier of RFC 5280 4.2.1.2 (1), and NotBefore, which defaults to now.
// NotAfter has to be set: a life is a number of the timing profile, not of this package. Times are cut to whole seconds,
// as X.509 has them.
func (ca *CA) Issue(now time.Time, tmpl *x509.Certificate, pub crypto.PublicKey) (*x509.Certificate, error) {
	t := *tmpl
	if t.NotBefore.IsZero() {
		t.NotBefore = now
	}
	if t.NotAfter.IsZero() {
		return nil, errors.New("pki: issue: NotAfter is not set")
	}
	t.NotBefore, t.NotAfter = t.NotBefore.UTC().Truncate(time.Second), t.NotAfter.UTC().Truncate(time.Second)
	var err error
	if t.SubjectKeyId == nil {
		if t.SubjectKeyId, err = KeyID(pub); err != nil {
			return nil, fmt.Errorf("pki: issue: %w", err)
		}
	}
	if t.SerialNumber == nil {
		if t.SerialNumber, err = ca.serial(&t, pub); err != nil {
			return nil, fmt.Errorf("pki: issue: %w", err)
		}
	}
	parent := &t
	if ca.Cert != nil {
		parent = ca.issuer()
	}
	der, err := x509.CreateCertificate(nil, &t, parent, pub, ca.Key)
	if err != nil {
		return nil, fmt.Errorf("pki: issue: %w", err)
	}
	cert, err := Parse(der)
	if err != nil {
		return nil, fmt.Errorf("pki: issue: %w", err)
	}
	if ca.Cert != nil { // CreateCertificate has checked the signature
		remember(cert, ca.Cert)
	}
	return cert, nil
}

// issuer is the authority's certificate as CreateCertificate should see it: it copies the subject key identifier into the
// authority key identifier of what it signs, and leaves the extension out when there is none.
func (ca *CA) issuer() *x509.Certificate {
	if !ca.o.OmitAKI {
		return ca.Cert
	}
	bare := *ca.Cert
	bare.SubjectKeyId = nil
	return &bare
}

// Chain is the authority's own certificate, its parent's, and so on to the root.
func (ca *CA) Chain() []*x509.Certificate {
	var chain []*x509.Certificate
	for ; ca != nil; ca = ca.Parent {
		chain = append(chain, ca.Cert)
	}
	return chain
}

// Root is the authority at the top, itself for a root.
func (ca *CA) Root() *CA {
	for ca.Parent != nil {
		ca = ca.Parent
	}
	return ca
}

// Pool holds the root above ca: what a verifier trusts.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.Root().Cert)
	return pool
}

// Intermediates holds the authorities from ca up to but not including the root: what a holder sends along.
func (ca *CA) Intermediates() *x509.CertPool {
	pool := x509.NewCertPool()
	for ; ca.Parent != nil; ca = ca.Parent {
		pool.AddCert(ca.Cert)
	}
	return pool
}

// KeyID is the SHA-1 of the public key's bits without tag, length and unused-bit count (RFC 5280 4.2.1.2, method 1). It is
// what subject and authority key identifiers hold, and what the name of a TPM vendor's attestation host is made of.
func KeyID(pub crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, fmt.Errorf("key identifier: %w", err)
	}
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		PublicKey asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &spki); err != nil {
		return nil, fmt.Errorf("key identifier: %w", err)
	}
	sum := sha1.Sum(spki.PublicKey.Bytes)
	return sum[:], nil
}
