package sidecar_test

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"github.com/smallstep/pkcs7"
	"pgregory.net/rapid"

	"windtunnel.test/sim/wire/sidecar"
)

// recipient makes a certificate for a fresh RSA key.
func recipient(t testing.TB, serial int64) (*x509.Certificate, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "pc-1"},
		NotBefore: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 9, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

func keys() (key, macKey [32]byte, iv [16]byte) {
	for i := range key {
		key[i], macKey[i] = byte(i), byte(0x80+i)
	}
	copy(iv[:], "initialisationve")
	return key, macKey, iv
}

func archive(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("vpn.msi")
	if err == nil {
		_, err = w.Write([]byte("an installer"))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestContentFile(t *testing.T) {
	g := gomega.NewWithT(t)
	plain := archive(t)
	key, macKey, iv := keys()
	info := sidecar.NewDecryptInfo(key, macKey, iv, plain)
	file, err := sidecar.EncryptContent(info, plain)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(sidecar.DecryptContent(info, file)).To(gomega.Equal(plain))

	// What a client does that knows key and IV only.
	bare := sidecar.DecryptInfo{EncryptionKey: info.EncryptionKey, IV: info.IV}
	g.Expect(sidecar.DecryptContent(bare, file)).To(gomega.Equal(plain))

	for name, c := range map[string]struct {
		info  sidecar.DecryptInfo
		file  []byte
		cause error
	}{
		"changed":      {info, append(bytes.Clone(file[:60]), append([]byte{file[60] ^ 1}, file[61:]...)...), sidecar.ErrContentMAC},
		"changed MAC":  {info, append([]byte{file[0] ^ 1}, file[1:]...), sidecar.ErrContentMAC},
		"no block":     {info, file[:48], sidecar.ErrContentShape},
		"half a block": {info, file[:len(file)-3], sidecar.ErrContentShape},
		"cut":          {bare, file[:len(file)-16], sidecar.ErrContentShape},
		"empty":        {info, nil, sidecar.ErrContentShape},
		"other digest": {sidecar.DecryptInfo{EncryptionKey: info.EncryptionKey, IV: info.IV, FileDigest: make([]byte, 32)}, file, sidecar.ErrContentDigest},
	} {
		_, err := sidecar.DecryptContent(c.info, c.file)
		g.Expect(err).To(gomega.MatchError(c.cause), name)
	}
	_, err = sidecar.DecryptContent(sidecar.DecryptInfo{EncryptionKey: key[:16], IV: iv[:]}, file)
	g.Expect(err).To(gomega.HaveOccurred())
	_, err = sidecar.EncryptContent(sidecar.DecryptInfo{EncryptionKey: key[:], IV: iv[:8]}, plain)
	g.Expect(err).To(gomega.HaveOccurred())
}

func TestContentRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := gomega.NewWithT(t)
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		key, macKey, iv := keys()
		info := sidecar.NewDecryptInfo(key, macKey, iv, plain)
		file, err := sidecar.EncryptContent(info, plain)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		back, err := sidecar.DecryptContent(info, file)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(bytes.Equal(back, plain)).To(gomega.BeTrue())
	})
}

func TestDecryptInfo(t *testing.T) {
	g := gomega.NewWithT(t)
	certificate, private := recipient(t, 7)
	key, macKey, iv := keys()
	want := sidecar.NewDecryptInfo(key, macKey, iv, []byte("zip"))
	text, err := sidecar.SealDecryptInfo(rand.Reader, certificate, want)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(text).To(gomega.HavePrefix("<EncryptedMessage><EncryptedContent>"))
	g.Expect(sidecar.OpenDecryptInfo(certificate, private, text)).To(gomega.Equal(want))

	other, otherKey := recipient(t, 8)
	_, err = sidecar.OpenDecryptInfo(other, otherKey, text)
	g.Expect(err).To(gomega.MatchError(sidecar.ErrNotRecipient))
	_, err = sidecar.OpenDecryptInfo(certificate, otherKey, text)
	g.Expect(err).To(gomega.HaveOccurred())
	for _, bad := range []string{
		"", "<x/>", "<EncryptedMessage/>", "<EncryptedMessage><EncryptedContent>%</EncryptedContent></EncryptedMessage>",
		"<EncryptedMessage><EncryptedContent>AAAA</EncryptedContent></EncryptedMessage>", strings.Repeat(" ", 1<<17),
	} {
		_, err := sidecar.OpenDecryptInfo(certificate, private, bad)
		g.Expect(err).To(gomega.HaveOccurred(), bad)
	}
	_, err = sidecar.SealDecryptInfo(bytes.NewReader(nil), certificate, want)
	g.Expect(err).To(gomega.HaveOccurred())
	// A seeded stream must stand at the same place after each call.
	stream := bytes.NewReader(make([]byte, 100))
	_, err = sidecar.SealDecryptInfo(stream, certificate, want)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(stream.Len()).To(gomega.Equal(100 - 48))
	empty, err := sidecar.SealDecryptInfo(rand.Reader, certificate, sidecar.DecryptInfo{})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	_, err = sidecar.OpenDecryptInfo(certificate, private, empty)
	g.Expect(err).To(gomega.HaveOccurred())
}

