package mde_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/mde"
	"windtunnel.test/sim/wire/scep"
)

var noon = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

// holder is a certificate with its RSA key, the n-th of the pool.
func holder(t testing.TB, n int, name string) scep.Identity {
	t.Helper()
	ca, err := pki.NewRoot(noon, 1, "customer", pki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	key := pki.RSAKey(n)
	cert, err := ca.Issue(noon, &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotAfter: noon.AddDate(1, 0, 0)}, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return scep.Identity{Certificate: cert, Key: key}
}

func signedRequest(t testing.TB, id scep.Identity) []byte {
	t.Helper()
	data, err := mde.EncodeEnrol(withSecurity(mde.CertificateSecurity(id.Certificate.Raw, noon, noon.Add(5*time.Minute))),
		&mde.Enrol{Request: []byte("pkcs10"), Context: technician()})
	if err != nil {
		t.Fatal(err)
	}
	if data, err = mde.Sign(data, id.Key); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSignedRequest(t *testing.T) {
	g := NewWithT(t)
	id := holder(t, 1, "ada@contoso.example")
	data := signedRequest(t, id)
	h, _, err := mde.DecodeEnrol(data)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(h.Security.Mode()).To(Equal(mde.ModeCertificate))
	g.Expect(h.Security.Signed).To(BeTrue())

	signed, signer, err := mde.Verify(data)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(signer.Raw).To(Equal(id.Certificate.Raw))
	h, m, err := mde.DecodeEnrol(signed)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(m.Request).To(Equal([]byte("pkcs10")))
	g.Expect(m.Context).To(Equal(technician()))
	g.Expect(h.Security.Created).To(Equal(noon))
	again := signedRequest(t, id)
	g.Expect(again).To(Equal(data), "RSA with PKCS#1 v1.5 draws nothing")
}

// What somebody on the way, or somebody with a certificate of their own, could make of a signed request.
func TestSignatureAttacks(t *testing.T) {
	id, other := holder(t, 1, "ada@contoso.example"), holder(t, 2, "eve@contoso.example")
	good := string(signedRequest(t, id))
	signature := good[strings.Index(good, "<ds:Signature"):]
	signature = signature[:strings.Index(signature, "</ds:Signature>")+len("</ds:Signature>")]
	unsigned := strings.Replace(good, signature, "", 1)
	body := good[strings.Index(good, "<s:Body>"):strings.Index(good, "</s:Envelope>")]
	strangers := string(signedRequest(t, other))
	for name, message := range map[string]string{
		"no signature":                 unsigned,
		"body changed":                 strings.Replace(good, "cGtjczEw", "cGtjczEx", 1),
		"header changed":               strings.Replace(good, "2026-09-01T12:05:00.000Z", "2036-09-01T12:05:00.000Z", 1),
		"context changed":              strings.Replace(good, ">Device<", ">Full<", 1),
		"wrapped in another envelope":  strings.Replace(unsigned, "</s:Header>", "<x>"+good+"</x></s:Header>", 1),
		"second body":                  strings.Replace(good, "</s:Envelope>", body+"</s:Envelope>", 1),
		"second header":                strings.Replace(good, "<s:Body>", "<s:Header/><s:Body>", 1),
		"second signature":             strings.Replace(good, signature, signature+signature, 1),
		"signature in the body":        strings.Replace(unsigned, "</s:Body>", signature+"</s:Body>", 1),
		"same id again":                strings.Replace(good, "<a:MessageID>", `<a:MessageID u:Id="envelop">`, 1),
		"about a part":                 strings.Replace(good, `URI="#envelop"`, `URI="#_0"`, 1),
		"about nothing":                strings.Replace(good, `URI="#envelop"`, `URI="#"`, 1),
		"envelope without its id":      strings.Replace(good, ` u:Id="envelop"`, ``, 1),
		"weak algorithm":               strings.Replace(good, "2001/04/xmldsig-more#rsa-sha256", "2000/09/xmldsig#rsa-sha1", 1),
		"weak digest":                  strings.Replace(good, "2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1", 1),
		"other canonical form":         strings.Replace(good, "2001/10/xml-exc-c14n#", "2006/12/xml-c14n11", 1),
		"no enveloped transform":       strings.Replace(good, `<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>`, "", 1),
		"third transform":              strings.Replace(good, "</ds:Transforms>", `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/></ds:Transforms>`, 1),
		"second reference":             strings.Replace(good, "</ds:SignedInfo>", `<ds:Reference URI=""/></ds:SignedInfo>`, 1),
		"certificate of somebody else": strings.Replace(good, token(good), token(strangers), 1),
		"key named elsewhere":          strings.Replace(good, `<wsse:Reference URI="#uuid`, `<wsse:Reference URI="#guid`, 1),
		"key beside the token":         strings.Replace(good, "<wsse:SecurityTokenReference>", "<ds:X509Data/><x/>", 1),
		"no signature value":           strings.Replace(good, "<ds:SignatureValue>", "<ds:SignatureValue>!", 1),
		"document type":                `<!DOCTYPE x [<!ENTITY a "b">]>` + good,
		"truncated":                    good[:len(good)-20],
		"empty":                        "",
	} {
		g := NewWithT(t)
		g.Expect(message).NotTo(Equal(good), name)
		signed, signer, err := mde.Verify([]byte(message))
		g.Expect(err).To(HaveOccurred(), name)
		g.Expect(mde.ErrSecurity(err)).To(BeTrue(), name)
		g.Expect(signed).To(BeNil(), name)
		g.Expect(signer).To(BeNil(), name)
	}
}

// A comment inside a value cuts it for some readers; here what counts is the canonical text, which has none.
func TestCommentsAreNotRead(t *testing.T) {
	g := NewWithT(t)
	good := string(signedRequest(t, holder(t, 1, "ada@contoso.example")))
	signed, _, err := mde.Verify([]byte(strings.Replace(good, ">Device<", ">Dev<!-- -->ice<", 1)))
	g.Expect(err).NotTo(HaveOccurred())
	_, m, err := mde.DecodeEnrol(signed)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(m.Context.EnrollmentType).To(Equal(mde.EnrolDevice))
}

// token is the certificate's base64 in a request.
func token(message string) string {
	_, rest, _ := strings.Cut(message, `<wsse:BinarySecurityToken u:Id="`)
	_, rest, _ = strings.Cut(rest, ">")
	text, _, _ := strings.Cut(rest, "<")
	return text
}

func TestRenewal(t *testing.T) {
	g := NewWithT(t)
	id := holder(t, 1, "old")
	der, err := mde.SignRenewal([]byte("pkcs10"), id)
	g.Expect(err).NotTo(HaveOccurred())
	request, signer, err := mde.OpenRenewal(der)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(request).To(Equal([]byte("pkcs10")))
	g.Expect(signer.Raw).To(Equal(id.Certificate.Raw))
	for i := range der {
		changed := append([]byte(nil), der...)
		changed[i] ^= 0x20
		if request, signer, err := mde.OpenRenewal(changed); err == nil {
			g.Expect(string(request)).To(Equal("pkcs10"), "bit of byte %d", i)
			g.Expect(signer.PublicKey).To(Equal(id.Certificate.PublicKey), "bit of byte %d", i)
		}
	}
}

// TestXMLSec needs xmlsec1, which agrees with both directions.
func TestXMLSec(t *testing.T) {
	g := NewWithT(t)
	id, dir := holder(t, 1, "ada@contoso.example"), t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		g.Expect(os.WriteFile(path, data, 0o600)).To(Succeed())
		return path
	}
	key, err := pki.KeyPEM(id.Key)
	g.Expect(err).NotTo(HaveOccurred())
	keyFile, cert := write("key.pem", key), write("cert.pem", pki.PEM(id.Certificate))
	attr := "--id-attr:Id"
	envelope := "http://www.w3.org/2003/05/soap-envelope:Envelope"

	good := signedRequest(t, id)
	out, err := exec.Command("xmlsec1", "--verify", attr, envelope, "--pubkey-cert-pem", cert, write("ours.xml", good)).CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))

	// A template is the same request without its values.
	text := string(good)
	for _, name := range []string{"ds:DigestValue", "ds:SignatureValue"} {
		before, rest, _ := strings.Cut(text, "<"+name+">")
		_, after, _ := strings.Cut(rest, "</"+name+">")
		text = before + "<" + name + "></" + name + ">" + after
	}
	signed := filepath.Join(dir, "theirs.xml")
	out, err = exec.Command("xmlsec1", "--sign", attr, envelope, "--privkey-pem", keyFile, "--output", signed, write("template.xml", []byte(text))).CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))
	theirs, err := os.ReadFile(signed)
	g.Expect(err).NotTo(HaveOccurred())
	_, signer, err := mde.Verify(theirs)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(signer.Raw).To(Equal(id.Certificate.Raw))
}
