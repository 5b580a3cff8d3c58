package oauth_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/wire/oauth"
)

// The vectors come from OpenSSL 3.0:
//
//	openssl kdf -keylen N -kdfopt mac:HMAC -kdfopt digest:SHA256 -kdfopt mode:counter
//	  -kdfopt hexkey:... -kdfopt salt:LABEL -kdfopt hexinfo:CONTEXT -binary KBKDF
func TestDerivationAgreesWithOpenSSL(t *testing.T) {
	g := NewWithT(t)
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		g.Expect(err).NotTo(HaveOccurred())
		return b
	}
	key := unhex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
	ctx := unhex("000102030405060708090a0b0c0d0e0f1011121314151617")
	g.Expect(oauth.DeriveKey(oauth.KDF1, key, ctx, []byte("does not count"))).
		To(Equal(unhex("70296b4334bf08f7bc6953575e6b6c18959dbcad6adb263fb625939d099456b3")))
	g.Expect(oauth.DeriveKey(oauth.KDF2, key, ctx, []byte(`{"client_id":"x"}`))).
		To(Equal(unhex("1005d3f1f7482a5d4cb135ffcfd5424f6d014a2b81db344df58e336ccf882386")))
	g.Expect(oauth.CounterKDF(key, []byte("label"), []byte("context"), 80)).
		To(Equal(unhex("793c8c6322234b76061bb6be858d899cf6c2cf3a2cf075f22bed2b8a17d10ff1cd9a6cdfd6c0f4bcaea6f6700b4decc8cb28a019968a859f4e2d4ec8c686dbd5a33e6943413e3db9b6c04a28022f936e")))
	_, err := oauth.DeriveKey(3, key, ctx, nil)
	g.Expect(err).To(MatchError(ContainSubstring("version 3")))
}

func TestSessionKeyTravelsUnderTheTransportKey(t *testing.T) {
	g := NewWithT(t)
	transport, sessionKey := deviceKey(t), bytes.Repeat([]byte{9}, oauth.SessionKeySize)
	jwe, err := oauth.WrapSessionKey(rand.NewChaCha8([32]byte{1}), &transport.key.PublicKey, sessionKey)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(oauth.UnwrapSessionKey(transport, jwe)).To(Equal(sessionKey))
	again, err := oauth.WrapSessionKey(rand.NewChaCha8([32]byte{1}), &transport.key.PublicKey, sessionKey)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again).To(Equal(jwe), "the same stream gives the same bytes")

	// A library that knows nothing of us takes it as an ordinary JWE.
	parsed, err := jose.ParseEncryptedCompact(jwe, []jose.KeyAlgorithm{jose.RSA_OAEP}, []jose.ContentEncryption{jose.A256GCM})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(parsed.Decrypt(transport.key)).To(BeEmpty())

	_, err = oauth.WrapSessionKey(rand.NewChaCha8([32]byte{1}), &transport.key.PublicKey, sessionKey[:8])
	g.Expect(err).To(HaveOccurred())
	for _, bad := range []string{"", "a.b.c.d.e", "e30.AA.AA..AA", strings.Replace(jwe, ".", ".A", 1)} {
		_, err := oauth.UnwrapSessionKey(transport, bad)
		g.Expect(err).To(HaveOccurred(), bad)
	}
}

func TestDeviceRequestRoundTrip(t *testing.T) {
	g := NewWithT(t)
	key, cert := deviceKey(t), pemBytes(t, "device-cert.pem")
	want := oauth.DeviceRequest{ClientID: oauth.ClientPRT, GrantType: oauth.GrantPassword, Scope: oauth.ScopePRT,
		RequestNonce: "n-1", Username: "adele@contoso.com", Password: "p", IssuedAt: start.Unix()}
	token, err := oauth.SignDeviceRequest(key, cert, oauth.KDF2, want)
	g.Expect(err).NotTo(HaveOccurred())
	got, err := oauth.ParseDeviceRequest(token)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got.DeviceRequest).To(Equal(want))
	g.Expect(got.KDF).To(Equal(oauth.KDF2))
	g.Expect(got.Certificate.Raw).To(Equal(cert))
	g.Expect(oauth.IsBound(token)).To(BeFalse())

	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = jws.Verify(&key.key.PublicKey)
	g.Expect(err).NotTo(HaveOccurred())

	old, err := oauth.SignDeviceRequest(key, cert, oauth.KDF1, want)
	g.Expect(err).NotTo(HaveOccurred())
	got, err = oauth.ParseDeviceRequest(old)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got.KDF).To(Equal(oauth.KDF1))

	_, err = oauth.ParseDeviceRequest(tamper(token))
	g.Expect(errors.Is(err, oauth.ErrSignature)).To(BeTrue())
	for _, bad := range []string{"", "a.b", "!.!.!", "e30.e30.AA", `eyJhbGciOiJub25lIn0.e30.`} {
		_, err := oauth.ParseDeviceRequest(bad)
		g.Expect(err).To(HaveOccurred(), bad)
	}
}

// tamper changes the payload and leaves the signature.
func tamper(token string) string {
	parts := strings.Split(token, ".")
	body, _ := base64.RawURLEncoding.DecodeString(parts[1])
	body = bytes.Replace(body, []byte(`:"`), []byte(`:"x`), 1)
	parts[1] = base64.RawURLEncoding.EncodeToString(body)
	return strings.Join(parts, ".")
}

