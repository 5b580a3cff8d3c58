package vnet

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"windtunnel.test/sim/vclock"
)

// Relay is a port of this machine that answers in place of a port of the network: a real server behind a modelled name.
//
// The actor that uses such a connection blocks on the real socket, while virtual time stands still; the link is charged
// before a write and after a read. Deadlines are the network clock's. What does not answer within
// Patience of real time does not answer: in virtual time the reader then spends the time until its deadline.
type Relay struct {
	Network string // "tcp" or "udp"
	Address string // "127.0.0.1:1389"
	// Before is called before every connection and every write, so that the server can be told what time it is; nil:
	// nobody is told.
	Before   func()
	Patience time.Duration // real time, also for connecting; 0: 5 s
}

// relayPatience is below what the clock's watchdog reports as a hang.
const relayPatience = 5 * time.Second

type relayPort struct {
	network string
	port    uint16
}

// Relay sends streams or datagrams to a name's port to a real socket; the name resolves from then on. The same port
// given again goes to the new address for the connections that follow.
func (n *Network) Relay(hostname string, port uint16, r Relay) error {
	if r.Network != "tcp" && r.Network != "udp" {
		return opError("relay", r.Network, hostname, net.UnknownNetworkError(r.Network))
	}
	if _, _, err := net.SplitHostPort(r.Address); err != nil {
		return opError("relay", r.Network, r.Address, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.hostLocked(normalName(hostname))
	if r.Network == "tcp" && h.streams[port] != nil || r.Network == "udp" && h.packets[port] != nil {
		return opError("relay", r.Network, h.name, os.NewSyscallError("bind", syscall.EADDRINUSE))
	}
	if h.relays == nil {
		h.relays = map[relayPort]Relay{}
	}
	h.relays[relayPort{r.Network, port}] = r
	return nil
}

func (n *Network) relayAt(h *host, network string, port uint16) (Relay, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r, ok := h.relays[relayPort{network, port}]
	return r, ok
}

// relayed is one end of a connection whose other end is a real socket. It belongs to the actor that dialled it.
type relayed struct {
	nic           *NIC
	ctx           context.Context
	site          *Site
	r             Relay
	real          net.Conn
	local, remote net.Addr

	mu              sync.Mutex
	asked           bool   // something was sent, and no answer has come
	early           []byte // of a stream, there but too late for the read that waited
	dead            bool   // the link was lost
	closed          bool
	readBy, writeBy time.Time
}

func (nic *NIC) dialRelay(ctx context.Context, r Relay, h *host, site *Site, epoch uint64, port uint16) (net.Conn, error) {
	r.Patience = cmp.Or(r.Patience, relayPatience)
	c := &relayed{nic: nic, ctx: ctx, site: site, r: r}
	if r.Network == "udp" {
		c.local, c.remote = udpAddr(site.address(), uint16(nic.ephemeral())), udpAddr(h.addr, port)
	} else {
		c.local, c.remote = tcpAddr(site.address(), uint16(nic.ephemeral())), tcpAddr(h.addr, port)
	}
	c.tell()
	var err error
	if c.real, err = net.DialTimeout(r.Network, r.Address, r.Patience); err != nil {
		var refusal syscall.Errno
		if errors.As(err, &refusal) {
			return nil, opError("dial", r.Network, c.remote.String(), os.NewSyscallError("connect", refusal))
		}
		return nil, opError("dial", r.Network, c.remote.String(), err)
	}
	nic.mu.Lock()
	alive := nic.up && nic.epoch == epoch
	if alive {
		nic.relays = append(nic.relays, c)
	}
	nic.mu.Unlock()
	if !alive {
		c.real.Close()
		return nil, unreachable(r.Network, h.name)
	}
	return c, nil
}

func (c *relayed) tell() {
	if c.r.Before != nil {
		c.r.Before()
	}
}

func (c *relayed) LocalAddr() net.Addr  { return c.local }
func (c *relayed) RemoteAddr() net.Addr { return c.remote }

func (c *relayed) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: c.r.Network, Source: c.local, Addr: c.remote, Err: err}
}

// state is why nothing can be done any more.
func (c *relayed) state(op string, by time.Time) error {
	switch {
	case c.closed:
		return c.fail(op, net.ErrClosed)
	case c.dead:
		return c.fail(op, os.NewSyscallError(op, syscall.ECONNRESET))
	case !by.IsZero() && !c.nic.n.clock.Now().Before(by):
		return c.fail(op, os.ErrDeadlineExceeded)
	}
	return nil
}

// Write spends the way to the server, and then sends in real time. The answer's way is spent once it is there, so that
// virtual time stands still while the server works.
func (c *relayed) Write(p []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, err
	}
	c.mu.Lock()
	err := c.state("write", c.writeBy)
	c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	lost, err := c.charge(len(p))
	if err != nil || lost {
		return len(p), err
	}
	c.tell()
	if err := c.real.SetWriteDeadline(vclock.RealNow().Add(c.r.Patience)); err != nil {
		return 0, c.broken("write", err)
	}
	n, err := c.real.Write(p)
	if err != nil && c.r.Network == "udp" {
		return len(p), nil // nobody listens, which who sends datagrams does not learn
	}
	if err != nil {
		return n, c.broken("write", err)
	}
	return n, nil
}

