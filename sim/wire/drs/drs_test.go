package drs_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"flag"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/drs"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	tenant = "3d1f6e5a-9c0b-4b7e-8a64-0f2c51d7e9ab"
	device = "0b2c4d6e-8f10-4a32-9b54-c6d7e8f90a1b"
	user   = "5ac77e30-1d2e-4f3a-8b9c-0d1e2f3a4b5c"
)

var start = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

// testKey is a fixed RSA key, so that what it signs is the same each time.
func testKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "device-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PrivateKey)
}

func golden(t *testing.T, name string, v any) {
	t.Helper()
	g := NewWithT(t)
	got, err := json.MarshalIndent(v, "", "  ")
	g.Expect(err).NotTo(HaveOccurred())
	got = append(got, '\n')
	path := filepath.Join("testdata", name)
	if *update {
		g.Expect(os.WriteFile(path, got, 0o644)).To(Succeed())
	}
	want, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(got)).To(Equal(string(want)))
}

func joinRequest(t testing.TB) *drs.JoinRequest {
	key := testKey(t)
	csr, err := drs.NewCertificateRequest(key)
	if err != nil {
		t.Fatal(err)
	}
	return &drs.JoinRequest{
		CertificateRequest: csr,
		TransportKey:       drs.EncodeRSA1(&key.PublicKey),
		TargetDomain:       "contoso.com", DeviceType: "Windows", OSVersion: "10.0.22631.1",
		DeviceDisplayName: "AP-0001", JoinType: drs.JoinEntra,
		Attributes: drs.Attributes{ReuseDevice: true, ReturnClientSID: true, DeviceTicket: []byte("t=ticket&p=")},
	}
}

func TestMessagesHaveTheDocumentedShape(t *testing.T) {
	golden(t, "discovery.json", drs.NewDiscovery(drs.TenantInfo{TenantID: tenant, TenantName: "contoso.com", DisplayName: "Contoso"}))
	golden(t, "join-request.json", joinRequest(t))
	golden(t, "join-response.json", &drs.JoinResponse{
		Certificate:       drs.Certificate{Thumbprint: "00AA", RawBody: []byte{0x30, 0}},
		User:              drs.User{UPN: "adele@contoso.com"},
		MembershipChanges: []drs.MembershipChange{{LocalSID: drs.AdministratorsSID, AddSIDs: []string{"S-1-12-1-1-2-3-4"}}},
	})
	golden(t, "error.json", drs.NewError(drs.AuthorizationError, drs.SubMsaTicketTPM, "DeviceJoin", "the ticket shows no TPM validation", device, start))
}

func TestDiscoveryReadsItsOwnAndUnknownSections(t *testing.T) {
	g := NewWithT(t)
	want := drs.NewDiscovery(drs.TenantInfo{TenantID: tenant, TenantName: "contoso.com"})
	raw, err := json.Marshal(want)
	g.Expect(err).NotTo(HaveOccurred())
	var got drs.Discovery
	g.Expect(json.Unmarshal(raw, &got)).To(Succeed())
	g.Expect(&got).To(Equal(want))
	g.Expect(json.Unmarshal([]byte(`{"NewestService":{"NewestEndpoint":"https://x"}}`), &got)).To(Succeed())
	g.Expect(got).To(Equal(drs.Discovery{}))
	g.Expect(json.Unmarshal([]byte(`<html>sign in to the hotel</html>`), &got)).NotTo(Succeed())
	g.Expect(drs.DeviceURL(want.DeviceJoinService, device)).To(Equal("https://enterpriseregistration.windows.net/EnrollmentServer/device/" + device + "?api-version=1.0"))
	g.Expect(drs.DiscoverURL("contoso.com")).To(ContainSubstring("/contoso.com/Discover?"))
}

func TestJoinRequestRoundTrip(t *testing.T) {
	g := NewWithT(t)
	want := joinRequest(t)
	raw, err := json.Marshal(want)
	g.Expect(err).NotTo(HaveOccurred())
	got, csr, err := drs.ParseJoinRequest(raw)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got).To(Equal(want))
	g.Expect(csr.Subject.CommonName).To(Equal(drs.RequestSubject))
}

func TestJoinRequestRefusesBrokenProof(t *testing.T) {
	g := NewWithT(t)
	r := joinRequest(t)
	r.CertificateRequest.Data = bytes.Clone(r.CertificateRequest.Data)
	r.CertificateRequest.Data[len(r.CertificateRequest.Data)-1] ^= 1
	raw, _ := json.Marshal(r)
	_, _, err := drs.ParseJoinRequest(raw)
	g.Expect(err).To(HaveOccurred())
	r = joinRequest(t)
	r.CertificateRequest.Type = "pkcs7"
	raw, _ = json.Marshal(r)
	_, _, err = drs.ParseJoinRequest(raw)
	g.Expect(err).To(MatchError(ContainSubstring("pkcs10")))
}

