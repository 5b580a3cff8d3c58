package vnet

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"windtunnel.test/sim/vclock"
)

// datagram is one packet that has arrived.
type datagram struct {
	data []byte
	from *net.UDPAddr
}

// socketBuffer is how many packets wait for a reader; more are dropped, as a socket does.
const socketBuffer = 256

// PacketConn is a datagram socket on virtual time. It implements net.PacketConn, and net.Conn where it came from
// [NIC.Dial]. It belongs to the actor it was bound to. Packets are lost as the site's link loses them, and silently where
// a firewall or a missing listener swallows them.
type PacketConn struct {
	*socket
	ctx context.Context
}

type socket struct {
	n      *Network
	local  *net.UDPAddr
	remote *net.UDPAddr // of a dialled one
	nic    *NIC         // nil at a service
	site   *Site
	epoch  uint64
	queue  *vclock.Queue[datagram]
	handle func(ctx context.Context, from net.Addr, packet []byte) // in place of queue

	mu     sync.Mutex
	readBy time.Time
}

// ListenPacket opens a port for datagrams under a name; the name resolves from then on. Bind the socket to an actor with
// [PacketConn.In] before reading.
func (n *Network) ListenPacket(hostname string, port uint16) (*PacketConn, error) {
	return n.openPort(hostname, port, nil)
}

// ServePacket answers datagrams to a port: handle runs in an actor of its own for each packet, and what it returns goes
// back to the sender; nil sends nothing. Packets are copies.
func (n *Network) ServePacket(hostname string, port uint16, handle func(ctx context.Context, from net.Addr, packet []byte) []byte) error {
	var c *PacketConn
	c, err := n.openPort(hostname, port, func(ctx context.Context, from net.Addr, packet []byte) {
		if reply := handle(ctx, from, packet); reply != nil {
			// The error says that the sender is gone, which a datagram service never learns.
			_, _ = c.In(ctx).WriteTo(reply, from)
		}
	})
	return err
}

func (n *Network) openPort(hostname string, port uint16, handle func(context.Context, net.Addr, []byte)) (*PacketConn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.hostLocked(normalName(hostname))
	if _, relayed := h.relays[relayPort{"udp", port}]; relayed || h.packets[port] != nil {
		return nil, opError("listen", "udp", h.name, os.NewSyscallError("bind", syscall.EADDRINUSE))
	}
	s := n.newSocket(udpAddr(h.addr, port))
	s.handle = handle
	if h.packets == nil {
		h.packets = map[uint16]*socket{}
	}
	h.packets[port] = s
	n.sockets[s.local.AddrPort()] = s
	return &PacketConn{socket: s, ctx: context.Background()}, nil
}

func (n *Network) newSocket(local *net.UDPAddr) *socket {
	return &socket{n: n, local: local, queue: vclock.NewQueue[datagram](n.clock, "vnet.datagram", socketBuffer)}
}

func udpAddr(a netip.Addr, port uint16) *net.UDPAddr {
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, port))
}

func (nic *NIC) dialPacket(ctx context.Context, h *host, site *Site, epoch uint64, port uint16) (*PacketConn, error) {
	n := nic.n
	n.mu.Lock()
	defer n.mu.Unlock()
	// Devices of a site share its address, so their ports are dealt out by the site (RFC 3022 2.2).
	n.nat[site]++
	s := n.newSocket(udpAddr(site.address(), uint16(49152+(n.nat[site]-1)%16384)))
	s.nic, s.site, s.epoch, s.remote = nic, site, epoch, udpAddr(h.addr, port)
	n.sockets[s.local.AddrPort()] = s
	return &PacketConn{socket: s, ctx: ctx}, nil
}

// In is this socket for another actor.
func (c *PacketConn) In(ctx context.Context) *PacketConn { return &PacketConn{c.socket, ctx} }

// LocalAddr is the socket's own address as others see it.
func (c *PacketConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the address that the socket was dialled to; nil at a service.
func (c *PacketConn) RemoteAddr() net.Addr {
	if c.remote == nil {
		return nil
	}
	return c.remote
}

func (s *socket) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "udp", Source: s.local, Err: err}
}

