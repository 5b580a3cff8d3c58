package scep

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/smallstep/pkcs7"
)

// Identity is a certificate with its private key. What is to be opened with it needs an RSA key, since SCEP carries
// content keys by RSA; a signer may have an ECDSA P-256 key as well.
type Identity struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
}

// MaxSize bounds what is read. The CMS reader recurses without limit and is quadratic in odd BER; real messages have
// some ten thousand bytes.
const MaxSize = 64 << 10

// Message is a pkiMessage: signed attributes and content.
type Message struct {
	Attributes
	// Content is an envelope as [Seal] makes it; empty in replies that say no more than their status.
	Content []byte
	// Signer is the certificate of the message's only signer.
	Signer *x509.Certificate
	// Others are the certificates that travel beside the signer's.
	Others []*x509.Certificate
	// Digest is the digest algorithm that a parsed message was signed with; see [Message.Strong].
	Digest asn1.ObjectIdentifier
}

var (
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidEnveloped  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 3}
	oidSHA256     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA1       = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA384     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
	oidRSA        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidECDSA256   = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidAES128CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}
)

// The parts of CMS SignedData that a pkiMessage uses (RFC 5652 5.1).
type (
	contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"optional"`
	}
	signedData struct {
		Version          int
		DigestAlgorithms []pkix.AlgorithmIdentifier `asn1:"set"`
		Content          contentInfo
		Certificates     asn1.RawValue
		SignerInfos      []signerInfo `asn1:"set"`
	}
	issuerAndSerial struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}
	signerInfo struct {
		Version            int
		SID                issuerAndSerial
		DigestAlgorithm    pkix.AlgorithmIdentifier
		SignedAttributes   asn1.RawValue
		SignatureAlgorithm pkix.AlgorithmIdentifier
		Signature          []byte
	}
)

// Sign writes the message, signed by id with SHA-256. m.Signer is ignored. There is no signing time: SCEP has no use
// for it, and verifiers would hold it against the certificate's validity on another clock.
func (m Message) Sign(id Identity) ([]byte, error) {
	digest := sha256.Sum256(m.Content)
	var set attributeSet
	set.add(oidContentType, "", oidData)
	set.add(oidMessageDigest, "", digest[:])
	m.Attributes.encode(&set)
	attrs, err := set.marshal()
	if err != nil {
		return nil, fmt.Errorf("scep: sign: %w", err)
	}
	info, err := signAttributes(attrs, id)
	if err != nil {
		return nil, fmt.Errorf("scep: sign: %w", err)
	}
	content := contentInfo{Type: oidData}
	if len(m.Content) > 0 {
		octets, err := asn1.Marshal(m.Content)
		if err != nil {
			return nil, fmt.Errorf("scep: sign: %w", err)
		}
		content.Content = context0(octets)
	}
	der, err := wrap(oidSignedData, signedData{
		Version:          1,
		DigestAlgorithms: []pkix.AlgorithmIdentifier{info.DigestAlgorithm},
		Content:          content,
		Certificates:     context0(joinRaw(append([]*x509.Certificate{id.Certificate}, m.Others...))),
		SignerInfos:      []signerInfo{info},
	})
	if err != nil {
		return nil, fmt.Errorf("scep: sign: %w", err)
	}
	return der, nil
}

// Parse reads a message and checks its signature by the certificate in it, nothing more. Errors say what is wrong
// with the bytes.
func Parse(der []byte) (m *Message, err error) {
	defer guard("scep: parse", &err)
	p7, err := readCMS(der)
	if err != nil {
		return nil, fmt.Errorf("scep: parse: %w", err)
	}
	signer := p7.GetOnlySigner()
	if signer == nil {
		return nil, errors.New("scep: parse: want exactly one signer, with its certificate")
	}
	if err := p7.Verify(); err != nil {
		return nil, fmt.Errorf("scep: parse: signature: %w", err)
	}
	var contentType asn1.ObjectIdentifier
	if err := p7.UnmarshalSignedAttribute(oidContentType, &contentType); err != nil || !contentType.Equal(oidData) {
		return nil, errors.New("scep: parse: signed content is not data")
	}
	attrs, err := decodeAttributes(p7)
	if err != nil {
		return nil, fmt.Errorf("scep: parse: %w", err)
	}
	others := slices.DeleteFunc(slices.Clone(p7.Certificates), signer.Equal)
	return &Message{Attributes: attrs, Content: p7.Content, Signer: signer, Others: others, Digest: p7.Signers[0].DigestAlgorithm.Algorithm}, nil
}

// Strong tells whether a parsed message was signed with SHA-1 or better. RFC 8894 3.5.2 lets servers take SHA-1, and some
// clients use nothing else, whatever GetCACaps offers.
func (m Message) Strong() bool {
	return slices.ContainsFunc([]asn1.ObjectIdentifier{oidSHA1, oidSHA256, oidSHA384, oidSHA512}, m.Digest.Equal)
}

// signAttributes signs the DER of the SET OF attributes, which stands in the message under an implicit tag.
func signAttributes(attrs []byte, id Identity) (signerInfo, error) {
	digest := sha256.Sum256(attrs)
	algorithm := pkix.AlgorithmIdentifier{Algorithm: oidRSA, Parameters: asn1.NullRawValue}
	switch id.Key.Public().(type) {
	case *rsa.PublicKey:
	case *ecdsa.PublicKey:
		algorithm = pkix.AlgorithmIdentifier{Algorithm: oidECDSA256}
	default:
		return signerInfo{}, fmt.Errorf("key of type %T", id.Key.Public())
	}
	// No reader: both signatures are deterministic without one (RFC 6979 for ECDSA).
	signature, err := id.Key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return signerInfo{}, err
	}
	implicit := bytes.Clone(attrs)
	implicit[0] = 0xA0
	return signerInfo{
		Version:            1,
		SID:                identify(id.Certificate),
		DigestAlgorithm:    pkix.AlgorithmIdentifier{Algorithm: oidSHA256, Parameters: asn1.NullRawValue},
		SignedAttributes:   asn1.RawValue{FullBytes: implicit},
		SignatureAlgorithm: algorithm,
		Signature:          signature,
	}, nil
}

// attributeSet collects encoded attributes; the first error stays.
type attributeSet struct {
	encoded [][]byte
	err     error
}

func (s *attributeSet) add(oid asn1.ObjectIdentifier, params string, value any) {
	der, err := asn1.MarshalWithParams(value, params)
	if err != nil {
		s.err = errors.Join(s.err, fmt.Errorf("attribute %s: %w", oid, err))
		return
	}
	attr, err := asn1.Marshal(struct {
		Type   asn1.ObjectIdentifier
		Values []asn1.RawValue `asn1:"set"`
	}{oid, []asn1.RawValue{{FullBytes: der}}})
	s.err = errors.Join(s.err, err)
	s.encoded = append(s.encoded, attr)
}

// marshal gives the DER of the SET OF: members in order of their encodings (X.690 11.6).
func (s *attributeSet) marshal() ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	slices.SortFunc(s.encoded, bytes.Compare)
	return asn1.Marshal(asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: bytes.Join(s.encoded, nil)})
}

func wrap(oid asn1.ObjectIdentifier, content any) ([]byte, error) {
	der, err := asn1.Marshal(content)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(contentInfo{Type: oid, Content: context0(der)})
}

func context0(inner []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: inner}
}

func identify(cert *x509.Certificate) issuerAndSerial {
	return issuerAndSerial{Issuer: asn1.RawValue{FullBytes: cert.RawIssuer}, Serial: cert.SerialNumber}
}

func joinRaw(certs []*x509.Certificate) []byte {
	var b []byte
	for _, c := range certs {
		b = append(b, c.Raw...)
	}
	return b
}

func readCMS(der []byte) (*pkcs7.PKCS7, error) {
	if len(der) > MaxSize {
		return nil, fmt.Errorf("%d bytes, at most %d", len(der), MaxSize)
	}
	p7, err := pkcs7.Parse(der)
	if err != nil {
		return nil, err
	}
	for _, cert := range p7.Certificates {
		if key, ok := cert.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > MaxKeyBits {
			return nil, fmt.Errorf("a certificate's key has %d bits, at most %d", key.N.BitLen(), MaxKeyBits)
		}
	}
	return p7, nil
}

// MaxKeyBits bounds the RSA keys in what strangers send: what a signature costs
// to verify grows with the square of it.
const MaxKeyBits = 8192

// guard turns a panic of the CMS reader into an error: it slices by lengths that it has not checked when padding or
// block sizes are wrong, and what it reads comes from outside.
func guard(op string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%s: malformed: %v", op, p)
	}
}
