package vnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/vclock"
)

// Listener accepts streams to one port of one name.
type Listener struct {
	n     *Network
	host  *host
	port  uint16
	queue *vclock.Queue[*end]
}

// Listen opens a port for streams under a name; the name resolves from then on.
func (n *Network) Listen(hostname string, port uint16) (*Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.hostLocked(normalName(hostname))
	if _, relayed := h.relays[relayPort{"tcp", port}]; relayed || h.streams[port] != nil {
		return nil, opError("listen", "tcp", h.name, os.NewSyscallError("bind", syscall.EADDRINUSE))
	}
	l := &Listener{n: n, host: h, port: port, queue: vclock.NewQueue[*end](n.clock, "vnet.accept", 0)}
	if h.streams == nil {
		h.streams = map[uint16]*Listener{}
	}
	h.streams[port] = l
	return l, nil
}

// Addr is where the listener listens.
func (l *Listener) Addr() net.Addr { return tcpAddr(l.host.addr, l.port) }

// Accept waits for the next stream, which belongs to ctx's actor. After Close it fails with net.ErrClosed.
func (l *Listener) Accept(ctx context.Context) (*Conn, error) {
	e, err := l.queue.Get(ctx)
	if errors.Is(err, vclock.ErrClosed) {
		return nil, opError("accept", "tcp", l.host.name, net.ErrClosed)
	}
	if err != nil {
		return nil, err
	}
	return &Conn{e, ctx}, nil
}

// Serve accepts until the listener is closed or ctx ends, and runs f in an actor of its own for each stream, which is
// closed after it.
func (l *Listener) Serve(ctx context.Context, name string, f func(ctx context.Context, c *Conn)) error {
	for {
		c, err := l.Accept(ctx)
		if err != nil {
			return err
		}
		l.n.clock.Go(ctx, name, func(ctx context.Context) {
			c := c.In(ctx)
			defer c.Close()
			f(ctx, c)
		})
	}
}

// Close frees the port; streams that were accepted live on.
func (l *Listener) Close() error {
	l.n.mu.Lock()
	if l.host.streams[l.port] == l {
		delete(l.host.streams, l.port)
	}
	l.n.mu.Unlock()
	l.queue.Close()
	return nil
}

// Dial opens a stream ("tcp") or a datagram socket ("udp") to host:port for ctx's actor. Services that were put on the
// network with Serve are reached through [NIC.Client] only.
func (nic *NIC) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	name, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, opError("dial", network, address, err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, opError("dial", network, address, fmt.Errorf("port %q: %w", portText, err))
	}
	name = normalName(name)
	switch network {
	case "tcp", "tcp4":
		network = "tcp"
	case "udp", "udp4":
		network = "udp"
	default:
		return nil, opError("dial", network, address, net.UnknownNetworkError(network))
	}
	if err := nic.dialFaults(ctx, network, name, portText); err != nil {
		return nil, err
	}
	h, site, epoch, err := nic.reach(ctx, network, name, uint16(port))
	if err != nil {
		return nil, err
	}
	if r, ok := nic.n.relayAt(h, network, uint16(port)); ok {
		return nic.dialRelay(ctx, r, h, site, epoch, uint16(port))
	}
	if network == "udp" {
		return nic.dialPacket(ctx, h, site, epoch, uint16(port))
	}
	return nic.dialStream(ctx, h, site, epoch, uint16(port))
}

// dialFaults asks the rules about a connection below HTTP; its operation is "tcp:389".
func (nic *NIC) dialFaults(ctx context.Context, network, name, port string) error {
	a, ok := nic.n.o.Faults.At(fault.Point{
		Layer: fault.Stream, Host: name, Operation: network + ":" + port, Device: nic.o.Device, N: nic.nextDial(),
	})
	if !ok {
		return nil
	}
	if err := nic.suffer(ctx, a, name); err != nil {
		return err
	}
	if a.Drop {
		return connectionTimedOut("dial", net.JoinHostPort(name, port))
	}
	return nil
}

func (nic *NIC) dialStream(ctx context.Context, h *host, site *Site, epoch uint64, port uint16) (*Conn, error) {
	nic.n.mu.Lock()
	l := h.streams[port]
	nic.n.mu.Unlock()
	remote := tcpAddr(h.addr, port)
	if l == nil {
		return nil, refused(remote.String())
	}
	local := tcpAddr(site.address(), uint16(nic.ephemeral()))
	there, back := nic.n.newHalf(), nic.n.newHalf()
	near := &end{nic: nic, site: site, epoch: epoch, dialler: true, in: back, out: there, local: local, remote: remote}
	far := &end{nic: nic, site: site, epoch: epoch, in: there, out: back, local: remote, remote: local, peer: near}
	near.peer = far
	if !l.queue.TryPut(far) {
		return nil, refused(remote.String())
	}
	nic.remember(near)
	return &Conn{near, ctx}, nil
}

func (n *Network) newHalf() *half {
	return &half{wake: vclock.NewQueue[struct{}](n.clock, "vnet.stream", 1)}
}
