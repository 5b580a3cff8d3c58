package scep

import (
	"bytes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
)

// The parts of CMS EnvelopedData that SCEP uses (RFC 5652 6.1): one recipient, named by issuer and serial number.
type (
	envelopedData struct {
		Version    int
		Recipients []recipientInfo `asn1:"set"`
		Encrypted  encryptedContent
	}
	recipientInfo struct {
		Version      int
		RID          issuerAndSerial
		Algorithm    pkix.AlgorithmIdentifier
		EncryptedKey []byte
	}
	encryptedContent struct {
		Type      asn1.ObjectIdentifier
		Algorithm pkix.AlgorithmIdentifier
		Content   asn1.RawValue
	}
)

// Seal encrypts content to the RSA key of a certificate: AES-128-CBC, the content key by RSAES-PKCS1-v1_5, as Windows
// does. Content key, IV and padding come from rand.
func Seal(content []byte, to *x509.Certificate, rand io.Reader) ([]byte, error) {
	return SealWith(AES128, content, to, rand)
}

// SealWith is [Seal] with another cipher, for a peer that took it first.
func SealWith(c Cipher, content []byte, to *x509.Certificate, rand io.Reader) ([]byte, error) {
	pub, ok := to.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("scep: seal: recipient's key is %T, want RSA", to.PublicKey)
	}
	if int(c) >= len(ciphers) || c < 0 {
		return nil, fmt.Errorf("scep: seal: no cipher %d", c)
	}
	how := ciphers[c]
	random := make([]byte, how.key+how.block)
	if _, err := io.ReadFull(rand, random); err != nil {
		return nil, fmt.Errorf("scep: seal: %w", err)
	}
	key, iv := random[:how.key], random[how.key:]
	encryptedKey, err := encryptKey(key, pub, rand)
	if err != nil {
		return nil, fmt.Errorf("scep: seal: %w", err)
	}
	block, err := how.new(key)
	if err != nil {
		return nil, fmt.Errorf("scep: seal: %w", err)
	}
	ciphertext := encryptCBC(content, block, iv)
	der, err := wrap(oidEnveloped, envelopedData{
		Recipients: []recipientInfo{{
			RID:          identify(to),
			Algorithm:    pkix.AlgorithmIdentifier{Algorithm: oidRSA, Parameters: asn1.NullRawValue},
			EncryptedKey: encryptedKey,
		}},
		Encrypted: encryptedContent{
			Type: oidData,
			Algorithm: pkix.AlgorithmIdentifier{
				Algorithm:  how.oid,
				Parameters: asn1.RawValue{Tag: asn1.TagOctetString, Bytes: iv},
			},
			Content: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, Bytes: ciphertext},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("scep: seal: %w", err)
	}
	return der, nil
}

// Open decrypts an envelope that was sealed to id's certificate. AES-128, AES-256 (CBC and GCM), DES and 3DES are
// taken, since old clients choose what GetCACaps offers.
func Open(envelope []byte, id Identity) (content []byte, err error) {
	defer guard("scep: open", &err)
	p7, err := readCMS(envelope)
	if err != nil {
		return nil, fmt.Errorf("scep: open: %w", err)
	}
	content, err = p7.Decrypt(id.Certificate, id.Key)
	if err != nil {
		return nil, fmt.Errorf("scep: open: %w", err)
	}
	return content, nil
}

// encryptKey is RSAES-PKCS1-v1_5 (RFC 8017 7.2.1) with the padding drawn from rand; the standard library draws its
// own whatever reader it is given, and then no two runs send the same bytes.
func encryptKey(key []byte, pub *rsa.PublicKey, rand io.Reader) ([]byte, error) {
	k := pub.Size()
	if k < len(key)+11 {
		return nil, fmt.Errorf("RSA key of %d bytes is too short", k)
	}
	em := make([]byte, k)
	em[1] = 2
	padding := em[2 : k-len(key)-1]
	if _, err := io.ReadFull(rand, padding); err != nil {
		return nil, err
	}
	for i, b := range padding {
		// A zero byte would end the padding. That one value comes up twice as often does not matter here.
		if b == 0 {
			padding[i] = 0xA5
		}
	}
	copy(em[k-len(key):], key)
	m := new(big.Int).SetBytes(em)
	return m.Exp(m, big.NewInt(int64(pub.E)), pub.N).FillBytes(em), nil
}

func encryptCBC(content []byte, block cipher.Block, iv []byte) []byte {
	n := block.BlockSize() - len(content)%block.BlockSize()
	out := append(bytes.Clone(content), bytes.Repeat([]byte{byte(n)}, n)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
	return out
}
