package oauth_test

import (
	"crypto/x509"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/wire/oauth"
)

func TestChallenges(t *testing.T) {
	g := NewWithT(t)
	// RFC 7636, appendix B.
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	g.Expect(oauth.Challenge(verifier)).To(Equal(challenge))
	g.Expect(oauth.VerifierFits(oauth.ChallengeS256, challenge, verifier)).To(BeTrue())
	g.Expect(oauth.VerifierFits(oauth.ChallengePlain, challenge, verifier)).To(BeFalse())
	g.Expect(oauth.VerifierFits("", verifier, verifier)).To(BeTrue())
	for text, want := range map[string]bool{verifier: true, verifier[:42]: false, strings.Repeat("a", 129): false, verifier + "=": false} {
		g.Expect(oauth.ValidVerifier(text)).To(Equal(want), text)
	}
}

func TestDeviceCodesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ -~]{1,12}`)
		want := oauth.DeviceCode{UserCode: text.Draw(t, "user"), DeviceCode: text.Draw(t, "device"), VerificationURI: text.Draw(t, "uri"), Message: text.Draw(t, "message"),
			ExpiresIn: rapid.Int64Min(0).Draw(t, "in"), Interval: rapid.Int64Min(0).Draw(t, "interval"), V1: rapid.Bool().Draw(t, "v1")}
		raw, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got oauth.DeviceCode
		if err := json.Unmarshal(raw, &got); err != nil || got != want {
			t.Fatalf("%s: %+v, %v", raw, got, err)
		}
		request := oauth.AuthorizeRequest{ClientID: text.Draw(t, "client"), State: text.Draw(t, "state"), Scope: text.Draw(t, "scope")}
		if back := oauth.ParseAuthorizeRequest(request.Values()); back != request {
			t.Fatalf("%+v", back)
		}
	})
}

func TestErrorTableIsWhole(t *testing.T) {
	g := NewWithT(t)
	g.Expect(oauth.ErrorText(oauth.CodeRedeemed)).NotTo(BeEmpty())
	g.Expect(oauth.ErrorText(1)).To(BeEmpty())
	e := oauth.NewError(oauth.MFARequired, "", tenant, tenant, start)
	g.Expect([]string{e.Name, e.SubError}).To(Equal([]string{oauth.InteractionRequired, oauth.SubErrorBasicAction}))
}

// assertion is one of the device's key, in the name of an application.
func assertion(t testing.TB, alg jose.SignatureAlgorithm, chain bool) (string, *x509.Certificate) {
	t.Helper()
	cert, err := x509.ParseCertificate(pemBytes(t, "device-cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := oauth.SignClientAssertion(deviceKey(t).key, cert, alg, chain, oauth.ClientAssertion{Audience: []string{"https://x"}, Issuer: "a", Subject: "a", Expires: start.Add(time.Minute).Unix()})
	if err != nil {
		t.Fatal(err)
	}
	return text, cert
}

func TestClientAssertionsRoundTrip(t *testing.T) {
	g := NewWithT(t)
	for _, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.PS256} {
		text, cert := assertion(t, alg, true)
		a, err := oauth.ParseClientAssertion(text)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(a.Chain).To(HaveLen(1))
		g.Expect(a.Thumbprint()).NotTo(BeNil())
		g.Expect(a.Issuer).To(Equal("a"))
		g.Expect(a.Verify(cert)).To(Succeed())
		other, err := oauth.ParseClientAssertion(tamper(text))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(other.Verify(cert)).To(MatchError(oauth.ErrSignature))
	}
}

func FuzzClientAssertion(f *testing.F) {
	text, cert := assertion(f, jose.RS256, false)
	f.Add(text)
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := oauth.ParseClientAssertion(text)
		if err == nil && a.Verify(cert) == nil && a.Issuer != "a" {
			t.Fatal("verified a forged assertion")
		}
		_, _ = oauth.NewInstanceDiscovery(text, "1.1")
		var d oauth.DeviceCode
		_ = json.Unmarshal([]byte(text), &d)
	})
}
