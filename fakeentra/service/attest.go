package service

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"

	"windtunnel.test/sim/wire/tpmattest"
)

// ErrAIKExpired is about an AIK certificate outside its dates: device
// registration has a code of its own for it.
var ErrAIKExpired = errors.New("AIK certificate is not valid at this time")

// EKHash is how the surfaces name an endorsement key to each other: SHA-256 of
// its SubjectPublicKeyInfo, as device tickets carry it. ek is an *rsa.PublicKey
// or an *ecdsa.PublicKey.
func EKHash(ek crypto.PublicKey) ([32]byte, error) {
	spki, err := x509.MarshalPKIXPublicKey(ek)
	if err != nil {
		return [32]byte{}, fmt.Errorf("endorsement key: %w", err)
	}
	return sha256.Sum256(spki), nil
}

// EKHashOfModulus is EKHash for the form that a hardware hash has: the
// big-endian modulus of a key with the usual exponent 65537.
func EKHashOfModulus(modulus []byte) ([32]byte, error) {
	if len(modulus) == 0 {
		return [32]byte{}, nil
	}
	return EKHash(&rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: 65537})
}

// ParseKeyAttestation reads an AIK's word for a key, as the bare part ("KADS")
// or inside a whole statement ("KAST") of [MS-WCCE] 2.2.2.5.
func ParseKeyAttestation(b []byte) (tpmattest.KeyAttestation, error) {
	if s, err := tpmattest.ParseStatement(b); err == nil {
		b = s.KeyAttestation
	}
	return tpmattest.ParseKeyAttestation(b)
}

// VerifyStatement checks that an AIK signed for qualifying data: a TPM2_Quote,
// or a TPM2_Certify of the key in the statement.
func VerifyStatement(aik crypto.PublicKey, k tpmattest.KeyAttestation, qualifying []byte) error {
	a, err := tpmattest.ParseAttest(k.Attest)
	if err != nil {
		return err
	}
	if a.Quote != nil {
		_, err = tpmattest.VerifyQuote(aik, k.Attest, k.Signature, qualifying, nil)
		return err
	}
	return VerifyCertified(aik, k, qualifying, nil)
}

// VerifyCertified checks that an AIK vouches for a key of its TPM, over
// qualifying data; want is that key as presented elsewhere, or nil.
func VerifyCertified(aik crypto.PublicKey, k tpmattest.KeyAttestation, qualifying []byte, want crypto.PublicKey) error {
	key, err := k.Public()
	if err != nil {
		return err
	}
	_, err = tpmattest.VerifyCertify(aik, k.Attest, k.Signature, qualifying, key, want)
	return err
}
