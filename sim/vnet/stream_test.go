package vnet_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/vnet"
)

// echo answers line by line until the other end is done.
func echo(ctx context.Context, c *vnet.Conn) {
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		if _, err := io.WriteString(c, "echo "+line); err != nil {
			return
		}
	}
}

func TestStreams(t *testing.T) {
	w := newWorld(t, vnet.Direct, vnet.SiteConfig{Name: "bench", Latency: 10 * time.Millisecond})
	l, err := w.net.Listen("dc.contoso.com", 389)
	w.Expect(err).NotTo(HaveOccurred())
	_, err = w.net.Listen("dc.contoso.com", 389)
	w.Expect(err).To(MatchError(syscall.EADDRINUSE))
	served := make([]error, 0, 1)
	w.clock.GoDaemon(context.Background(), "ldap", func(ctx context.Context) { served = append(served, l.Serve(ctx, "ldap.conn", echo)) })
	took := w.run(func(ctx context.Context) {
		c, err := w.nic("pc-1").Dial(ctx, "tcp", "dc.contoso.com:389")
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(w.clock.Now().Sub(start)).To(Equal(40*time.Millisecond), "name and handshake")
		w.Expect(c.RemoteAddr().String()).To(Equal("198.18.0.1:389"))
		r := bufio.NewReader(c)
		for _, word := range []string{"one\n", "two\n"} {
			_, err = io.WriteString(c, word)
			w.Expect(err).NotTo(HaveOccurred())
			line, err := r.ReadString('\n')
			w.Expect(err).NotTo(HaveOccurred())
			w.Expect(line).To(Equal("echo " + word))
		}
		w.Expect(c.SetReadDeadline(w.clock.Now().Add(time.Second))).To(Succeed())
		_, err = r.ReadByte()
		w.Expect(errors.Is(err, os.ErrDeadlineExceeded)).To(BeTrue(), "%v", err)
		w.Expect(vnet.ErrorCode(err).Hex()).To(Equal("0x80072EE2"))
		w.Expect(c.SetDeadline(time.Time{})).To(Succeed())
		w.Expect(c.Close()).To(Succeed())
		_, err = c.Write([]byte("more"))
		w.Expect(err).To(MatchError(net.ErrClosed))
		_, err = c.Read(make([]byte, 1))
		w.Expect(err).To(MatchError(net.ErrClosed))
	})
	w.Expect(took).To(Equal(40*time.Millisecond + 2*20*time.Millisecond + time.Second))
	w.Expect(l.Close()).To(Succeed())
	w.run(func(ctx context.Context) {
		_, err := w.nic("pc-1").Dial(ctx, "tcp", "dc.contoso.com:389")
		w.Expect(err).To(MatchError(syscall.ECONNREFUSED))
	})
	w.Expect(served).To(HaveExactElements(MatchError(net.ErrClosed)))
}

func TestStreamEnds(t *testing.T) {
	w := newWorld(t, vnet.Direct, vnet.SiteConfig{Name: "bench", Latency: 10 * time.Millisecond})
	l, err := w.net.Listen("dc.contoso.com", 88)
	w.Expect(err).NotTo(HaveOccurred())
	w.clock.GoDaemon(context.Background(), "kdc", func(ctx context.Context) {
		_ = l.Serve(ctx, "kdc.conn", func(_ context.Context, c *vnet.Conn) { // ends with the run
			_, _ = io.WriteString(c, "bye") // and closes
		})
	})
	nic := w.nic("pc-1")
	w.run(func(ctx context.Context) {
		c, err := nic.Dial(ctx, "tcp", "dc.contoso.com:88")
		w.Expect(err).NotTo(HaveOccurred())
		all, err := io.ReadAll(c)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(string(all)).To(Equal("bye"))
		_, err = c.Write([]byte("x"))
		w.Expect(err).To(MatchError(syscall.EPIPE))
	})
	w.clock.AfterFunc(context.Background(), time.Minute, "hand", func(context.Context) { nic.Down() })
	silent, err := w.net.Listen("silent.contoso.com", 88)
	w.Expect(err).NotTo(HaveOccurred())
	w.run(func(ctx context.Context) {
		c, err := nic.Dial(ctx, "tcp", "silent.contoso.com:88")
		w.Expect(err).NotTo(HaveOccurred())
		_, err = c.Read(make([]byte, 1))
		w.Expect(err).To(MatchError(syscall.ECONNRESET), "the link went down")
		far, err := silent.Accept(ctx)
		w.Expect(err).NotTo(HaveOccurred())
		_, err = far.Read(make([]byte, 1))
		w.Expect(err).To(MatchError(syscall.ECONNRESET))
	})
}

// TestTLSOverStream shows that a library that knows net.Conn only works on a stream, as LDAPS needs it.
func TestTLSOverStream(t *testing.T) {
	w := newWorld(t, vnet.Direct, bench)
	cert := issued(t, w.root, "dc.contoso.com", start, x509.ExtKeyUsageServerAuth)
	l, err := w.net.Listen("dc.contoso.com", 636)
	w.Expect(err).NotTo(HaveOccurred())
	w.clock.GoDaemon(context.Background(), "ldaps", func(ctx context.Context) {
		_ = l.Serve(ctx, "ldaps.conn", func(_ context.Context, c *vnet.Conn) { // ends with the run
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}, Time: w.clock.Now})
			_, _ = io.Copy(s, s) // the client sees what is wrong
		})
	})
	w.run(func(ctx context.Context) {
		c, err := w.nic("pc-1").Dial(ctx, "tcp", "dc.contoso.com:636")
		w.Expect(err).NotTo(HaveOccurred())
		s := tls.Client(c, &tls.Config{ServerName: "dc.contoso.com", RootCAs: w.root.Pool(), Time: w.clock.Now})
		_, err = io.WriteString(s, "bind")
		w.Expect(err).NotTo(HaveOccurred())
		got := make([]byte, 4)
		_, err = io.ReadFull(s, got)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(string(got)).To(Equal("bind"))
		w.Expect(c.Close()).To(Succeed())
	})
}

