package oauth_test

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/oauth"
)

func TestHelloAssertion(t *testing.T) {
	g := NewWithT(t)
	want := oauth.HelloAssertion{Issuer: "adele@contoso.com", Audience: "common", Nonce: "n", IssuedAt: 1, Expires: 2}
	jwt, err := oauth.SignHello(pki.RSAKey(2), "key name", want)
	g.Expect(err).NotTo(HaveOccurred())
	got, err := oauth.ParseHello(jwt)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got.HelloAssertion).To(Equal(want))
	g.Expect(got.KeyID).To(Equal("key name"))
	g.Expect(got.Verify(&pki.RSAKey(2).PublicKey)).To(Succeed())
	g.Expect(got.Verify(&pki.RSAKey(3).PublicKey)).To(MatchError(oauth.ErrSignature))
	for _, bad := range []string{"", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", strings.Replace(jwt, ".", "..", 1)} {
		_, err := oauth.ParseHello(bad)
		g.Expect(err).To(HaveOccurred(), bad)
	}
}

func TestBulkRequestDates(t *testing.T) {
	g := NewWithT(t)
	for _, text := range []string{"2026-10-01 00:00:00", "10/01/2026", "2026-10-01", "2026-10-01T00:00:00Z"} {
		got, err := oauth.BulkRequest{Expires: text}.ExpiresAt()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(got).To(Equal(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)))
	}
	_, err := oauth.BulkRequest{Expires: "soon"}.ExpiresAt()
	g.Expect(err).To(HaveOccurred())
}

func TestMembersThatAsk(t *testing.T) {
	g := NewWithT(t)
	for _, yes := range []any{true, 1, 1.0, "1", "true", "True"} {
		g.Expect(oauth.Asks(yes)).To(BeTrue(), "%v", yes)
	}
	for _, no := range []any{nil, false, 0.0, "", "0", "yes", []any{}} {
		g.Expect(oauth.Asks(no)).To(BeFalse(), "%v", no)
	}
}

func FuzzHello(f *testing.F) {
	jwt, err := oauth.SignHello(pki.RSAKey(2), "key", oauth.HelloAssertion{Issuer: "a"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(jwt)
	f.Fuzz(func(t *testing.T, token string) {
		if a, err := oauth.ParseHello(token); err == nil && token != jwt && a.Verify(&pki.RSAKey(3).PublicKey) == nil {
			t.Fatal("another key's assertion was believed")
		}
	})
}
