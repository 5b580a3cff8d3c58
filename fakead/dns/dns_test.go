package dns

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	. "github.com/onsi/gomega"
)

var ctx = context.Background()

func zone(controllers int) *Server {
	var list []Controller
	for i := range controllers {
		list = append(list, Controller{
			Host: fmt.Sprintf("dc%d.corp.contoso.com", i+1), Site: "Berlin", Settings: fmt.Sprintf("00000000-0000-0000-0000-%012d", i+1),
			Primary: i == 0, Catalog: true, Addresses: []netip.Addr{netip.MustParseAddr("198.18.0.1")},
		})
	}
	return &Server{Domain: "corp.contoso.com", DomainGUID: "8f4fbf9b-0000-0000-0000-000000000000", Host: "dc1.corp.contoso.com",
		Controllers: func() []Controller { return list }, Sites: func() []string { return []string{"Berlin", "Oslo"} }, TTL: 10 * time.Minute}
}

func ask(t testing.TB, s *Server, name string, kind uint16) *dns.Msg {
	t.Helper()
	m := new(dns.Msg).SetQuestion(name, kind)
	return exchange(t, s, m)
}

func exchange(t testing.TB, s *Server, m *dns.Msg) *dns.Msg {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	raw := s.HandlePacket(ctx, nil, b)
	reply := new(dns.Msg)
	if err := reply.Unpack(raw); err != nil {
		t.Fatal(err)
	}
	if reply.Id != m.Id || !reply.Response {
		t.Fatalf("%v is no reply to %v", reply, m)
	}
	return reply
}

func TestRecordsOfControllers(t *testing.T) {
	g := NewWithT(t)
	s := zone(2)
	for _, c := range []struct {
		name string
		port uint16
		n    int
	}{
		{"_ldap._tcp", 389, 2}, {"_ldap._tcp.dc._msdcs", 389, 2}, {"_ldap._tcp.pdc._msdcs", 389, 1}, {"_ldap._tcp.gc._msdcs", 3268, 2},
		{"_gc._tcp", 3268, 2}, {"_kerberos._tcp", 88, 2}, {"_kerberos._udp", 88, 2}, {"_kerberos._tcp.dc._msdcs", 88, 2},
		{"_kpasswd._tcp", 464, 2}, {"_kpasswd._udp", 464, 2}, {"_LDAP._tcp.berlin._sites.DC._msdcs", 389, 2},
		{"_kerberos._tcp.Berlin._sites.dc._msdcs", 88, 2}, {"_gc._tcp.Berlin._sites", 3268, 2}, {"_ldap._tcp.Berlin._sites", 389, 2},
		{"_ldap._tcp.Oslo._sites.dc._msdcs", 389, 2}, // covered, since it has no controller
		{"_ldap._tcp.8f4fbf9b-0000-0000-0000-000000000000.domains._msdcs", 389, 2},
	} {
		m := ask(t, s, c.name+".corp.contoso.com.", dns.TypeSRV)
		g.Expect(m.Authoritative).To(BeTrue())
		g.Expect(m.Answer).To(HaveLen(c.n), c.name)
		g.Expect(m.Extra).To(HaveLen(c.n), c.name)
		srv := m.Answer[0].(*dns.SRV)
		g.Expect(srv.Port).To(Equal(c.port), c.name)
		g.Expect(srv.Target).To(Equal("dc1.corp.contoso.com."))
		g.Expect(srv.Hdr.Ttl).To(BeEquivalentTo(600))
	}
	g.Expect(ask(t, s, "DC2.corp.contoso.com.", dns.TypeA).Answer).To(HaveLen(1))
	g.Expect(ask(t, s, "corp.contoso.com.", dns.TypeA).Answer).To(HaveLen(2))
	g.Expect(ask(t, s, "corp.contoso.com.", dns.TypeNS).Answer).To(HaveLen(2))
	g.Expect(ask(t, s, "corp.contoso.com.", dns.TypeSOA).Answer[0].(*dns.SOA).Ns).To(Equal("dc1.corp.contoso.com."))
	alias := ask(t, s, "00000000-0000-0000-0000-000000000002._msdcs.corp.contoso.com.", dns.TypeA)
	g.Expect(alias.Answer).To(HaveLen(2))
}

