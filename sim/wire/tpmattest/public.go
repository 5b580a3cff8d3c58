package tpmattest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/binary"
	"math/big"

	"github.com/google/go-tpm/tpm2"
)

// Public is the public area of a TPM object: its template, attributes and public key.
type Public struct {
	// Area is the decoded TPMT_PUBLIC. Read only: Name and Key belong to the bytes that were parsed.
	Area tpm2.TPMTPublic
	// Name is the nameAlg (two bytes, big-endian) followed by the digest of TPMT_PUBLIC (part 1, 16 Names).
	Name []byte
	// Key is *rsa.PublicKey or *ecdsa.PublicKey.
	Key crypto.PublicKey

	raw []byte
}

// ParsePublic reads a TPM2B_PUBLIC, or a bare TPMT_PUBLIC, of an RSA or ECC P-256 key with a SHA-256 Name.
func ParsePublic(b []byte) (*Public, error) {
	raw := bytes.Clone(unsize(b))
	if area := plainRSA(raw); area != nil {
		key, err := publicKey(area)
		if err != nil {
			return nil, err
		}
		return &Public{Area: *area, Name: nameOf(raw), Key: key, raw: raw}, nil
	}
	area, err := decode[tpm2.TPMTPublic](raw)
	if err != nil {
		return nil, refuse(CheckFormat, "TPMT_PUBLIC: %w", err)
	}
	if area.NameAlg != tpm2.TPMAlgSHA256 {
		return nil, refuse(CheckAlgorithm, "nameAlg %#04x, want SHA-256", uint16(area.NameAlg))
	}
	key, err := publicKey(area)
	if err != nil {
		return nil, err
	}
	name, err := tpm2.ObjectName(area)
	if err != nil {
		return nil, refuse(CheckFormat, "name: %w", err)
	}
	return &Public{Area: *area, Name: name.Buffer, Key: key, raw: raw}, nil
}

// Marshal gives the public area as TPM2B_PUBLIC.
func (p *Public) Marshal() []byte { return sized(p.raw) }

// Is tells whether the public area's key is pub, for example the key of a certificate or of a signing request.
func (p *Public) Is(pub crypto.PublicKey) bool { return SameKey(p.Key, pub) }

// SameKey tells whether two RSA or ECDSA public keys are equal. Other and nil keys are equal to none.
func SameKey(a, b crypto.PublicKey) bool {
	switch a := a.(type) {
	case *rsa.PublicKey:
		return a != nil && a.Equal(b)
	case *ecdsa.PublicKey:
		return a != nil && a.Equal(b)
	}
	return false
}

func publicKey(area *tpm2.TPMTPublic) (crypto.PublicKey, error) {
	switch area.Type {
	case tpm2.TPMAlgRSA:
		return rsaKey(area)
	case tpm2.TPMAlgECC:
		return eccKey(area)
	}
	return nil, refuse(CheckAlgorithm, "key type %#04x, want RSA or ECC", uint16(area.Type))
}

func rsaKey(area *tpm2.TPMTPublic) (crypto.PublicKey, error) {
	parms, err := area.Parameters.RSADetail()
	if err != nil {
		return nil, refuse(CheckFormat, "RSA parameters: %w", err)
	}
	unique, err := area.Unique.RSA()
	if err != nil {
		return nil, refuse(CheckFormat, "RSA modulus: %w", err)
	}
	// A template or a public area with a short or even modulus is no key; crypto/rsa would refuse it only later.
	n := new(big.Int).SetBytes(unique.Buffer)
	if n.BitLen() != int(parms.KeyBits) || n.Bit(0) == 0 || parms.KeyBits < 1024 || parms.KeyBits > 4096 {
		return nil, refuse(CheckFormat, "RSA modulus of %d bits in a key of %d bits", n.BitLen(), parms.KeyBits)
	}
	if parms.Exponent != 0 && parms.Exponent != 65537 {
		return nil, refuse(CheckAlgorithm, "RSA exponent %d", parms.Exponent)
	}
	return &rsa.PublicKey{N: n, E: 65537}, nil
}

func eccKey(area *tpm2.TPMTPublic) (crypto.PublicKey, error) {
	parms, err := area.Parameters.ECCDetail()
	if err != nil {
		return nil, refuse(CheckFormat, "ECC parameters: %w", err)
	}
	if parms.CurveID != tpm2.TPMECCNistP256 {
		return nil, refuse(CheckAlgorithm, "curve %#04x, want P-256", uint16(parms.CurveID))
	}
	point, err := area.Unique.ECC()
	if err != nil {
		return nil, refuse(CheckFormat, "ECC point: %w", err)
	}
	if len(point.X.Buffer) > 32 || len(point.Y.Buffer) > 32 {
		return nil, refuse(CheckFormat, "ECC coordinate of %d and %d bytes", len(point.X.Buffer), len(point.Y.Buffer))
	}
	sec1 := make([]byte, 65)
	sec1[0] = 4
	copy(sec1[33-len(point.X.Buffer):33], point.X.Buffer)
	copy(sec1[65-len(point.Y.Buffer):], point.Y.Buffer)
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), sec1)
	if err != nil {
		return nil, refuse(CheckFormat, "ECC point: %w", err)
	}
	return key, nil
}

// decode unmarshals a whole structure. The library takes what is cut off inside a sized buffer for empty and does not
// mind bytes that follow, so what was read must encode back to itself.
func decode[T tpm2.Marshallable, P interface {
	*T
	tpm2.Unmarshallable
}](b []byte) (*T, error) {
	v, err := tpm2.Unmarshal[T, P](b)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(tpm2.Marshal(*v), b) {
		return nil, errNotCanonical
	}
	return v, nil
}

// unsize removes the size of a TPM2B structure where b is one. A bare structure of this package starts with an
// algorithm or with the magic, and neither can be its own length less two.
func unsize(b []byte) []byte {
	if len(b) >= 2 && int(binary.BigEndian.Uint16(b)) == len(b)-2 {
		return b[2:]
	}
	return b
}

func sized(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(b)), uint16(len(b))), b...)
}
