package vnet_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

// realEcho answers lines with "echo line" on a real port; a line "silence" gets no answer, "bye" ends the stream.
func realEcho(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				for lines := bufio.NewScanner(c); lines.Scan() && lines.Text() != "bye"; {
					if lines.Text() != "silence" {
						io.WriteString(c, "echo "+lines.Text()+"\n")
					}
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return l.Addr().String()
}

// realPackets answers datagrams in the same way.
func realPackets(t *testing.T) string {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			if string(buf[:n]) != "silence" {
				c.WriteTo(append([]byte("echo "), buf[:n]...), from)
			}
		}
	})
	t.Cleanup(func() { c.Close(); all.Wait() })
	return c.LocalAddr().String()
}

func TestRelayedStream(t *testing.T) {
	eachHome(t, func(t *testing.T, home vnet.Home) {
		w := newWorld(t, home, bench)
		var told atomic.Int32
		w.Expect(w.net.Relay("dc1.corp.test", 389, vnet.Relay{Network: "tcp", Address: realEcho(t), Before: func() { told.Add(1) }})).To(Succeed())
		nic := w.nic("PC")
		took := w.run(func(ctx context.Context) {
			c, err := nic.Dial(ctx, "tcp", "dc1.corp.test:389")
			w.Expect(err).NotTo(HaveOccurred())
			defer c.Close()
			w.Expect(c.LocalAddr().String()).To(HavePrefix("100.64."))
			w.Expect(c.RemoteAddr().String()).To(HavePrefix("198.18."))
			answers := bufio.NewReader(c)
			for range 3 {
				_, err = io.WriteString(c, "hello\n")
				w.Expect(err).NotTo(HaveOccurred())
				w.Expect(answers.ReadString('\n')).To(Equal("echo hello\n"))
			}
			_, err = io.WriteString(c, "bye\n")
			w.Expect(err).NotTo(HaveOccurred())
			_, err = c.Read(make([]byte, 1))
			w.Expect(err).To(Equal(io.EOF))
		})
		// A name, a connection and four questions take a round trip each, and a question its bytes' time.
		w.Expect(took).To(And(BeNumerically(">=", 6*20*time.Millisecond), BeNumerically("<", 7*20*time.Millisecond)))
		w.Expect(told.Load()).To(BeEquivalentTo(5))
	})
}

func TestRelayedDeadlinesAreVirtual(t *testing.T) {
	for network, serve := range map[string]func(*testing.T) string{"tcp": realEcho, "udp": realPackets} {
		t.Run(network, func(t *testing.T) {
			w := newWorld(t, vnet.Direct, bench)
			w.Expect(w.net.Relay("dc1.corp.test", 88, vnet.Relay{Network: network, Address: serve(t), Patience: 50 * time.Millisecond})).To(Succeed())
			nic := w.nic("PC")
			w.run(func(ctx context.Context) {
				c, err := nic.Dial(ctx, network, "dc1.corp.test:88")
				w.Expect(err).NotTo(HaveOccurred())
				defer c.Close()
				began := w.clock.Now()
				w.Expect(c.SetDeadline(began.Add(time.Hour))).To(Succeed())
				_, err = io.WriteString(c, "silence\n"[:map[string]int{"tcp": 8, "udp": 7}[network]])
				w.Expect(err).NotTo(HaveOccurred())
				_, err = c.Read(make([]byte, 10))
				w.Expect(errors.Is(err, os.ErrDeadlineExceeded)).To(BeTrue(), "%v", err)
				w.Expect(w.clock.Now().Sub(began)).To(Equal(time.Hour))
				_, err = io.WriteString(c, "late\n")
				w.Expect(errors.Is(err, os.ErrDeadlineExceeded)).To(BeTrue(), "%v", err)
				w.Expect(c.SetDeadline(time.Time{})).To(Succeed())
				_, err = io.WriteString(c, "again\n")
				w.Expect(err).NotTo(HaveOccurred())
				buf := make([]byte, 20)
				n, err := c.Read(buf)
				w.Expect(err).NotTo(HaveOccurred())
				w.Expect(string(buf[:n])).To(Equal("echo again\n"))
			})
		})
	}
}

func TestRelayToNobody(t *testing.T) {
	w := newWorld(t, vnet.Direct, bench)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(l.Close()).To(Succeed())
	for _, network := range []string{"tcp", "udp"} {
		w.Expect(w.net.Relay("dc1.corp.test", 88, vnet.Relay{Network: network, Address: l.Addr().String()})).To(Succeed())
	}
	nic := w.nic("PC")
	w.run(func(ctx context.Context) {
		_, err := nic.Dial(ctx, "tcp", "dc1.corp.test:88")
		w.Expect(err).To(MatchError(syscall.ECONNREFUSED))
		// A datagram to nobody is lost without a word.
		c, err := nic.Dial(ctx, "udp", "dc1.corp.test:88")
		w.Expect(err).NotTo(HaveOccurred())
		defer c.Close()
		began := w.clock.Now()
		w.Expect(c.SetDeadline(began.Add(3 * time.Second))).To(Succeed())
		_, err = io.WriteString(c, "ping")
		w.Expect(err).NotTo(HaveOccurred())
		_, err = c.Read(make([]byte, 10))
		w.Expect(err).To(MatchError(os.ErrDeadlineExceeded))
		w.Expect(w.clock.Now().Sub(began)).To(Equal(3 * time.Second))
	})
}

