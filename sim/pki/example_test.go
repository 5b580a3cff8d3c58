package pki_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"time"

	"windtunnel.test/sim/pki"
)

func Example() {
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	root, err := pki.NewRoot(now, 1, "Contoso Root", pki.Options{})
	if err != nil {
		panic(err)
	}
	issuing, err := root.Sub(now, "Contoso Issuing", pki.Options{})
	if err != nil {
		panic(err)
	}
	leaf, err := issuing.Issue(now, &x509.Certificate{
		Subject: pkix.Name{CommonName: "pc-1"}, NotAfter: now.AddDate(1, 0, 0),
	}, pki.Key(1, "pc-1").Public())
	if err != nil {
		panic(err)
	}
	_, err = leaf.Verify(x509.VerifyOptions{
		Roots: issuing.Pool(), Intermediates: issuing.Intermediates(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	fmt.Println(leaf.Issuer, err)
	// Output: CN=Contoso Issuing <nil>
}
