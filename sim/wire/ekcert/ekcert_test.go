package ekcert_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/ekcert"
	"windtunnel.test/sim/wire/hosts"
)

var begin = time.Date(2022, 3, 1, 0, 0, 0, 0, time.UTC)

func authority(omit bool) *pki.CA {
	ca, err := pki.NewRoot(begin, 1, "Vendor Root", pki.Options{OmitAKI: omit})
	if err != nil {
		panic(err)
	}
	return ca
}

func issue(ca *pki.CA, key crypto.PublicKey) []byte {
	cert, err := ca.Issue(begin, &x509.Certificate{
		NotAfter: begin.AddDate(20, 0, 0), KeyUsage: x509.KeyUsageKeyEncipherment, BasicConstraintsValid: true,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 9}, Value: []byte{0x30, 0}}},
	}, key)
	if err != nil {
		panic(err)
	}
	return cert.Raw
}

// signed is a certificate whose signed part was changed before it was signed.
func signed(ca *pki.CA, der []byte, change func(tbs []byte) []byte) []byte {
	var outer struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		panic(err)
	}
	outer.TBS = asn1.RawValue{FullBytes: change(outer.TBS.FullBytes)}
	digest := crypto.SHA256.New()
	digest.Write(outer.TBS.FullBytes)
	signature, err := ca.Key.Sign(nil, digest.Sum(nil), crypto.SHA256)
	if err != nil {
		panic(err)
	}
	outer.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	b, err := asn1.Marshal(outer)
	if err != nil {
		panic(err)
	}
	return b
}

// swap replaces bytes inside a TLV of long form and mends its length.
func swap(from, to []byte) func([]byte) []byte {
	return func(tbs []byte) []byte {
		var v asn1.RawValue
		if _, err := asn1.Unmarshal(tbs, &v); err != nil {
			panic(err)
		}
		b, err := asn1.Marshal(asn1.RawValue{Tag: v.Tag, IsCompound: true, Bytes: bytes.Replace(v.Bytes, from, to, 1)})
		if err != nil {
			panic(err)
		}
		return b
	}
}

func TestOddCertificatesAreReadAndVerify(t *testing.T) {
	ca, silent := authority(false), authority(true)
	key := &pki.RSAKey(0).PublicKey
	good := issue(ca, key)
	rsaOID := []byte{0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01}
	oaepOID := []byte{0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x07}
	parsed, err := x509.ParseCertificate(good)
	if err != nil {
		t.Fatal(err)
	}
	serial := parsed.SerialNumber.Bytes()
	negative := append([]byte{serial[0] | 0x80}, serial[1:]...)
	for name, c := range map[string]struct {
		der       []byte
		ca        *pki.CA
		tolerated []string
	}{
		"as it should be": {good, ca, nil},
		"zeros behind":    {append(bytes.Clone(good), make([]byte, 300)...), ca, []string{ekcert.Trailing}},
		"stored in NV":    {append([]byte{0x10, 0x01, 0, byte((len(good) + 2) >> 8), byte(len(good) + 2), 0x10, 0x02}, good...), ca, []string{ekcert.StoredHeader}},
		"no key id":       {issue(silent, key), silent, []string{ekcert.NoKeyID}},
		"RSAES-OAEP":      {signed(ca, good, swap(rsaOID, oaepOID)), ca, []string{ekcert.OAEPKey}},
		"negative serial": {signed(ca, good, swap(serial, negative)), ca, []string{ekcert.NegativeID}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			cert, err := ekcert.Parse(c.der)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(cert.Tolerated).To(Equal(c.tolerated))
			g.Expect(cert.PublicKey).To(Equal(key))
			g.Expect(string(c.der)).To(ContainSubstring(string(cert.Raw)), "the vendor's bytes")
			g.Expect(cert.CheckSignatureFrom(c.ca.Cert)).To(Succeed())
		})
	}
}

// OpenSSL reads what we call odd.
func TestOpenSSLReadsThemToo(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	ca := authority(true)
	leaf, root := filepath.Join(dir, "leaf.der"), filepath.Join(dir, "root.pem")
	g.Expect(os.WriteFile(leaf, append(issue(ca, &pki.RSAKey(0).PublicKey), 0, 0, 0), 0o600)).To(Succeed())
	g.Expect(os.WriteFile(root, pki.PEM(ca.Cert), 0o600)).To(Succeed())
	text, err := exec.Command("openssl", "x509", "-inform", "DER", "-in", leaf, "-out", leaf+".pem").CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(text))
	text, err = exec.Command("openssl", "verify", "-CAfile", root, leaf+".pem").CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(text))
}

