package cloud_test

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/mde"
	"windtunnel.test/sim/wire/scep"
)

const discoveryURL = "https://enrollment.manage.microsoft.com/EnrollmentServer/Discovery.svc"

// post sends a message and has xmllint judge the answer: well-formed, and the
// same after it was written in its canonical form and read again.
func (e enroller) post(client *http.Client, address string, body []byte) (status int, answer []byte) {
	GinkgoHelper()
	resp, err := client.Post(address, mde.ContentType, bytes.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	Expect(err).NotTo(HaveOccurred())
	Expect(resp.TransferEncoding).To(BeEmpty(), "the client takes no chunks")
	path := e.write("answer.xml", answer)
	e.Run("xmllint", "--noout", path)
	canonical := e.write("canonical.xml", []byte(e.Run("xmllint", "--exc-c14n", path)))
	Expect(e.Run("xmllint", "--exc-c14n", canonical)).To(Equal(e.Run("xmllint", "--exc-c14n", path)))
	return resp.StatusCode, answer
}

func (e enroller) discover() *mde.DiscoverResult {
	GinkgoHelper()
	body, err := mde.EncodeDiscover(mde.Header{MessageID: "urn:uuid:748132ec-a575-4329-b01b-6171a9cf8478", To: discoveryURL}, &mde.Discover{
		EmailAddress: staff, RequestVersion: "7.0", DeviceType: mde.DeviceType, ApplicationVersion: "10.0.26100.1742", OSEdition: "4",
		AuthPolicies: []mde.AuthPolicy{mde.Federated, mde.OnPremise, mde.Certificate}})
	Expect(err).NotTo(HaveOccurred())
	status, answer := e.post(e.Client(), discoveryURL, body)
	Expect(status).To(Equal(200))
	_, found, err := mde.DecodeDiscoverResult(answer)
	Expect(err).NotTo(HaveOccurred())
	return found
}

// request is a RequestSecurityToken for a key.
func (e enroller) request(to string, s *mde.Security, key crypto.Signer) []byte {
	GinkgoHelper()
	body, err := mde.EncodeEnrol(mde.Header{MessageID: "urn:uuid:0d5a1441-5891-453b-becf-a2e5f6ea3749", To: to, Security: s}, &mde.Enrol{
		Request: csr(key, "PC-1"), Context: mde.Context{OSEdition: "4", OSVersion: "10.0.26100.1742", DeviceName: "PC-1", EnrollmentType: mde.EnrolFull,
			DeviceType: mde.DeviceType, ApplicationVersion: "10.0.26100.1742", HWDevID: strings.Repeat("ab", 32), RequestVersion: "7.0"}})
	Expect(err).NotTo(HaveOccurred())
	return body
}

// provisioned reads the answer to an enrolment; openssl verifies the device's
// certificate by the others of the document.
func (e enroller) provisioned(status int, answer []byte, roots, between [][]byte) *mde.Provisioning {
	GinkgoHelper()
	Expect(status).To(Equal(200), string(answer))
	_, result, err := mde.DecodeEnrolResult(answer)
	Expect(err).NotTo(HaveOccurred())
	e.Run("xmllint", "--noout", e.write("document.xml", result.Provisioning))
	p, err := mde.DecodeProvisioning(result.Provisioning)
	Expect(err).NotTo(HaveOccurred())
	if roots == nil {
		roots, between = p.Roots, p.CAs
	}
	e.Run("openssl", "verify", "-purpose", "sslclient", "-no_check_time", "-CAfile", e.write("root.pem", pemOf("CERTIFICATE", roots...)),
		"-untrusted", e.write("ca.pem", pemOf("CERTIFICATE", between...)), e.write("device.pem", pemOf("CERTIFICATE", p.Client.DER)))
	return p
}

var _ = Describe("MDM enrolment, by XML tools and openssl", func() {
	It("enrols with name and password, and renews the certificate over mutual TLS", func() {
		e := newEnroller("password.yaml")
		Expect(e.Run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", discoveryURL)).To(Equal("200"))
		found := e.discover()
		Expect(found.AuthPolicy).To(Equal(mde.OnPremise))
		body, err := mde.EncodeGetPolicies(mde.Header{MessageID: "urn:uuid:1", To: found.EnrollmentPolicyURL, Security: mde.OnPremiseSecurity(staff, staffPassword)}, &mde.GetPolicies{})
		Expect(err).NotTo(HaveOccurred())
		status, answer := e.post(e.Client(), found.EnrollmentPolicyURL, body)
		Expect(status).To(Equal(200), string(answer))
		key := newKey()
		status, answer = e.post(e.Client(), found.EnrollmentURL, e.request(found.EnrollmentURL, mde.OnPremiseSecurity(staff, staffPassword), key))
		p := e.provisioned(status, answer, nil, nil)

		By("a renewal in time")
		e.Jump(324 * 24 * time.Hour)
		cert, err := x509.ParseCertificate(p.Client.DER)
		Expect(err).NotTo(HaveOccurred())
		next := newKey()
		signed, err := mde.SignRenewal(csr(next, "PC-1"), scep.Identity{Certificate: cert, Key: key})
		Expect(err).NotTo(HaveOccurred())
		inside := filepath.Join(e.dir, "inside.der")
		e.Run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-noverify", "-in", e.write("renewal.der", signed), "-out", inside)
		e.Run("openssl", "req", "-inform", "DER", "-in", inside, "-noout", "-verify")
		body, err = mde.EncodeEnrol(mde.Header{MessageID: "urn:uuid:2", To: found.EnrollmentURL}, &mde.Enrol{Renew: true, Request: signed})
		Expect(err).NotTo(HaveOccurred())
		status, answer = e.post(e.Client(), found.EnrollmentURL, body)
		Expect(status).To(Equal(500), "without the certificate in TLS")
		Expect(string(answer)).To(ContainSubstring("s:Authentication"))
		status, answer = e.post(e.with(p.Client.DER, key), found.EnrollmentURL, body)
		renewed := e.provisioned(status, answer, p.Roots, p.CAs)
		Expect(renewed.Client.DER).NotTo(Equal(p.Client.DER))

		By("one that comes too early")
		cert, err = x509.ParseCertificate(renewed.Client.DER)
		Expect(err).NotTo(HaveOccurred())
		signed, err = mde.SignRenewal(csr(newKey(), "PC-1"), scep.Identity{Certificate: cert, Key: next})
		Expect(err).NotTo(HaveOccurred())
		body, err = mde.EncodeEnrol(mde.Header{MessageID: "urn:uuid:3", To: found.EnrollmentURL}, &mde.Enrol{Renew: true, Request: signed})
		Expect(err).NotTo(HaveOccurred())
		status, answer = e.post(e.with(renewed.Client.DER, next), found.EnrollmentURL, body)
		Expect(status).To(Equal(500))
		Expect(string(answer)).To(ContainSubstring("NotEligibleToRenew"))
	})

	It("answers what is no message with a fault", func() {
		e := newEnroller("password.yaml")
		for _, body := range []string{"", "<a>", strings.Repeat("<a>", 5000), `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`, strings.Repeat("x", mde.MaxBytes+1)} {
			status, answer := e.post(e.Client(), discoveryURL, []byte(body))
			Expect(status).To(Equal(500))
			Expect(string(answer)).To(ContainSubstring("s:MessageFormat"))
		}
	})

	It("signs in on the authentication page, whose token enrols once", func() {
		e := newEnroller("federated.yaml")
		found := e.discover()
		Expect(found.AuthPolicy).To(Equal(mde.Federated))
		const app = "ms-app://windows.immersivecontrolpanel"
		page := found.AuthenticationServiceURL + "?" + url.Values{"appru": {app}, "login_hint": {staff}}.Encode()
		e.Run("xmllint", "--html", "--noout", e.write("page.html", []byte(e.Run("curl", "-sS", "--fail", page))))
		out := e.Run("curl", "-sS", "--fail", "--data-urlencode", "appru="+app, "--data-urlencode", "login="+staff, "--data-urlencode", "passwd="+staffPassword, page)
		token := regexp.MustCompile(`name="wresult" value="([^"]+)"`).FindStringSubmatch(out)
		Expect(token).NotTo(BeNil(), out)
		body := e.request(found.EnrollmentURL, mde.FederatedSecurity([]byte(html.UnescapeString(token[1]))), newKey())
		status, answer := e.post(e.Client(), found.EnrollmentURL, body)
		e.provisioned(status, answer, nil, nil)
		status, _ = e.post(e.Client(), found.EnrollmentURL, body)
		Expect(status).To(Equal(500))
	})

	It("takes requests that xmlsec1 signed, and signs requests that xmlsec1 verifies", func() {
		e := newEnroller("enrolment.yaml")
		found := e.discover()
		Expect(found.AuthPolicy).To(Equal(mde.Certificate))
		card := e.card()
		const envelope = "http://www.w3.org/2003/05/soap-envelope:Envelope"
		sign := func() []byte {
			now := e.Now()
			signed, err := mde.Sign(e.request(found.EnrollmentURL, mde.CertificateSecurity(card.Certificate.Raw, now, now.Add(2*time.Minute)), newKey()), card.Key)
			Expect(err).NotTo(HaveOccurred())
			return signed
		}
		ours := sign()
		e.Run("xmlsec1", "--verify", "--id-attr:Id", envelope, "--pubkey-cert-pem", e.write("card.pem", pemOf("CERTIFICATE", card.Certificate.Raw)), e.write("ours.xml", ours))
		status, answer := e.post(e.Client(), found.EnrollmentURL, ours)
		e.provisioned(status, answer, nil, nil)

		By("a template that xmlsec1 fills in")
		template := regexp.MustCompile(`(<ds:(DigestValue|SignatureValue)>)[^<]*`).ReplaceAll(sign(), []byte("$1"))
		keyDER, err := x509.MarshalPKCS8PrivateKey(card.Key)
		Expect(err).NotTo(HaveOccurred())
		path := filepath.Join(e.dir, "theirs.xml")
		e.Run("xmlsec1", "--sign", "--id-attr:Id", envelope, "--privkey-pem", e.write("card.key", pemOf("PRIVATE KEY", keyDER)), "--output", path, e.write("template.xml", template))
		theirs, err := os.ReadFile(path)
		Expect(err).NotTo(HaveOccurred())
		status, answer = e.post(e.Client(), found.EnrollmentURL, theirs)
		e.provisioned(status, answer, nil, nil)

		By("the same, changed on the way")
		status, answer = e.post(e.Client(), found.EnrollmentURL, bytes.Replace(sign(), []byte("PC-1"), []byte("PC-2"), 1))
		Expect(status).To(Equal(500))
		Expect(string(answer)).To(ContainSubstring("a:InvalidSecurity"))
	})
})

// with is a client that shows a certificate.
func (e enroller) with(der []byte, key crypto.Signer) *http.Client {
	t := e.proxy.Clone()
	t.TLSClientConfig.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
	DeferCleanup(t.CloseIdleConnections)
	return &http.Client{Transport: t, Timeout: patience}
}
