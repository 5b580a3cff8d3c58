package aik_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"flag"
	"io"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/scep"
	"windtunnel.test/sim/wire/tpmattest"
)

var (
	update = flag.Bool("update", false, "write testdata anew")
	noon   = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	// yearAndADay is what Windows gives the certificate that signs a request.
	yearAndADay = 367 * 24 * time.Hour
	tpm         = aik.TPMName{Manufacturer: "id:49465800", Model: "SLB9670", Version: "id:00070055"}
)

func stream(seed string) io.Reader { return rand.NewChaCha8(sha256.Sum256([]byte(seed))) }

// fixture is a service's registration authority, a vendor CA and a device that talks to the service.
type fixture struct {
	authority *aik.Authority
	registrar aik.Registrar
	vendor    ca
	device    scep.Identity
}

type ca struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// newFixture makes the same one always. The RA signs with RSA, as the real one does, or with P-256.
func newFixture(t testing.TB, rsaSigning bool) *fixture {
	root := newCA(t, "AIK Root", nil)
	issuing := newCA(t, "IFX-KEYID-00", &root)
	encryption, signing := rsaKey(t, "encryption"), crypto.Signer(eccKey(t, "signing"))
	if rsaSigning {
		signing = rsaKey(t, "signing")
	}
	f := &fixture{
		registrar: aik.Registrar{
			Signing:    scep.Identity{Certificate: issuing.issue(t, leaf(aik.RASigningName), signing.Public()), Key: signing},
			Encryption: scep.Identity{Certificate: issuing.issue(t, leaf(aik.RAEncryptionName), encryption.Public()), Key: encryption},
		},
		vendor: newCA(t, "TPM vendor", nil),
	}
	f.authority = &aik.Authority{
		Root: root.cert, Issuing: issuing.cert,
		Signing: f.registrar.Signing.Certificate, Encryption: f.registrar.Encryption.Certificate,
	}
	var err error
	if f.device, err = scep.NewSigner(rsaKey(t, "device"), noon, yearAndADay, stream("device")); err != nil {
		t.Fatal(err)
	}
	return f
}

// ekCertificate issues an EK certificate of the vendor.
func (f *fixture) ekCertificate(t testing.TB, key crypto.PublicKey) *x509.Certificate {
	t.Helper()
	san, err := tpm.MarshalSAN()
	if err != nil {
		t.Fatal(err)
	}
	template := leaf("")
	template.UnknownExtKeyUsage = []asn1.ObjectIdentifier{aik.EKUEKCertificate}
	template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Critical: true, Value: san}}
	return f.vendor.issue(t, template, key)
}

// aikCertificate issues what the service issues at the end.
func (f *fixture) aikCertificate(t testing.TB, key crypto.PublicKey) *x509.Certificate {
	t.Helper()
	template := leaf("")
	template.UnknownExtKeyUsage = []asn1.ObjectIdentifier{aik.EKUAIKCertificate}
	return ca{f.authority.Issuing, eccKey(t, "IFX-KEYID-00")}.issue(t, template, key)
}

// params is request 1 with the statement that a TPM wrote once.
func (f *fixture) params(t testing.TB) aik.Request1Params {
	t.Helper()
	raw, err := os.ReadFile("../tpmattest/testdata/statement.bin")
	if err != nil {
		t.Fatal(err)
	}
	statement, err := tpmattest.ParseStatement(raw)
	if err != nil {
		t.Fatal(err)
	}
	ek := fixedRSA("EK")
	return aik.Request1Params{
		EK:        tpmattest.EKInfo{Key: ek, Certificate: f.ekCertificate(t, ek).Raw},
		Chain:     []*x509.Certificate{f.vendor.cert},
		Statement: tpmattest.Statement{IDBinding: statement.IDBinding},
		OSVersion: "10.0.26100.2",
		TPM:       tpm,
		Client:    aik.ClientInfo{MachineName: "DESKTOP-ABC1234", UserName: `WORKGROUP\DESKTOP-ABC1234$`},
		Signer:    f.device,
		Authority: f.authority,
	}
}

func newCA(t testing.TB, name string, parent *ca) ca {
	t.Helper()
	key := eccKey(t, name)
	template := leaf(name)
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign
	if parent == nil {
		parent = &ca{template, key}
	}
	return ca{parent.issue(t, template, key.Public()), key}
}

func (c ca) issue(t testing.TB, template *x509.Certificate, key crypto.PublicKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(nil, template, c.cert, key, c.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func leaf(name string) *x509.Certificate {
	sum := sha256.Sum256([]byte(name))
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(sum[:8]),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    noon.AddDate(-1, 0, 0),
		NotAfter:     noon.AddDate(9, 0, 0),
		SubjectKeyId: sum[8:28],
	}
}

func eccKey(t testing.TB, name string) *ecdsa.PrivateKey {
	t.Helper()
	sum := sha256.Sum256([]byte(name))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t testing.TB, name string) *rsa.PrivateKey {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// fixedRSA is a public key of which nobody knows the private half.
func fixedRSA(name string) *rsa.PublicKey {
	n := make([]byte, 256)
	_, _ = io.ReadFull(stream(name), n)
	n[0] |= 0x80
	n[255] |= 1
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
}

func flip(b []byte, i int) []byte {
	out := bytes.Clone(b)
	out[i] ^= 1
	return out
}
