package pki_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
)

var now = time.Date(2026, 9, 1, 8, 0, 0, 123456789, time.UTC)

// hierarchy is a root, an authority below it, and a leaf, of one seed.
func hierarchy(t testing.TB, seed vclock.Seed, o pki.Options) (root, sub *pki.CA, leaf *x509.Certificate) {
	t.Helper()
	g := NewWithT(t)
	root, err := pki.NewRoot(now, seed, "Root", pki.Options{})
	g.Expect(err).NotTo(HaveOccurred())
	sub, err = root.Sub(now, "Issuing", o)
	g.Expect(err).NotTo(HaveOccurred())
	leaf, err = sub.Issue(now, &x509.Certificate{
		Subject:     pkix.Name{CommonName: "device"},
		NotAfter:    now.AddDate(1, 0, 0),
		DNSNames:    []string{"device.example"},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, pki.Key(seed, "device").Public())
	g.Expect(err).NotTo(HaveOccurred())
	return root, sub, leaf
}

func TestSameSeedSameBytes(t *testing.T) {
	g := NewWithT(t)
	var first [][]byte
	for range 2 {
		root, sub, leaf := hierarchy(t, 7, pki.Options{})
		der := [][]byte{root.Cert.Raw, sub.Cert.Raw, leaf.Raw}
		if first == nil {
			first = der
		}
		g.Expect(der).To(Equal(first))
	}
	_, _, other := hierarchy(t, 8, pki.Options{})
	g.Expect(other.Raw).NotTo(Equal(first[2]))
}

// The vector is RFC 6979 A.2.5, P-256 with SHA-256 over "sample". All determinism here rests on crypto/ecdsa doing this.
func TestNilReaderMeansRFC6979(t *testing.T) {
	g := NewWithT(t)
	d, err := hex.DecodeString("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")
	g.Expect(err).NotTo(HaveOccurred())
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
	g.Expect(err).NotTo(HaveOccurred())
	sum := sha256.Sum256([]byte("sample"))
	sig, err := key.Sign(nil, sum[:], crypto.SHA256)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(hex.EncodeToString(sig)).To(And(
		ContainSubstring("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"),
		ContainSubstring("f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8")))
}

func TestChainVerifies(t *testing.T) {
	g := NewWithT(t)
	root, sub, leaf := hierarchy(t, 7, pki.Options{})
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: sub.Pool(), Intermediates: sub.Intermediates(), CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(sub.Chain()).To(Equal([]*x509.Certificate{sub.Cert, root.Cert}))
	g.Expect(sub.Root()).To(BeIdenticalTo(root))
	g.Expect(leaf.AuthorityKeyId).To(Equal(sub.Cert.SubjectKeyId))
	g.Expect(leaf.SubjectKeyId).To(HaveLen(20))
	g.Expect(leaf.SerialNumber.Bytes()).To(HaveLen(16))
	g.Expect(leaf.NotBefore).To(Equal(now.Truncate(time.Second)))
}

func TestOmitAKI(t *testing.T) {
	g := NewWithT(t)
	_, sub, leaf := hierarchy(t, 7, pki.Options{OmitAKI: true})
	g.Expect(leaf.AuthorityKeyId).To(BeEmpty())
	g.Expect(sub.Cert.AuthorityKeyId).NotTo(BeEmpty(), "the option is about what the authority issues")
	g.Expect(leaf.CheckSignatureFrom(sub.Cert)).To(Succeed())
}

func TestSerialFollowsContent(t *testing.T) {
	g := NewWithT(t)
	_, sub, leaf := hierarchy(t, 7, pki.Options{})
	again, err := sub.Issue(now, &x509.Certificate{
		Subject: pkix.Name{CommonName: "device"}, NotAfter: now.AddDate(1, 0, 0), DNSNames: []string{"device.example"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		ExtraExtensions: []pkix.Extension{{Id: []int{1, 3, 6, 1, 4, 1, 311, 1, 2, 3}, Value: []byte{5, 0}}},
	}, pki.Key(7, "device").Public())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again.SerialNumber).NotTo(Equal(leaf.SerialNumber))

	own, err := sub.Issue(now, &x509.Certificate{SerialNumber: big.NewInt(42), NotAfter: now.AddDate(1, 0, 0)}, pki.Key(7, "device").Public())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(own.SerialNumber.Int64()).To(Equal(int64(42)))
}

func TestIssueRefuses(t *testing.T) {
	g := NewWithT(t)
	_, sub, _ := hierarchy(t, 7, pki.Options{})
	_, err := sub.Issue(now, &x509.Certificate{}, pki.Key(7, "device").Public())
	g.Expect(err).To(MatchError("pki: issue: NotAfter is not set"))
	_, err = sub.Issue(now, &x509.Certificate{NotAfter: now}, "no key")
	g.Expect(err).To(MatchError(ContainSubstring("pki: issue: key identifier")))
}

func TestRSAPool(t *testing.T) {
	g := NewWithT(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { pki.RSAKey(0) })
	}
	wg.Wait()
	key := pki.RSAKey(0)
	g.Expect(key.E).To(Equal(65537))
	g.Expect(key.N.BitLen()).To(Equal(2048))
	g.Expect(key.Validate()).To(Succeed())
	g.Expect(pki.RSAKey(0)).To(BeIdenticalTo(key), "made once")
	g.Expect(pki.RSAKey(pki.RSAPoolSize)).To(BeIdenticalTo(key), "the pool wraps around")
	g.Expect(pki.RSAKey(1).N).NotTo(Equal(key.N))
	g.Expect(pki.RSAKeyBits(0, 1024).N.BitLen()).To(Equal(1024))
	for _, p := range key.Primes {
		g.Expect(p.ProbablyPrime(64)).To(BeTrue())
	}
	// Pinned: certificates and signatures in golden files elsewhere hang on it.
	sum := sha256.Sum256(key.N.Bytes())
	g.Expect(hex.EncodeToString(sum[:8])).To(Equal(rsaKey0), "the pool changed")
}

