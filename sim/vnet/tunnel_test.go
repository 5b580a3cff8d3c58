package vnet_test

import (
	"context"
	"io"
	"net/http"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vnet"
)

func TestNameServersAreThoseOfTheSite(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench)
		office, err := w.net.AddSite(vnet.SiteConfig{Name: "office", SeesDC: true})
		w.Expect(err).NotTo(HaveOccurred())
		nic := w.nic("PC")
		backbone := w.net.Attach(vnet.NICOptions{Device: "connector"})
		w.Expect(backbone.NameServers()).To(BeEmpty())
		w.net.SetNameServers("DC1.corp.test.", "dc2.corp.test")
		w.Expect(backbone.NameServers()).To(Equal([]string{"dc1.corp.test", "dc2.corp.test"}))
		w.Expect(nic.NameServers()).To(BeEmpty())
		nic.Move(office)
		w.Expect(nic.NameServers()).To(HaveLen(2))
		nic.Down()
		w.Expect(nic.NameServers()).To(BeEmpty())
	})
}

func TestTunnelShowsTheDomain(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench)
		w.net.DomainOnly("*.corp.test")
		w.net.SetNameServers("dc1.corp.test")
		w.net.Serve("intranet.corp.test", http.HandlerFunc(hello))
		l, err := w.net.Listen("dc1.corp.test", 389)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(w.net.Relay("dc1.corp.test", 88, vnet.Relay{Network: "tcp", Address: realEcho(t)})).To(Succeed())
		public, err := w.net.Listen("time.test", 123)
		w.Expect(err).NotTo(HaveOccurred())
		nic := w.nic("PC")
		w.run(func(ctx context.Context) {
			_, err := nic.Dial(ctx, "tcp", "dc1.corp.test:389")
			w.Expect(err).To(MatchError(ContainSubstring("no such host")))

			nic.Tunnel(true)
			w.Expect(nic.Tunnelled()).To(BeTrue())
			w.Expect(nic.NameServers()).To(Equal([]string{"dc1.corp.test"}))
			inside, err := nic.Dial(ctx, "tcp", "dc1.corp.test:389")
			w.Expect(err).NotTo(HaveOccurred())
			relayed, err := nic.Dial(ctx, "tcp", "dc1.corp.test:88")
			w.Expect(err).NotTo(HaveOccurred())
			outside, err := nic.Dial(ctx, "tcp", "time.test:123")
			w.Expect(err).NotTo(HaveOccurred())
			_, _, err = get(ctx, nic.Client(vnet.ClientOptions{}), "https://intranet.corp.test/")
			w.Expect(err).NotTo(HaveOccurred())

			nic.Tunnel(false)
			w.Expect(nic.NameServers()).To(BeEmpty())
			_, err = io.WriteString(inside, "x")
			w.Expect(err).To(MatchError(syscall.ECONNRESET))
			_, err = io.WriteString(relayed, "x")
			w.Expect(err).To(MatchError(syscall.ECONNRESET))
			_, err = io.WriteString(outside, "x")
			w.Expect(err).NotTo(HaveOccurred())
			_, _, err = get(ctx, nic.Client(vnet.ClientOptions{}), "https://intranet.corp.test/")
			w.Expect(err).To(MatchError(ContainSubstring("no such host")))
			w.Expect(outside.Close()).To(Succeed())
			w.Expect(relayed.Close()).To(Succeed())
		})
		w.Expect(l.Close()).To(Succeed())
		w.Expect(public.Close()).To(Succeed())
	})
}

func TestTunnelEndsWithTheLink(t *testing.T) {
	w := newWorld(t, vnet.Direct, bench)
	elsewhere, err := w.net.AddSite(vnet.SiteConfig{Name: "home"})
	w.Expect(err).NotTo(HaveOccurred())
	nic := w.nic("PC")
	nic.Tunnel(true)
	nic.Move(elsewhere)
	w.Expect(nic.Tunnelled()).To(BeFalse())
	nic.Tunnel(true)
	nic.Down()
	w.Expect(nic.Tunnelled()).To(BeFalse())
	nic.Tunnel(true)
	w.Expect(nic.Tunnelled()).To(BeFalse())
	nic.Up()
	nic.Tunnel(true)
	w.Expect(nic.Tunnelled()).To(BeTrue())
}
