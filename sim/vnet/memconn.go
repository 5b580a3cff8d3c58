package vnet

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// memConn is one end of a connection in memory. Writes never block: both ends of TLS may write at the same moment, a
// client its certificate and a server its alert, and would wait for each other for ever on an unbuffered pipe.
type memConn struct {
	in, out       *memBuffer
	local, remote net.Addr
	exchange      atomic.Pointer[carriage] // server's end only: whose request is under way
	peer          *memConn
}

// memBuffer holds what one end has written and the other has not read.
type memBuffer struct {
	mu      sync.Mutex
	change  sync.Cond
	data    []byte
	read    int
	closed  bool
	expired bool // the reader's deadline has passed
}

func memPipe(client, server net.Addr) (*memConn, *memConn) {
	a, b := &memBuffer{}, &memBuffer{}
	a.change.L, b.change.L = &a.mu, &b.mu
	c := &memConn{in: a, out: b, local: client, remote: server}
	s := &memConn{in: b, out: a, local: server, remote: client}
	c.peer, s.peer = s, c
	return c, s
}

func (c *memConn) Read(p []byte) (int, error) {
	b := c.in
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		switch {
		case b.expired:
			return 0, os.ErrDeadlineExceeded
		case b.read < len(b.data):
			n := copy(p, b.data[b.read:])
			if b.read += n; b.read == len(b.data) {
				b.data, b.read = b.reuse(), 0
			}
			return n, nil
		case b.closed:
			return 0, io.EOF
		}
		b.change.Wait()
	}
}

// reuse keeps a small buffer and gives a big one back: an idle connection should weigh little.
func (b *memBuffer) reuse() []byte {
	if cap(b.data) > 4096 {
		return nil
	}
	return b.data[:0]
}

func (c *memConn) Write(p []byte) (int, error) {
	b := c.out
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, io.ErrClosedPipe
	}
	b.data = append(b.data, p...)
	b.change.Signal()
	return len(p), nil
}

// Close ends both directions; what was written can still be read.
func (c *memConn) Close() error {
	for _, b := range []*memBuffer{c.in, c.out} {
		b.mu.Lock()
		b.closed = true
		b.change.Broadcast()
		b.mu.Unlock()
	}
	return nil
}

func (c *memConn) LocalAddr() net.Addr  { return c.local }
func (c *memConn) RemoteAddr() net.Addr { return c.remote }

func (c *memConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline knows "none" and "long ago", which is how net/http's server interrupts its own reading between requests.
// No one sets a future one here: waits are virtual, and end where the clock says so.
func (c *memConn) SetReadDeadline(t time.Time) error {
	b := c.in
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expired = !t.IsZero() && t.Before(longAgo)
	b.change.Broadcast()
	return nil
}

// SetWriteDeadline has nothing to do: writes don't wait.
func (c *memConn) SetWriteDeadline(time.Time) error { return nil }

var longAgo = time.Unix(1<<28, 0)
