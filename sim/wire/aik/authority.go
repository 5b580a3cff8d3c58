package aik

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"

	"windtunnel.test/sim/wire/scep"
)

// Subjects of the two certificates of the registration authority.
const (
	RASigningName    = "RA Signing Certificate"
	RAEncryptionName = "RA Encryption Certificate"
)

// Authority is what a device learns from GetCACertChain: whom to believe and to whom to encrypt. Whether the root is
// one that the device trusts, and whether the chain is valid now, is the device's to check.
type Authority struct {
	Root, Issuing       *x509.Certificate
	Signing, Encryption *x509.Certificate
}

// Marshal writes the answer to GetCACertChain: a degenerate PKCS#7 of the four.
func (a Authority) Marshal() ([]byte, error) {
	return scep.MarshalCertificates(a.Root, a.Issuing, a.Signing, a.Encryption)
}

// ParseAuthority reads the answer to GetCACertChain, in whatever order the certificates come.
//
// Every device asks, and the answer is the same for all that one service attests: the last few are kept. The result is
// not to be changed.
func ParseAuthority(der []byte) (*Authority, error) {
	k := sha256.Sum256(der)
	authorities.Lock()
	a, ok := authorities.read[k]
	authorities.Unlock()
	if ok {
		return a, nil
	}
	a, err := parseAuthority(der)
	if err != nil {
		return nil, err
	}
	authorities.Lock()
	defer authorities.Unlock()
	if len(authorities.read) >= keptAuthorities {
		clear(authorities.read)
	}
	authorities.read[k] = a
	return a, nil
}

var authorities = struct {
	sync.Mutex
	read map[[sha256.Size]byte]*Authority
}{read: map[[sha256.Size]byte]*Authority{}}

const keptAuthorities = 64

func parseAuthority(der []byte) (*Authority, error) {
	certs, err := scep.ParseCertificates(der)
	if err != nil {
		return nil, fmt.Errorf("aik: authority: %w", err)
	}
	var a Authority
	for _, c := range certs {
		switch {
		case c.Subject.CommonName == RASigningName:
			a.Signing = c
		case c.Subject.CommonName == RAEncryptionName:
			a.Encryption = c
		case c.IsCA && bytes.Equal(c.RawIssuer, c.RawSubject) && c.CheckSignatureFrom(c) == nil:
			a.Root = c
		case c.IsCA:
			a.Issuing = c
		}
	}
	if a.Root == nil || a.Issuing == nil || a.Signing == nil || a.Encryption == nil {
		return nil, errors.New("aik: authority: want root, issuing CA, RA signing and RA encryption certificates")
	}
	if _, ok := a.Encryption.PublicKey.(*rsa.PublicKey); !ok {
		return nil, fmt.Errorf("aik: authority: RA encryption key is %T, want RSA", a.Encryption.PublicKey)
	}
	return &a, nil
}

// Registrar is the service's side of an [Authority]: the identities of its registration authority. Signing may have
// an RSA or a P-256 key, Encryption must have an RSA one.
type Registrar struct {
	Signing, Encryption scep.Identity
}

// Capabilities is the service's answer to GetCACaps.
var Capabilities = scep.Capabilities{
	"SHA-256", "SHA-1", "AES256", "AES128", "DES3", "POSTPKIOperation", "IdentityKeyAttestation", "GetCaCertChain",
}
