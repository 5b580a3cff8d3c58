package adclient_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/onsi/gomega"

	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/wire/ldap"
)

const (
	everywhere = "_ldap._tcp.dc._msdcs.corp.contoso.com."
	inBerlin   = "_ldap._tcp.Berlin._sites.dc._msdcs.corp.contoso.com."
	inParis    = "_ldap._tcp.Paris._sites.dc._msdcs.corp.contoso.com."
)

func srv(priority, weight int, target string) string {
	return fmt.Sprintf("SRV %d %d 389 %s.", priority, weight, strings.TrimSuffix(target, "."))
}

func (w *world) locate(site string) (c *adclient.Controller, took time.Duration, err error) {
	took = w.run(func(ctx context.Context) { c, err = adclient.Locate(ctx, w.host, domain, site) })
	return c, took, err
}

func TestLocate(t *testing.T) {
	w := newWorld(t)
	w.serveNames("ns1")
	w.zone[everywhere] = []string{srv(0, 100, "dc1."+domain), srv(0, 100, "dc2."+domain)}
	w.zone[inBerlin] = []string{srv(0, 100, "dc2."+domain)}
	w.serveController("dc1."+domain, "Paris", "Berlin", domain)
	w.serveController("dc2."+domain, "Berlin", "Berlin", domain)

	c, _, err := w.locate("Berlin")
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.Expect(c.Name).To(gomega.Equal("dc2." + domain))
	w.Expect(w.asked).To(gomega.Equal([]string{"udp " + inBerlin}))

	for range 8 { // whoever answers first: the caller ends in its own site
		c, _, err = w.locate("")
		w.Expect(err).NotTo(gomega.HaveOccurred())
		w.Expect(c.Name).To(gomega.Equal("dc2." + domain))
		w.Expect(c.Closest()).To(gomega.BeTrue())
	}
	w.asked = nil
	c, _, err = w.locate("Paris") // it was moved: no such record
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.Expect(c.Name).To(gomega.Equal("dc2." + domain))
	w.Expect(w.asked[:2]).To(gomega.Equal([]string{"udp " + inParis, "udp " + everywhere}))
}

func TestFarControllerIsBetterThanNone(t *testing.T) {
	w := newWorld(t)
	w.serveNames("ns1")
	w.zone[everywhere] = []string{srv(0, 100, "dc1."+domain)}
	w.serveController("dc1."+domain, "Paris", "Berlin", domain)
	c, _, err := w.locate("")
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.Expect([]string{c.Name, c.Site, c.ClientSite}).To(gomega.Equal([]string{"dc1." + domain, "Paris", "Berlin"}))
}

func TestSilentControllersArePassedOver(t *testing.T) {
	w := newWorld(t)
	w.serveNames("ns1")
	w.zone[everywhere] = []string{srv(0, 100, "dc1."+domain), srv(1, 100, "dc2."+domain), srv(2, 0, "dc3."+domain), srv(3, 0, ".")}
	silent := func(context.Context, net.Addr, []byte) []byte { return nil }
	w.Expect(w.net.ServePacket("dc1."+domain, 389, silent)).To(gomega.Succeed())
	w.serveController("dc2."+domain, "Paris", "Paris", "fabrikam.com")
	w.serveController("dc3."+domain, "Paris", "Paris", domain)
	c, took, err := w.locate("")
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.Expect(c.Name).To(gomega.Equal("dc3." + domain))
	w.Expect(took).To(gomega.BeNumerically("~", 2*time.Second, 300*time.Millisecond))
}

func TestNoController(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(w *world)
		why  string
		took time.Duration
	}{
		"no name server":           {set: func(w *world) { w.host.Net.(*card).servers = nil }, why: "no name server"},
		"name server is not there": {set: func(*world) {}, why: "ns1"},
		"name server is silent": {
			set: func(w *world) {
				silent := func(context.Context, net.Addr, []byte) []byte { return nil }
				w.Expect(w.net.ServePacket("ns1", 53, silent)).To(gomega.Succeed())
			}, why: "i/o timeout", took: 10 * time.Second,
		},
		"no such domain": {set: func(w *world) { w.serveNames("ns1") }, why: "no such host"},
		"no controllers": {set: func(w *world) { w.serveNames("ns1"); w.zone[everywhere] = []string{srv(0, 0, ".")} }, why: "names nobody"},
		"none in reach": {
			set: func(w *world) { w.serveNames("ns1"); w.zone[everywhere] = []string{srv(0, 0, "dc1."+domain)} }, why: "dc1",
		},
		"answers are garbage": {
			set: func(w *world) {
				w.serveNames("ns1")
				w.zone[everywhere] = []string{srv(0, 0, "dc1."+domain)}
				w.Expect(w.net.ServePacket("dc1."+domain, 389, func(context.Context, net.Addr, []byte) []byte { return []byte("hello") })).To(gomega.Succeed())
			}, why: "tag 0x68",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.set(w)
			_, took, err := w.locate("")
			w.Expect(err).To(gomega.MatchError(adclient.ErrNoController))
			w.Expect(err.Error()).To(gomega.ContainSubstring(c.why))
			if c.took > 0 {
				w.Expect(took).To(gomega.BeNumerically("~", c.took, time.Second))
			}
		})
	}
}

