package vnet_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/vnet"
)

// downloads runs transfers that start at given moments on one link of 8 Mbit/s and gives the moments they ended at.
func downloads(t testing.TB, begin []time.Duration, bytes []int64) []time.Duration {
	w := newWorld(t, vnet.Direct, vnet.SiteConfig{Name: "bench", Down: 8e6})
	w.net.Serve("cdn.contoso.com", http.HandlerFunc(hello))
	ends := make([]time.Duration, len(begin))
	for i := range begin {
		w.clock.AfterFunc(context.Background(), begin[i], "download", func(ctx context.Context) {
			done, err := w.nic("pc").Transfer(ctx, "cdn.contoso.com", bytes[i])
			w.Expect(err).NotTo(HaveOccurred())
			w.Expect(done).To(Equal(bytes[i]))
			ends[i] = w.clock.Now().Sub(start)
		})
	}
	w.Expect(w.clock.Run(context.Background(), time.Time{})).To(Succeed())
	return ends
}

func TestFairSharing(t *testing.T) {
	const mb = 1_000_000 // a second alone
	for _, c := range []struct {
		name  string
		begin []time.Duration
		bytes []int64
		want  []time.Duration
	}{
		{"alone", secs(0), []int64{mb}, secs(1)},
		{"two at once", secs(0, 0), []int64{mb, mb}, secs(2, 2)},
		{"four at once", secs(0, 0, 0, 0), []int64{mb, mb, mb, mb}, secs(4, 4, 4, 4)},
		{"a small beside a big one", secs(0, 0), []int64{mb, 3 * mb}, secs(2, 4)},
		{"a second one joins", secs(0, 0.5), []int64{mb, mb}, secs(1.5, 2)},
		{"a small one overtakes", secs(0, 1), []int64{4 * mb, mb / 2}, secs(4.5, 2)},
		{"one leaves as another comes", secs(0, 1), []int64{mb, mb}, secs(1, 2)},
		{"idle between", secs(0, 10), []int64{mb, mb}, secs(1, 11)},
		{"nothing", secs(0), []int64{0}, secs(0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			NewWithT(t).Expect(downloads(t, c.begin, c.bytes)).To(Equal(c.want))
		})
	}
}

func secs(s ...float64) []time.Duration {
	d := make([]time.Duration, len(s))
	for i := range s {
		d[i] = time.Duration(s[i] * float64(time.Second))
	}
	return d
}

// TestSharingLosesNothing: however transfers overlap, the link never carries more than it can, and none waits idly.
func TestSharingLosesNothing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(r, "n")
		begin, bytes := make([]time.Duration, n), make([]int64, n)
		var total int64
		for i := range n {
			bytes[i] = rapid.Int64Range(1, 3_000_000).Draw(r, "bytes")
			total += bytes[i]
		}
		ends := downloads(t, begin, bytes)
		var last time.Duration
		for i := range n {
			last = max(last, ends[i])
			for k := range n {
				if bytes[i] < bytes[k] && ends[i] > ends[k] {
					r.Fatalf("%d bytes took longer than %d", bytes[i], bytes[k])
				}
			}
		}
		want := time.Duration(total * 1000) // 1 µs a byte
		if d := last - want; d < 0 || d > time.Microsecond {
			r.Fatalf("%d bytes took %v, want %v", total, last, want)
		}
	})
}

func TestTransferResumes(t *testing.T) {
	w := newWorld(t, vnet.Direct, vnet.SiteConfig{Name: "bench", Down: 8e6})
	w.net.Serve("cdn.contoso.com", http.HandlerFunc(hello))
	nic, beside := w.nic("pc-1"), w.nic("pc-2")
	var besideTook time.Duration
	w.clock.Go(context.Background(), "pc-2", func(ctx context.Context) {
		_, err := beside.Transfer(ctx, "cdn.contoso.com", 2_000_000)
		w.Expect(err).NotTo(HaveOccurred())
		besideTook = w.clock.Now().Sub(start)
	})
	w.clock.AfterFunc(context.Background(), time.Second, "hand", func(context.Context) { nic.Down() })
	w.run(func(ctx context.Context) {
		done, err := nic.Transfer(ctx, "cdn.contoso.com", 2_000_000)
		w.Expect(vnet.ErrorCode(err).Hex()).To(Equal("0x80072EFE"))
		w.Expect(done).To(BeEquivalentTo(500_000), "half of a second's worth")
		w.Expect(w.clock.Now().Sub(start)).To(Equal(time.Second))
		nic.Up()
		timed, cancel := w.clock.WithTimeout(ctx, 500*time.Millisecond, errPowerCut)
		defer cancel()
		rest, err := nic.Transfer(timed, "cdn.contoso.com", 2_000_000-done)
		w.Expect(err).To(MatchError(errPowerCut))
		w.Expect(rest).To(BeEquivalentTo(250_000))
	})
	w.Expect(besideTook).To(Equal(2750*time.Millisecond), "it had the link to itself after 1.5 s")
}

func TestBigBodiesShareTheLink(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, vnet.SiteConfig{Name: "bench", Down: 8e6})
		w.net.Serve("cdn.contoso.com", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rw.Write(make([]byte, 1<<17-1024)) // with its header lines two blocks of 64 KiB, 131.072 ms
		}))
		for _, name := range []string{"pc-1", "pc-2"} {
			w.clock.Go(context.Background(), name, func(ctx context.Context) {
				nic := w.nic(name)
				defer nic.CloseIdle()
				_, body, err := get(ctx, nic.Client(vnet.ClientOptions{}), "http://cdn.contoso.com/")
				w.Expect(err).NotTo(HaveOccurred())
				w.Expect(body).To(HaveLen(1<<17 - 1024))
			})
		}
		w.Expect(w.clock.Run(context.Background(), time.Time{})).To(Succeed())
		w.Expect(w.clock.Now().Sub(start)).To(Equal(262144 * time.Microsecond))
		took := w.run(func(ctx context.Context) {
			nic := w.nic("pc-3")
			defer nic.CloseIdle()
			_, _, err := get(vnet.WithWeight(ctx, -1, 500_000), nic.Client(vnet.ClientOptions{}), "http://cdn.contoso.com/")
			w.Expect(err).NotTo(HaveOccurred())
		})
		w.Expect(took).To(Equal(500*time.Millisecond), "a weight takes the size's place")
	})
}

// TestSizesInBetweenCostTheSame: a body that holds an ECDSA signature may be a byte longer or shorter.
func TestSizesInBetweenCostTheSame(t *testing.T) {
	var took []time.Duration
	for _, size := range []int{5000, 5001, 5002, 5007} {
		w := newWorld(t, vnet.Direct, bench)
		w.net.Serve("www.contoso.com", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rw.Write(make([]byte, size))
		}))
		took = append(took, w.run(func(ctx context.Context) {
			_, _, err := get(ctx, w.nic("pc-1").Client(vnet.ClientOptions{}), "https://www.contoso.com/")
			w.Expect(err).NotTo(HaveOccurred())
		}))
	}
	NewWithT(t).Expect(took).To(HaveEach(took[0]))
}