func TestMembershipChangesMayBeOneObject(t *testing.T) {
	g := NewWithT(t)
	var r drs.JoinResponse
	g.Expect(json.Unmarshal([]byte(`{"MembershipChanges":{"LocalSID":"S-1-5-32-544","AddSIDs":[]}}`), &r)).To(Succeed())
	g.Expect(r.MembershipChanges).To(HaveLen(1))
	g.Expect(json.Unmarshal([]byte(`{"MembershipChanges":7}`), &r)).NotTo(Succeed())
}

func TestQualifyingDataBindsKeyAndNonce(t *testing.T) {
	g := NewWithT(t)
	g.Expect(drs.QualifyingData([]byte("spki"), "nonce")).To(Equal(sha256.Sum256([]byte("spkinonce"))))
	g.Expect(drs.QualifyingData([]byte("spki"), "nonce")).NotTo(Equal(drs.QualifyingData([]byte("spki"), "other")))
}

func TestRSA1RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mod := rapid.SliceOfN(rapid.Byte(), 32, 512).Draw(t, "modulus")
		mod[0] |= 0x80
		mod[len(mod)-1] |= 1
		want := &rsa.PublicKey{N: new(big.Int).SetBytes(mod), E: rapid.SampledFrom([]int{3, 17, 257, 65537}).Draw(t, "e")}
		got, err := drs.DecodeRSA1(drs.EncodeRSA1(want))
		if err != nil || !got.Equal(want) {
			t.Fatalf("got %v, %v", got, err)
		}
	})
}

func TestGUIDAndSID(t *testing.T) {
	g := NewWithT(t)
	b, err := drs.GUIDBytes("{01020304-0506-0708-090a-0b0c0d0e0f10}")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(b[:]).To(Equal([]byte{4, 3, 2, 1, 6, 5, 8, 7, 9, 10, 11, 12, 13, 14, 15, 16}))
	// The words of the identifier are those bytes read little-endian.
	g.Expect(drs.SID("01020304-0506-0708-090a-0b0c0d0e0f10")).To(Equal("S-1-12-1-16909060-117966086-202050057-269422093"))
	for _, bad := range []string{"", "x", "01020304-0506-0708-090a-0b0c0d0e0f1z", "0102030405060708090a0b0c0d0e0f1000000"} {
		_, err := drs.SID(bad)
		g.Expect(err).To(HaveOccurred(), bad)
	}
	rapid.Check(t, func(t *rapid.T) {
		b := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "guid"))
		if got, err := drs.GUIDBytes(drs.FormatGUID(b)); err != nil || got != b {
			t.Fatalf("got %x, %v", got, err)
		}
	})
}

func TestIdentityInCertificate(t *testing.T) {
	g := NewWithT(t)
	for _, want := range []drs.Identity{
		{DeviceID: device, UserID: user, TenantID: tenant, Joined: true, Region: "EU"},
		{DeviceID: device, TenantID: tenant},
	} {
		cert := issue(t, device, want)
		g.Expect(cert.Issuer.String()).To(ContainSubstring("CN=MS-Organization-Access"))
		g.Expect(drs.ParseIdentity(cert)).To(Equal(want))
	}
	_, err := drs.ParseIdentity(issue(t, "someone-else", drs.Identity{DeviceID: device, TenantID: tenant}))
	g.Expect(err).To(MatchError(ContainSubstring("is not device")))
	_, err = drs.ParseIdentity(&x509.Certificate{})
	g.Expect(err).To(HaveOccurred())
	_, err = drs.Identity{DeviceID: "nonsense", TenantID: tenant}.Extensions()
	g.Expect(err).To(HaveOccurred())
}

// issue signs a certificate of the identity with an issuer of our name.
func issue(t *testing.T, cn string, id drs.Identity) *x509.Certificate {
	t.Helper()
	g := NewWithT(t)
	ext, err := id.Extensions()
	g.Expect(err).NotTo(HaveOccurred())
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{7}, 32))
	g.Expect(err).NotTo(HaveOccurred())
	parent := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: drs.IssuerName(), NotBefore: start, NotAfter: start.AddDate(10, 0, 0)}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: cn}, NotBefore: start, NotAfter: start.AddDate(1, 0, 0), ExtraExtensions: ext}
	der, err := x509.CreateCertificate(nil, tmpl, parent, key.Public(), key)
	g.Expect(err).NotTo(HaveOccurred())
	cert, err := x509.ParseCertificate(der)
	g.Expect(err).NotTo(HaveOccurred())
	return cert
}

