package sim_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
)

// small is the built-in scenario with so many PCs, short waits and small
// downloads.
func small(t *testing.T, devices int) *scenario.Scenario {
	t.Helper()
	g := NewWithT(t)
	text := strings.ReplaceAll(string(quickstart.YAML), "size: 1600000000", "size: 1600000")
	s, problems := scenario.Load(quickstart.Name, []byte(text), sim.LoadOptions(false))
	g.Expect(problems).To(BeEmpty())
	s, problems = s.Resolve(scenario.Flags{Devices: devices, Cells: 1})
	g.Expect(problems).To(BeEmpty())
	s.Timing.Profile = "fast"
	return s
}

// liveWorld is one on a wall clock, with a gateway.
func liveWorld(t *testing.T, o sim.LiveOptions) (*sim.World, *vclock.Wall, *http.Client) {
	t.Helper()
	g := NewWithT(t)
	root, err := vnet.NewRealRoot()
	g.Expect(err).NotTo(HaveOccurred())
	clock := vclock.NewWall()
	o.Clock, o.Web = clock, root
	w, err := sim.NewLive(o)
	g.Expect(err).NotTo(HaveOccurred())
	gateway, err := w.Network.Gateway(vnet.GatewayOptions{RealRoot: root})
	g.Expect(err).NotTo(HaveOccurred())
	tr := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: gateway.ProxyAddr()}), TLSClientConfig: &tls.Config{RootCAs: root.Pool()}, ForceAttemptHTTP2: true}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		g.Expect(gateway.Close(context.Background())).To(Succeed())
		g.Expect(w.Close()).To(Succeed())
		goleak.VerifyNone(t)
	})
	return w, clock, &http.Client{Transport: tr}
}

// TestLiveWorldServes has no PCs, and answers real clients.
func TestLiveWorldServes(t *testing.T) {
	g := NewWithT(t)
	w, clock, client := liveWorld(t, sim.LiveOptions{Scenario: small(t, 1)})
	g.Expect(w.Virtual()).To(BeNil())
	g.Expect(w.PCs).To(BeEmpty())
	w.Start(t.Context())
	g.Expect(w.Run(t.Context(), time.Time{})).To(Succeed())
	resp, err := client.Get("https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(resp.Body.Close()).To(Succeed())
	g.Expect(resp.StatusCode).To(Equal(http.StatusOK))
	before := clock.Now()
	clock.Jump(24 * time.Hour)
	resp, err = client.Get("https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration")
	g.Expect(err).NotTo(HaveOccurred(), "certificates are in real time")
	g.Expect(resp.Body.Close()).To(Succeed())
	date, err := http.ParseTime(resp.Header.Get("Date"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(date).To(BeTemporally(">", before.Add(23*time.Hour)), "the services are in business time")
}

// TestLiveRunEndsInTime waits for stories no longer than it was told.
func TestLiveRunEndsInTime(t *testing.T) {
	g := NewWithT(t)
	w, clock, _ := liveWorld(t, sim.LiveOptions{Scenario: small(t, 1)})
	cut, cancel := context.WithCancelCause(t.Context())
	cancel(context.Canceled)
	g.Expect(w.Run(cut, time.Time{})).To(Or(Succeed(), MatchError(context.Canceled)))
	g.Expect(w.Run(t.Context(), clock.Now().Add(time.Millisecond))).To(Succeed())
}

// TestLiveFleet lets PCs live really at once, beside a client that asks, and
// all of them get to their users' desktops.
func TestLiveFleet(t *testing.T) {
	g := NewWithT(t)
	lab, err := vtpm.Open(vtpm.Options{})
	g.Expect(err).NotTo(HaveOccurred())
	defer lab.Close()
	s := small(t, 3)
	g.Expect(lab.Build(t.Context(), sim.Chips(s), func(int, int) {})).To(Succeed())
	w, clock, client := liveWorld(t, sim.LiveOptions{Scenario: s, Lab: lab, Fleet: true, Haste: 1e6})
	ctx, stop := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	asking.Go(func() {
		for ctx.Err() == nil {
			resp, err := client.Get("https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration")
			if err != nil || resp.Body.Close() != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("beside the fleet: %v %v", resp, err)
				return
			}
			w.Ends()
			w.Timeline.Find(func(e journal.Event) bool { return e.Device == "" })
			clock.Jump(time.Second) // or the waits of Windows and the services would be real ones
			if w.Clock.Sleep(ctx, 20*time.Millisecond, "between") != nil {
				return
			}
		}
	})
	w.Start(t.Context())
	begin := w.Clock.Now()
	err = w.Run(t.Context(), begin.Add(time.Hour))
	stop()
	asking.Wait()
	g.Expect(err).NotTo(HaveOccurred())
	t.Logf("took %s", w.Clock.Now().Sub(begin))
	for _, e := range w.Ends() {
		var last []string
		for _, ev := range w.Timeline.Timeline(e.Device) {
			last = append(last, ev.String())
		}
		g.Expect(e.Outcome).To(Equal(sim.Desktop), "%+v\n%s", e, strings.Join(last[max(0, len(last)-40):], "\n"))
	}
}