func TestTruncatedAnswersComeOverTCP(t *testing.T) {
	w := newWorld(t)
	w.serveNames("ns1")
	for i := range 40 {
		w.zone[everywhere] = append(w.zone[everywhere], srv(i, 100, fmt.Sprintf("dc%d.%s", i, domain)))
	}
	w.serveController("dc0."+domain, "Paris", "Paris", domain)
	c, _, err := w.locate("")
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.Expect(c.Name).To(gomega.Equal("dc0." + domain))
	w.Expect(w.asked).To(gomega.Equal([]string{"udp " + everywhere, "tcp " + everywhere}))
}

// TestForgedAnswersAreIgnored: another number, another question, no answer at all.
func TestForgedAnswersAreIgnored(t *testing.T) {
	w := newWorld(t)
	n := 0
	w.Expect(w.net.ServePacket("ns1", 53, func(_ context.Context, _ net.Addr, p []byte) []byte {
		b := w.answer("udp", p)
		switch n++; n {
		case 1:
			b[0] ^= 1
		case 2:
			b = p
		case 3:
			q := new(dns.Msg)
			w.Expect(q.Unpack(b)).To(gomega.Succeed())
			q.Question[0].Name = "fabrikam.com."
			b, _ = q.Pack()
		case 4:
			b = b[:11]
		}
		return b
	})).To(gomega.Succeed())
	w.zone[everywhere] = []string{srv(0, 100, "dc1."+domain)}
	w.serveController("dc1."+domain, "Paris", "Paris", domain)
	_, took, err := w.locate("")
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.Expect(n).To(gomega.Equal(5))
	w.Expect(took).To(gomega.BeNumerically("~", 8*time.Second, 200*time.Millisecond), "asked at 0, 1, 2, 4 and 8 s")
}

func TestServerFailureIsAskedElsewhere(t *testing.T) {
	w := newWorld(t)
	w.host.Net.(*card).servers = []string{"ns1", "ns2"}
	w.Expect(w.net.ServePacket("ns1", 53, func(_ context.Context, _ net.Addr, p []byte) []byte {
		q := new(dns.Msg)
		w.Expect(q.Unpack(p)).To(gomega.Succeed())
		b, _ := new(dns.Msg).SetRcode(q, dns.RcodeServerFailure).Pack()
		return b
	})).To(gomega.Succeed())
	w.serveNames("ns2")
	w.zone[everywhere] = []string{srv(0, 100, "dc1."+domain)}
	w.serveController("dc1."+domain, "Paris", "Paris", domain)
	_, _, err := w.locate("")
	w.Expect(err).NotTo(gomega.HaveOccurred())
}

func TestLocateEndsWithItsContext(t *testing.T) {
	w := newWorld(t)
	w.Expect(w.net.ServePacket("ns1", 53, func(context.Context, net.Addr, []byte) []byte { return nil })).To(gomega.Succeed())
	over := errors.New("budget is spent")
	took := w.run(func(ctx context.Context) {
		timed, cancel := w.clock.WithTimeout(ctx, 3*time.Second, over)
		defer cancel()
		_, err := adclient.Locate(timed, w.host, domain, "Berlin")
		w.Expect(err).To(gomega.MatchError(over))
	})
	w.Expect(took).To(gomega.Equal(3 * time.Second))
}

// TestWeights: within a priority controllers are drawn by their weight (RFC 2782).
func TestWeights(t *testing.T) {
	w := newWorld(t)
	w.serveNames("ns1")
	w.zone[everywhere] = []string{srv(0, 300, "dc1."+domain), srv(0, 100, "dc2."+domain), srv(1, 60000, "dc3."+domain)}
	for i := 1; i <= 3; i++ {
		w.serveController(fmt.Sprintf("dc%d.%s", i, domain), "Paris", "Paris", domain)
	}
	chosen := map[string]int{}
	for range 200 {
		c, _, err := w.locate("")
		w.Expect(err).NotTo(gomega.HaveOccurred())
		chosen[c.Name]++
	}
	w.Expect(chosen["dc1."+domain]).To(gomega.BeNumerically("~", 150, 30))
	w.Expect(chosen["dc3."+domain]).To(gomega.BeZero())
}

func FuzzAnswers(f *testing.F) {
	m := new(dns.Msg).SetQuestion(everywhere, dns.TypeSRV)
	m.Response = true
	rr, err := dns.NewRR(everywhere + " 600 IN " + srv(0, 100, "dc1."+domain))
	if err != nil {
		f.Fatal(err)
	}
	m.Answer = append(m.Answer, rr)
	b, err := m.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add((&ldap.Message{ID: 1, Op: &ldap.SearchDone{}}).Append(nil))
	f.Add((&ldap.Message{ID: 1, Op: &ldap.Entry{Attributes: []ldap.Attribute{ldap.Text("Netlogon", "x")}}}).Append(nil))
	f.Fuzz(func(_ *testing.T, b []byte) { adclient.ReadOutside(b) })
}
