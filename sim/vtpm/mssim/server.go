package mssim

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"windtunnel.test/sim/vtpm"
)

// Connections is how many connections a port serves at a time; a client waits
// while there are more.
const Connections = 64

// Chip is the TPM behind the socket. *vtpm.Chip is one.
type Chip interface {
	// Exchange runs one command. An error means that there is no response: the
	// chip has no power, say.
	Exchange(ctx context.Context, command []byte) ([]byte, error)
	PowerOn(ctx context.Context) error
	PowerOff()
	On() bool
}

// Server offers one chip. Set the fields before Serve.
type Server struct {
	Chip Chip
	// Log, if not nil, is told of every command and of what went wrong, one line
	// each, by many goroutines.
	Log func(line string)

	largest sizes
	cable   cable
}

// errStopped ends Serve when a client says so.
var errStopped = errors.New("mssim: stopped by a client")

// Listen opens a pair of ports on loopback: port for commands, port+1 for the
// platform. 0 picks a free pair.
func Listen(port int) (command, platform net.Listener, err error) {
	const tries = 64
	for range tries {
		if command, err = listen(port); err != nil {
			return nil, nil, err
		}
		at := command.Addr().(*net.TCPAddr).Port
		if platform, err = listen(at + 1); err == nil {
			return command, platform, nil
		}
		err = errors.Join(err, command.Close())
		if port != 0 {
			break
		}
	}
	return nil, nil, err
}

func listen(port int) (net.Listener, error) {
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		return nil, fmt.Errorf("mssim: %w", err)
	}
	return l, nil
}

// Serve answers on both ports until ctx ends, which is no error, or a client
// sends the stop signal. It closes the listeners and all connections, and
// returns when everything that it started is over.
func (s *Server) Serve(ctx context.Context, command, platform net.Listener) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer command.Close()
	defer platform.Close()
	for _, l := range []net.Listener{command, platform} {
		if err := local(l.Addr()); err != nil {
			return err
		}
	}
	var all sync.WaitGroup
	port := func(l net.Listener, serve func(context.Context, *conn) error) {
		all.Go(func() {
			if err := s.accept(ctx, l, serve); err != nil {
				cancel(err)
			}
		})
	}
	port(command, s.commands)
	port(platform, s.platform)
	all.Wait()
	switch err := context.Cause(ctx); {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, errStopped):
		return nil
	default:
		return err
	}
}

// local refuses an address that others could reach.
func local(a net.Addr) error {
	if tcp, ok := a.(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return fmt.Errorf("mssim: %s is not a loopback address", a)
	}
	return nil
}

// conn is one client's connection.
type conn struct {
	net.Conn
	in *bufio.Reader
}

// answer sends an answer whole.
func (c *conn) answer(b []byte) error {
	_, err := c.Write(b)
	return err
}

// accept serves the connections of a port, each beside the others, until ctx
// ends or one of them returns errStopped.
func (s *Server) accept(ctx context.Context, l net.Listener, serve func(context.Context, *conn) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	unlisten := context.AfterFunc(ctx, func() { l.Close() })
	defer unlisten()
	var clients sync.WaitGroup
	defer clients.Wait()
	room := make(chan struct{}, Connections)
	for {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		c, err := l.Accept()
		if err != nil {
			cancel(fmt.Errorf("mssim: %w", err)) // an earlier reason stands
			return context.Cause(ctx)
		}
		clients.Go(func() {
			defer func() { <-room }()
			if err := s.client(ctx, c, serve); errors.Is(err, errStopped) {
				cancel(err)
			}
		})
	}
}

// client serves one connection to its end.
func (s *Server) client(ctx context.Context, c net.Conn, serve func(context.Context, *conn) error) error {
	hangUp := context.AfterFunc(ctx, func() { c.Close() })
	defer hangUp()
	defer c.Close()
	if err := local(c.RemoteAddr()); err != nil {
		return err
	}
	err := serve(ctx, &conn{Conn: c, in: bufio.NewReader(c)})
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, errStopped) && ctx.Err() == nil {
		s.log("%s: connection ended: %v", c.RemoteAddr(), err)
	}
	return err
}

func (s *Server) log(format string, args ...any) {
	if s.Log != nil {
		s.Log(fmt.Sprintf(format, args...))
	}
}

// cable is what brings the chip its power.
type cable struct {
	mu      sync.Mutex
	powered context.Context
	pull    context.CancelFunc
}

// until is ctx, or the next power cut, whose cause is vtpm.ErrPowerOff.
func (c *cable) until(ctx context.Context) (_ context.Context, end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.powered == nil {
		c.powered, c.pull = context.WithCancel(context.Background())
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.powered, func() { cancel(vtpm.ErrPowerOff) })
	return ctx, func() { stop(); cancel(nil) }
}

// cut ends what waits for a chip that has no power any more.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.powered != nil {
		c.pull()
		c.powered = nil
	}
}

// sizes remembers the largest command and the largest response, for the
// request of that name.
type sizes struct {
	mu                                       sync.Mutex
	commandSize, command, responseSize, from uint32
}

func (z *sizes) note(command, response []byte) {
	if len(command) < 10 {
		return
	}
	cc := binary.BigEndian.Uint32(command[6:])
	z.mu.Lock()
	defer z.mu.Unlock()
	if n := uint32(len(command)); n > z.commandSize {
		z.commandSize, z.command = n, cc
	}
	if n := uint32(len(response)); n > z.responseSize {
		z.responseSize, z.from = n, cc
	}
}

// take gives the four words and begins anew. The reference code writes them as
// they lie in memory, on a PC with the low byte first.
func (z *sizes) take() []byte {
	z.mu.Lock()
	defer z.mu.Unlock()
	var b []byte
	for _, v := range []uint32{z.commandSize, z.command, z.responseSize, z.from} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	z.commandSize, z.command, z.responseSize, z.from = 0, 0, 0, 0
	return b
}