func TestDeviceRequestAcceptsPlainX5C(t *testing.T) {
	g := NewWithT(t)
	key, cert := deviceKey(t), pemBytes(t, "device-cert.pem")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key.key},
		(&jose.SignerOptions{}).WithHeader("x5c", base64.StdEncoding.EncodeToString(cert)))
	g.Expect(err).NotTo(HaveOccurred())
	jws, err := signer.Sign([]byte(`{"grant_type":"password"}`))
	g.Expect(err).NotTo(HaveOccurred())
	token, err := jws.CompactSerialize()
	g.Expect(err).NotTo(HaveOccurred())
	got, err := oauth.ParseDeviceRequest(token)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got.GrantType).To(Equal(oauth.GrantPassword))
}

func TestBoundRequestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "session key")
		ctx := rapid.SliceOfN(rapid.Byte(), oauth.ContextSize, oauth.ContextSize).Draw(t, "ctx")
		v := rapid.SampledFrom([]oauth.KDF{oauth.KDF1, oauth.KDF2}).Draw(t, "kdf")
		want := oauth.BoundRequest{ClientID: oauth.ClientBroker, GrantType: oauth.GrantRefresh,
			RefreshToken: rapid.String().Draw(t, "prt"), Scope: "openid aza", Resource: oauth.ResourceMDM, IssuedAt: 1, Expires: 2}
		token, err := oauth.SignBound(key, ctx, v, want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := oauth.ParseBound(token)
		if err != nil {
			t.Fatal(err)
		}
		if !oauth.IsBound(token) || got.BoundRequest != want || got.KDF != v {
			t.Fatalf("got %+v", got)
		}
		if err := got.Verify(key); err != nil {
			t.Fatal(err)
		}
		key[0] ^= 1
		if err := got.Verify(key); !errors.Is(err, oauth.ErrSignature) {
			t.Fatalf("wrong key: %v", err)
		}
	})
}

func TestBoundRequestRefusals(t *testing.T) {
	g := NewWithT(t)
	key, ctx := make([]byte, 32), make([]byte, oauth.ContextSize)
	token, err := oauth.SignBound(key, ctx, oauth.KDF2, oauth.BoundRequest{Scope: "openid"})
	g.Expect(err).NotTo(HaveOccurred())
	b, err := oauth.ParseBound(tamper(token))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(errors.Is(b.Verify(key), oauth.ErrSignature)).To(BeTrue())
	_, err = oauth.SignBound(key, ctx, 7, oauth.BoundRequest{})
	g.Expect(err).To(HaveOccurred())

	bare, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: key}, nil)
	g.Expect(err).NotTo(HaveOccurred())
	jws, err := bare.Sign([]byte(`{}`))
	g.Expect(err).NotTo(HaveOccurred())
	token, err = jws.CompactSerialize()
	g.Expect(err).NotTo(HaveOccurred())
	_, err = oauth.ParseBound(token)
	g.Expect(err).To(MatchError(ContainSubstring("no ctx")))
}

func TestAnswerIsReadWithTheSessionKeyOnly(t *testing.T) {
	g := NewWithT(t)
	key, ctx := bytes.Repeat([]byte{3}, 32), bytes.Repeat([]byte{4}, oauth.ContextSize)
	want := oauth.TokenResponse{TokenType: "Bearer", AccessToken: "a.b.c", ExpiresIn: 3600, Scope: "openid", RefreshToken: "prt2", RefreshTokenExpiresIn: 1209600}
	token, err := oauth.EncryptAnswer(key, ctx, want)
	g.Expect(err).NotTo(HaveOccurred())
	got, err := oauth.DecryptAnswer(key, token)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got).To(Equal(&want))

	header, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	var h map[string]string
	g.Expect(json.Unmarshal(header, &h)).To(Succeed())
	g.Expect(h).To(Equal(map[string]string{"alg": "dir", "enc": "A256GCM", "kid": "session", "ctx": base64.StdEncoding.EncodeToString(ctx)}))
	_, err = oauth.DecryptAnswer(bytes.Repeat([]byte{5}, 32), token)
	g.Expect(err).To(HaveOccurred())
	_, err = oauth.DecryptAnswer(key, "x.y.z")
	g.Expect(err).To(HaveOccurred())
}

func FuzzDeviceRequest(f *testing.F) {
	token, err := oauth.SignDeviceRequest(deviceKey(f), pemBytes(f, "device-cert.pem"), oauth.KDF2, oauth.DeviceRequest{GrantType: oauth.GrantDeviceToken})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add("e30.e30.")
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := oauth.ParseDeviceRequest(s); err == nil && r.Certificate == nil {
			t.Fatal("verified without a certificate")
		}
	})
}

func FuzzBound(f *testing.F) {
	key := make([]byte, 32)
	token, err := oauth.SignBound(key, make([]byte, oauth.ContextSize), oauth.KDF2, oauth.BoundRequest{})
	if err != nil {
		f.Fatal(err)
	}
	answer, err := oauth.EncryptAnswer(key, make([]byte, oauth.ContextSize), oauth.TokenResponse{TokenType: "Bearer"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add(answer)
	transport := deviceKey(f)
	f.Fuzz(func(t *testing.T, s string) {
		if b, err := oauth.ParseBound(s); err == nil {
			_ = b.Verify(key)
		}
		_, _ = oauth.DecryptAnswer(key, s)
		_, _ = oauth.UnwrapSessionKey(transport, s)
	})
}
