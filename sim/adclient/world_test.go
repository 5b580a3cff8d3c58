package adclient_test

import (
	"context"
	"crypto/x509"
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/onsi/gomega"
	"go.uber.org/goleak"

	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/ldap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const domain = "corp.contoso.com"

var start = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

// world is a network with name servers and controllers that a test scripts, and a computer in it.
type world struct {
	*gomega.WithT
	clock *vclock.Virtual
	net   *vnet.Network
	host  adclient.Host
	zone  map[string][]string // records by name, in zone file form
	asked []string            // questions that came, with the protocol
}

// card is a network card that was told of name servers.
type card struct {
	*vnet.NIC
	servers []string
}

func (c *card) NameServers() []string { return c.servers }

func newWorld(t testing.TB) *world {
	w := &world{WithT: gomega.NewWithT(t), zone: map[string][]string{}}
	w.clock = vclock.NewVirtual(vclock.Options{Start: start, Seed: 3})
	t.Cleanup(w.clock.Stop)
	w.net = vnet.New(w.clock, vnet.Options{Seed: 3})
	site, err := w.net.AddSite(vnet.SiteConfig{Name: "office", Latency: 10 * time.Millisecond})
	w.Expect(err).NotTo(gomega.HaveOccurred())
	stream := vclock.Seed(3).Stream("adclient", "test")
	w.host = adclient.Host{
		Net: &card{w.net.Attach(vnet.NICOptions{Device: "PC-1", Site: site}), []string{"ns1"}}, Clock: w.clock, Name: "PC-1",
		Random: func(n int) []byte {
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(stream.Uint32())
			}
			return b
		},
		Roots: func() *x509.CertPool { return nil },
	}
	return w
}

func (w *world) run(f func(ctx context.Context)) time.Duration {
	began := w.clock.Now()
	w.clock.Go(context.Background(), "test", f)
	w.Expect(w.clock.Run(context.Background(), time.Time{})).To(gomega.Succeed())
	return w.clock.Now().Sub(began)
}

// answer is what a name server with the world's zone says.
func (w *world) answer(network string, packet []byte) []byte {
	q := new(dns.Msg)
	w.Expect(q.Unpack(packet)).To(gomega.Succeed())
	name := q.Question[0].Name
	w.asked = append(w.asked, network+" "+name)
	m := new(dns.Msg).SetReply(q)
	records, ok := w.zone[name]
	if !ok {
		m.Rcode = dns.RcodeNameError
	}
	for _, text := range records {
		rr, err := dns.NewRR(name + " 600 IN " + text)
		w.Expect(err).NotTo(gomega.HaveOccurred())
		m.Answer = append(m.Answer, rr)
	}
	if network == "udp" {
		m.Truncate(dns.MinMsgSize)
	}
	b, err := m.Pack()
	w.Expect(err).NotTo(gomega.HaveOccurred())
	return b
}

// serveNames starts a name server.
func (w *world) serveNames(name string) {
	w.Expect(w.net.ServePacket(name, 53, func(_ context.Context, _ net.Addr, p []byte) []byte { return w.answer("udp", p) })).To(gomega.Succeed())
	l, err := w.net.Listen(name, 53)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.clock.GoDaemon(context.Background(), name, func(ctx context.Context) {
		_ = l.Serve(ctx, name, func(_ context.Context, c *vnet.Conn) {
			b := make([]byte, 600)
			n, _ := c.Read(b)
			out := w.answer("tcp", b[2:n])
			_, _ = c.Write(append([]byte{byte(len(out) >> 8), byte(len(out))}, out...))
		})
	})
}

// serveController answers pings in a site, for a domain.
func (w *world) serveController(name, site, clientSite, domain string) {
	w.Expect(w.net.ServePacket(name, 389, func(_ context.Context, _ net.Addr, p []byte) []byte {
		m, err := ldap.Decode(p, ldap.Limits{})
		w.Expect(err).NotTo(gomega.HaveOccurred())
		r := ldap.NetlogonResponse{
			Opcode: ldap.NetlogonResponseEX, Flags: ldap.DSLDAP, Domain: domain, Forest: domain, Host: name, NetBIOSDomain: "CORP",
			Site: site, ClientSite: clientSite, NTVersion: ldap.NTVersion1 | ldap.NTVersion5EX,
		}
		if site == clientSite {
			r.Flags |= ldap.DSClosest
		}
		e := &ldap.Entry{Attributes: []ldap.Attribute{ldap.Binary("Netlogon", r.Append(nil))}}
		return (&ldap.Message{ID: m.ID, Op: &ldap.SearchDone{}}).Append((&ldap.Message{ID: m.ID, Op: e}).Append(nil))
	})).To(gomega.Succeed())
}