func TestRelaysEndWithTheLink(t *testing.T) {
	w := newWorld(t, vnet.Direct, bench)
	w.Expect(w.net.Relay("dc1.corp.test", 389, vnet.Relay{Network: "tcp", Address: realEcho(t)})).To(Succeed())
	nic := w.nic("PC")
	w.run(func(ctx context.Context) {
		c, err := nic.Dial(ctx, "tcp", "dc1.corp.test:389")
		w.Expect(err).NotTo(HaveOccurred())
		nic.Down()
		_, err = io.WriteString(c, "hello\n")
		w.Expect(err).To(MatchError(syscall.ECONNRESET))
		_, err = c.Read(make([]byte, 1))
		w.Expect(err).To(MatchError(syscall.ECONNRESET))
		w.Expect(c.Close()).To(Succeed())
		_, err = c.Read(make([]byte, 1))
		w.Expect(err).To(MatchError(net.ErrClosed))
		nic.Up()
		c, err = nic.Dial(ctx, "tcp", "dc1.corp.test:389")
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(c.Close()).To(Succeed())
	})
}

func TestRelayRefusesWhatCannotBe(t *testing.T) {
	w := newWorld(t, vnet.Direct, bench)
	w.Expect(w.net.Relay("dc1.corp.test", 389, vnet.Relay{Network: "unix", Address: "/run/x"})).To(MatchError(ContainSubstring("unknown network unix")))
	w.Expect(w.net.Relay("dc1.corp.test", 389, vnet.Relay{Network: "tcp", Address: "127.0.0.1"})).To(MatchError(ContainSubstring("missing port")))
	l, err := w.net.Listen("dc1.corp.test", 389)
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(w.net.Relay("dc1.corp.test", 389, vnet.Relay{Network: "tcp", Address: "127.0.0.1:1"})).To(MatchError(syscall.EADDRINUSE))
	w.Expect(l.Close()).To(Succeed())
	w.Expect(w.net.Relay("dc1.corp.test", 389, vnet.Relay{Network: "tcp", Address: "127.0.0.1:1"})).To(Succeed())
	_, err = w.net.Listen("dc1.corp.test", 389)
	w.Expect(err).To(MatchError(syscall.EADDRINUSE))
	w.Expect(w.net.Relay("dc1.corp.test", 88, vnet.Relay{Network: "udp", Address: "127.0.0.1:1"})).To(Succeed())
	_, err = w.net.ListenPacket("dc1.corp.test", 88)
	w.Expect(err).To(MatchError(syscall.EADDRINUSE))
}

// TestRelayInWallTime has actors that really wait, and one whose patience ends while it waits.
func TestRelayInWallTime(t *testing.T) {
	g := NewWithT(t)
	clock := vclock.NewWall()
	n := vnet.New(clock, vnet.Options{Seed: seed})
	g.Expect(n.Relay("dc1.corp.test", 389, vnet.Relay{Network: "tcp", Address: realEcho(t)})).To(Succeed())
	g.Expect(n.Relay("dc1.corp.test", 88, vnet.Relay{Network: "udp", Address: realPackets(t)})).To(Succeed())
	nic := n.Attach(vnet.NICOptions{Device: "PC"})
	for _, at := range []struct{ network, address string }{{"tcp", "dc1.corp.test:389"}, {"udp", "dc1.corp.test:88"}} {
		c, err := nic.Dial(t.Context(), at.network, at.address)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(c.SetDeadline(clock.Now().Add(time.Minute))).To(Succeed())
		_, err = io.WriteString(c, "ping\n")
		g.Expect(err).NotTo(HaveOccurred())
		buf := make([]byte, 20)
		k, err := c.Read(buf)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(string(buf[:k])).To(Equal("echo ping\n"))
		g.Expect(c.SetReadDeadline(clock.Now().Add(5 * time.Millisecond))).To(Succeed())
		_, err = c.Read(buf)
		g.Expect(err).To(MatchError(os.ErrDeadlineExceeded))
		g.Expect(c.Close()).To(Succeed())
	}
	over := errors.New("over")
	ctx, cancel := context.WithCancelCause(t.Context())
	c, err := nic.Dial(ctx, "tcp", "dc1.corp.test:389")
	g.Expect(err).NotTo(HaveOccurred())
	clock.AfterFunc(t.Context(), 5*time.Millisecond, "end", func(context.Context) { cancel(over) })
	_, err = c.Read(make([]byte, 1))
	g.Expect(err).To(Equal(over))
	n.Close()
}
