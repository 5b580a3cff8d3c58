package fakead

import (
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
)

// impatient is a forest whose controllers let silent clients go at once.
func impatient(t *testing.T) (*Forest, *Listeners) {
	t.Helper()
	g := NewWithT(t)
	p := *timing.Default()
	p.Hybrid.LDAPFirst, p.Hybrid.LDAPIdle, p.Kerberos.FirstRequest, p.Network.IdleConnection = time.Millisecond, time.Millisecond, time.Millisecond, time.Millisecond
	f, err := New(Options{Clock: vclock.NewWall(), Timing: &p, Seed: 1, Domain: "corp.contoso.com"})
	g.Expect(err).NotTo(HaveOccurred())
	l, err := f.Listen(ListenOptions{Ephemeral: true})
	g.Expect(err).NotTo(HaveOccurred())
	return f, l
}

// Who connects and says nothing, or begins and does not end, holds nothing for
// long.
func TestSilentClientsAreLetGo(t *testing.T) {
	g := NewWithT(t)
	f, l := impatient(t)
	for _, p := range f.home(nil).servers[0].streams() {
		for _, begun := range []string{"", "\x30\x84\x00\x00", "\x00", "\x16\x03\x01"} {
			c, err := net.Dial("tcp", l.Addr("dc1", "tcp", int(p.port)))
			g.Expect(err).NotTo(HaveOccurred())
			_, _ = c.Write([]byte(begun))
			g.Expect(c.SetReadDeadline(time.Now().Add(30 * time.Second))).To(Succeed())
			_, err = io.Copy(io.Discard, c)
			if err != nil { // what it did not read makes the end a reset
				g.Expect(err.Error()).To(ContainSubstring("reset"), "%s %q", p.name, begun)
			}
			g.Expect(c.Close()).To(Succeed())
		}
	}
	g.Expect(l.Close()).To(Succeed())
	g.Expect(stacks()).NotTo(ContainSubstring("fakead.(*Listeners)"))
}

// Close ends those that are still there.
func TestCloseEndsConnections(t *testing.T) {
	g := NewWithT(t)
	f := newForest(t, vclock.NewWall())
	l, err := f.Listen(ListenOptions{Ephemeral: true})
	g.Expect(err).NotTo(HaveOccurred())
	for _, p := range f.home(nil).servers[0].streams() {
		c, err := net.Dial("tcp", l.Addr("dc1", "tcp", int(p.port)))
		g.Expect(err).NotTo(HaveOccurred())
		defer c.Close()
		_, err = c.Write([]byte{0x30})
		g.Expect(err).NotTo(HaveOccurred())
	}
	g.Expect(l.Close()).To(Succeed())
	g.Expect(stacks()).NotTo(ContainSubstring("fakead.(*Listeners)"))
}

func stacks() string {
	b := make([]byte, 1<<20)
	return strings.Clone(string(b[:runtime.Stack(b, true)]))
}

// There is an end to connections, too.
func TestConnectionsHaveABound(t *testing.T) {
	g := NewWithT(t)
	l := &Listeners{conns: map[net.Conn]struct{}{}}
	for range maxConnections {
		c, _ := net.Pipe()
		g.Expect(l.remember(c)).To(BeTrue())
	}
	c, _ := net.Pipe()
	g.Expect(l.remember(c)).To(BeFalse())
	for other := range l.conns {
		l.forget(other)
		break
	}
	g.Expect(l.remember(c)).To(BeTrue())
}
