package oauth_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/oauth"
)

// TestKeysOfStrangersAreOfAUsualSize: what a key of a million bits signed takes
// half a minute to verify, and anybody may bring one.
func TestKeysOfStrangersAreOfAUsualSize(t *testing.T) {
	g := NewWithT(t)
	n := new(big.Int).Lsh(big.NewInt(1), 20_000)
	huge := &rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 1<<31 - 1}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: start, NotAfter: start.AddDate(1, 0, 0)}
	cert, err := x509.CreateCertificate(nil, template, template, huge, deviceKey(t).key)
	g.Expect(err).NotTo(HaveOccurred())
	b64 := base64.RawURLEncoding.EncodeToString
	header := `{"alg":"RS256","x5c":["` + base64.StdEncoding.EncodeToString(cert) + `"]}`
	_, err = oauth.ParseDeviceRequest(b64([]byte(header)) + "." + b64([]byte(`{}`)) + "." + b64(make([]byte, 2501)))
	g.Expect(err).To(MatchError(ContainSubstring("bits")))
}
