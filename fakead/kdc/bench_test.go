package kdc

import (
	"testing"

	"windtunnel.test/sim/adclient"
)

// BenchmarkLogon is what both ends take for a logon and one service ticket,
// once the keys are made: client and controller, without a network.
func BenchmarkLogon(b *testing.B) {
	w := newWorld(b)
	a, _ := w.dir.Primary().AccountBySAM("anna")
	secret := adclient.Secret{Keys: w.server.keys(a)}
	b.ReportAllocs()
	for b.Loop() {
		c, err := adclient.Logon(b.Context(), w.host, "dc1", realm, "anna", secret)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.Service(b.Context(), "ldap/dc1.corp.contoso.com"); err != nil {
			b.Fatal(err)
		}
		w.wire.asked, w.wire.answers = nil, nil
	}
}
