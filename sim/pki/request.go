package pki

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
)

// MaxKeyBits bounds the RSA keys of strangers: what a signature costs to verify
// grows with the square of it, and one request may bring a key of a million bits.
const MaxKeyBits = 8192

var errKeyTooLong = fmt.Errorf("pki: an RSA key of more than %d bits", MaxKeyBits)

func tooLong(key crypto.PublicKey) bool {
	k, ok := key.(*rsa.PublicKey)
	return ok && k.N.BitLen() > MaxKeyBits
}

// CheckRequest is csr.CheckSignature for keys of up to [MaxKeyBits].
func CheckRequest(csr *x509.CertificateRequest) error {
	if tooLong(csr.PublicKey) {
		return errKeyTooLong
	}
	return csr.CheckSignature()
}
