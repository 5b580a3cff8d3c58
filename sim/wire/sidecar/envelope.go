package sidecar

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
)

// The CMS EnvelopedData of RFC 5652 6.1, for one RSA recipient (RFC 3370 4.2.1) and AES-256-CBC (RFC 3565). It is written
// here because smallstep/pkcs7 picks its cipher by a package variable and panics on a ciphertext that is cut short.

var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidEnvelopedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 3}
	oidRSA           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidAES256CBC     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
)

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content envelopedData `asn1:"explicit,tag:0"`
}

type envelopedData struct {
	Version    int
	Recipients []keyTransRecipient `asn1:"set"`
	Encrypted  encryptedContent
}

type keyTransRecipient struct {
	Version      int
	ID           issuerAndSerial
	Algorithm    pkix.AlgorithmIdentifier
	EncryptedKey []byte
}

type issuerAndSerial struct {
	Issuer asn1.RawValue
	Serial *big.Int
}

type encryptedContent struct {
	Type      asn1.ObjectIdentifier
	Algorithm pkix.AlgorithmIdentifier
	Content   []byte `asn1:"tag:0"`
}

// ErrNotRecipient says that a message is for another certificate.
var ErrNotRecipient = errors.New("message is for another certificate")

var errEnvelope = errors.New("not an RSA and AES-256-CBC envelope")

func sealEnvelope(random io.Reader, certificate *x509.Certificate, plain []byte) ([]byte, error) {
	public, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("certificate has a %T, want RSA", certificate.PublicKey)
	}
	secret := make([]byte, 32+aes.BlockSize)
	if _, err := io.ReadFull(random, secret); err != nil {
		return nil, err
	}
	key, iv := secret[:32], secret[32:]
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	padding := aes.BlockSize - len(plain)%aes.BlockSize
	body := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(body, body)
	// From Go 1.26 on the padding comes from the library's own source, whatever reader it gets: random's stream does not move.
	//lint:ignore SA1019 it is what the service's CMS library writes by default, and there is no oracle here
	encryptedKey, err := rsa.EncryptPKCS1v15(random, public, key)
	if err != nil {
		return nil, err
	}
	ivDER, err := asn1.Marshal(iv)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(contentInfo{Type: oidEnvelopedData, Content: envelopedData{
		Recipients: []keyTransRecipient{{
			ID:           issuerAndSerial{Issuer: asn1.RawValue{FullBytes: certificate.RawIssuer}, Serial: certificate.SerialNumber},
			Algorithm:    pkix.AlgorithmIdentifier{Algorithm: oidRSA, Parameters: asn1.NullRawValue},
			EncryptedKey: encryptedKey,
		}},
		Encrypted: encryptedContent{
			Type: oidData, Content: body,
			Algorithm: pkix.AlgorithmIdentifier{Algorithm: oidAES256CBC, Parameters: asn1.RawValue{FullBytes: ivDER}},
		},
	}})
}

func openEnvelope(certificate *x509.Certificate, key crypto.Decrypter, cms []byte) ([]byte, error) {
	var info contentInfo
	if rest, err := asn1.Unmarshal(cms, &info); err != nil || len(rest) > 0 || !info.Type.Equal(oidEnvelopedData) {
		return nil, errEnvelope
	}
	encrypted := info.Content.Encrypted
	var iv []byte
	if _, err := asn1.Unmarshal(encrypted.Algorithm.Parameters.FullBytes, &iv); err != nil {
		return nil, errEnvelope
	}
	if !encrypted.Algorithm.Algorithm.Equal(oidAES256CBC) || len(iv) != aes.BlockSize || len(encrypted.Content)%aes.BlockSize != 0 {
		return nil, errEnvelope
	}
	for _, r := range info.Content.Recipients {
		if !bytes.Equal(r.ID.Issuer.FullBytes, certificate.RawIssuer) || r.ID.Serial.Cmp(certificate.SerialNumber) != 0 {
			continue
		}
		if !r.Algorithm.Algorithm.Equal(oidRSA) {
			return nil, errEnvelope
		}
		//lint:ignore SA1019 as in sealEnvelope
		secret, err := key.Decrypt(nil, r.EncryptedKey, &rsa.PKCS1v15DecryptOptions{})
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(secret)
		if err != nil {
			return nil, errEnvelope
		}
		plain := make([]byte, len(encrypted.Content))
		cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, encrypted.Content)
		plain, ok := unpad(plain)
		if !ok {
			return nil, errEnvelope
		}
		return plain, nil
	}
	return nil, ErrNotRecipient
}
