package scep

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/smallstep/pkcs7"
)

// SignerName is the subject of the self-signed certificate with which Windows signs requests when the key that is to
// be certified cannot sign them.
const SignerName = "SCEP Protocol Certificate"

// NewSigner makes the throw-away identity of a requester: key with a self-signed certificate that is valid from notBefore
// for life, serial number from rand.
// It costs one private-key operation. Replies are sealed to this certificate, so the key must be RSA; its public and
// private half may serve many devices, since nothing is trusted because of it.
func NewSigner(key crypto.Signer, notBefore time.Time, life time.Duration, rand io.Reader) (Identity, error) {
	serial := make([]byte, 16)
	if _, err := io.ReadFull(rand, serial); err != nil {
		return Identity{}, fmt.Errorf("scep: signer: %w", err)
	}
	serial[0] = serial[0]&0x7f | 0x40 // positive, and of the same length always
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial),
		Subject:      pkix.Name{CommonName: SignerName},
		NotBefore:    notBefore,
		NotAfter:     notBefore.Add(life),
	}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		return Identity{}, fmt.Errorf("scep: signer: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return Identity{}, fmt.Errorf("scep: signer: %w", err)
	}
	return Identity{Certificate: cert, Key: key}, nil
}

// MarshalCertificates writes a degenerate PKCS#7: certificates and nothing else. It is the answer to GetCACertChain
// and the content of a successful reply.
func MarshalCertificates(certs ...*x509.Certificate) ([]byte, error) {
	der, err := pkcs7.DegenerateCertificate(joinRaw(certs))
	if err != nil {
		return nil, fmt.Errorf("scep: certificates: %w", err)
	}
	return der, nil
}

// ParseCertificates reads the certificates of a PKCS#7, in order. None is an error.
func ParseCertificates(der []byte) (certs []*x509.Certificate, err error) {
	defer guard("scep: certificates", &err)
	p7, err := readCMS(der)
	if err != nil {
		return nil, fmt.Errorf("scep: certificates: %w", err)
	}
	if len(p7.Certificates) == 0 {
		return nil, errors.New("scep: certificates: there are none")
	}
	return p7.Certificates, nil
}

// Capabilities are the lines of a GetCACaps answer (RFC 8894 3.5.1).
type Capabilities []string

// Marshal writes one line each.
func (c Capabilities) Marshal() []byte { return []byte(strings.Join(c, "\n") + "\r\n") }

// Has tells whether a capability is offered. Case does not matter: servers differ.
func (c Capabilities) Has(name string) bool {
	return slices.ContainsFunc(c, func(line string) bool { return strings.EqualFold(line, name) })
}

// ParseCapabilities reads a GetCACaps answer; empty lines and blanks around a line are dropped.
func ParseCapabilities(text []byte) Capabilities {
	var out Capabilities
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}
