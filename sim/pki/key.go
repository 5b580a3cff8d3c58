package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"

	"windtunnel.test/sim/vclock"
)

// Key is the P-256 key that belongs to these names under this seed.
//
// The scalar is made from 512 seeded bits reduced modulo n-1 and moved up by one, the "extra random bits" method of
// FIPS 186-5 A.2.1. Pass nil as the reader when signing with it: the signature is then RFC 6979's.
func Key(seed vclock.Seed, names ...string) *ecdsa.PrivateKey {
	high := seed.Key(append([]string{"pki.key", "high"}, names...)...)
	low := seed.Key(append([]string{"pki.key", "low"}, names...)...)
	order := new(big.Int).Sub(elliptic.P256().Params().N, big.NewInt(1))
	d := new(big.Int).SetBytes(append(high[:], low[:]...))
	d.Mod(d, order).Add(d, big.NewInt(1))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d.FillBytes(make([]byte, 32)))
	if err != nil {
		panic("pki: a scalar in [1, n-1] was refused: " + err.Error())
	}
	return key
}
