package scep

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"encoding/asn1"
)

// Cipher is how an envelope's content is encrypted, always in CBC mode (RFC 8894 3.5.2: AES is what a server has to offer,
// triple DES what old clients have).
type Cipher int

// The ciphers that are written.
const (
	AES128 Cipher = iota
	AES256
	TripleDES
)

var ciphers = [...]struct {
	oid        asn1.ObjectIdentifier
	key, block int // bytes
	new        func([]byte) (cipher.Block, error)
}{
	AES128:    {oidAES128CBC, 16, aes.BlockSize, aes.NewCipher},
	AES256:    {asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, 32, aes.BlockSize, aes.NewCipher},
	TripleDES: {asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7}, 24, des.BlockSize, des.NewTripleDESCipher},
}

// CipherOf tells which cipher an envelope was written with, so that a reply can have the same; ok is false for one that
// this package does not write, and for an envelope that is not DER.
func CipherOf(envelope []byte) (c Cipher, ok bool) {
	var outer contentInfo
	if len(envelope) > MaxSize {
		return 0, false
	}
	if _, err := asn1.Unmarshal(envelope, &outer); err != nil || !outer.Type.Equal(oidEnveloped) {
		return 0, false
	}
	var inner struct {
		Version    int
		Recipients asn1.RawValue
		Encrypted  asn1.RawValue
	}
	if _, err := asn1.Unmarshal(outer.Content.Bytes, &inner); err != nil {
		return 0, false
	}
	var content struct {
		Type      asn1.ObjectIdentifier
		Algorithm struct {
			Algorithm  asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Content asn1.RawValue `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(inner.Encrypted.FullBytes, &content); err != nil {
		return 0, false
	}
	for i, how := range ciphers {
		if how.oid.Equal(content.Algorithm.Algorithm) {
			return Cipher(i), true
		}
	}
	return 0, false
}