func TestRSAKeyRefusesNonsense(t *testing.T) {
	g := NewWithT(t)
	g.Expect(func() { pki.RSAKey(-1) }).To(Panic())
	g.Expect(func() { pki.RSAKeyBits(0, 2000) }).To(Panic())
}

func TestRSACertificateIsDeterministic(t *testing.T) {
	g := NewWithT(t)
	var first []byte
	for range 2 {
		ca, err := pki.NewRoot(now, 7, "SCEP RA", pki.Options{Key: pki.RSAKey(0)})
		g.Expect(err).NotTo(HaveOccurred())
		if first == nil {
			first = ca.Cert.Raw
		}
		g.Expect(ca.Cert.Raw).To(Equal(first))
	}
}

func TestKeysAreWellFormed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, name := vclock.Seed(rapid.Uint64().Draw(t, "seed")), rapid.String().Draw(t, "name")
		key := pki.Key(seed, name)
		if !key.Equal(pki.Key(seed, name)) {
			t.Fatal("not the same key twice")
		}
		if key.Equal(pki.Key(seed, name+"x")) || key.Equal(pki.Key(seed, name, "")) {
			t.Fatal("names do not separate keys")
		}
		text, err := pki.KeyPEM(key)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := pki.ParseKeyPEM(text); err != nil || !key.Equal(back) {
			t.Fatalf("read back as %v, %v", back, err)
		}
	})
}

func TestPEM(t *testing.T) {
	g := NewWithT(t)
	root, sub, leaf := hierarchy(t, 7, pki.Options{})
	text := pki.PEM(leaf, sub.Cert, root.Cert)
	back, err := pki.ParsePEM(text)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(back).To(HaveLen(3))
	g.Expect(back[0].Raw).To(Equal(leaf.Raw))

	_, err = pki.ParsePEM([]byte("nothing"))
	g.Expect(err).To(MatchError(ContainSubstring("no certificate")))
	key, err := pki.KeyPEM(pki.Key(7, "x"))
	g.Expect(err).NotTo(HaveOccurred())
	_, err = pki.ParsePEM(append(text, key...))
	g.Expect(err).To(MatchError(ContainSubstring("block 4")))
	_, err = pki.ParseKeyPEM(text)
	g.Expect(err).To(MatchError(ContainSubstring("no PKCS #8")))
}

// openssl is the outside judge: it accepts the chain at its time, and its own idea of the thumbprint is ours.
func TestOpenSSLAgrees(t *testing.T) {
	g := NewWithT(t)
	root, sub, leaf := hierarchy(t, 7, pki.Options{})
	dir := t.TempDir()
	file := func(name string, certs ...*x509.Certificate) string {
		path := filepath.Join(dir, name)
		g.Expect(os.WriteFile(path, pki.PEM(certs...), 0o600)).To(Succeed())
		return path
	}
	rootFile, subFile, leafFile := file("root.pem", root.Cert), file("sub.pem", sub.Cert), file("leaf.pem", leaf)
	out, err := exec.Command("openssl", "verify", "-x509_strict", "-attime", "1788249600", "-purpose", "sslclient",
		"-CAfile", rootFile, "-untrusted", subFile, leafFile).CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))

	out, err = exec.Command("openssl", "x509", "-in", leafFile, "-noout", "-fingerprint", "-sha1").CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))
	plain := make([]byte, 0, 40)
	for _, c := range string(out[len("sha1 Fingerprint="):]) {
		if c != ':' && c != '\n' {
			plain = append(plain, byte(c))
		}
	}
	g.Expect(string(plain)).To(Equal(pki.Thumbprint(leaf)))
}

func FuzzParsePEM(f *testing.F) {
	_, _, leaf := hierarchy(f, 7, pki.Options{})
	f.Add(pki.PEM(leaf))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if certs, err := pki.ParsePEM(text); err == nil && len(certs) == 0 {
			t.Fatal("no certificate and no error")
		}
		_, _ = pki.ParseKeyPEM(text)
	})
}

func BenchmarkIssue(b *testing.B) {
	root, err := pki.NewRoot(now, 7, "Root", pki.Options{})
	if err != nil {
		b.Fatal(err)
	}
	pub := pki.Key(7, "device").Public()
	for b.Loop() {
		if _, err := root.Issue(now, &x509.Certificate{NotAfter: now.AddDate(1, 0, 0)}, pub); err != nil {
			b.Fatal(err)
		}
	}
}
