package fakeentra_test

import (
	"testing"

	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/oauth"
)

// What the services cost, in which the simulated TPM has no part.

func BenchmarkUserToken(b *testing.B) {
	w := newWorld(b)
	for b.Loop() {
		w.userToken(oauth.ResourceMDM)
	}
}

func BenchmarkAIKChallenge(b *testing.B) {
	p := newWorld(b).pc(0)
	sent := p.request1(nil)
	for b.Loop() {
		p.sendAIK(sent)
	}
}

func BenchmarkAIKCertificate(b *testing.B) {
	p := newWorld(b).pc(0)
	first, c := p.challenged()
	wrong := p.request2(first, c, make([]byte, 32), p.signer)
	for b.Loop() {
		status, _ := p.sendAIK(wrong)
		if status != 200 {
			b.Fatal(aik.Refused)
		}
	}
}