// ReadFrom waits for a packet; what does not fit into p is lost. Errors are those of [Conn.Read], but io.EOF.
func (c *PacketConn) ReadFrom(p []byte) (int, net.Addr, error) {
	ctx := c.ctx
	if by := c.deadline(); !by.IsZero() {
		left := by.Sub(c.n.clock.Now())
		if left <= 0 {
			return 0, nil, c.fail("read", os.ErrDeadlineExceeded)
		}
		timed, cancel := c.n.clock.WithTimeout(ctx, left, errSlice)
		defer cancel()
		ctx = timed
	}
	d, err := c.queue.Get(ctx)
	switch {
	case errors.Is(err, errSlice):
		return 0, nil, c.fail("read", os.ErrDeadlineExceeded)
	case errors.Is(err, vclock.ErrClosed):
		return 0, nil, c.fail("read", net.ErrClosed)
	case err != nil:
		return 0, nil, err
	}
	return copy(p, d.data), d.from, nil
}

// Read is ReadFrom on a dialled socket.
func (c *PacketConn) Read(p []byte) (int, error) {
	n, _, err := c.ReadFrom(p)
	return n, err
}

// Write sends to where the socket was dialled to.
func (c *PacketConn) Write(p []byte) (int, error) {
	if c.remote == nil {
		return 0, c.fail("write", syscall.EDESTADDRREQ)
	}
	return c.WriteTo(p, c.remote)
}

// WriteTo sends one packet. It never waits, and success does not mean that the packet arrives.
func (c *PacketConn) WriteTo(p []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, c.fail("write", &net.AddrError{Err: "not a datagram address", Addr: to.String()})
	}
	c.n.mu.Lock()
	target, open := c.n.sockets[u.AddrPort()], c.n.sockets[c.local.AddrPort()] == c.socket
	c.n.mu.Unlock()
	if !open {
		return 0, c.fail("write", net.ErrClosed)
	}
	if c.nic != nil && !c.nic.still(c.epoch) {
		return 0, c.fail("write", os.NewSyscallError("sendto", syscall.ENETUNREACH))
	}
	if target != nil {
		c.send(p, target)
	}
	return len(p), nil
}

// send passes a packet over the link of whichever end is a device.
func (c *PacketConn) send(p []byte, target *socket) {
	nic, site, pipe := c.nic, c.site, c.site.uplink()
	if nic == nil {
		nic, site, pipe = target.nic, target.site, target.site.downlink()
	}
	var d time.Duration
	if site != nil {
		if nic.loses(site) {
			return
		}
		d = site.latency() + pipe.brief(int64(len(p)))
	}
	packet := datagram{append([]byte(nil), p...), c.local}
	c.n.clock.AfterFunc(vclock.Daemon(vclock.Detach(c.ctx)), d, "vnet.datagram", func(ctx context.Context) {
		target.arrive(ctx, packet)
	})
}

func (s *socket) arrive(ctx context.Context, d datagram) {
	if s.nic != nil && !s.nic.still(s.epoch) {
		return
	}
	if s.handle != nil {
		s.handle(ctx, d.from, d.data)
		return
	}
	s.queue.TryPut(d)
}

func (s *socket) deadline() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.readBy
}

// SetDeadline is SetReadDeadline: sending does not wait.
func (c *PacketConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline is in virtual time and looked at when a read begins.
func (c *PacketConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readBy = t
	return nil
}

// SetWriteDeadline has nothing to do.
func (c *PacketConn) SetWriteDeadline(time.Time) error { return nil }

// Close frees the port.
func (c *PacketConn) Close() error {
	c.n.mu.Lock()
	if c.n.sockets[c.local.AddrPort()] == c.socket {
		delete(c.n.sockets, c.local.AddrPort())
	}
	if h := c.n.byAddr[c.local.AddrPort().Addr()]; h != nil && h.packets[uint16(c.local.Port)] == c.socket {
		delete(h.packets, uint16(c.local.Port))
	}
	c.n.mu.Unlock()
	c.queue.Close()
	return nil
}
