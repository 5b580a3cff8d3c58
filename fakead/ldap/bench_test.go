package ldap_test

import (
	"context"
	"testing"

	"windtunnel.test/sim/adclient"
	wire "windtunnel.test/sim/wire/ldap"
)

// BenchmarkBindAndModify is what a hybrid PC does: a connection, a bind by GSSAPI with sealing, one change. Both ends and
// the network between them are in it.
func BenchmarkBindAndModify(b *testing.B) {
	r := newRig(b)
	b.ReportAllocs()
	r.run(func(ctx context.Context) {
		for i := 0; b.Loop(); i++ {
			c, err := adclient.DialLDAP(ctx, r.client, host)
			r.must(err)
			r.must(c.BindSASL(wire.MechanismGSSAPI, r.initiator("Administrator", false, 0)))
			r.must(c.Modify("CN=anna,"+users, adclient.Replace(wire.Text("description", string(rune('a'+i%20))))))
			r.must(c.Close())
		}
	})
}

// BenchmarkPing is a netlogon ping.
func BenchmarkPing(b *testing.B) {
	r := newRig(b)
	ask := wire.NetlogonRequest{DNSDomain: domain, NTVersion: wire.NTVersion5EX}
	m := wire.Message{ID: 3, Op: &wire.SearchRequest{Filter: ask.Filter(), Attributes: []string{"netlogon"}}}
	packet := m.Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		r.server.HandlePacket(context.Background(), nil, packet)
	}
}

// BenchmarkPage is a page of 1,000 entries over a plain connection, from the directory to the client's entries.
func BenchmarkPage(b *testing.B) {
	r := newRig(b)
	r.fill(1000)
	all := search("OU=Many,"+domainDN, wire.SingleLevel, "(objectClass=container)", "description", "objectGUID", "whenCreated")
	b.ReportAllocs()
	r.run(func(ctx context.Context) {
		c, err := adclient.DialLDAP(ctx, r.client, host)
		r.must(err)
		r.must(c.Bind(r.dir.Administrator()))
		for b.Loop() {
			_, err := c.Search(all)
			r.must(err)
		}
		r.must(c.Close())
	})
}
