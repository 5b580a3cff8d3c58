package pki

import (
	"crypto/rsa"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strconv"
	"sync"

	"windtunnel.test/sim/vclock"
)

// RSAPoolSize is how many keys of one size the pool deals out.
const RSAPoolSize = 8

// The pool does not depend on a run's seed: a protocol that forces RSA (SCEP, RS256 tokens, PFX) gets one of the same few
// keys in every run, and a process makes each at most once.
const rsaPoolSeed vclock.Seed = 0x525341 // "RSA"

const rsaExponent = 65537

type rsaSlot struct{ n, bits int }

var rsaPool sync.Map // of rsaSlot to func() *rsa.PrivateKey

// RSAKey is the n-th RSA-2048 key of the pool, 0 to RSAPoolSize-1; larger numbers wrap around. It is made on first use,
// which takes some 10 ms.
func RSAKey(n int) *rsa.PrivateKey { return RSAKeyBits(n, 2048) }

// RSAKeyBits is RSAKey for another modulus size, a multiple of 64 from 1024 up (3072 takes about a second). The keys of
// different sizes have nothing in common.
func RSAKeyBits(n, bits int) *rsa.PrivateKey {
	if n < 0 || bits < 1024 || bits%64 != 0 {
		panic(fmt.Sprintf("pki: no RSA key number %d of %d bits", n, bits))
	}
	slot := rsaSlot{n % RSAPoolSize, bits}
	f, ok := rsaPool.Load(slot)
	if !ok {
		f, _ = rsaPool.LoadOrStore(slot, sync.OnceValue(func() *rsa.PrivateKey { return makeRSA(slot) }))
	}
	return f.(func() *rsa.PrivateKey)()
}

// primeAt is how far above its random start each prime of the usual keys lies. Searching takes some 100 ms a key, and finds
// the same every time.
var primeAt = map[rsaSlot][2]uint64{
	{0, 2048}: {772, 192},
	{1, 2048}: {194, 890},
	{2, 2048}: {1006, 1690},
	{3, 2048}: {314, 886},
	{4, 2048}: {508, 64},
	{5, 2048}: {342, 908},
	{6, 2048}: {530, 312},
	{7, 2048}: {876, 28},
}

func makeRSA(slot rsaSlot) *rsa.PrivateKey {
	r := rsaPoolSeed.Stream("pki.rsa", strconv.Itoa(slot.bits), strconv.Itoa(slot.n))
	known := primeAt[slot]
	for {
		if key := rsaFrom(prime(r, slot.bits/2, known[0]), prime(r, slot.bits/2, known[1])); key != nil {
			return key
		}
	}
}

// rsaFrom is nil when the two primes do not make a good key, which two independent draws practically never do.
func rsaFrom(p, q *big.Int) *rsa.PrivateKey {
	one, e := big.NewInt(1), big.NewInt(rsaExponent)
	p1, q1 := new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)
	lambda := new(big.Int).Mul(p1, q1)
	lambda.Div(lambda, new(big.Int).GCD(nil, nil, p1, q1))
	d := new(big.Int).ModInverse(e, lambda)
	if d == nil || p.Cmp(q) == 0 {
		return nil
	}
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: rsaExponent},
		D:         d,
		Primes:    []*big.Int{p, q},
	}
	key.Precompute()
	if key.Validate() != nil {
		return nil
	}
	return key
}

// sieve holds the odd primes below 2^11, enough to throw out nine candidates in ten before a real test.
var sieve = sync.OnceValue(func() []uint64 {
	var primes []uint64
	for n := uint64(3); n < 1<<11; n += 2 {
		if new(big.Int).SetUint64(n).ProbablyPrime(0) {
			primes = append(primes, n)
		}
	}
	return primes
})

// prime searches upwards from a random odd start with its two top bits set, so that two of them multiply to a modulus of
// the full size, where nothing below start+from is one. p-1 must have no factor e, or there is no private exponent.
func prime(r *rand.Rand, bits int, from uint64) *big.Int {
	for {
		start := new(big.Int)
		for range bits / 64 {
			start.Lsh(start, 64).Or(start, new(big.Int).SetUint64(r.Uint64()))
		}
		for i := bits % 64; i > 0; i-- {
			start.Lsh(start, 1).Or(start, new(big.Int).SetUint64(r.Uint64()&1))
		}
		start.SetBit(start, 0, 1).SetBit(start, bits-1, 1).SetBit(start, bits-2, 1)
		if p := searchFrom(start, from); p != nil && p.BitLen() == bits {
			return p
		}
	}
}

func searchFrom(start *big.Int, from uint64) *big.Int {
	small := sieve()
	residues := make([]uint64, len(small))
	for i, q := range small {
		residues[i] = new(big.Int).Mod(start, new(big.Int).SetUint64(q)).Uint64()
	}
	candidate, e := new(big.Int), big.NewInt(rsaExponent)
	for delta := from; delta < 1<<16; delta += 2 {
		if hasSmallFactor(small, residues, delta) {
			continue
		}
		candidate.Add(start, new(big.Int).SetUint64(delta))
		// Baillie-PSW, to which no counterexample is known. It draws nothing, so the verdict is the same in every run.
		if !candidate.ProbablyPrime(0) {
			continue
		}
		if new(big.Int).Mod(new(big.Int).Sub(candidate, big.NewInt(1)), e).Sign() != 0 {
			return candidate
		}
	}
	return nil
}

func hasSmallFactor(small, residues []uint64, delta uint64) bool {
	for i, q := range small {
		if (residues[i]+delta)%q == 0 {
			return true
		}
	}
	return false
}
