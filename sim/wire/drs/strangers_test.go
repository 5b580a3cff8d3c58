package drs_test

import (
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"math/big"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/drs"
)

// TestRequestsOfStrangersHaveUsualKeys: a signature is not looked at that takes
// longer to verify than anybody waits.
func TestRequestsOfStrangersHaveUsualKeys(t *testing.T) {
	g := NewWithT(t)
	n := new(big.Int).Lsh(big.NewInt(1), 20_000)
	spki, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 1<<31 - 1})
	g.Expect(err).NotTo(HaveOccurred())
	type info struct {
		Version       int
		Subject       asn1.RawValue
		Key           asn1.RawValue
		RawAttributes []asn1.RawValue `asn1:"tag:0"`
	}
	der, err := asn1.Marshal(struct {
		Info      info
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{
		info{Subject: asn1.RawValue{FullBytes: []byte{0x30, 0}}, Key: asn1.RawValue{FullBytes: spki}},
		pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, Parameters: asn1.NullRawValue},
		asn1.BitString{Bytes: make([]byte, 2501), BitLength: 8 * 2501},
	})
	g.Expect(err).NotTo(HaveOccurred())
	body, err := json.Marshal(drs.JoinRequest{CertificateRequest: drs.CertificateRequest{Type: "pkcs10", Data: der}})
	g.Expect(err).NotTo(HaveOccurred())
	_, _, err = drs.ParseJoinRequest(body)
	g.Expect(err).To(MatchError(ContainSubstring("bits")))
}
