package fakead

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"windtunnel.test/sim/vclock"
)

// ListenOptions say where a forest is served on real sockets.
type ListenOptions struct {
	// Host is the first controller's address; "": 127.0.0.1. The others have
	// those after it: 127.0.0.2 ...
	Host string
	// Ephemeral lets the system choose ports, all controllers on Host. Service
	// records still name the standard ones: ask Addr.
	Ephemeral bool
	// As, if not nil, says where an earlier forest was served, so that this one
	// has the same ports: its Addr.
	As func(controller, network string, port int) string
}

// Listeners are the real sockets that a forest is served on.
type Listeners struct {
	cancel  context.CancelFunc
	clock   vclock.Clock // real time, of connections
	wg      sync.WaitGroup
	mu      sync.Mutex
	closed  bool
	addr    map[string]string
	sockets []interface{ Close() error }
	conns   map[net.Conn]struct{}
}

// Listen serves the forest on real sockets until Close, for clients that are
// other programs. It reads the forest's clock and never waits in it, so that it
// also works beside virtual time; silent connections are let go in real time,
// as a controller does.
func (f *Forest) Listen(o ListenOptions) (*Listeners, error) {
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	addr, err := netip.ParseAddr(o.Host)
	if err != nil {
		return nil, fmt.Errorf("fakead: listen: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &Listeners{cancel: cancel, clock: vclock.NewWall(), addr: map[string]string{}, conns: map[net.Conn]struct{}{}}
	h := f.home(l.clock)
	for i, s := range h.servers {
		h.addresses[i] = []netip.Addr{addr}
		s.ldap.Address = addr
		if !o.Ephemeral {
			addr = addr.Next()
		}
	}
	for i, s := range h.servers {
		if err := l.serve(ctx, s, h.addresses[i][0], o); err != nil {
			return nil, errors.Join(fmt.Errorf("fakead: listen: %w", err), l.Close())
		}
	}
	return l, nil
}

func (l *Listeners) serve(ctx context.Context, s *servers, host netip.Addr, o ListenOptions) error {
	name := s.c.replica.Name()
	at := func(network string, port uint16) string {
		if o.As != nil {
			return o.As(name, network, int(port))
		}
		if o.Ephemeral {
			port = 0
		}
		return netip.AddrPortFrom(host, port).String()
	}
	for _, p := range s.streams() {
		ln, err := net.Listen("tcp", at("tcp", p.port))
		if err != nil {
			return err
		}
		l.add(ln, name, "tcp", p.port, ln.Addr())
		l.wg.Go(func() { l.accept(ctx, ln, p) })
	}
	for _, p := range s.packets() {
		pc, err := l.packets(name, p.port, at("udp", p.port), o.Ephemeral && o.As == nil)
		if err != nil {
			return err
		}
		l.add(pc, name, "udp", p.port, pc.LocalAddr())
		l.wg.Go(func() { receive(ctx, pc, p) })
	}
	return nil
}

// packets opens a port for datagrams: among free ones, that of the streams if it
// may be, because clients can often be told only one.
func (l *Listeners) packets(controller string, port uint16, at string, free bool) (net.PacketConn, error) {
	if twin := l.addr[key(controller, "tcp", port)]; free && twin != "" {
		if pc, err := net.ListenPacket("udp", twin); err == nil {
			return pc, nil
		}
	}
	return net.ListenPacket("udp", at)
}

func key(controller, network string, port uint16) string {
	return strings.ToLower(controller) + "/" + network + "/" + strconv.Itoa(int(port))
}

func (l *Listeners) add(socket interface{ Close() error }, controller, network string, port uint16, at net.Addr) {
	l.sockets = append(l.sockets, socket)
	l.addr[key(controller, network, port)] = at.String()
}

// Addr is where a port of a controller is really served, "127.0.0.1:389" for
// ("dc1", "tcp", 389); "" where it is not.
func (l *Listeners) Addr(controller, network string, port int) string {
	controller, _, _ = strings.Cut(controller, ".")
	return l.addr[key(controller, network, uint16(port))]
}

func (l *Listeners) accept(ctx context.Context, ln net.Listener, p streamPort) {
	for {
		c, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Too many open files: others may close theirs.
			if l.clock.Sleep(ctx, acceptAgain, "accept") != nil {
				return
			}
			continue
		}
		if !l.remember(c) {
			_ = c.Close()
			continue // the listener says when it is over
		}
		l.wg.Go(func() {
			defer l.forget(c)
			p.stream(ctx, c)
		})
	}
}

func (l *Listeners) remember(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.conns) >= maxConnections {
		return false
	}
	l.conns[c] = struct{}{}
	return true
}

// How many connections there may be at once (the LDAP policy MaxConnections),
// and how long to wait where the system has no more to give: our own choice.
const (
	maxConnections = 5000
	acceptAgain    = 100 * time.Millisecond
)

func (l *Listeners) forget(c net.Conn) {
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
	_ = c.Close()
}

// receive answers datagrams one after the other.
func receive(ctx context.Context, pc net.PacketConn, p packetPort) {
	b := make([]byte, 64<<10)
	for {
		n, from, err := pc.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an earlier answer did not reach its port
		}
		if reply := p.packet(ctx, from, append([]byte(nil), b[:n]...)); reply != nil {
			// The sender may be gone.
			_, _ = pc.WriteTo(reply, from)
		}
	}
}

// Close stops serving and waits for what is under way.
func (l *Listeners) Close() error {
	l.cancel()
	l.mu.Lock()
	l.closed = true
	var errs []error
	for _, s := range l.sockets {
		errs = append(errs, s.Close())
	}
	l.sockets = nil
	for c := range l.conns {
		_ = c.Close()
	}
	l.mu.Unlock()
	l.wg.Wait()
	return errors.Join(errs...)
}
