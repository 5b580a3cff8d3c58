package maa_test

import (
	"bytes"
	"crypto/rsa"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/maa"
	"windtunnel.test/sim/wire/tcglog"
)

var update = flag.Bool("update", false, "write the golden files")

var start = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

const issuer = "https://attest.example"

func attestKey() *rsa.PrivateKey { return pki.RSAKey(3) }

func claim() maa.PlatformClaim {
	c := maa.PlatformClaim{Quote: []byte("a quote"), Signature: []byte("its signature")}
	for i := range c.Values {
		c.Values[i] = bytes.Repeat([]byte{byte(i)}, 32)
	}
	return c
}

func request() maa.Request {
	return maa.Request{Type: maa.TypeBasic, Data: maa.Data{
		RelyingParty: "https://intune.example", RelyingData: []byte("nonce"), Challenge: []byte("challenge"), ServiceContext: []byte("context"),
		AttestKey: &maa.Key{Key: attestKey().Public()},
		TPM: maa.TPMData{BootLog: (&tcglog.Log{Algorithms: []tcglog.Algorithm{tcglog.SHA256}}).Marshal(), AIKCertificate: []byte("certificate"),
			AIKPublic: &maa.Key{Key: attestKey().Public()}, CurrentClaim: claim().Marshal()},
	}}
}

func signer(t testing.TB) *maa.Signer {
	t.Helper()
	g := gomega.NewWithT(t)
	ca, err := pki.NewRoot(start, 1, "reports", pki.Options{Key: pki.RSAKey(2)})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	s, err := maa.NewSigner(pki.RSAKey(2), ca.Cert)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	return s
}

func report() maa.Report {
	return maa.Report{Issuer: issuer, ID: "1", IssuedAt: start.Unix(), NotBefore: start.Unix(), Expires: start.Add(time.Hour).Unix(), Version: "1.0", MSVersion: "1.0",
		RelyingData: []byte("nonce"), Nonce: []byte("nonce"), Confirmation: maa.Confirmation{Key: &maa.Key{Key: attestKey().Public()}},
		SecureBoot: true, BitLocker: true, BitLockerValue: 4, NotSafeMode: true}
}

// The payloads are as the pages show them.
func TestGolden(t *testing.T) {
	g := gomega.NewWithT(t)
	for name, v := range map[string]any{"request.json": request(), "report.json": report(),
		"challenge.json": maa.ToClient{Challenge: []byte("challenge"), ServiceContext: []byte("context")}, "metadata.json": maa.NewMetadata(issuer)} {
		got, err := json.MarshalIndent(v, "", "  ")
		g.Expect(err).NotTo(gomega.HaveOccurred())
		got = append(got, '\n')
		if *update {
			g.Expect(os.WriteFile("testdata/"+name, got, 0o644)).To(gomega.Succeed())
		}
		want, err := os.ReadFile("testdata/" + name)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(string(got)).To(gomega.Equal(string(want)), name)
	}
}

func TestMessages(t *testing.T) {
	g := gomega.NewWithT(t)
	body, err := maa.Encode(maa.ToService{Type: maa.TypeAIKCert})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(string(body)).To(gomega.HavePrefix(`{"data":"`))
	for _, form := range [][]byte{body, []byte(`{"type":"aikcert"}`)} {
		g.Expect(maa.Decode[maa.ToService](form)).To(gomega.Equal(maa.ToService{Type: "aikcert"}))
	}
	for _, bad := range []string{"", "[]", `{"data":"not base64!"}`, `{"challenge":"=="}`, strings.Repeat(" ", maa.MaxBytes+1)} {
		m, err := maa.Decode[maa.ToClient]([]byte(bad))
		g.Expect(err != nil || m.Challenge == nil && m.Report == "").To(gomega.BeTrue(), bad)
	}
	e := maa.Error{Code: maa.CodeInvalid, Message: "no"}
	g.Expect(maa.DecodeError(maa.EncodeError(e))).To(gomega.Equal(&e))
	g.Expect(maa.DecodeError([]byte("<html>")).Message).To(gomega.Equal("<html>"))
}

