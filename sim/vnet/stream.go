package vnet

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"windtunnel.test/sim/vclock"
)

// Conn is one end of a byte stream on virtual time. It implements net.Conn; since that interface has no contexts, a Conn
// belongs to the actor whose context it was dialled, accepted or bound ([Conn.In]) with. One actor at a time may read,
// one may write. Deadlines are in the network clock's time.
type Conn struct {
	*end
	ctx context.Context
}

// end is what all views of one end share.
type end struct {
	nic           *NIC // the dialler's card: the link in both directions is its site's
	site          *Site
	epoch         uint64
	dialler       bool
	in, out       *half
	peer          *end
	local, remote net.Addr
}

// half is one direction: what is under way or has arrived.
type half struct {
	mu       sync.Mutex
	segments []segment
	last     time.Time // when the newest segment arrives: a stream keeps its order
	fin      bool      // the writer is done
	finAt    time.Time
	err      error // reset
	closed   bool  // the reader is done
	readBy   time.Time
	writeBy  time.Time
	wake     *vclock.Queue[struct{}]
}

type segment struct {
	data []byte
	at   time.Time
}

// In is this end for another actor.
func (c *Conn) In(ctx context.Context) *Conn { return &Conn{c.end, ctx} }

// LocalAddr and RemoteAddr are addresses of the network's own ranges.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the other end's.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

func (e *end) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: e.local, Addr: e.remote, Err: err}
}

// Read waits for data to arrive. Errors: io.EOF, or a *net.OpError with os.ErrDeadlineExceeded, net.ErrClosed or
// ECONNRESET; what ended the actor's context comes as it is.
func (c *Conn) Read(p []byte) (int, error) {
	clock := c.nic.n.clock
	for {
		n, until, err := c.in.poll(p, clock.Now())
		if err != nil && err != io.EOF {
			return 0, c.fail("read", err)
		}
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
		if err := awaitUntil(c.ctx, clock, c.in.wake, until); err != nil {
			return 0, err
		}
	}
}

// poll takes what has arrived, or says until when to wait.
func (h *half) poll(p []byte, now time.Time) (n int, until time.Time, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return 0, until, net.ErrClosed
	case h.err != nil:
		return 0, until, h.err
	case !h.readBy.IsZero() && !now.Before(h.readBy):
		return 0, until, os.ErrDeadlineExceeded
	}
	for n < len(p) && len(h.segments) > 0 && !h.segments[0].at.After(now) {
		s := &h.segments[0]
		k := copy(p[n:], s.data)
		n += k
		if s.data = s.data[k:]; len(s.data) == 0 {
			h.segments = h.segments[1:]
		}
	}
	switch {
	case n > 0:
		return n, until, nil
	case len(h.segments) > 0:
		until = h.segments[0].at
	case h.fin && !h.finAt.After(now):
		return 0, until, io.EOF
	case h.fin:
		until = h.finAt
	}
	if !h.readBy.IsZero() && (until.IsZero() || h.readBy.Before(until)) {
		until = h.readBy
	}
	return 0, until, nil
}

// awaitUntil waits for a change or a moment, whichever is first; a zero moment never comes.
func awaitUntil(ctx context.Context, clock vclock.Clock, wake *vclock.Queue[struct{}], until time.Time) error {
	if until.IsZero() {
		_, err := wake.Get(ctx)
		return err
	}
	timed, cancel := clock.WithTimeout(ctx, until.Sub(clock.Now()), errSlice)
	defer cancel()
	if _, err := wake.Get(timed); err != nil && !errors.Is(err, errSlice) {
		return err
	}
	return nil
}

// Write sends p. It returns when p is on its way, which for much data is when the link has taken it.
func (c *Conn) Write(p []byte) (int, error) {
	clock, pipe := c.nic.n.clock, c.site.downlink()
	if c.dialler {
		pipe = c.site.uplink()
	}
	if err := c.out.writable(clock.Now()); err != nil {
		return 0, c.fail("write", err)
	}
	var d time.Duration
	if pipe != nil {
		late, givenUp := c.nic.lossDelay(c.site)
		if givenUp {
			c.abort(os.NewSyscallError("write", syscall.ETIMEDOUT))
			return 0, c.fail("write", os.NewSyscallError("write", syscall.ETIMEDOUT))
		}
		d = c.site.latency() + late
		if size := sizeClass(len(p)); size >= bulk {
			if _, err := pipe.send(c.ctx, c.nic, size); err != nil {
				return 0, err
			}
		} else {
			d += pipe.brief(size)
		}
	}
	if err := c.out.push(p, clock.Now().Add(d)); err != nil {
		return 0, c.fail("write", err)
	}
	return len(p), nil
}

func (h *half) writable(now time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.fin:
		return net.ErrClosed
	case h.err != nil:
		return h.err
	case h.closed:
		return os.NewSyscallError("write", syscall.EPIPE)
	case !h.writeBy.IsZero() && !now.Before(h.writeBy):
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (h *half) push(p []byte, at time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		return h.err
	}
	if at.Before(h.last) {
		at = h.last
	}
	h.last = at
	h.segments = append(h.segments, segment{append([]byte(nil), p...), at})
	h.wake.TryPut(struct{}{})
	return nil
}

// Close ends this end: what was written still arrives, then the other end reads io.EOF.
func (c *Conn) Close() error {
	at := c.nic.n.clock.Now().Add(c.site.latency())
	c.out.change(func(h *half) {
		if at.Before(h.last) {
			at = h.last
		}
		h.fin, h.finAt = true, at
	})
	c.in.change(func(h *half) { h.closed = true })
	if c.peer.in.isClosed() {
		c.nic.forget(c.end)
	}
	return nil
}

// abort resets the stream at both ends.
func (e *end) abort(err error) {
	for _, h := range []*half{e.in, e.out} {
		h.change(func(h *half) {
			if h.err == nil {
				h.err = err
			}
		})
	}
}

func (h *half) change(f func(*half)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(h)
	h.wake.TryPut(struct{}{})
}

func (h *half) isClosed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.closed
}

// SetDeadline sets both deadlines, in virtual time; the zero time means none.
func (c *Conn) SetDeadline(t time.Time) error {
	c.in.change(func(h *half) { h.readBy = t })
	c.out.change(func(h *half) { h.writeBy = t })
	return nil
}

// SetReadDeadline wakes a Read that waits.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.change(func(h *half) { h.readBy = t })
	return nil
}

// SetWriteDeadline is looked at when a Write begins.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.change(func(h *half) { h.writeBy = t })
	return nil
}
