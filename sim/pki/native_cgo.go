//go:build cgo

package pki

// #cgo CFLAGS: -O2 -Wno-deprecated-declarations
// #cgo LDFLAGS: -lcrypto
// #cgo noescape pki_power
// #cgo nocallback pki_power
// #include <time.h>
// #include <openssl/bn.h>
// #include <openssl/rsa.h>
//
// static BIGNUM *number(const unsigned char *b, int n)
// {
//	return BN_bin2bn(b, n, NULL);
// }
//
// static RSA *pki_key(BIGNUM *n, BIGNUM *e, BIGNUM *d, BIGNUM *p, BIGNUM *q, BIGNUM *dp, BIGNUM *dq, BIGNUM *qinv)
// {
//	RSA *r = RSA_new();
//	if (!r || !RSA_set0_key(r, n, e, d) || !RSA_set0_factors(r, p, q) || !RSA_set0_crt_params(r, dp, dq, qinv))
//		return NULL;
//	RSA_blinding_off(r);
//	return r;
// }
//
// static long long pki_nanos; // CPU time of all calls of pki_power
//
// static long long pki_now(void)
// {
//	struct timespec t;
//	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
//	return t.tv_sec * 1000000000LL + t.tv_nsec;
// }
//
// static int pki_power(RSA *r, int n, unsigned char *b)
// {
//	long long begin = pki_now();
//	int done = RSA_private_encrypt(n, b, b, r, RSA_NO_PADDING);
//	__atomic_fetch_add(&pki_nanos, pki_now() - begin, __ATOMIC_RELAXED);
//	return done;
// }
//
// static long long pki_spent(void) { return __atomic_load_n(&pki_nanos, __ATOMIC_RELAXED); }
import "C"

import (
	"crypto/rsa"
	"math/big"
	"time"
	"unsafe"
)

// RSATime is the CPU time that libcrypto has taken in this process for private
// operations of [RSA]; those that are left to crypto/rsa are not in it, nor are
// public ones.
func RSATime() time.Duration { return time.Duration(C.pki_spent()) }

// rawRSA is a key as libcrypto has it.
type rawRSA struct{ key *C.RSA }

func newRawRSA(key *rsa.PrivateKey) *rawRSA {
	if len(key.Primes) != 2 {
		return nil
	}
	key.Precompute()
	number := func(x *big.Int) *C.BIGNUM {
		b := x.Bytes()
		return C.number((*C.uchar)(unsafe.Pointer(unsafe.SliceData(b))), C.int(len(b)))
	}
	pre := &key.Precomputed
	r := C.pki_key(number(key.N), number(big.NewInt(int64(key.E))), number(key.D), number(key.Primes[0]), number(key.Primes[1]),
		number(pre.Dp), number(pre.Dq), number(pre.Qinv))
	if r == nil {
		return nil
	}
	return &rawRSA{key: r}
}

// power raises a block of the modulus' size to the private exponent, in place. It is false, and the block as it was,
// where the block is no number below the modulus.
func (r *rawRSA) power(block []byte) bool {
	return C.pki_power(r.key, C.int(len(block)), (*C.uchar)(unsafe.Pointer(unsafe.SliceData(block)))) == C.int(len(block))
}