func TestErrorsMapToDocumentedResults(t *testing.T) {
	for _, c := range []struct {
		code, sub string
		status    int
		want      hresult.Code
	}{
		{drs.MalformedMessage, "", 400, 0x801C0001},
		{drs.AuthenticationError, "", 401, 0x801C0002},
		{drs.AuthenticationError, "InvalidToken", 400, 0x801C0002},
		{drs.AuthenticationError, drs.SubDeviceNotFound, 400, 0x801C03F2},
		{drs.AuthorizationError, drs.SubMsaTicketTPM, 400, 0x801C0003},
		{drs.AuthorizationError, drs.SubAIK, 400, 0x801C0010},
		{drs.AuthorizationError, drs.SubAttestation, 400, 0x801C0011},
		{drs.DirectoryError, drs.SubQuota, 400, 0x801C000E},
		{drs.DirectoryError, drs.SubAutopilotDeviceDeleted, 400, 0x801C03F3},
		{drs.DirectoryError, "", 400, 0x801C03F2},
		{drs.InternalServerError, "", 500, 0x801C0006},
		{drs.ServiceBusy, "", 503, 0x801C0025},
		{"SomethingNew", "", 400, 0x801C0006},
	} {
		g := NewWithT(t)
		e := drs.NewError(c.code, c.sub, "DeviceJoin", "text", device, start)
		g.Expect(e.HResult()).To(Equal(c.want), c.code)
		g.Expect(e.Status()).To(Equal(c.status), c.code)
		raw, err := json.Marshal(e)
		g.Expect(err).NotTo(HaveOccurred())
		var back drs.ErrorDetails
		g.Expect(json.Unmarshal(raw, &back)).To(Succeed())
		g.Expect(&back).To(Equal(e))
		g.Expect(back.Error()).To(ContainSubstring("text"))
	}
	g := NewWithT(t)
	var e drs.ErrorDetails
	g.Expect(json.Unmarshal([]byte(`{"ErrorType":"DirectoryError","Message":"m"}`), &e)).To(Succeed())
	g.Expect(e.Code).To(Equal(drs.DirectoryError))
	g.Expect(json.Unmarshal([]byte(`{"code":"AuthorizationError","subcode":"x"}`), &e)).To(Succeed())
	g.Expect(e.SubCode).To(Equal("x"))
	g.Expect(drs.DiscoveryResult(0, nil)).To(Equal(hresult.AutoJoinDiscoveryTimeout))
	g.Expect(drs.DiscoveryResult(http.StatusServiceUnavailable, nil)).To(Equal(hresult.JoinServerBusy))
	g.Expect(drs.DiscoveryResult(400, &drs.ErrorDetails{SubCode: drs.SubTenantNotFound})).To(Equal(hresult.JoinTenantNotFound))
	g.Expect(drs.DiscoveryResult(502, nil)).To(Equal(hresult.AutoJoinDiscoveryFailed))
}

func TestJoinTypesNameTheirTrust(t *testing.T) {
	g := NewWithT(t)
	g.Expect(drs.JoinEntra.Trust()).To(Equal("AzureAd"))
	g.Expect(drs.JoinDeviceAuth.Trust()).To(Equal("AzureAd"))
	g.Expect(drs.JoinHybrid.Trust()).To(Equal("ServerAd"))
	g.Expect(drs.JoinRegister.Trust()).To(Equal("Workplace"))
	g.Expect(drs.JoinType(99).Trust()).To(BeEmpty())
}

func FuzzDecodeRSA1(f *testing.F) {
	f.Add(drs.EncodeRSA1(&testKey(f).PublicKey))
	f.Add([]byte("RSA1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if k, err := drs.DecodeRSA1(b); err == nil && k.E < 3 {
			t.Fatal("accepted an exponent below 3")
		}
	})
}

func FuzzParseJoinRequest(f *testing.F) {
	raw, err := json.Marshal(joinRequest(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"attributes":{"MSA-DDID":"!"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, csr, err := drs.ParseJoinRequest(b)
		if err == nil && (r == nil || csr == nil) {
			t.Fatal("no error and no request")
		}
	})
}

func FuzzDiscovery(f *testing.F) {
	raw, err := json.Marshal(drs.NewDiscovery(drs.TenantInfo{TenantID: tenant}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		var d drs.Discovery
		var e drs.ErrorDetails
		var r drs.JoinResponse
		for _, to := range []any{&d, &e, &r} {
			_ = json.Unmarshal(b, to)
		}
	})
}