// cms is the CMS message inside a sealed DecryptInfo.
func cms(t *testing.T, text string) []byte {
	t.Helper()
	text = strings.TrimSuffix(strings.TrimPrefix(text, "<EncryptedMessage><EncryptedContent>"), "</EncryptedContent></EncryptedMessage>")
	der, err := base64.StdEncoding.DecodeString(text)
	gomega.NewWithT(t).Expect(err).NotTo(gomega.HaveOccurred())
	return der
}

func TestDecryptInfoOpensWithPKCS7(t *testing.T) {
	g := gomega.NewWithT(t)
	certificate, private := recipient(t, 7)
	key, macKey, iv := keys()
	want := sidecar.NewDecryptInfo(key, macKey, iv, []byte("zip"))
	text, err := sidecar.SealDecryptInfo(rand.Reader, certificate, want)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	message, err := pkcs7.Parse(cms(t, text))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	plain, err := message.Decrypt(certificate, private)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	var got sidecar.DecryptInfo
	g.Expect(json.Unmarshal(plain, &got)).To(gomega.Succeed())
	g.Expect(got).To(gomega.Equal(want))
}

// OpenSSL opens what we seal and seals what we open, and decrypts a content file.
func TestOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	g := gomega.NewWithT(t)
	g.Expect(err).NotTo(gomega.HaveOccurred(), "this test needs openssl")
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		g.Expect(os.WriteFile(path, data, 0o600)).To(gomega.Succeed())
		return path
	}
	run := func(args ...string) []byte {
		t.Helper()
		var stderr bytes.Buffer
		command := exec.Command(openssl, args...)
		command.Stderr = &stderr
		out, err := command.Output()
		g.Expect(err).NotTo(gomega.HaveOccurred(), stderr.String())
		return out
	}
	certificate, private := recipient(t, 7)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	keyFile := write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	certFile := write("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
	zipped := archive(t)
	key, macKey, iv := keys()
	info := sidecar.NewDecryptInfo(key, macKey, iv, zipped)

	sealed, err := sidecar.SealDecryptInfo(rand.Reader, certificate, info)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	out := run("cms", "-decrypt", "-inform", "DER", "-in", write("sealed.der", cms(t, sealed)), "-inkey", keyFile, "-recip", certFile, "-binary")
	var got sidecar.DecryptInfo
	g.Expect(json.Unmarshal(out, &got)).To(gomega.Succeed())
	g.Expect(got).To(gomega.Equal(info))

	plain, err := json.Marshal(info)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	der := run("cms", "-encrypt", "-aes256", "-binary", "-outform", "DER", "-in", write("plain.json", plain), certFile)
	text := "<EncryptedMessage><EncryptedContent>" + base64.StdEncoding.EncodeToString(der) + "</EncryptedContent></EncryptedMessage>"
	g.Expect(sidecar.OpenDecryptInfo(certificate, private, text)).To(gomega.Equal(info))

	file, err := sidecar.EncryptContent(info, zipped)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	body := write("body", file[48:])
	g.Expect(run("enc", "-d", "-aes-256-cbc", "-K", hex.EncodeToString(key[:]), "-iv", hex.EncodeToString(iv[:]), "-in", body)).To(gomega.Equal(zipped))
	digest := run("dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:"+hex.EncodeToString(macKey[:]), "-r", write("signed", file[32:]))
	g.Expect(string(digest)).To(gomega.HavePrefix(hex.EncodeToString(file[:32])))
}

func FuzzOpenDecryptInfo(f *testing.F) {
	certificate, private := recipient(f, 7)
	key, macKey, iv := keys()
	text, err := sidecar.SealDecryptInfo(rand.Reader, certificate, sidecar.NewDecryptInfo(key, macKey, iv, []byte("zip")))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add("<EncryptedMessage><EncryptedContent>MAA=</EncryptedContent></EncryptedMessage>")
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = sidecar.OpenDecryptInfo(certificate, private, text)
		_, _ = sidecar.DecryptContent(sidecar.DecryptInfo{EncryptionKey: key[:], IV: iv[:]}, []byte(text))
	})
}
