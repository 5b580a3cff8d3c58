package vnet_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

func TestWhatIsInTheWay(t *testing.T) {
	for _, c := range []struct {
		name, url, code string
		block           []vnet.BlockRule
		before          func(w *world, nic *vnet.NIC)
		is              error
		took            time.Duration
	}{
		{name: "unknown name", url: "https://nowhere.test/", code: "0x80072EE7", took: 20 * time.Millisecond},
		{name: "denied name", url: "https://www.contoso.com/", code: "0x80072EE7", took: 20 * time.Millisecond,
			block: []vnet.BlockRule{{Host: "www.contoso.com", Mode: vnet.NoSuchName}}},
		{name: "refused", url: "https://www.contoso.com/", code: "0x80072EFD", is: syscall.ECONNREFUSED, took: 40 * time.Millisecond,
			block: []vnet.BlockRule{{Host: "*.contoso.com", Mode: vnet.Refuse}}},
		{name: "swallowed", url: "https://www.contoso.com/", code: "0x80072EE2", is: syscall.ETIMEDOUT, took: 21*time.Second + 20*time.Millisecond,
			block: []vnet.BlockRule{{Host: "other.test", Mode: vnet.Allow}, {Host: "*", Mode: vnet.TimeOut}}},
		{name: "exempted", url: "https://www.contoso.com/", took: newConnection + smallLeg + mediumLeg,
			block: []vnet.BlockRule{{Host: "www.contoso.com"}, {Host: "*", Mode: vnet.TimeOut}}},
		{name: "unblocked again", url: "https://www.contoso.com/", took: newConnection + smallLeg + mediumLeg,
			before: func(w *world, _ *vnet.NIC) {
				w.Expect(w.site.Block("WWW.contoso.com", vnet.Refuse)).To(Succeed())
				w.Expect(w.site.Unblock("www.contoso.com")).To(BeTrue())
				w.Expect(w.site.Unblock("www.contoso.com")).To(BeFalse())
			}},
		{name: "no link", url: "https://www.contoso.com/", code: "0x80072EE7",
			before: func(_ *world, nic *vnet.NIC) { nic.Down() }},
		{name: "no link, by address", url: "http://198.18.0.1/", code: "0x80072EFD", is: syscall.ENETUNREACH,
			before: func(_ *world, nic *vnet.NIC) { nic.Down() }},
		{name: "by address", url: "http://198.18.0.1/", took: 20*time.Millisecond + smallLeg + mediumLeg},
		{name: "another port", url: "https://www.contoso.com:8443/", code: "0x80072EFD", is: syscall.ECONNREFUSED, took: 40 * time.Millisecond},
		{name: "domain from outside", url: "http://dc.corp.test/", code: "0x80072EE7", took: 20 * time.Millisecond,
			before: func(w *world, _ *vnet.NIC) { w.net.DomainOnly("*.corp.test") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachHome(t, func(t *testing.T, home vnet.Home) {
				site := bench
				site.Block = c.block
				w := newWorld(t, home, site)
				w.net.Serve("www.contoso.com", http.HandlerFunc(hello))
				w.net.Serve("dc.corp.test", http.HandlerFunc(hello))
				nic := w.nic("pc-1")
				if c.before != nil {
					c.before(w, nic)
				}
				took := w.run(func(ctx context.Context) {
					_, _, err := get(ctx, nic.Client(vnet.ClientOptions{}), c.url)
					nic.CloseIdle()
					if c.code == "" {
						w.Expect(err).NotTo(HaveOccurred())
						return
					}
					w.Expect(err).To(HaveOccurred())
					w.Expect(vnet.ErrorCode(err).Hex()).To(Equal(c.code), "%v", err)
					if c.is != nil {
						w.Expect(err).To(MatchError(c.is))
					}
				})
				w.Expect(took).To(Equal(c.took))
			})
		})
	}
}

