package tpmattest_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"

	"windtunnel.test/sim/wire/tpmattest"
)

// flip changes one bit of a copy; a negative index counts from the end.
func flip(b []byte, i int) []byte {
	out := bytes.Clone(b)
	if i < 0 {
		i += len(out)
	}
	out[i] ^= 1
	return out
}

func certify(aik crypto.PublicKey, attest, sig, nonce []byte, key *tpmattest.Public, want crypto.PublicKey) func() error {
	return func() error {
		_, err := tpmattest.VerifyCertify(aik, attest, sig, nonce, key, want)
		return err
	}
}

func tpmRSA(o object) *rsa.PublicKey { return o.public.Key.(*rsa.PublicKey) }
