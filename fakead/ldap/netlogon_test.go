package ldap_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/fakead/directory"
	"windtunnel.test/fakead/ldap"
	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/vclock"
	wire "windtunnel.test/sim/wire/ldap"
)

func TestPing(t *testing.T) {
	r := newRig(t)
	r.run(func(ctx context.Context) {
		c, err := adclient.Ping(ctx, r.client, "CORP.contoso.com", host)
		r.Expect(err).NotTo(gomega.HaveOccurred())
		r.Expect(c).To(gomega.Equal(&adclient.Controller{
			Name: host, Domain: domain, NetBIOS: "CORP", Forest: domain, Site: directory.DefaultSite, ClientSite: directory.DefaultSite,
			DomainGUID: wire.GUID(r.dir.GUID()), Flags: c.Flags,
		}))
		r.Expect(c.Closest()).To(gomega.BeTrue())
		_, err = adclient.Ping(ctx, r.client, "fabrikam.com", host)
		r.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("no such domain")))
	})
}

// question asks over UDP and gives the netlogon answer, or nil where the search finds nothing.
func question(s *ldap.Server, from string, filter *wire.Filter) *wire.NetlogonResponse {
	m := wire.Message{ID: 3, Op: &wire.SearchRequest{Filter: filter, Attributes: []string{"netlogon"}}}
	b := s.HandlePacket(context.Background(), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(from)), m.Append(nil))
	first, _, err := wire.Split(b)
	if err != nil {
		return nil
	}
	e, err := wire.Decode(first, wire.Limits{})
	if err != nil {
		return nil
	}
	entry, ok := e.Op.(*wire.Entry)
	if !ok {
		return nil
	}
	a, err := wire.ParseNetlogonResponse(entry.Bytes("Netlogon"))
	if err != nil {
		return nil
	}
	return a
}

func TestNetlogonAnswers(t *testing.T) {
	g := gomega.NewWithT(t)
	dir, err := directory.New(directory.Options{
		Domain: domain, Seed: seed, Clock: vclock.NewWall(), Since: time.Now(),
		Controllers: []directory.Controller{{Name: "dc1"}, {Name: "dc2", Site: "Berlin"}},
		Sites:       []directory.Site{{Name: "Paris", Subnets: []string{"10.1.0.0/16"}}, {Name: "Berlin", Subnets: []string{"10.2.0.0/16"}}},
	})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	_, err = dir.AddUser(directory.User{SAM: "anna", Password: password})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	s := &ldap.Server{Directory: dir.Replica("dc2"), Address: netip.MustParseAddr("10.2.0.1")}
	ask := wire.NetlogonRequest{DNSDomain: domain, NTVersion: wire.NTVersion5EX}

	near := question(s, "10.2.3.4:5000", ask.Filter())
	g.Expect(near.Host).To(gomega.Equal("dc2." + domain))
	g.Expect([]string{near.Site, near.ClientSite}).To(gomega.Equal([]string{"Berlin", "Berlin"}))
	g.Expect(near.Flags & (wire.DSPDC | wire.DSClosest)).To(gomega.Equal(wire.DSClosest))
	far := question(s, "10.1.3.4:5000", ask.Filter())
	g.Expect(far.ClientSite).To(gomega.Equal("Paris"))
	g.Expect(far.Flags & wire.DSClosest).To(gomega.BeZero())
	g.Expect(question(s, "192.0.2.1:5000", ask.Filter()).ClientSite).To(gomega.BeEmpty())

	with := ask
	with.NTVersion |= wire.NTVersion5EXWithIP
	g.Expect(question(s, "10.1.3.4:1", with.Filter()).Address).To(gomega.Equal(s.Address))

	for name, change := range map[string]func(q *wire.NetlogonRequest){
		"another domain": func(q *wire.NetlogonRequest) { q.DNSDomain = "fabrikam.com" },
		"another GUID":   func(q *wire.NetlogonRequest) { q.DomainGUID = wire.GUID{1} },
		"another SID":    func(q *wire.NetlogonRequest) { q.DomainSID = wire.NewSID(5, 21, 9) },
		"too old":        func(q *wire.NetlogonRequest) { q.NTVersion = wire.NTVersion5 },
	} {
		q := ask
		change(&q)
		g.Expect(question(s, "10.1.3.4:1", q.Filter())).To(gomega.BeNil(), name)
	}
	g.Expect(question(s, "10.1.3.4:1", wire.MustFilter("(!(NtVer=1))"))).To(gomega.BeNil())

	for user, opcode := range map[string]uint16{"anna": wire.NetlogonResponseEX, "otto": wire.NetlogonUnknownEX, "DC1$": wire.NetlogonUnknownEX} {
		q := ask
		q.User, q.AAC = user, 0x10
		g.Expect(question(s, "10.1.3.4:1", q.Filter()).Opcode).To(gomega.Equal(opcode), user)
	}
}

func TestPacketsWithoutAnAnswer(t *testing.T) {
	r := newRig(t)
	for name, b := range map[string][]byte{
		"garbage": []byte("hello"),
		"bind":    (&wire.Message{ID: 1, Op: &wire.BindRequest{Version: 3}}).Append(nil),
		"subtree": (&wire.Message{ID: 1, Op: &wire.SearchRequest{Scope: wire.WholeSubtree, Filter: wire.All}}).Append(nil),
		"a base":  (&wire.Message{ID: 1, Op: &wire.SearchRequest{Base: users, Filter: wire.All}}).Append(nil),
		"long":    (&wire.Message{ID: 1, Op: &wire.SearchRequest{Filter: wire.Eq("a", string(make([]byte, 5000)))}}).Append(nil),
	} {
		r.Expect(r.server.HandlePacket(context.Background(), nil, b)).To(gomega.BeNil(), name)
	}
	root := (&wire.Message{ID: 1, Op: &wire.SearchRequest{Filter: wire.All, Attributes: []string{"dnsHostName"}}}).Append(nil)
	first, rest, err := wire.Split(r.server.HandlePacket(context.Background(), nil, root))
	r.Expect(err).NotTo(gomega.HaveOccurred())
	m, err := wire.Decode(first, wire.Limits{})
	r.Expect(err).NotTo(gomega.HaveOccurred())
	r.Expect(m.Op.(*wire.Entry).Text("dnsHostName")).To(gomega.Equal(host))
	r.Expect(rest).NotTo(gomega.BeEmpty())
}
