package pki

import (
	"crypto"
	"crypto/rsa"
	"io"
	"sync"
)

// RSA is an RSA private key that is a crypto.Signer and crypto.Decrypter like [rsa.PrivateKey] and gives the same bytes
// and the same errors, in a quarter of the time: where cgo is on, libcrypto, which the TPM needs anyway, raises to the
// private power. That is all it does; padding is put on and taken off here. Its keys guard no secret, so there is no
// blinding and nothing random in it. Safe for concurrent use.
type RSA struct {
	key *rsa.PrivateKey
	raw *rawRSA // nil: without libcrypto
}

// NewRSA is for keys that last: what libcrypto keeps of one is never given back.
func NewRSA(key *rsa.PrivateKey) *RSA { return &RSA{key: key, raw: newRawRSA(key)} }

var pooledRSA sync.Map // of *rsa.PrivateKey to *RSA

// PooledRSA is [RSAKey] with the private operations of [RSA].
func PooledRSA(n int) *RSA {
	key := RSAKey(n)
	if k, ok := pooledRSA.Load(key); ok {
		return k.(*RSA)
	}
	k, _ := pooledRSA.LoadOrStore(key, NewRSA(key))
	return k.(*RSA)
}

// Public is an *rsa.PublicKey.
func (k *RSA) Public() crypto.PublicKey { return k.key.Public() }

// digestInfo is what comes before the digest in the signed block (RFC 8017 9.2, note 1).
var digestInfo = map[crypto.Hash]string{
	crypto.SHA1:   "\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14",
	crypto.SHA256: "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
	crypto.SHA384: "\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30",
	crypto.SHA512: "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40",
}

// Sign signs with PKCS #1 v1.5, or as opts say. PSS and unusual digests are left to crypto/rsa.
func (k *RSA) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	size := k.key.Size()
	prefix, usual := digestInfo[opts.HashFunc()]
	if _, pss := opts.(*rsa.PSSOptions); pss || !usual || k.raw == nil || len(digest) != opts.HashFunc().Size() || size < len(prefix)+len(digest)+11 {
		return k.key.Sign(rand, digest, opts)
	}
	block := make([]byte, size)
	block[1] = 1
	at := size - len(digest) - len(prefix)
	for i := 2; i < at-1; i++ {
		block[i] = 0xFF
	}
	copy(block[at:], prefix)
	copy(block[at+len(prefix):], digest)
	if !k.raw.power(block) {
		return k.key.Sign(rand, digest, opts)
	}
	return block, nil
}

// Decrypt takes PKCS #1 v1.5 encryption off, or as opts say. OAEP and session keys of a known length are left to
// crypto/rsa.
func (k *RSA) Decrypt(rand io.Reader, ciphertext []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	plain := opts == nil
	//lint:ignore SA1019 SCEP encrypts keys like this (RFC 8894 3.1), and so does the library that opens its envelopes
	if o, ok := opts.(*rsa.PKCS1v15DecryptOptions); ok {
		plain = o.SessionKeyLen == 0
	}
	block := append(make([]byte, 0, k.key.Size()), ciphertext...)
	if !plain || k.raw == nil || len(ciphertext) != k.key.Size() || !k.raw.power(block) {
		return k.key.Decrypt(rand, ciphertext, opts)
	}
	return unpad(block)
}

// unpad finds the message in an encryption block: 0, 2, at least eight bytes that are not 0, 0, message (RFC 8017
// 7.2.2).
func unpad(block []byte) ([]byte, error) {
	if block[0] == 0 && block[1] == 2 {
		for i, b := range block[2:] {
			if b != 0 {
				continue
			}
			if i < 8 {
				break
			}
			return block[2+i+1:], nil
		}
	}
	return nil, rsa.ErrDecryption
}
