package domain_test

import (
	"fmt"
	"net"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/fakead"
)

// dig asks the first controller; the answer comes as lines of the section.
func (l *lab) dig(arguments ...string) []string {
	GinkgoHelper()
	out := l.run(append([]string{"dig", "+noall", "+answer", "@127.0.0.1"}, arguments...)...)
	return strings.Split(strings.TrimSpace(out), "\n")
}

// status is how the first controller answers, "NOERROR" for a name that is there.
func (l *lab) status(arguments ...string) string {
	GinkgoHelper()
	out := l.run(append([]string{"dig", "@127.0.0.1"}, arguments...)...)
	_, rest, found := strings.Cut(out, "status: ")
	Expect(found).To(BeTrue(), out)
	status, _, _ := strings.Cut(rest, ",")
	return status
}

var _ = Describe("the name service, asked by dig", func() {
	twoSites := func(o *fakead.Options) {
		o.Sites = []fakead.Site{{Name: "Berlin"}, {Name: "Oslo"}, {Name: "Remote"}}
		o.Controllers = []fakead.Controller{{Name: "dc1", Site: "Berlin"}, {Name: "dc2", Site: "Oslo"}}
	}

	It("leads to the controllers of the domain and of a site", func() {
		l := newForest(twoSites)
		Expect(l.dig("+short", "-t", "SRV", "_ldap._tcp.dc._msdcs."+domainName)).To(ConsistOf("0 100 389 dc1.corp.contoso.com.", "0 100 389 dc2.corp.contoso.com."))
		Expect(l.dig("+short", "-t", "SRV", "_ldap._tcp.Oslo._sites.dc._msdcs."+domainName)).To(ConsistOf("0 100 389 dc2.corp.contoso.com."))
		Expect(l.dig("+short", "-t", "SRV", "_kerberos._tcp.Remote._sites.dc._msdcs."+domainName)).To(HaveLen(2), "a site without a controller is covered by all")
		Expect(l.dig("+short", "-t", "SRV", "_ldap._tcp.pdc._msdcs."+domainName)).To(ConsistOf("0 100 389 dc1.corp.contoso.com."))
		for _, service := range []string{"_kerberos._udp", "_kerberos._tcp", "_kpasswd._udp", "_kpasswd._tcp", "_gc._tcp"} {
			Expect(l.dig("+short", "-t", "SRV", service+"."+domainName)).To(HaveLen(2), service)
		}
		Expect(l.dig("+short", "-t", "A", "dc2."+domainName)).To(ConsistOf("127.0.0.2"))
	})

	It("has the zone's own records, and says what it does not have", func() {
		l := newForest(twoSites)
		Expect(l.dig("+short", "-t", "SOA", domainName)).To(ConsistOf(HavePrefix("dc1.corp.contoso.com. hostmaster.corp.contoso.com. ")))
		Expect(l.dig("+short", "-t", "NS", domainName)).To(HaveLen(2))
		Expect(l.status("-t", "A", "pc-1."+domainName)).To(Equal("NXDOMAIN"))
		Expect(l.status("-t", "AAAA", "dc1."+domainName)).To(Equal("NOERROR"))
		Expect(l.status("-t", "A", "www.example.org")).To(Equal("REFUSED"))
		Expect(l.run("dig", "@127.0.0.1", "-t", "AXFR", domainName)).To(ContainSubstring("Transfer failed"))
	})

	It("answers over TCP what does not fit into a datagram", func() {
		l := newForest(func(o *fakead.Options) {
			o.Controllers = nil
			for i := range 24 {
				o.Controllers = append(o.Controllers, fakead.Controller{Name: fmt.Sprintf("dc%d", i+1)})
			}
		})
		name := "_ldap._tcp.dc._msdcs." + domainName
		Expect(l.run("dig", "@127.0.0.1", "+noedns", "+ignore", "-t", "SRV", name)).To(MatchRegexp("flags: qr aa tc"))
		Expect(l.dig("+noedns", "-t", "SRV", name)).To(HaveLen(24), "dig asks again over TCP")
		Expect(l.dig("+tcp", "-t", "SRV", name)).To(HaveLen(24))
	})

	It("survives what is no question", func() {
		l := newForest()
		for _, network := range []string{"udp", "tcp"} {
			for _, garbage := range []string{"", "\x00", "GET / HTTP/1.1\r\n\r\n", strings.Repeat("\xff", 1200), "\x00\x0c" + strings.Repeat("\x00", 12)} {
				c, err := net.Dial(network, "127.0.0.1:53")
				Expect(err).NotTo(HaveOccurred())
				Expect(c.SetDeadline(wall.Now().Add(5 * time.Second))).To(Succeed())
				_, err = c.Write([]byte(garbage))
				Expect(err).NotTo(HaveOccurred())
				Expect(c.Close()).To(Succeed())
			}
		}
		Expect(l.dig("+short", "-t", "A", "dc1."+domainName)).To(ConsistOf("127.0.0.1"))
	})
})
