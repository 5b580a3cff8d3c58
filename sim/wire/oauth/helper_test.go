package oauth_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const tenant = "3d1f6e5a-9c0b-4b7e-8a64-0f2c51d7e9ab"

var start = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

func pemBytes(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	return block.Bytes
}

// chipKey shows only what a TPM key can do: sign and decrypt.
type chipKey struct{ key *rsa.PrivateKey }

func (k chipKey) Public() crypto.PublicKey { return &k.key.PublicKey }
func (k chipKey) Sign(_ io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return k.key.Sign(nil, digest, o)
}
func (k chipKey) Decrypt(_ io.Reader, msg []byte, o crypto.DecrypterOpts) ([]byte, error) {
	return k.key.Decrypt(nil, msg, o)
}

func deviceKey(t testing.TB) chipKey {
	t.Helper()
	key, err := x509.ParsePKCS8PrivateKey(pemBytes(t, "device-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return chipKey{key.(*rsa.PrivateKey)}
}

func golden(t *testing.T, name string, v any) {
	t.Helper()
	g := NewWithT(t)
	got, err := json.MarshalIndent(v, "", "  ")
	g.Expect(err).NotTo(HaveOccurred())
	got = append(got, '\n')
	path := filepath.Join("testdata", name)
	if *update {
		g.Expect(os.WriteFile(path, got, 0o644)).To(Succeed())
	}
	want, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(got)).To(Equal(string(want)))
}