func TestRequest(t *testing.T) {
	g := gomega.NewWithT(t)
	jws, err := maa.SignRequest(request(), attestKey())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	back, err := maa.OpenRequest(jws)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(back.Data.Challenge).To(gomega.Equal(maa.Bytes("challenge")))
	g.Expect(back.Data.AttestKey.Key).To(gomega.Equal(attestKey().Public()))
	c, err := maa.ParseClaim(back.Data.TPM.CurrentClaim)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(c).To(gomega.Equal(claim()))

	parts := strings.Split(jws, ".")
	_, err = maa.OpenRequest(parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2])))
	g.Expect(err).To(gomega.MatchError(maa.ErrSignature))
	vbs := request()
	vbs.Type = "vbs"
	jws, err = maa.SignRequest(vbs, attestKey())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	_, err = maa.OpenRequest(jws)
	g.Expect(err).To(gomega.MatchError(maa.ErrType))
	keyless := request()
	keyless.Data.TPM.AIKPublic = &maa.Key{Key: pki.Key(1, "no RSA key").Public()}
	jws, err = maa.SignRequest(keyless, attestKey())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	_, err = maa.OpenRequest(jws)
	g.Expect(err).To(gomega.MatchError(maa.ErrKey))

	one, err := maa.Qualifying([]byte("a"), attestKey().Public())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	other, err := maa.Qualifying([]byte("a"), pki.RSAKey(2).Public())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(one).NotTo(gomega.Equal(other))
}

func TestClaim(t *testing.T) {
	g := gomega.NewWithT(t)
	b := claim().Marshal()
	for n := range len(b) {
		_, err := maa.ParseClaim(b[:n])
		g.Expect(err).To(gomega.HaveOccurred())
	}
	for word := range 8 {
		bad := bytes.Clone(b)
		bad[4*word] ^= 1
		_, err := maa.ParseClaim(bad)
		g.Expect(err).To(gomega.HaveOccurred(), "word %d", word)
	}
	rapid.Check(t, func(t *rapid.T) {
		c := claim()
		c.Quote = rapid.SliceOf(rapid.Byte()).Draw(t, "quote")
		c.Signature = rapid.SliceOf(rapid.Byte()).Draw(t, "signature")
		c.Values[rapid.IntRange(0, 23).Draw(t, "register")] = rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "value")
		back, err := maa.ParseClaim(c.Marshal())
		if err != nil || !bytes.Equal(back.Marshal(), c.Marshal()) || !bytes.Equal(back.Quote, c.Quote) {
			t.Fatal(err)
		}
	})
}

func TestReport(t *testing.T) {
	g, s := gomega.NewWithT(t), signer(t)
	token, err := s.Sign(report())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	back, err := maa.Verify(s.Keys(), token, issuer, start)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(back.SecureBoot && back.BitLocker && !back.CodeIntegrity).To(gomega.BeTrue())
	g.Expect(back.Nonce).To(gomega.Equal(maa.Bytes("nonce")))
	for _, tc := range []struct {
		issuer string
		now    time.Time
		want   error
	}{{"https://other.example", start, maa.ErrIssuer}, {issuer, start.Add(time.Hour), maa.ErrExpired}, {issuer, start.Add(-time.Second), maa.ErrNotYet}} {
		_, err := maa.Verify(s.Keys(), token, tc.issuer, tc.now)
		g.Expect(err).To(gomega.MatchError(tc.want))
	}
	parts := strings.Split(token, ".")
	_, err = maa.Verify(s.Keys(), parts[0]+"."+parts[1]+"."+strings.Repeat("A", len(parts[2])), issuer, start)
	g.Expect(err).To(gomega.MatchError(maa.ErrForged))
	none := *s.Keys()
	none.Keys = nil
	_, err = maa.Verify(&none, token, issuer, start)
	g.Expect(err).To(gomega.MatchError(maa.ErrUnknownKey))
	_, err = maa.Verify(s.Keys(), "a.b", issuer, start)
	g.Expect(err).To(gomega.MatchError(maa.ErrMalformed))
}

// FuzzParse: nothing that comes from outside breaks a decoder.
func FuzzParse(f *testing.F) {
	jws, err := maa.SignRequest(request(), attestKey())
	if err != nil {
		f.Fatal(err)
	}
	s := signer(f)
	token, err := s.Sign(report())
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(jws))
	f.Add([]byte(token))
	f.Add([]byte(`{"data":"e30"}`))
	f.Add(claim().Marshal())
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = maa.Decode[maa.ToService](b)
		_, _ = maa.Decode[maa.ToClient](b)
		_, _ = maa.OpenRequest(string(b))
		_, _ = maa.Verify(s.Keys(), string(b), issuer, start)
		_ = maa.DecodeError(b)
		if c, err := maa.ParseClaim(b); err == nil && !bytes.Equal(c.Marshal(), b) {
			panic("the claim does not write back")
		}
	})
}
