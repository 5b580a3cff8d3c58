package vnet_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vnet"
)

// What a request costs on the bench: name, TCP and TLS take a round trip each when the connection is new; then request
// and answer of up to a kibibyte each one way of latency and 2048 or 1024 bytes of a class at 8 Mbit/s.
const (
	newConnection = 60 * time.Millisecond
	smallLeg      = 10*time.Millisecond + 1024*time.Microsecond
	mediumLeg     = 10*time.Millisecond + 2048*time.Microsecond
)

func TestExchangeCostsTheSame(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench)
		w.net.Serve("www.contoso.com", http.HandlerFunc(hello))
		nic := w.nic("pc-1")
		c := nic.Client(vnet.ClientOptions{})
		fetch := func(ctx context.Context) {
			status, body, err := get(ctx, c, "https://www.contoso.com/a?b=c")
			w.Expect(err).NotTo(HaveOccurred())
			w.Expect(status).To(Equal(200))
			w.Expect(body).To(Equal("hello /a"))
		}
		w.Expect(w.run(fetch)).To(Equal(newConnection+smallLeg+mediumLeg), "first")
		w.Expect(w.run(fetch)).To(Equal(smallLeg+mediumLeg), "on the same connection")
		w.run(func(context.Context) { nic.CloseIdle() })
		w.Expect(w.run(fetch)).To(Equal(newConnection-20*time.Millisecond+smallLeg+mediumLeg), "name is known")
		w.Expect(w.run(func(ctx context.Context) {
			w.Expect(w.clock.Sleep(ctx, 2*time.Minute, "test")).To(Succeed())
			fetch(ctx)
		})).To(Equal(2*time.Minute+newConnection-20*time.Millisecond+smallLeg+mediumLeg), "idle too long")
		w.run(func(context.Context) { nic.CloseIdle() })
	})
}

// TestServerSeesTheSame compares what a handler is given, and what a client gets back, between the homes.
func TestServerSeesTheSame(t *testing.T) {
	seen := map[vnet.Home]string{}
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench)
		var b strings.Builder
		w.net.Serve("*.contoso.com", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			dump, err := httputil.DumpRequest(r, true)
			w.Expect(err).NotTo(HaveOccurred())
			b.Write(dump)
			b.WriteString("\nfrom " + r.RemoteAddr + " uri " + r.RequestURI + " for " + vnet.DeviceOf(r.Context()) + "\n")
			rw.Header().Set("X-Answer", "yes")
			switch r.URL.Path {
			case "/none":
				rw.WriteHeader(204)
			case "/big":
				rw.Write(make([]byte, 100000))
			case "/moved":
				http.Redirect(rw, r, "/", http.StatusFound)
			case "/old":
				rw.WriteHeader(304)
			default:
				rw.Write([]byte(`{"a": 1}`))
			}
		}))
		nic := w.nic("pc-1")
		c := nic.Client(vnet.ClientOptions{UserAgent: "Windows-AutoPilot-Client"})
		c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		w.run(func(ctx context.Context) {
			for _, q := range []struct{ method, url, body string }{
				{"GET", "https://a.contoso.com", ""},
				{"POST", "https://a.contoso.com/x%2Fy?q=%20", "some text"},
				{"POST", "https://b.a.contoso.com/empty", ""},
				{"PUT", "http://a.contoso.com/big", strings.Repeat("x", 5000)},
				{"HEAD", "https://a.contoso.com/", ""},
				{"DELETE", "https://a.contoso.com/none", ""},
				{"GET", "https://a.contoso.com/moved", ""},
				{"GET", "https://a.contoso.com/old", ""},
			} {
				r, err := http.NewRequestWithContext(ctx, q.method, q.url, strings.NewReader(q.body))
				w.Expect(err).NotTo(HaveOccurred())
				r.Header.Set("X-Asked", "1")
				resp, err := c.Do(r)
				w.Expect(err).NotTo(HaveOccurred(), q.url)
				body, err := io.ReadAll(resp.Body)
				w.Expect(err).NotTo(HaveOccurred())
				resp.Body.Close()
				resp.Body = io.NopCloser(strings.NewReader(string(body)))
				dump, err := httputil.DumpResponse(resp, len(body) < 1000)
				w.Expect(err).NotTo(HaveOccurred())
				b.Write(dump)
				b.WriteString("\n")
			}
			nic.CloseIdle()
		})
		seen[home] = b.String()
	})
	g := NewWithT(t)
	g.Expect(seen[vnet.TLS]).To(Equal(seen[vnet.Direct]))
	g.Expect(seen[vnet.Direct]).To(ContainSubstring("Date: Tue, 01 Sep 2026 08:00:00 GMT"))
	g.Expect(seen[vnet.Direct]).To(ContainSubstring("from 100.64.0.1:49152 uri /x%2Fy?q=%20 for pc-1"))
}

