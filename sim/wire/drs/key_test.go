package drs_test

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/drs"
)

func TestTransportKeyForms(t *testing.T) {
	g := NewWithT(t)
	key := &testKey(t).PublicKey
	b64 := base64.RawURLEncoding.EncodeToString
	jwk, err := json.Marshal(map[string]string{"kty": "RSA", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())})
	g.Expect(err).NotTo(HaveOccurred())
	for _, form := range [][]byte{drs.EncodeRSA1(key), jwk} {
		got, blob, err := drs.DecodeTransportKey(form)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(got.Equal(key)).To(BeTrue())
		g.Expect(blob).To(Equal(drs.EncodeRSA1(key)))
	}
	for _, bad := range []string{"", "{", "{}", `{"kty":"EC","n":"AQ","e":"AQAB"}`, `{"kty":"RSA","n":"","e":"AQAB"}`, `{"kty":"RSA","n":"gQ","e":"AQABAQAB"}`, "RSA1"} {
		_, _, err := drs.DecodeTransportKey([]byte(bad))
		g.Expect(err).To(HaveOccurred(), bad)
	}
}

func TestContractVersions(t *testing.T) {
	g := NewWithT(t)
	for _, v := range []string{drs.ContractVersion10, drs.ContractVersion12} {
		c, err := drs.NewContract(drs.TenantInfo{TenantID: tenant}, v)
		g.Expect(err).NotTo(HaveOccurred())
		doc, err := c.XML()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(string(doc)).To(ContainSubstring(`<Discovery xmlns="http://schemas.datacontract.org/2004/07/Microsoft.DeviceRegistration.Entities">`))
	}
	_, err := drs.NewContract(drs.TenantInfo{}, "1.1")
	g.Expect(err).To(HaveOccurred())
}

func FuzzTransportKey(f *testing.F) {
	f.Add(drs.EncodeRSA1(&testKey(f).PublicKey))
	f.Add([]byte(`{"kty":"RSA","n":"gQ","e":"AQAB"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		key, blob, err := drs.DecodeTransportKey(b)
		if err != nil {
			return
		}
		if again, err := drs.DecodeRSA1(blob); err != nil || !again.Equal(key) {
			t.Fatalf("%x: %v", blob, err)
		}
	})
}