func TestLosingTheLink(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench)
		w.net.Serve("slow.contoso.com", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			w.Expect(w.clock.Sleep(r.Context(), time.Hour, "handler")).To(Succeed())
		}))
		office, err := w.net.AddSite(vnet.SiteConfig{Name: "office"})
		w.Expect(err).NotTo(HaveOccurred())
		nic := w.nic("pc-1")
		c := nic.Client(vnet.ClientOptions{})
		w.clock.AfterFunc(context.Background(), time.Minute, "hand", func(context.Context) { nic.Move(office) })
		w.run(func(ctx context.Context) {
			_, _, err := get(ctx, c, "https://slow.contoso.com/")
			w.Expect(err).To(MatchError(syscall.ECONNRESET))
			w.Expect(vnet.ErrorCode(err).Hex()).To(Equal("0x80072EFE"))
			_, _, err = get(ctx, c, "https://slow.contoso.com/")
			w.Expect(err).NotTo(HaveOccurred())
			w.Expect(nic.Site().Name()).To(Equal("office"))
			nic.Down()
			nic.Up()
			w.Expect(nic.IsUp()).To(BeTrue())
		})
	})
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name   string
		do     fault.Action
		status int
		body   string
		code   string
		calls  int
		took   time.Duration
	}{
		{name: "status", do: fault.Action{Status: 503, RetryAfter: 90 * time.Second}, status: 503, took: newConnection + smallLeg + smallLeg},
		{name: "delay", do: fault.Action{Delay: time.Minute}, status: 200, body: "hello /", calls: 1, took: time.Minute + newConnection + smallLeg + mediumLeg},
		{name: "refuse", do: fault.Action{Refuse: true}, code: "0x80072EFD"},
		{name: "no such name", do: fault.Action{NoSuchName: true}, code: "0x80072EE7"},
		{name: "corrupt", do: fault.Action{Corrupt: true}, status: 200, body: "hel9o /", calls: 1, took: newConnection + smallLeg + mediumLeg},
		{name: "truncate", do: fault.Action{Truncate: true}, code: "0x80072EFE", calls: 1, took: newConnection + smallLeg + mediumLeg},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachHome(t, func(t *testing.T, home vnet.Home) {
				w := newWorld(t, home, bench, fault.Rule{Name: "second", When: fault.When{Host: "www.contoso.com", Nth: 2}, Do: c.do})
				calls := 0
				w.net.Serve("www.contoso.com", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					calls++
					hello(rw, r)
				}))
				nic := w.nic("pc-1")
				client := nic.Client(vnet.ClientOptions{})
				w.run(func(ctx context.Context) {
					_, _, err := get(ctx, client, "https://www.contoso.com/")
					w.Expect(err).NotTo(HaveOccurred())
					nic.Down()
					nic.Up()
					calls = 0
				})
				took := w.run(func(ctx context.Context) {
					r, err := http.NewRequestWithContext(ctx, "GET", "https://www.contoso.com/", nil)
					w.Expect(err).NotTo(HaveOccurred())
					resp, err := client.Do(r)
					var body []byte
					if err == nil {
						body, err = io.ReadAll(resp.Body)
						resp.Body.Close()
					}
					nic.CloseIdle()
					if c.code != "" {
						w.Expect(vnet.ErrorCode(err).Hex()).To(Equal(c.code), "%v", err)
						return
					}
					w.Expect(err).NotTo(HaveOccurred())
					w.Expect(resp.StatusCode).To(Equal(c.status))
					w.Expect(string(body)).To(Equal(c.body))
					if c.do.RetryAfter > 0 {
						w.Expect(resp.Header.Get("Retry-After")).To(Equal("90"))
					}
				})
				w.Expect(took).To(Equal(c.took))
				w.Expect(calls).To(Equal(c.calls))
			})
		})
	}
}

// TestDrop: a connection breaks before or after the service has seen the request, and the client cannot tell.
func TestDrop(t *testing.T) {
	seen := map[vnet.Home]int{}
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench, fault.Rule{Name: "all", Do: fault.Action{Drop: true}})
		w.net.Serve("www.contoso.com", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen[home]++ }))
		w.run(func(ctx context.Context) {
			client := w.nic("pc-1").Client(vnet.ClientOptions{})
			for range 20 {
				_, _, err := get(ctx, client, "https://www.contoso.com/")
				w.Expect(vnet.ErrorCode(err).Hex()).To(Equal("0x80072EFE"))
			}
		})
		w.Expect(seen[home]).To(BeNumerically("~", 10, 7))
	})
	NewWithT(t).Expect(seen[vnet.TLS]).To(Equal(seen[vnet.Direct]))
}

