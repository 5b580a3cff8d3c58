package vnet_test

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

// TestWallClock uses one network from many goroutines at once, as a load test does.
func TestWallClock(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		g := NewWithT(t)
		clock := vclock.NewWall()
		root, err := pki.NewRoot(clock.Now(), seed, "Web Root", pki.Options{})
		g.Expect(err).NotTo(HaveOccurred())
		n := vnet.New(clock, vnet.Options{Home: home, Seed: seed, WebRoot: root})
		site, err := n.AddSite(vnet.SiteConfig{Name: "lab", Down: 8e9, Up: 8e9})
		g.Expect(err).NotTo(HaveOccurred())
		n.Serve("*.contoso.com", http.HandlerFunc(hello))
		shared := n.Attach(vnet.NICOptions{Device: "shared", Site: site})
		errs := make(chan error, 1000)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				nic := shared
				if i%2 == 0 {
					nic = n.Attach(vnet.NICOptions{Device: strconv.Itoa(i), Site: site})
				}
				defer nic.CloseIdle()
				c := nic.Client(vnet.ClientOptions{Timeout: time.Minute})
				for k := range 10 {
					_, _, err := get(t.Context(), c, "https://"+strconv.Itoa(k%3)+".contoso.com/")
					errs <- err
					_, err = nic.Transfer(t.Context(), "cdn.contoso.com", 200_000)
					errs <- err
				}
			})
		}
		all.Wait()
		close(errs)
		for err := range errs {
			g.Expect(err).NotTo(HaveOccurred())
		}
	})
}

// TestWallStreams has both ends of a stream really run at once.
func TestWallStreams(t *testing.T) {
	g := NewWithT(t)
	clock := vclock.NewWall()
	n := vnet.New(clock, vnet.Options{Seed: seed})
	l, err := n.Listen("dc.contoso.com", 389)
	g.Expect(err).NotTo(HaveOccurred())
	var server sync.WaitGroup
	server.Go(func() {
		c, err := l.Accept(context.Background())
		if err == nil {
			echo(context.Background(), c)
			c.Close()
		}
	})
	c, err := n.Attach(vnet.NICOptions{}).Dial(t.Context(), "tcp", "dc.contoso.com:389")
	g.Expect(err).NotTo(HaveOccurred())
	buf := make([]byte, 100)
	for range 200 {
		_, err := c.Write([]byte("ping\n"))
		g.Expect(err).NotTo(HaveOccurred())
		k, err := c.Read(buf)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(string(buf[:k])).To(Equal("echo ping\n"))
	}
	g.Expect(c.Close()).To(Succeed())
	server.Wait()
}
