package scep_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/fakeintune/scep"
	"windtunnel.test/sim/pki"
	wire "windtunnel.test/sim/wire/scep"
)

// TestOpenSSL needs openssl, which agrees on the messages.
func TestOpenSSL(t *testing.T) {
	g, w := NewWithT(t), newWorld(t)
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		g.Expect(os.WriteFile(path, data, 0o600)).To(Succeed())
		return path
	}
	openssl := func(args ...string) []byte {
		out, err := exec.Command("openssl", args...).CombinedOutput()
		g.Expect(err).NotTo(HaveOccurred(), strings.Join(args, " ")+"\n"+string(out))
		return out
	}
	ra, ca := w.ra()
	challenge := w.challenge(scep.Challenge{})
	g.Expect(string(openssl("req", "-inform", "DER", "-in", file("csr.der", csr(t, 5, named("PC-1"), challenge)), "-noout", "-text", "-verify"))).To(ContainSubstring(challenge))
	for _, c := range []struct {
		name, flag string
		cipher     wire.Cipher
	}{{"aes128", "-aes128", wire.AES128}, {"aes256", "-aes256", wire.AES256}, {"3des", "-des3", wire.TripleDES}} {
		id := w.self(5)
		request := file("request.der", csr(t, 5, named("PC-1"), w.challenge(scep.Challenge{})))
		sealed := filepath.Join(dir, "sealed")
		openssl("cms", "-encrypt", "-binary", c.flag, "-in", request, "-outform", "DER", "-out", sealed, file("ra.pem", pki.PEM(ra)))
		content, err := os.ReadFile(sealed)
		g.Expect(err).NotTo(HaveOccurred())
		cipher, ok := wire.CipherOf(content)
		g.Expect(ok).To(BeTrue(), c.name)
		g.Expect(cipher).To(Equal(c.cipher))
		der, err := wire.Message{Attributes: wire.Attributes{MessageType: wire.PKCSReq, TransactionID: c.name, SenderNonce: make([]byte, wire.NonceSize)}, Content: content}.Sign(id)
		g.Expect(err).NotTo(HaveOccurred())
		cert, reply := w.send(id, der)
		g.Expect(cert).NotTo(BeNil(), c.name)
		cipher, _ = wire.CipherOf(reply.Content)
		g.Expect(cipher).To(Equal(c.cipher), "the answer has the question's cipher")
		key, err := pki.KeyPEM(id.Key)
		g.Expect(err).NotTo(HaveOccurred())
		openssl("cms", "-decrypt", "-inform", "DER", "-in", file("reply", reply.Content), "-recip", file("self.pem", pki.PEM(id.Certificate)), "-inkey", file("key.pem", key), "-out", filepath.Join(dir, "certs"))
		openssl("verify", "-attime", "1788300000", "-CAfile", file("ca.pem", pki.PEM(ca)), file("cert.pem", pki.PEM(cert)))
	}
}

func FuzzServer(f *testing.F) {
	w := newWorld(f)
	f.Add([]byte("x"), "operation=PKIOperation")
	f.Add([]byte{}, "operation=PKIOperation&message=AAAA")
	id := w.self(5)
	f.Add(w.message(wire.PKCSReq, id, "t", csr(f, 5, named("x"), w.challenge(scep.Challenge{}))), "operation=PKIOperation")
	f.Fuzz(func(_ *testing.T, body []byte, query string) {
		r := httptest.NewRequest(http.MethodPost, server, strings.NewReader(string(body)))
		r.URL.RawQuery = query
		w.h.ServeHTTP(httptest.NewRecorder(), r)
	})
}

// FuzzRequest is for who may send messages, with kind and content that he makes
// up: he gets a reply, or 400 where the kind is none of a client's.
func FuzzRequest(f *testing.F) {
	w := newWorld(f)
	id := w.self(5)
	f.Add(int(wire.PKCSReq), csr(f, 5, named("x"), "00"))
	f.Add(int(wire.CertPoll), []byte{0x30, 0})
	f.Add(int(wire.GetCert), []byte{0x30, 0})
	f.Add(int(wire.CertRep), []byte("0"))
	f.Fuzz(func(t *testing.T, kind int, content []byte) {
		w.T = t
		der := w.message(wire.MessageType(kind), id, "t", content)
		rec := w.Call(w.h, http.MethodPost, server+"?operation=PKIOperation", http.Header{"Content-Type": {wire.TypePKIMessage}}, der, nil)
		switch rec.Code {
		case http.StatusBadRequest:
		case http.StatusOK:
			_, err := wire.Parse(rec.Body.Bytes())
			w.must(err)
		default:
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
	})
}
