package vnet_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vnet"
)

// says is a handler that answers one word.
func says(word string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, word) })
}

func TestWhoAnswers(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, vnet.SiteConfig{Name: "near"})
		w.net.Serve("*.com", says("top"))
		w.net.Serve("*.manage.contoso.com", says("old"))
		w.net.Serve("*.contoso.com", says("suffix"))
		w.net.Serve("www.contoso.com", says("exact"))
		w.net.Serve("*.Manage.contoso.com", says("longest"))
		nic := w.nic("pc-1")
		w.run(func(ctx context.Context) {
			for _, c := range []struct{ host, want string }{
				{"www.contoso.com", "exact"}, {"WWW.Contoso.com", "exact"}, {"login.contoso.com", "suffix"},
				{"a.b.contoso.com", "suffix"}, {"r.manage.contoso.com", "longest"}, {"contoso.com", "top"},
			} {
				_, body, err := get(ctx, nic.Client(vnet.ClientOptions{}), "https://"+c.host+"/")
				w.Expect(err).NotTo(HaveOccurred(), c.host)
				w.Expect(body).To(Equal(c.want), c.host)
			}
			_, _, err := get(ctx, nic.Client(vnet.ClientOptions{}), "https://com/")
			w.Expect(vnet.ErrorCode(err).Hex()).To(Equal("0x80072EE7"), "a suffix does not serve itself")

			w.net.Serve("www.contoso.com", says("replaced"))
			_, body, err := get(ctx, nic.Client(vnet.ClientOptions{}), "https://www.contoso.com/")
			w.Expect(err).NotTo(HaveOccurred())
			w.Expect(body).To(Equal("replaced"))
			nic.CloseIdle()
		})
	})
}

// TestJournal shows the events of one device: what came of each exchange, and nothing that varies.
func TestJournal(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench)
		memory := journal.NewMemory(10)
		n := vnet.New(w.clock, vnet.Options{Home: home, Seed: seed, WebRoot: w.root, Journal: journal.New(w.clock, memory)})
		site, err := n.AddSite(bench)
		w.Expect(err).NotTo(HaveOccurred())
		n.Serve("mdm.contoso.com", http.HandlerFunc(hello), vnet.Operation(func(r *http.Request) string { return "enrol" + r.URL.Path }))
		nic := n.Attach(vnet.NICOptions{Device: "pc-1", Site: site})
		w.run(func(ctx context.Context) {
			_, _, err := do(ctx, nic.Client(vnet.ClientOptions{}), "POST", "https://mdm.contoso.com/x", "body")
			w.Expect(err).NotTo(HaveOccurred())
			_, _, err = get(ctx, nic.Client(vnet.ClientOptions{}), "https://gone.contoso.com/y")
			w.Expect(err).To(HaveOccurred())
			_, err = nic.Transfer(ctx, "mdm.contoso.com", 1000)
			w.Expect(err).NotTo(HaveOccurred())
			nic.CloseIdle()
		})
		var kinds []string
		var rows []map[string]any
		for _, e := range memory.Timeline("pc-1") {
			kinds = append(kinds, e.Kind)
			row := map[string]any{}
			for _, f := range e.Fields {
				if !f.Loose {
					row[f.Key] = f.Value
				}
			}
			rows = append(rows, row)
		}
		w.Expect(kinds).To(Equal([]string{"http.request", "http.request", "http.transfer"}))
		w.Expect(rows[0]).To(And(HaveKeyWithValue("host", "mdm.contoso.com"), HaveKeyWithValue("operation", "enrol/x"),
			HaveKeyWithValue("method", "POST"), HaveKeyWithValue("status", BeNumerically("==", 200)), HaveKeyWithValue("n", BeNumerically("==", 1)), HaveLen(5)))
		w.Expect(rows[1]).To(And(HaveKeyWithValue("operation", "/y"), HaveKeyWithValue("code", "0x80072EE7"), HaveKeyWithValue("status", BeNumerically("==", 0))))
		w.Expect(rows[2]).To(And(HaveKeyWithValue("done", BeNumerically("==", 1000)), HaveKeyWithValue("n", BeNumerically("==", 3))))
	})
}

func TestHomeNames(t *testing.T) {
	g := NewWithT(t)
	for _, home := range []vnet.Home{vnet.Direct, vnet.TLS} {
		g.Expect(vnet.ParseHome(home.String())).To(Equal(home))
	}
	_, err := vnet.ParseHome("tcp")
	g.Expect(err).To(MatchError(ContainSubstring("direct, tls")))
}

// TestProxyComesAndGoes changes a site in the middle of a run; web certificates come from below the root here.
func TestProxyComesAndGoes(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench)
		issuing, err := w.root.Sub(start, "Web Issuing", pki.Options{})
		w.Expect(err).NotTo(HaveOccurred())
		n := vnet.New(w.clock, vnet.Options{Home: home, Seed: seed, WebRoot: issuing})
		site, err := n.AddSite(bench)
		w.Expect(err).NotTo(HaveOccurred())
		n.Serve("www.contoso.com", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rw.(http.Flusher).Flush()
			_, err := rw.Write(bytes.Repeat([]byte("x"), 10))
			w.Expect(err).NotTo(HaveOccurred())
		}))
		nic := n.Attach(vnet.NICOptions{Device: "pc-1", Site: site})
		fetch := func(ctx context.Context) {
			_, body, err := get(ctx, nic.Client(vnet.ClientOptions{}), "https://www.contoso.com/")
			w.Expect(err).NotTo(HaveOccurred())
			w.Expect(body).To(HaveLen(10))
			nic.CloseIdle()
		}
		w.Expect(w.run(fetch)).To(Equal(newConnection + smallLeg + mediumLeg))
		site.SetProxy(&vnet.ProxyConfig{Latency: 5 * time.Millisecond})
		w.Expect(site.Config().Proxy.Latency).To(Equal(5 * time.Millisecond))
		w.Expect(w.run(fetch)).To(Equal(newConnection-20*time.Millisecond+smallLeg+mediumLeg+20*time.Millisecond), "name known, four more passes")
		site.SetProxy(nil)
		w.Expect(w.run(fetch)).To(Equal(newConnection - 20*time.Millisecond + smallLeg + mediumLeg))
	})
}

func TestRequestClosesItsConnection(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench)
		w.net.Serve("www.contoso.com", http.HandlerFunc(hello))
		c := w.nic("pc-1").Client(vnet.ClientOptions{})
		for _, want := range []time.Duration{newConnection + smallLeg + mediumLeg, newConnection - 20*time.Millisecond + smallLeg + mediumLeg} {
			w.Expect(w.run(func(ctx context.Context) {
				r, err := http.NewRequestWithContext(ctx, "GET", "https://www.contoso.com/", nil)
				w.Expect(err).NotTo(HaveOccurred())
				r.Close = true
				resp, err := c.Do(r)
				w.Expect(err).NotTo(HaveOccurred())
				w.Expect(resp.Body.Close()).To(Succeed())
			})).To(Equal(want))
		}
	})
}