// TestDatagrams asks a time service as an SNTP client does (RFC 4330): one packet each way.
func TestDatagrams(t *testing.T) {
	w := newWorld(t, vnet.Direct, vnet.SiteConfig{
		Name: "bench", Latency: 10 * time.Millisecond, Block: []vnet.BlockRule{{Host: "blocked.contoso.com", Mode: vnet.TimeOut}},
	})
	now := func(context.Context, net.Addr, []byte) []byte { return []byte(w.clock.Now().Format(time.RFC3339Nano)) }
	w.Expect(w.net.ServePacket("time.windows.com", 123, now)).To(Succeed())
	w.Expect(w.net.ServePacket("time.windows.com", 123, now)).To(MatchError(syscall.EADDRINUSE))
	w.Expect(w.net.ServePacket("mute.contoso.com", 123, func(context.Context, net.Addr, []byte) []byte { return nil })).To(Succeed())
	ask := func(ctx context.Context, host string) (string, error) {
		c, err := w.nic("pc-1").Dial(ctx, "udp", host+":123")
		if err != nil {
			return "", err
		}
		defer c.Close()
		if _, err := c.Write([]byte{0x1b}); err != nil {
			return "", err
		}
		w.Expect(c.SetReadDeadline(w.clock.Now().Add(3 * time.Second))).To(Succeed())
		buf := make([]byte, 64)
		n, err := c.Read(buf)
		return string(buf[:n]), err
	}
	took := w.run(func(ctx context.Context) {
		text, err := ask(ctx, "time.windows.com")
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(text).To(Equal("2026-09-01T08:00:00.03Z"))
	})
	w.Expect(took).To(Equal(40 * time.Millisecond))
	took = w.run(func(ctx context.Context) {
		_, err := ask(ctx, "mute.contoso.com")
		w.Expect(err).To(MatchError(os.ErrDeadlineExceeded))
	})
	w.Expect(took).To(Equal(20*time.Millisecond + 3*time.Second))
}

func TestListenPacket(t *testing.T) {
	w := newWorld(t, vnet.Direct, vnet.SiteConfig{Name: "home", Latency: time.Millisecond, Loss: 0.5})
	srv, err := w.net.ListenPacket("dns.contoso.com", 53)
	w.Expect(err).NotTo(HaveOccurred())
	w.clock.GoDaemon(context.Background(), "dns", func(ctx context.Context) {
		c, buf := srv.In(ctx), make([]byte, 512)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			_, err = c.WriteTo(buf[:n], from)
			w.Expect(err).NotTo(HaveOccurred())
		}
	})
	w.run(func(ctx context.Context) {
		c, err := w.nic("pc-1").Dial(ctx, "udp", "dns.contoso.com:53")
		w.Expect(err).NotTo(HaveOccurred())
		answered := 0
		for range 400 {
			_, err = c.Write([]byte("q"))
			w.Expect(err).NotTo(HaveOccurred())
			w.Expect(c.SetDeadline(w.clock.Now().Add(time.Second))).To(Succeed())
			if _, err := c.Read(make([]byte, 10)); err == nil {
				answered++
			}
		}
		w.Expect(answered).To(BeNumerically("~", 100, 40), "each way loses half")
		w.Expect(c.Close()).To(Succeed())
		_, err = c.Write([]byte("q"))
		w.Expect(err).To(MatchError(net.ErrClosed))
		w.Expect(srv.Close()).To(Succeed())
	})
}

func TestDialRefuses(t *testing.T) {
	w := newWorld(t, vnet.Direct, bench, fault.Rule{Name: "first", When: fault.When{Nth: 1}, Do: fault.Action{Refuse: true}})
	_, err := w.net.Listen("dc.contoso.com", 389)
	w.Expect(err).NotTo(HaveOccurred())
	w.run(func(ctx context.Context) {
		nic := w.nic("pc-1")
		_, err := nic.Dial(ctx, "tcp", "dc.contoso.com:389")
		w.Expect(err).To(MatchError(syscall.ECONNREFUSED), "the fault rule")
		for _, c := range []struct{ network, address, code string }{
			{"tcp", "nowhere.test:389", "0x80072EE7"},
			{"tcp", "dc.contoso.com:1", "0x80072EFD"},
			{"tcp", "dc.contoso.com", "0x80072EFD"},
			{"tcp", "dc.contoso.com:ldap", "0x80072EFD"},
			{"sctp", "dc.contoso.com:389", "0x80072EFD"},
		} {
			_, err := nic.Dial(ctx, c.network, c.address)
			w.Expect(vnet.ErrorCode(err).Hex()).To(Equal(c.code), c.address)
		}
		addrs, err := nic.Lookup(ctx, "DC.contoso.com.")
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(addrs).To(HaveLen(1))
		_, err = nic.Dial(ctx, "tcp", addrs[0].String()+":389")
		w.Expect(err).NotTo(HaveOccurred())
	})
}