// charge spends a write's way. A datagram may be lost, a stream's packet is sent again.
func (c *relayed) charge(size int) (lost bool, err error) {
	if c.site == nil {
		return false, nil
	}
	d := c.site.latency() + c.site.uplink().brief(sizeClass(size))
	if c.r.Network == "udp" {
		if c.nic.loses(c.site) {
			return true, nil
		}
	} else {
		late, givenUp := c.nic.lossDelay(c.site)
		if givenUp {
			c.cut()
			return false, c.fail("write", os.NewSyscallError("write", syscall.ETIMEDOUT))
		}
		d += late
	}
	if err := c.nic.wait(c.ctx, d, "vnet.relay"); err != nil {
		return false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = true
	return false, c.state("write", time.Time{})
}

// Read blocks on the real socket. Its errors are those of [Conn.Read].
func (c *relayed) Read(p []byte) (int, error) {
	c.mu.Lock()
	err, by, early := c.state("read", c.readBy), c.readBy, c.early
	c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if len(early) > 0 {
		n := copy(p, early)
		c.mu.Lock()
		c.early = early[n:]
		c.mu.Unlock()
		return n, nil
	}
	if err := c.listen(by); err != nil {
		return 0, c.broken("read", err)
	}
	n, err := c.await(p)
	switch {
	case n > 0 || err == nil || err == io.EOF:
		return c.arrive(p[:n], err, by)
	case context.Cause(c.ctx) != nil:
		return 0, context.Cause(c.ctx)
	case errors.Is(err, os.ErrDeadlineExceeded), c.r.Network == "udp" && errors.Is(err, syscall.ECONNREFUSED):
		return 0, c.expire(by)
	}
	return 0, c.broken("read", err)
}

// listen makes a read's deadline one of the real socket: in wall time the deadline itself, in virtual time as long as
// there is patience.
func (c *relayed) listen(by time.Time) error {
	clock, patience := c.nic.n.clock, c.r.Patience
	switch {
	case !clock.IsVirtual() && by.IsZero():
		return c.real.SetReadDeadline(time.Time{})
	case !clock.IsVirtual():
		patience = by.Sub(clock.Now())
	}
	return c.real.SetReadDeadline(vclock.RealNow().Add(patience))
}

// arrive spends the way of an answer, the first part of it, that the socket has. What is late for its reader is kept,
// unless it is a datagram.
func (c *relayed) arrive(p []byte, end error, by time.Time) (int, error) {
	c.mu.Lock()
	var d time.Duration
	if c.asked && c.site != nil {
		d = c.site.latency() + c.site.downlink().brief(sizeClass(len(p)))
	}
	c.asked = false
	late := d > 0 && !by.IsZero() && c.nic.n.clock.Now().Add(d).After(by)
	if late && c.r.Network == "tcp" {
		c.early = append([]byte(nil), p...)
	}
	c.mu.Unlock()
	if late {
		return 0, c.expire(by)
	}
	if err := c.nic.wait(c.ctx, d, "vnet.relay"); err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.state("read", time.Time{}); err != nil {
		return 0, err
	}
	return len(p), end
}

// await reads. In virtual time nobody else runs while this blocks; in wall time the actor's end has to wake it.
func (c *relayed) await(p []byte) (int, error) {
	if !c.nic.n.clock.IsVirtual() {
		stop := context.AfterFunc(c.ctx, func() { _ = c.real.SetReadDeadline(vclock.RealNow()) })
		defer stop()
	}
	return c.real.Read(p)
}

// expire spends the time until a read's deadline.
func (c *relayed) expire(by time.Time) error {
	if !by.IsZero() {
		if err := c.nic.wait(c.ctx, by.Sub(c.nic.n.clock.Now()), "vnet.relay"); err != nil {
			return err
		}
	}
	return c.fail("read", os.ErrDeadlineExceeded)
}

// broken is a failure of the real socket, told as the network's own.
func (c *relayed) broken(op string, err error) error {
	c.mu.Lock()
	state := c.state(op, time.Time{})
	c.mu.Unlock()
	if state != nil {
		return state
	}
	var no syscall.Errno
	if errors.As(err, &no) {
		return c.fail(op, os.NewSyscallError(op, no))
	}
	return c.fail(op, err)
}

// cut ends the connection as a lost link does.
func (c *relayed) cut() {
	c.mu.Lock()
	c.dead = true
	c.mu.Unlock()
	c.real.Close()
}

func (nic *NIC) cutRelays() {
	nic.mu.Lock()
	relays := nic.relays
	nic.relays = nil
	nic.mu.Unlock()
	for _, r := range relays {
		r.cut()
	}
}

// Close ends the connection.
func (c *relayed) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.nic.mu.Lock()
	c.nic.relays = slices.DeleteFunc(c.nic.relays, func(r *relayed) bool { return r == c })
	c.nic.mu.Unlock()
	c.real.Close()
	return nil
}

// SetDeadline sets both deadlines, in the network clock's time; the zero time means none.
func (c *relayed) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readBy, c.writeBy = t, t
	return nil
}

// SetReadDeadline is looked at when a Read begins.
func (c *relayed) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readBy = t
	return nil
}

// SetWriteDeadline is looked at when a Write begins.
func (c *relayed) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writeBy = t
	return nil
}
