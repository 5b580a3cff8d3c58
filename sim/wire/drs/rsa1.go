package drs

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
)

// rsa1Magic is BCRYPT_RSAPUBLIC_MAGIC, "RSA1" (bcrypt.h).
const rsa1Magic = 0x31415352

// maxRSA1Modulus bounds what a blob may claim, in bytes (RSA-16384).
const maxRSA1Modulus = 2048

// EncodeRSA1 codes a public key as a BCRYPT_RSAPUBLIC_BLOB
// (learn.microsoft.com, BCRYPT_RSAKEY_BLOB): six little-endian words (magic,
// bits, length of exponent, length of modulus, and two zeros for the primes),
// then exponent and modulus, big-endian.
func EncodeRSA1(pub *rsa.PublicKey) []byte {
	exp, mod := big.NewInt(int64(pub.E)).Bytes(), pub.N.Bytes()
	b := make([]byte, 0, 24+len(exp)+len(mod))
	for _, v := range []int{rsa1Magic, pub.N.BitLen(), len(exp), len(mod), 0, 0} {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return append(append(b, exp...), mod...)
}

// DecodeRSA1 reads a blob of [EncodeRSA1]. Every length is checked before use.
func DecodeRSA1(b []byte) (*rsa.PublicKey, error) {
	if len(b) < 24 {
		return nil, fmt.Errorf("drs: RSA1 blob of %d bytes has no header", len(b))
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }
	if word(0) != rsa1Magic {
		return nil, fmt.Errorf("drs: blob magic %#x is not RSA1", word(0))
	}
	bits, cbExp, cbMod := word(1), word(2), word(3)
	if cbExp == 0 || cbExp > 4 || cbMod == 0 || cbMod > maxRSA1Modulus || uint32(len(b)) != 24+cbExp+cbMod {
		return nil, fmt.Errorf("drs: RSA1 blob lengths %d and %d do not fit %d bytes", cbExp, cbMod, len(b))
	}
	exp := new(big.Int).SetBytes(b[24 : 24+cbExp])
	mod := new(big.Int).SetBytes(b[24+cbExp:])
	if uint32(mod.BitLen()) != bits {
		return nil, fmt.Errorf("drs: RSA1 blob says %d bits, modulus has %d", bits, mod.BitLen())
	}
	if !exp.IsInt64() || exp.Int64() < 3 || exp.Int64() > 1<<31-1 || exp.Bit(0) == 0 || mod.Bit(0) == 0 {
		return nil, errors.New("drs: RSA1 blob holds no RSA key")
	}
	return &rsa.PublicKey{N: mod, E: int(exp.Int64())}, nil
}

// DecodeTransportKey reads a transport key as clients send it: the blob, or a
// JSON Web Key (RFC 7517) as some do. blob is the key as a blob.
func DecodeTransportKey(b []byte) (key *rsa.PublicKey, blob []byte, err error) {
	if !bytes.HasPrefix(bytes.TrimSpace(b), []byte("{")) {
		key, err = DecodeRSA1(b)
		return key, b, err
	}
	var jwk struct{ Kty, N, E string }
	if err := json.Unmarshal(b, &jwk); err != nil {
		return nil, nil, fmt.Errorf("drs: transport key: %w", err)
	}
	n, errN := base64.RawURLEncoding.DecodeString(jwk.N)
	e, errE := base64.RawURLEncoding.DecodeString(jwk.E)
	mod, exp := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e)
	if jwk.Kty != "RSA" || errN != nil || errE != nil || len(n) > maxRSA1Modulus || len(e) > 4 || mod.Sign() == 0 || exp.Sign() == 0 {
		return nil, nil, errors.New("drs: transport key: it is no RSA key")
	}
	blob = EncodeRSA1(&rsa.PublicKey{N: mod, E: int(exp.Int64())})
	key, err = DecodeRSA1(blob)
	return key, blob, err
}
