package msa_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/onsi/gomega"
	"windtunnel.test/sim/wire/msa"
)

func newKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func claims() msa.Claims {
	p := msa.DevicePUID(42)
	return msa.Claims{Audience: msa.ScopeDeployment, PUID: p.String(), GlobalID: p.GlobalID(), HardwareID: msa.HardwareID("u", "s"), TPMValidated: true, EKHash: "ab", Nonce: "n"}
}

func TestTicket(t *testing.T) {
	g := gomega.NewWithT(t)
	key := newKey(t, elliptic.P256())
	ticket, err := msa.Issue(key, claims(), at, time.Hour)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	again, err := msa.Issue(key, claims(), at, time.Hour)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(again).To(gomega.Equal(ticket))

	c, err := msa.Verify(ticket, &key.PublicKey, "DDS.Microsoft.com", at.Add(59*time.Minute))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	want := claims()
	want.Issuer, want.IssuedAt, want.ExpiresAt = msa.Issuer, at.Unix(), at.Add(time.Hour).Unix()
	g.Expect(c).To(gomega.Equal(want))
}

func TestTicketIsReadByGoJose(t *testing.T) {
	g := gomega.NewWithT(t)
	key := newKey(t, elliptic.P256())
	ticket, err := msa.Issue(key, claims(), at, time.Hour)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	token, err := jwt.ParseSigned(ticket, []jose.SignatureAlgorithm{jose.ES256})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	var c msa.Claims
	var standard jwt.Claims
	g.Expect(token.Claims(&key.PublicKey, &c, &standard)).To(gomega.Succeed())
	g.Expect(c.PUID).To(gomega.Equal(claims().PUID))
	g.Expect(standard.Expiry.Time()).To(gomega.BeTemporally("==", at.Add(time.Hour)))

	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	theirs, err := jwt.Signed(signer).Claims(c).Serialize()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	_, err = msa.Verify(theirs, &key.PublicKey, "", at)
	g.Expect(err).NotTo(gomega.HaveOccurred())
}

func TestTicketRefusals(t *testing.T) {
	key := newKey(t, elliptic.P256())
	good, err := msa.Issue(key, claims(), at, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	forged := claims()
	forged.PUID = msa.DevicePUID(43).String()
	other, err := msa.Issue(newKey(t, elliptic.P256()), forged, at, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ticket string
		aud    string
		now    time.Time
		want   error
	}{
		"expired":      {good, "", at.Add(time.Hour), msa.ErrExpired},
		"early":        {good, "", at.Add(-time.Second), msa.ErrNotYetValid},
		"audience":     {good, msa.ScopeSTS, at, msa.ErrAudience},
		"forged":       {other, "", at, msa.ErrSignature},
		"spliced":      {parts[0] + "." + strings.Split(other, ".")[1] + "." + parts[2], "", at, msa.ErrSignature},
		"no signature": {parts[0] + "." + parts[1] + ".", "", at, msa.ErrSignature},
		"alg none":     {"eyJhbGciOiJub25lIn0." + parts[1] + ".", "", at, msa.ErrSignature},
		"two parts":    {parts[0] + "." + parts[1], "", at, msa.ErrMalformed},
		"empty":        {"", "", at, msa.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			got, err := msa.Verify(c.ticket, &key.PublicKey, c.aud, c.now)
			g.Expect(err).To(gomega.MatchError(c.want))
			g.Expect(got).To(gomega.BeZero())
		})
	}
	g := gomega.NewWithT(t)
	_, err = msa.Issue(newKey(t, elliptic.P384()), claims(), at, time.Hour)
	g.Expect(err).To(gomega.HaveOccurred())
}

func FuzzVerify(f *testing.F) {
	key := newKey(f, elliptic.P256())
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, ticket string) {
		if _, err := msa.Verify(ticket, &key.PublicKey, "", at); err == nil {
			t.Fatal("accepted")
		}
	})
}

func FuzzParse(f *testing.F) {
	r, err := ticketRequest().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(r)
	f.Add([]byte("<DeviceAddRequest><DeviceInfo/></DeviceAddRequest>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := msa.ParseTicketRequest(b); err == nil && (r.Username == "" || len(r.Scopes) == 0) {
			t.Fatal("incomplete request accepted")
		}
		if r, err := msa.ParseDeviceAddRequest(b); err == nil && r.Authentication.Password == "" {
			t.Fatal("incomplete request accepted")
		}
		_, ticketErr := msa.ParseTicketResponse(b)
		_, addErr := msa.ParseDeviceAddResponse(b)
		if ticketErr == nil && addErr == nil {
			t.Fatal("one document cannot be both answers")
		}
	})
}
