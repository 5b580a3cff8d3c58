package aik_test

import (
	"crypto/rsa"
	"testing"

	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/tpmattest"
)

// BenchmarkExchange is the CPU of both ends for one device, without TPM, certificate issue and throw-away signer.
func BenchmarkExchange(b *testing.B) {
	for name, rsaSigning := range map[string]bool{"RA=RSA": true, "RA=P-256": false} {
		b.Run(name, func(b *testing.B) {
			f := newFixture(b, rsaSigning)
			p := f.params(b)
			issued := f.aikCertificate(b, fixedRSA("AIK"))
			rand := stream("bench")
			fail := func(err error) {
				if err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				sent, err := aik.BuildRequest1(p, rand)
				fail(err)
				r1, err := aik.ParseRequest1(sent.DER, f.registrar.Encryption)
				fail(err)
				public, err := r1.VerifyAttestation()
				fail(err)
				credential, err := tpmattest.MakeCredential(r1.EK.Key.(*rsa.PublicKey), public.Name, make([]byte, 32), rand)
				fail(err)
				der, err := aik.BuildChallenge(r1.Message, aik.Challenge{Credential: credential}, f.registrar, rand)
				fail(err)
				c, err := aik.ParseChallenge(der, sent)
				fail(err)
				sent, err = aik.BuildRequest2(aik.Request2Params{
					Secret: make([]byte, 32), ServerContext: c.ServerContext, TransactionID: "1", Signer: f.device, Authority: f.authority,
				}, rand)
				fail(err)
				r2, err := aik.ParseRequest2(sent.DER, f.registrar.Encryption)
				fail(err)
				der, err = aik.BuildSuccess(r2.Message, issued, nil, f.registrar, rand)
				fail(err)
				_, _, err = aik.ParseSuccess(der, sent)
				fail(err)
			}
		})
	}
}
