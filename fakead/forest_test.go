package fakead

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"testing"
	"time"

	goldap "github.com/go-ldap/ldap/v3"
	"github.com/miekg/dns"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

func newForest(t *testing.T, clock vclock.Clock) *Forest {
	t.Helper()
	f, err := New(Options{Clock: clock, Seed: 1, Domain: "corp.contoso.com", Controllers: []Controller{{Name: "dc1"}, {Name: "dc2"}}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestForestOnRealSockets(t *testing.T) {
	g := NewWithT(t)
	f := newForest(t, vclock.NewWall())
	l, err := f.Listen(ListenOptions{Ephemeral: true})
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { g.Expect(l.Close()).To(Succeed()) }()

	for _, network := range []string{"udp", "tcp"} {
		c := &dns.Client{Net: network}
		reply, _, err := c.Exchange(new(dns.Msg).SetQuestion("_ldap._tcp.dc._msdcs.corp.contoso.com.", dns.TypeSRV), l.Addr("dc1", network, 53))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(reply.Answer).To(HaveLen(2))
	}

	name, password := f.Administrator()
	roots := x509.NewCertPool()
	roots.AddCert(f.CA().Cert)
	for _, open := range []func() (*goldap.Conn, error){
		func() (*goldap.Conn, error) { return goldap.DialURL("ldap://" + l.Addr("dc1", "tcp", 389)) },
		func() (*goldap.Conn, error) {
			return goldap.DialURL("ldaps://"+l.Addr("dc2", "tcp", 636), goldap.DialWithTLSConfig(&tls.Config{RootCAs: roots, ServerName: "dc2.corp.contoso.com"}))
		},
	} {
		conn, err := open()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(conn.Bind(name, "wrong")).To(MatchError(ContainSubstring("data 52e")))
		g.Expect(conn.Bind(name, password)).To(Succeed())
		res, err := conn.Search(goldap.NewSearchRequest(f.DN(), goldap.ScopeWholeSubtree, 0, 0, 0, false, "(objectCategory=computer)", []string{"dNSHostName"}, nil))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(res.Entries).To(HaveLen(2))
		g.Expect(conn.Close()).To(Succeed())
	}
	g.Expect(l.Addr("dc3", "tcp", 389)).To(BeEmpty())
}

func TestForestInANetwork(t *testing.T) {
	g := NewWithT(t)
	clock := vclock.NewVirtual(vclock.Options{Start: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC), Seed: 1})
	f := newForest(t, clock)
	n := vnet.New(clock, vnet.Options{Seed: 1})
	g.Expect(f.Attach(n)).To(Succeed())
	office, err := n.AddSite(vnet.SiteConfig{Name: "office", SeesDC: true})
	g.Expect(err).NotTo(HaveOccurred())
	home, err := n.AddSite(vnet.SiteConfig{Name: "home"})
	g.Expect(err).NotTo(HaveOccurred())
	clock.Go(context.Background(), "pc", func(ctx context.Context) {
		nic := n.Attach(vnet.NICOptions{Device: "pc", Site: office})
		g.Expect(nic.NameServers()).To(Equal([]string{"dc1.corp.contoso.com", "dc2.corp.contoso.com"}))
		c, err := nic.Dial(ctx, "udp", "dc2.corp.contoso.com:53")
		g.Expect(err).NotTo(HaveOccurred())
		packet, err := new(dns.Msg).SetQuestion("dc1.corp.contoso.com.", dns.TypeA).Pack()
		g.Expect(err).NotTo(HaveOccurred())
		_, err = c.Write(packet)
		g.Expect(err).NotTo(HaveOccurred())
		b := make([]byte, 512)
		size, err := c.Read(b)
		g.Expect(err).NotTo(HaveOccurred())
		reply := new(dns.Msg)
		g.Expect(reply.Unpack(b[:size])).To(Succeed())
		addresses, err := nic.Lookup(ctx, "dc1.corp.contoso.com")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(reply.Answer[0].(*dns.A).A.String()).To(Equal(addresses[0].String()))

		_, err = n.Attach(vnet.NICOptions{Device: "away", Site: home}).Dial(ctx, "tcp", "dc1.corp.contoso.com:389")
		g.Expect(err).To(BeAssignableToTypeOf(&net.DNSError{}))
	})
	g.Expect(clock.Run(context.Background(), time.Time{})).To(Succeed())
}

func TestCertificatesAreReplacedInTime(t *testing.T) {
	g := NewWithT(t)
	clock := vclock.NewVirtual(vclock.Options{Start: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC), Seed: 1})
	f := newForest(t, clock)
	c := f.controllers[0]
	first, err := c.tls()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(strings.Join(first.Leaf.DNSNames, " ")).To(Equal("dc1.corp.contoso.com corp.contoso.com CORP"))
	again, err := c.tls()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again).To(BeIdenticalTo(first))
	clock.Go(context.Background(), "time", func(ctx context.Context) {
		g.Expect(clock.Sleep(ctx, 340*24*time.Hour, "wait")).To(Succeed())
		later, err := c.tls()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(later.Leaf.NotAfter).To(BeTemporally(">", first.Leaf.NotAfter))
	})
	g.Expect(clock.Run(context.Background(), time.Time{})).To(Succeed())
}