func TestPowerCutByRule(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench, fault.Rule{Name: "third", When: fault.When{Nth: 3}, Do: fault.Action{CutPower: true}})
		w.net.Serve("www.contoso.com", http.HandlerFunc(hello))
		powered, cut := w.clock.WithCancel(context.Background())
		nic := w.net.Attach(vnet.NICOptions{Device: "pc-1", Site: w.site, Harm: func(fault.Action) { cut(errPowerCut) }})
		sent := 0
		w.clock.Go(powered, "pc-1", func(ctx context.Context) {
			for ; ; sent++ {
				if _, _, err := get(ctx, nic.Client(vnet.ClientOptions{}), "https://www.contoso.com/"); err != nil {
					w.Expect(err).To(MatchError(errPowerCut))
					nic.CloseIdle()
					return
				}
			}
		})
		w.Expect(w.clock.Run(context.Background(), time.Time{})).To(Succeed())
		w.Expect(sent).To(Equal(2))
	})
}

func TestErrorCodeOfOthers(t *testing.T) {
	g := NewWithT(t)
	g.Expect(vnet.ErrorCode(nil)).To(BeZero())
	g.Expect(vnet.ErrorCode(errors.New("no network in it"))).To(BeZero())
	g.Expect(vnet.ErrorCode(&net.OpError{Op: "dial", Err: errors.New("?")}).Hex()).To(Equal("0x80072EFD"))
	g.Expect(vnet.ErrorCode(io.ErrUnexpectedEOF).Hex()).To(Equal("0x80072EFE"))
	g.Expect(vnet.ErrorCode(fmt.Errorf("wrapped: %w", x509.UnknownAuthorityError{})).Hex()).To(Equal(secureFailure))
}

func TestSitesAreChecked(t *testing.T) {
	w := newWorld(t, vnet.Direct, bench)
	_, err := w.net.AddSite(vnet.SiteConfig{
		Name: "bench", Latency: -1, Down: -1, Loss: 1, Block: []vnet.BlockRule{{Host: "[", Mode: vnet.Refuse}, {Host: "a", Mode: "maybe"}},
	})
	for _, part := range []string{"exists already", "latency", "bandwidth", "loss", "bad host glob", `unknown mode "maybe"`} {
		w.Expect(err).To(MatchError(ContainSubstring(part)))
	}
}

// TestSameSeedSameJournal runs a little fleet twice in each home and expects one hash: losses, faults, waits and order.
func TestSameSeedSameJournal(t *testing.T) {
	fleet := func(home vnet.Home, s vclock.Seed) string {
		clock := vclock.NewVirtual(vclock.Options{Start: start, Seed: s})
		defer clock.Stop()
		root, err := pki.NewRoot(start, s, "Web Root", pki.Options{})
		g := NewWithT(t)
		g.Expect(err).NotTo(HaveOccurred())
		log := journal.New(clock)
		rules := []fault.Rule{{Name: "busy", When: fault.When{Nth: 3}, Do: fault.Action{Status: 503}}}
		n := vnet.New(clock, vnet.Options{Home: home, Seed: s, WebRoot: root, Journal: log, Faults: fault.New(s, log, start, rules)})
		site, err := n.AddSite(vnet.SiteConfig{Name: "office", Latency: 7 * time.Millisecond, Down: 1e6, Up: 1e5, Loss: 0.05})
		g.Expect(err).NotTo(HaveOccurred())
		n.Serve("www.contoso.com", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			_ = clock.Sleep(r.Context(), time.Second, "handler") // nothing ends it here
			hello(rw, r)
		}))
		for _, name := range []string{"pc-1", "pc-2", "pc-3", "pc-4"} {
			clock.Go(context.Background(), name, func(ctx context.Context) {
				nic := n.Attach(vnet.NICOptions{Device: name, Site: site})
				defer nic.CloseIdle()
				for range 5 {
					_, _, err := do(ctx, nic.Client(vnet.ClientOptions{}), "POST", "https://www.contoso.com/x", "body")
					g.Expect(err).NotTo(HaveOccurred())
				}
				_, err := nic.Transfer(ctx, "www.contoso.com", 1e6)
				g.Expect(err).NotTo(HaveOccurred())
			})
		}
		g.Expect(clock.Run(context.Background(), time.Time{})).To(Succeed())
		return log.Hash()
	}
	g := NewWithT(t)
	first := fleet(vnet.Direct, 1)
	g.Expect(fleet(vnet.Direct, 1)).To(Equal(first))
	g.Expect(fleet(vnet.TLS, 1)).To(Equal(first))
	g.Expect(fleet(vnet.TLS, 1)).To(Equal(first))
	g.Expect(fleet(vnet.Direct, 2)).NotTo(Equal(first))
}
