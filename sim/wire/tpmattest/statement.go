package tpmattest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2"
)

// Constants of the KeyAttestationStatement (MS-WCCE 2.2.2.5). Headers are little-endian.
const (
	statementMagic      = 0x5453414B // "KAST"
	keyAttestationMagic = 0x5344414B // "KADS"
	statementVersion    = 1
	platformTPM2        = 2
	statementHeader     = 28
	keyAttestationHead  = 24
	// maxPart bounds every length in a header, far above what a TPM can produce.
	maxPart = 64 << 10
)

var errShort = errors.New("truncated")

// Statement is a KeyAttestationStatement: the AIK's own birth certificate (IDBinding, when the EK is to be
// challenged), or the AIK's word for another key (KeyAttestation), or both.
type Statement struct {
	IDBinding      []byte // see [IDBinding]
	KeyAttestation []byte // see [KeyAttestation]
	AIKOpaque      []byte // provider's own bytes; Windows leaves it empty
}

// Marshal writes the statement with its header.
func (s Statement) Marshal() []byte {
	b := appendHeader(nil, statementMagic, statementVersion, platformTPM2, statementHeader,
		len(s.IDBinding), len(s.KeyAttestation), len(s.AIKOpaque))
	b = append(b, s.IDBinding...)
	b = append(b, s.KeyAttestation...)
	return append(b, s.AIKOpaque...)
}

// ParseStatement reads a statement for a TPM 2.0. Lengths must add up to the whole.
func ParseStatement(b []byte) (Statement, error) {
	parts, err := cutHeader(b, []uint32{statementMagic, statementVersion, platformTPM2, statementHeader}, 3)
	if err != nil {
		return Statement{}, refuse(CheckFormat, "KeyAttestationStatement: %w", err)
	}
	return Statement{IDBinding: parts[0], KeyAttestation: parts[1], AIKOpaque: parts[2]}, nil
}

// KeyAttestation is the "KADS" part of a statement: an AIK's TPM2_Certify of a key. The specification names its parts
// and not their inner form. Attest is a bare TPMS_ATTEST, as Microsoft's own PCP tool kit reads it; that Signature is
// a TPMT_SIGNATURE and that KeyBlob starts with the key's TPM2B_PUBLIC is our model.
type KeyAttestation struct {
	Attest    []byte // TPMS_ATTEST
	Signature []byte // TPMT_SIGNATURE
	KeyBlob   []byte // TPM2B_PUBLIC, then anything (a TPM2B_PRIVATE as a rule)
}

// Marshal writes the part with its header.
func (k KeyAttestation) Marshal() []byte {
	b := appendHeader(nil, keyAttestationMagic, platformTPM2, keyAttestationHead,
		len(k.Attest), len(k.Signature), len(k.KeyBlob))
	b = append(b, k.Attest...)
	b = append(b, k.Signature...)
	return append(b, k.KeyBlob...)
}

// ParseKeyAttestation reads the part. Lengths must add up to the whole.
func ParseKeyAttestation(b []byte) (KeyAttestation, error) {
	parts, err := cutHeader(b, []uint32{keyAttestationMagic, platformTPM2, keyAttestationHead}, 3)
	if err != nil {
		return KeyAttestation{}, refuse(CheckFormat, "keyAttestation: %w", err)
	}
	return KeyAttestation{Attest: parts[0], Signature: parts[1], KeyBlob: parts[2]}, nil
}

// Public gives the public area at the start of the key blob.
func (k KeyAttestation) Public() (*Public, error) {
	public, _, err := cutSized(k.KeyBlob)
	if err != nil {
		return nil, refuse(CheckFormat, "key blob: %w", err)
	}
	return ParsePublic(public)
}

// IDBinding is the "idBinding" part for a TPM 2.0: four structures one behind the other, all as a TPM returns them.
type IDBinding struct {
	Public       []byte // TPM2B_PUBLIC of the AIK
	CreationData []byte // TPM2B_CREATION_DATA
	Attest       []byte // TPM2B_ATTEST of TPM2_CertifyCreation, signed by the AIK itself
	Signature    []byte // TPMT_SIGNATURE
}

// Marshal writes the four structures.
func (i IDBinding) Marshal() []byte {
	return bytes.Join([][]byte{i.Public, i.CreationData, i.Attest, i.Signature}, nil)
}

// ParseIDBinding splits the part into its structures; the signature takes the rest, and must fill it.
func ParseIDBinding(b []byte) (IDBinding, error) {
	var out IDBinding
	rest := b
	for _, part := range []struct {
		name string
		to   *[]byte
	}{{"TPM2B_PUBLIC", &out.Public}, {"TPM2B_CREATION_DATA", &out.CreationData}, {"TPM2B_ATTEST", &out.Attest}} {
		body, tail, err := cutSized(rest)
		if err != nil {
			return IDBinding{}, refuse(CheckFormat, "idBinding: %s: %w", part.name, err)
		}
		*part.to, rest = rest[:len(body)+2:len(body)+2], tail
	}
	if plainSignature(rest) != nil {
		out.Signature = rest
		return out, nil
	}
	if _, err := decode[tpm2.TPMTSignature](rest); err != nil {
		return IDBinding{}, refuse(CheckFormat, "idBinding: TPMT_SIGNATURE: %w", err)
	}
	out.Signature = rest
	return out, nil
}

// Verify checks that the public area can be an AIK ([CheckAIK]) and that this very key signed how it was made, over
// qualifying, which is empty in the AIK certificate service's exchange: freshness comes from the credential challenge.
func (i IDBinding) Verify(qualifying []byte) (*Public, error) {
	aik, err := ParsePublic(i.Public)
	if err != nil {
		return nil, err
	}
	if err := CheckAIK(aik); err != nil {
		return nil, err
	}
	if _, err := VerifyCreation(aik.Key, i.Attest, i.Signature, qualifying, aik, i.CreationData); err != nil {
		return nil, err
	}
	return aik, nil
}

func appendHeader[T int | uint32](b []byte, fields ...T) []byte {
	for _, f := range fields {
		b = binary.LittleEndian.AppendUint32(b, uint32(f))
	}
	return b
}

// cutHeader checks the fixed words at the start of b, then cuts off as many parts as lengths follow them.
func cutHeader(b []byte, fixed []uint32, lengths int) ([][]byte, error) {
	size := 4 * (len(fixed) + lengths)
	if len(b) < size {
		return nil, fmt.Errorf("header: %w", errShort)
	}
	for i, want := range fixed {
		if got := binary.LittleEndian.Uint32(b[4*i:]); got != want {
			return nil, fmt.Errorf("word %d of the header is %#08x, want %#08x", i, got, want)
		}
	}
	parts, rest := make([][]byte, lengths), b[size:]
	for i := range parts {
		n := binary.LittleEndian.Uint32(b[4*(len(fixed)+i):])
		if n > maxPart || int(n) > len(rest) {
			return nil, fmt.Errorf("part %d of %d bytes: %w", i, n, errShort)
		}
		parts[i], rest = rest[:n:n], rest[n:]
	}
	if len(rest) != 0 {
		return nil, fmt.Errorf("%d bytes follow the last part", len(rest))
	}
	return parts, nil
}

// cutSized cuts a TPM2B off b and gives its contents.
func cutSized(b []byte) (body, rest []byte, err error) {
	if len(b) < 2 {
		return nil, nil, errShort
	}
	n := int(binary.BigEndian.Uint16(b))
	if len(b)-2 < n {
		return nil, nil, errShort
	}
	return b[2 : 2+n : 2+n], b[2+n:], nil
}
