package vnet_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"

	"windtunnel.test/sim/vnet"
)

// BenchmarkRequest is a request to a handler that does nothing, on a connection that stands.
func BenchmarkRequest(b *testing.B) {
	for _, home := range []vnet.Home{vnet.Direct, vnet.TLS} {
		b.Run(home.String(), func(b *testing.B) {
			w := newWorld(b, home, bench)
			w.net.Serve("www.contoso.com", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			nic := w.nic("pc-1")
			c := nic.Client(vnet.ClientOptions{UserAgent: "bench"})
			b.ReportAllocs()
			w.run(func(ctx context.Context) {
				for b.Loop() {
					r, err := http.NewRequestWithContext(ctx, "GET", "https://www.contoso.com/", nil)
					if err != nil {
						b.Fatal(err)
					}
					resp, err := c.Do(r)
					if err != nil {
						b.Fatal(err)
					}
					resp.Body.Close()
				}
				nic.CloseIdle()
			})
		})
	}
}

// BenchmarkConnection sets a connection up with a client certificate, asks once, and closes it.
func BenchmarkConnection(b *testing.B) {
	for _, home := range []vnet.Home{vnet.Direct, vnet.TLS} {
		b.Run(home.String(), func(b *testing.B) {
			w := newWorld(b, home, bench)
			w.net.Serve("mdm.contoso.com", http.HandlerFunc(hello), vnet.ClientCert(vnet.RequireClientCert))
			cert := issued(b, w.root, "pc-1", start, x509.ExtKeyUsageClientAuth)
			nic := w.nic("pc-1")
			c := nic.Client(vnet.ClientOptions{Certificate: &vnet.ClientCertificate{Cert: cert.Leaf, Signer: cert.PrivateKey.(crypto.Signer)}})
			b.ReportAllocs()
			w.run(func(ctx context.Context) {
				for b.Loop() {
					if _, _, err := get(ctx, c, "https://mdm.contoso.com/"); err != nil {
						b.Fatal(err)
					}
					nic.CloseIdle()
				}
			})
		})
	}
}

// BenchmarkIdleConnection reports what a connection weighs between requests.
func BenchmarkIdleConnection(b *testing.B) {
	for _, home := range []vnet.Home{vnet.Direct, vnet.TLS} {
		b.Run(home.String(), func(b *testing.B) {
			w := newWorld(b, home, bench)
			w.net.Serve("www.contoso.com", http.HandlerFunc(hello))
			const many = 200
			weight := int64(0)
			for b.Loop() {
				nics := make([]*vnet.NIC, many)
				before := inUse()
				w.run(func(ctx context.Context) {
					for i := range nics {
						nics[i] = w.nic(fmt.Sprint("pc-", i))
						if _, _, err := get(ctx, nics[i].Client(vnet.ClientOptions{}), "https://www.contoso.com/"); err != nil {
							b.Fatal(err)
						}
					}
				})
				weight = max(weight, inUse()-before) // memory that a later round finds freed is not counted again
				for _, nic := range nics {
					nic.CloseIdle()
				}
			}
			b.ReportMetric(float64(weight)/many, "B/conn")
		})
	}
}

func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// BenchmarkTransfer has 100 devices of one site download at the same time.
func BenchmarkTransfer(b *testing.B) {
	w := newWorld(b, vnet.Direct, vnet.SiteConfig{Name: "bench", Down: 1e9})
	w.net.Serve("cdn.contoso.com", http.HandlerFunc(hello))
	b.ReportAllocs()
	for b.Loop() {
		for i := range 100 {
			nic := w.nic(fmt.Sprint("pc-", i))
			w.clock.AfterFunc(context.Background(), time.Duration(i)*time.Millisecond, "download", func(ctx context.Context) {
				if _, err := nic.Transfer(ctx, "cdn.contoso.com", 50e6); err != nil {
					b.Error(err)
				}
			})
		}
		if err := w.clock.Run(context.Background(), time.Time{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/100, "µs/transfer")
}
