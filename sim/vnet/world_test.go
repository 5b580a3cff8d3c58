package vnet_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"go.uber.org/goleak"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const seed vclock.Seed = 7

var start = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

// world is a network with one service and one site, for the tests that run in every home.
type world struct {
	*gomega.WithT
	clock *vclock.Virtual
	net   *vnet.Network
	root  *pki.CA
	site  *vnet.Site
	log   *journal.Journal
}

// eachHome runs a test in every home.
func eachHome(t *testing.T, f func(t *testing.T, home vnet.Home)) {
	for _, home := range []vnet.Home{vnet.Direct, vnet.TLS} {
		t.Run(home.String(), func(t *testing.T) { f(t, home) })
	}
}

// bench is the link that most tests use: 10 ms each way, 8 Mbit/s, so that a kibibyte takes 1.024 ms.
var bench = vnet.SiteConfig{Name: "bench", Latency: 10 * time.Millisecond, Down: 8e6, Up: 8e6}

func newWorld(t testing.TB, home vnet.Home, site vnet.SiteConfig, rules ...fault.Rule) *world {
	w := &world{WithT: gomega.NewWithT(t)}
	w.clock = vclock.NewVirtual(vclock.Options{Start: start, Seed: seed})
	t.Cleanup(w.clock.Stop)
	var err error
	w.root, err = pki.NewRoot(start, seed, "Web Root", pki.Options{})
	w.Expect(err).NotTo(gomega.HaveOccurred())
	w.log = journal.New(w.clock)
	w.net = vnet.New(w.clock, vnet.Options{
		Home: home, Seed: seed, WebRoot: w.root, Journal: w.log, Faults: fault.New(seed, w.log, start, rules),
	})
	w.site, err = w.net.AddSite(site)
	w.Expect(err).NotTo(gomega.HaveOccurred())
	return w
}

// run drives one actor to its end and gives the virtual time that it took.
func (w *world) run(f func(ctx context.Context)) time.Duration {
	began := w.clock.Now()
	w.clock.Go(context.Background(), "test", f)
	w.Expect(w.clock.Run(context.Background(), time.Time{})).To(gomega.Succeed())
	return w.clock.Now().Sub(began)
}

func (w *world) nic(device string) *vnet.NIC {
	return w.net.Attach(vnet.NICOptions{Device: device, Site: w.site})
}

func hello(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello "+r.URL.Path) }

// get is one request; the body is read.
func get(ctx context.Context, c *http.Client, url string) (status int, body string, err error) {
	return do(ctx, c, http.MethodGet, url, "")
}

func do(ctx context.Context, c *http.Client, method, url, send string) (status int, body string, err error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(send))
	if err != nil {
		return 0, "", err
	}
	resp, err := c.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}