func TestNamesThatAreNotThere(t *testing.T) {
	g := NewWithT(t)
	s := zone(1)
	missing := ask(t, s, "pc-1.corp.contoso.com.", dns.TypeA)
	g.Expect(missing.Rcode).To(Equal(dns.RcodeNameError))
	g.Expect(missing.Ns).To(HaveLen(1))
	empty := ask(t, s, "_msdcs.corp.contoso.com.", dns.TypeA)
	g.Expect(empty.Rcode).To(Equal(dns.RcodeSuccess), "there are names below it")
	g.Expect(empty.Answer).To(BeEmpty())
	g.Expect(ask(t, s, "dc1.corp.contoso.com.", dns.TypeAAAA).Rcode).To(Equal(dns.RcodeSuccess))
	g.Expect(ask(t, s, "www.example.org.", dns.TypeA).Rcode).To(Equal(dns.RcodeRefused))
	g.Expect(ask(t, s, "notcorp.contoso.com.", dns.TypeA).Rcode).To(Equal(dns.RcodeRefused))
	g.Expect(ask(t, s, "corp.contoso.com.", dns.TypeAXFR).Rcode).To(Equal(dns.RcodeRefused))
}

func TestAnswersThatDoNotFit(t *testing.T) {
	g := NewWithT(t)
	s := zone(20)
	m := new(dns.Msg).SetQuestion("_ldap._tcp.corp.contoso.com.", dns.TypeSRV)
	short := exchange(t, s, m)
	g.Expect(short.Truncated).To(BeTrue())
	short.Compress = true
	g.Expect(short.Len()).To(BeNumerically("<=", 512))
	m.SetEdns0(4096, false)
	g.Expect(len(exchange(t, s, m).Answer)).To(BeNumerically(">", len(short.Answer)))
	whole := overTCP(t, s, new(dns.Msg).SetQuestion("_ldap._tcp.corp.contoso.com.", dns.TypeSRV))
	g.Expect(whole.Truncated).To(BeFalse())
	g.Expect(whole.Answer).To(HaveLen(20))
}

func overTCP(t *testing.T, s *Server, m *dns.Msg) *dns.Msg {
	t.Helper()
	near, far := net.Pipe()
	done := make(chan struct{})
	go func() { s.ServeStream(ctx, far); close(done) }()
	c := &dns.Conn{Conn: near}
	if err := c.WriteMsg(m); err != nil {
		t.Fatal(err)
	}
	reply, err := c.ReadMsg()
	if err != nil {
		t.Fatal(err)
	}
	_ = near.Close()
	<-done
	return reply
}

func TestWhatIsNoQuestion(t *testing.T) {
	g := NewWithT(t)
	s := zone(1)
	for _, b := range [][]byte{nil, {1}, []byte("GET / HTTP/1.1\r\n\r\n")[:11], make([]byte, 5000)} {
		g.Expect(s.HandlePacket(ctx, nil, b)).To(BeNil())
	}
	reply := new(dns.Msg).SetReply(new(dns.Msg).SetQuestion("corp.contoso.com.", dns.TypeA))
	b, err := reply.Pack()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.HandlePacket(ctx, nil, b)).To(BeNil(), "answers to answers never end")
	update := new(dns.Msg).SetUpdate("corp.contoso.com.")
	g.Expect(exchange(t, s, update).Rcode).To(Equal(dns.RcodeNotImplemented))
	two := new(dns.Msg).SetQuestion("corp.contoso.com.", dns.TypeA)
	two.Question = append(two.Question, two.Question[0])
	g.Expect(exchange(t, s, two).Rcode).To(Equal(dns.RcodeFormatError))
	// A name that points at itself, and two that point at each other.
	for _, name := range [][]byte{{0xc0, 12}, {0xc0, 14, 0xc0, 12}, {1, 'a', 0xc0, 12}} {
		b := append([]byte{0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}, append(name, 0, 1, 0, 1)...)
		failed := new(dns.Msg)
		g.Expect(failed.Unpack(s.HandlePacket(ctx, nil, b))).To(Succeed())
		g.Expect(failed.Rcode).To(Equal(dns.RcodeFormatError))
		g.Expect(failed.Id).To(BeEquivalentTo(7))
	}
	near, far := net.Pipe()
	go func() { _, _ = near.Write([]byte{0, 0}) }()
	s.ServeStream(ctx, far) // ends by itself
}

func FuzzHandlePacket(f *testing.F) {
	for _, name := range []string{"corp.contoso.com.", "_ldap._tcp.corp.contoso.com.", strings.Repeat("a.", 100)} {
		m := new(dns.Msg).SetQuestion(name, dns.TypeSRV)
		m.SetEdns0(1232, true)
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	s := zone(3)
	f.Fuzz(func(t *testing.T, packet []byte) {
		b := s.HandlePacket(ctx, nil, packet)
		if b == nil {
			return
		}
		if err := new(dns.Msg).Unpack(b); err != nil || len(b) > udpMaximum {
			t.Fatalf("answer of %d bytes: %v", len(b), err)
		}
	})
}

func BenchmarkQuestion(b *testing.B) {
	s := zone(2)
	m := new(dns.Msg).SetQuestion("_ldap._tcp.dc._msdcs.corp.contoso.com.", dns.TypeSRV)
	packet, err := m.Pack()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s.HandlePacket(ctx, nil, packet)
	}
}
