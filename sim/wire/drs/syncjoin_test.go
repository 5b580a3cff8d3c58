package drs_test

import (
	"encoding/json"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/wire/drs"
)

func syncJoin(t testing.TB) []byte {
	t.Helper()
	csr, err := drs.NewCertificateRequest(pki.RSAKey(0))
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(drs.SyncJoinRequest{CertificateRequest: csr, JoinType: drs.JoinHybrid, ServerAdJoinData: drs.ServerAdJoinData{
		TransportKey: drs.EncodeRSA1(&pki.RSAKey(1).PublicKey), TargetDomain: "contoso.com", DeviceDisplayName: "AP-1",
		ClientIdentity: drs.ClientIdentity{Type: drs.ClientIdentitySigned, SID: drs.SignedSID("S-1-5-21-1-2-3-1104", time.Unix(1e9, 0)), SignedBlob: []byte{1, 2}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// A request is read back as it was written, and its members are spelt as the
// service reads them.
func TestSyncJoinRoundTrip(t *testing.T) {
	g := NewWithT(t)
	body := syncJoin(t)
	r, csr, err := drs.ParseSyncJoinRequest(body)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(csr.CheckSignature()).To(Succeed())
	again, err := json.Marshal(r)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again).To(MatchJSON(body))
	g.Expect(string(body)).To(ContainSubstring(`"ClientIdentity":{"Type":"sha256signed","Sid":"S-1-5-21-1-2-3-1104.2001-09-09 01:46:40Z","SignedBlob":"AQI="}`))
	g.Expect(drs.SyncJoinURL(nil, "6f1f3c52-8f0b-4a54-9d0e-000000000001")).To(
		Equal("https://enterpriseregistration.windows.net/EnrollmentServer/device/6f1f3c52-8f0b-4a54-9d0e-000000000001?api-version=1.0"))
}

func TestSignedSID(t *testing.T) {
	g := NewWithT(t)
	sid, at, err := drs.ParseSignedSID("S-1-5-21-1-2-3-1104.2001-09-09 01:46:40Z")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(sid).To(Equal("S-1-5-21-1-2-3-1104"))
	g.Expect(at).To(BeTemporally("==", time.Unix(1e9, 0)))
	for _, text := range []string{"", ".", "S-1-5", "S-1-5.", "X-1.2001-09-09 01:46:40Z", "S-1-5.2001-09-09T01:46:40Z"} {
		_, _, err := drs.ParseSignedSID(text)
		g.Expect(err).To(HaveOccurred(), text)
	}
}

// FuzzSyncJoin reads any body and any signed text.
func FuzzSyncJoin(f *testing.F) {
	f.Add(syncJoin(f), "S-1-5-21-1-2-3-1104.2001-09-09 01:46:40Z")
	f.Add([]byte("{}"), "")
	f.Fuzz(func(_ *testing.T, body []byte, text string) {
		_, _, _ = drs.ParseSyncJoinRequest(body)
		_, _, _ = drs.ParseSignedSID(text)
	})
}
