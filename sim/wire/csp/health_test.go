package csp_test

import (
	"strings"
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/wire/csp"
)

func TestTriggerAttestation(t *testing.T) {
	g := gomega.NewWithT(t)
	want := csp.TriggerAttestation{RelyingParty: "https://intune.example", Endpoint: "https://attest.example/attest/Tpm?api-version=2020-10-01",
		Nonce: "5468697320697320", Token: "t", Correlation: "cv.0"}
	text, err := want.Encode()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(csp.ParseTriggerAttestation(text)).To(gomega.Equal(want))

	// The sample of the page.
	sample, err := csp.ParseTriggerAttestation(`{
"rpid" : "https://www.contoso.com/attestation",
"endpoint" : "https://contoso.eus.attest.azure.net/attest/tpm?api-version=2020-10-01",
"nonce" : "5468697320697320612054657374204e6f6e6365",
"aadToken" : "dummytokenstring",
"cv" : "testonboarded"
}`)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(sample.RelyingParty).To(gomega.Equal("https://www.contoso.com/attestation"))
	g.Expect(sample.Endpoint).To(gomega.HavePrefix("https://contoso.eus"))

	for _, bad := range []string{"", "[]", `{}`, `{"serviceEndpoint":"x","nonce":"12"}`, `{"serviceEndpoint":"x","nonce":"zz68697320697320"}`,
		`{"nonce":"5468697320697320"}`, `{"serviceEndpoint":"x","nonce":"` + strings.Repeat("a", 66) + `"}`} {
		_, err := csp.ParseTriggerAttestation(bad)
		g.Expect(err).To(gomega.HaveOccurred(), bad)
	}
}

// FuzzTriggerAttestation: what is read can be written and read again.
func FuzzTriggerAttestation(f *testing.F) {
	f.Add(`{"serviceEndpoint":"x","nonce":"5468697320697320"}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := csp.ParseTriggerAttestation(text)
		if err != nil {
			return
		}
		again, err := v.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := csp.ParseTriggerAttestation(again); err != nil || back != v {
			t.Fatalf("%+v, %v", back, err)
		}
	})
}