func TestNoCertificate(t *testing.T) {
	good := issue(authority(false), &pki.RSAKey(0).PublicKey)
	for name, b := range map[string][]byte{
		"nothing": nil, "zeros": make([]byte, 100), "cut off": good[:len(good)-1], "a stored digest": {0x10, 0x01, 1, 0, 0},
		"an empty sequence": {0x30, 0}, "three empty ones": {0x30, 6, 0x30, 0, 0x30, 0, 0x30, 0},
	} {
		_, err := ekcert.Parse(b)
		NewWithT(t).Expect(err).To(HaveOccurred(), name)
	}
}

func FuzzParse(f *testing.F) {
	key := &pki.RSAKey(0).PublicKey
	f.Add(issue(authority(false), key))
	f.Add(append([]byte{0x10, 0x01, 0, 0, 2, 0x10, 0x02}, issue(authority(true), key)...))
	f.Add([]byte{0x30, 6, 0x30, 0, 0x30, 0, 0x30, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		cert, err := ekcert.Parse(b)
		if err == nil && !bytes.Contains(b, cert.Raw) {
			t.Fatal("the certificate is not the one that was read")
		}
	})
}

func FuzzReadAnswer(f *testing.F) {
	f.Add([]byte(`{"pubhash":"x","certificate":"MIIC%3D"}`))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = ekcert.ReadAnswer(hosts.EKIntel, b) })
}

// The digests were computed by openssl dgst over the bytes that tpm2-tools
// documents.
func TestPaths(t *testing.T) {
	g := NewWithT(t)
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(bytes.Repeat([]byte{0xAB}, 256)), E: 65537}
	one, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), append(make([]byte, 31), 1))
	g.Expect(err).NotTo(HaveOccurred())
	ecc := &one.PublicKey // the curve's base point
	uncompressed, err := ecc.Bytes()
	g.Expect(err).NotTo(HaveOccurred())
	point := uncompressed[1:]
	for _, c := range []struct {
		host string
		key  crypto.PublicKey
		want []byte // what is hashed
	}{
		{hosts.EKIntel, key, append(bytes.Repeat([]byte{0xAB}, 256), 1, 0, 1)},
		{hosts.EKQualcomm, key, append(bytes.Repeat([]byte{0xAB}, 256), 1, 0, 1)},
		{hosts.EKAMD, key, append([]byte{0, 0, 0x22, 0x22, 0, 1, 0, 1}, bytes.Repeat([]byte{0xAB}, 256)...)},
		{hosts.EKIntel, ecc, point},
		{hosts.EKAMD, ecc, append([]byte{0, 0, 0x44, 0x44}, point...)},
	} {
		cmd := exec.Command("openssl", "dgst", "-sha256", "-binary")
		cmd.Stdin = bytes.NewReader(c.want)
		digest, err := cmd.Output()
		g.Expect(err).NotTo(HaveOccurred())
		path, err := ekcert.Path(c.host, c.key)
		g.Expect(err).NotTo(HaveOccurred())
		if c.host == hosts.EKAMD {
			g.Expect(path).To(Equal("/pki/aia/" + hexOf(digest[:16])))
		} else {
			g.Expect(path).To(HaveSuffix("/" + base64.URLEncoding.EncodeToString(digest)))
		}
		address, err := ekcert.URL(c.host, c.key)
		g.Expect(err).NotTo(HaveOccurred())
		r := httptest.NewRequest(http.MethodGet, address, nil)
		g.Expect(r.URL.Path).To(Equal(path), "what the host sees")
	}
	_, err = ekcert.Path("example.com", key)
	g.Expect(err).To(HaveOccurred())
	_, err = ekcert.Path(hosts.EKIntel, "no key")
	g.Expect(err).To(HaveOccurred())
}

func TestAnswers(t *testing.T) {
	g := NewWithT(t)
	der := issue(authority(false), &pki.RSAKey(0).PublicKey)
	for _, host := range []string{hosts.EKIntel, hosts.EKAMD, hosts.EKQualcomm} {
		_, body, err := ekcert.WriteAnswer(host, "/ekcertservice/abc=", der)
		g.Expect(err).NotTo(HaveOccurred())
		back, err := ekcert.ReadAnswer(host, body)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(back).To(Equal(der))
		g.Expect(strings.Contains(string(body), `"pubhash":"abc="`)).To(Equal(host == hosts.EKIntel))
	}
	for _, bad := range []string{"", "{}x", `{"certificate":"%zz"}`, `{"certificate":"!"}`} {
		_, err := ekcert.ReadAnswer(hosts.EKIntel, []byte(bad))
		g.Expect(err).To(HaveOccurred(), bad)
	}
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	var s strings.Builder
	for _, c := range b {
		s.WriteByte(digits[c>>4])
		s.WriteByte(digits[c&15])
	}
	return s.String()
}
