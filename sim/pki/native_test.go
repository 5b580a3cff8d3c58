package pki_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/pki"
)

var hashes = []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA224}

func TestLibcryptoSignsAsGoDoes(t *testing.T) {
	keys := []*rsa.PrivateKey{pki.RSAKey(0), pki.RSAKey(1), pki.RSAKeyBits(0, 1024)}
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom(keys).Draw(t, "key")
		hash := rapid.SampledFrom(hashes).Draw(t, "hash")
		digest := rapid.SliceOfN(rapid.Byte(), hash.Size(), hash.Size()).Draw(t, "digest")
		want, err := key.Sign(nil, digest, hash)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := pki.NewRSA(key).Sign(nil, digest, hash); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%x, %v, Go has %x", got, err, want)
		}
	})
}

func TestLibcryptoDecryptsAsGoDoes(t *testing.T) {
	key := pki.RSAKey(2)
	fast := pki.PooledRSA(2)
	rapid.Check(t, func(t *rapid.T) {
		// A block of any shape, near the right one more often than not.
		block := rapid.SliceOfN(rapid.Byte(), 256, 256).Draw(t, "block")
		block[0] = rapid.SampledFrom([]byte{0, 0, 0, 0, 1, 0x7F}).Draw(t, "first")
		block[1] = rapid.SampledFrom([]byte{2, 2, 2, 1, 0}).Draw(t, "second")
		block[rapid.IntRange(2, 255).Draw(t, "at")] = 0
		m := new(big.Int).SetBytes(block)
		cipher := m.Exp(m, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, 256))
		same(t, key, fast, cipher)
	})
}

type fatal interface{ Fatalf(string, ...any) }

func same(t fatal, key *rsa.PrivateKey, fast *pki.RSA, cipher []byte) {
	kept := bytes.Clone(cipher)
	want, wrong := key.Decrypt(rand.Reader, cipher, nil)
	got, err := fast.Decrypt(rand.Reader, cipher, nil)
	if !bytes.Equal(got, want) || err != wrong || !bytes.Equal(cipher, kept) {
		t.Fatalf("%x, %v, Go has %x, %v", got, err, want, wrong)
	}
}

func FuzzLibcryptoDecrypt(f *testing.F) {
	key, fast := pki.RSAKey(2), pki.PooledRSA(2)
	block := append(append([]byte{0, 2}, bytes.Repeat([]byte{7}, 246)...), "\x00message"...)
	m := new(big.Int).SetBytes(block[:256])
	f.Add(m.Exp(m, big.NewInt(int64(key.E)), key.N).Bytes())
	f.Add(key.N.Bytes())
	f.Add([]byte{1})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, cipher []byte) { same(t, key, fast, cipher) })
}

// What libcrypto is not asked for is crypto/rsa's.
func TestOtherPaddings(t *testing.T) {
	g := NewWithT(t)
	k := pki.PooledRSA(3)
	pub := k.Public().(*rsa.PublicKey)
	digest := make([]byte, 32)
	sig, err := k.Sign(rand.Reader, digest, &rsa.PSSOptions{Hash: crypto.SHA256})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(rsa.VerifyPSS(pub, crypto.SHA256, digest, sig, nil)).To(Succeed())
	cipher, err := rsa.EncryptOAEP(crypto.SHA256.New(), rand.Reader, pub, []byte("message"), nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(k.Decrypt(rand.Reader, cipher, &rsa.OAEPOptions{Hash: crypto.SHA256})).To(Equal([]byte("message")))
	_, err = k.Sign(nil, digest[:31], crypto.SHA256)
	g.Expect(err).To(HaveOccurred())
	g.Expect(pki.PooledRSA(3)).To(BeIdenticalTo(k), "made once")
}

func TestRSAAuthorityWithLibcrypto(t *testing.T) {
	g := NewWithT(t)
	slow, err := pki.NewRoot(now, 7, "Old", pki.Options{Key: pki.RSAKey(0)})
	g.Expect(err).NotTo(HaveOccurred())
	fast, err := pki.NewRoot(now, 7, "Old", pki.Options{Key: pki.PooledRSA(0)})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(fast.Cert.Raw).To(Equal(slow.Cert.Raw))
	g.Expect(fast.Cert.PublicKeyAlgorithm).To(Equal(x509.RSA))
}

func TestRSAManyAtOnce(t *testing.T) {
	g := NewWithT(t)
	k := pki.PooledRSA(4)
	digest := make([]byte, 32)
	want, err := k.Sign(nil, digest, crypto.SHA256)
	g.Expect(err).NotTo(HaveOccurred())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				if got, err := k.Sign(nil, digest, crypto.SHA256); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%x, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkRSASign(b *testing.B) {
	digest := make([]byte, 32)
	for name, key := range map[string]crypto.Signer{"go": pki.RSAKey(0), "libcrypto": pki.PooledRSA(0)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := key.Sign(nil, digest, crypto.SHA256); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