func TestHandlerWaitsInVirtualTime(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, vnet.SiteConfig{Name: "near"})
		w.net.Serve("slow.contoso.com", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if err := w.clock.Sleep(r.Context(), time.Hour, "handler"); err != nil {
				http.Error(rw, err.Error(), 500)
			}
		}))
		var order []string
		for _, name := range []string{"pc-1", "pc-2"} {
			w.clock.Go(context.Background(), name, func(ctx context.Context) {
				nic := w.nic(name)
				status, _, err := get(ctx, nic.Client(vnet.ClientOptions{}), "https://slow.contoso.com/")
				w.Expect(err).NotTo(HaveOccurred())
				w.Expect(status).To(Equal(200))
				order = append(order, name)
				nic.CloseIdle()
			})
		}
		w.Expect(w.clock.Run(context.Background(), time.Time{})).To(Succeed())
		w.Expect(w.clock.Now()).To(Equal(start.Add(time.Hour)))
		w.Expect(order).To(ConsistOf("pc-1", "pc-2"))
	})
}

var errPowerCut = errors.New("power was cut")

func TestRequestEndsWithItsDevice(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench)
		var inHandler error
		w.net.Serve("slow.contoso.com", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			inHandler = w.clock.Sleep(r.Context(), time.Hour, "handler")
		}))
		nic := w.nic("pc-1")
		powered, cut := w.clock.WithCancel(context.Background())
		var got error
		w.clock.Go(powered, "pc-1", func(ctx context.Context) {
			_, _, got = get(ctx, nic.Client(vnet.ClientOptions{}), "https://slow.contoso.com/")
		})
		w.clock.Go(context.Background(), "hand", func(ctx context.Context) {
			w.Expect(w.clock.Sleep(ctx, time.Minute, "hand")).To(Succeed())
			cut(errPowerCut)
		})
		w.Expect(w.clock.Run(context.Background(), time.Time{})).To(Succeed())
		w.Expect(inHandler).To(MatchError(errPowerCut))
		w.Expect(got).To(MatchError(errPowerCut))
		w.Expect(w.clock.Now()).To(Equal(start.Add(time.Minute)))
	})
}

func TestClientTimeoutIsVirtual(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench)
		w.net.Serve("slow.contoso.com", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_ = w.clock.Sleep(r.Context(), time.Hour, "handler") // the end of patience shows at the client
		}))
		nic := w.nic("pc-1")
		took := w.run(func(ctx context.Context) {
			_, _, err := get(ctx, nic.Client(vnet.ClientOptions{Timeout: 30 * time.Second}), "https://slow.contoso.com/")
			w.Expect(vnet.ErrorCode(err).Hex()).To(Equal("0x80072EE2"))
			w.Expect(errors.Is(err, context.DeadlineExceeded)).To(BeTrue())
		})
		w.Expect(took).To(Equal(30 * time.Second))
	})
}

// TestServiceCallsService has a handler make a request of its own, through a card on the backbone.
func TestServiceCallsService(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, vnet.SiteConfig{Name: "near"})
		own := w.net.Attach(vnet.NICOptions{})
		w.net.Serve("back.contoso.com", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w.Expect(w.clock.Sleep(r.Context(), time.Second, "back")).To(Succeed())
			hello(rw, r)
		}))
		w.net.Serve("front.contoso.com", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			_, body, err := get(r.Context(), own.Client(vnet.ClientOptions{}), "https://back.contoso.com/x")
			w.Expect(err).NotTo(HaveOccurred())
			io.WriteString(rw, "front says "+body)
		}))
		nic := w.nic("pc-1")
		took := w.run(func(ctx context.Context) {
			_, body, err := get(ctx, nic.Client(vnet.ClientOptions{}), "https://front.contoso.com/")
			w.Expect(err).NotTo(HaveOccurred())
			w.Expect(body).To(Equal("front says hello /x"))
			nic.CloseIdle()
			own.CloseIdle()
		})
		w.Expect(took).To(Equal(time.Second))
	})
}

func TestHandlerAborts(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench)
		w.net.Serve("bad.contoso.com", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
		w.run(func(ctx context.Context) {
			_, _, err := get(ctx, w.nic("pc-1").Client(vnet.ClientOptions{}), "https://bad.contoso.com/")
			w.Expect(vnet.ErrorCode(err).Hex()).To(Equal("0x80072EFE"))
		})
	})
}

func TestHandlerPanics(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench)
		w.net.Serve("bad.contoso.com", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a defect") }))
		nic := w.nic("pc-1")
		w.clock.Go(context.Background(), "pc-1", func(ctx context.Context) {
			_, _, _ = get(ctx, nic.Client(vnet.ClientOptions{}), "https://bad.contoso.com/") // panics
		})
		w.Expect(w.clock.Run(context.Background(), time.Time{})).To(MatchError(ContainSubstring("a defect")))
	})
}
