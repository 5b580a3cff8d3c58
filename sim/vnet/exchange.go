package vnet

import (
	"context"
	"math/bits"
	"net/http"
	"strconv"
	"time"

	"windtunnel.test/sim/fault"
)

// weightKey finds what [WithWeight] put into a context.
type weightKey struct{}

type weight struct{ request, response int64 }

// WithWeight charges the exchanges of a context by what their bodies stand for, in bytes, in place of what is carried:
// a download whose real body would be too big to move, or one whose length varies from run to run. -1 keeps the usual
// reckoning for that direction.
func WithWeight(ctx context.Context, request, response int64) context.Context {
	return context.WithValue(ctx, weightKey{}, weight{request, response})
}

// sizeClass is what a message of some bytes costs on a link.
//
// Not its exact length: a body may hold an ECDSA signature, whose DER form varies by a byte or two, or something that a
// library padded with random bytes, and virtual time must not depend on those. Sizes go up to the next power of two, with
// a kibibyte for the header lines, and from 64 KiB on to the next multiple of 64 KiB. So few borders between classes are
// left that a message which varies by some bytes practically never stands on one; one that does takes [WithWeight].
func sizeClass(body int) int64 {
	n := uint64(body) + 1024
	if n > bulk {
		return int64((n + bulk - 1) / bulk * bulk)
	}
	return int64(1) << bits.Len64(n-1)
}

// exchange takes a request to its service and brings the answer. All of its waiting is done here, so that it is the same
// in every home.
func (nic *NIC) exchange(ctx context.Context, out *outgoing) (*answer, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	out.action, _ = nic.n.o.Faults.At(fault.Point{
		Layer: fault.HTTP, Host: out.host, Operation: out.operation, Device: nic.o.Device, N: out.n,
	})
	if err := nic.suffer(ctx, out.action, out.host); err != nil {
		return nil, err
	}
	c, err := nic.connection(ctx, out)
	if err != nil {
		return nil, err
	}
	ans, err := nic.converse(ctx, c, out)
	if err != nil || closes(out.header) || closes(ans.header) || ans.cut {
		c.home.drop(c)
	} else {
		nic.keep(c)
	}
	if err != nil {
		return nil, err
	}
	return ans, nil
}

// suffer does what a fault rule says about the time before anything is sent.
func (nic *NIC) suffer(ctx context.Context, a fault.Action, name string) error {
	if a.Harms() && nic.o.Harm != nil {
		nic.o.Harm(a)
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
	if a.Delay > 0 {
		if err := nic.wait(ctx, a.Delay, "vnet.fault"); err != nil {
			return err
		}
	}
	switch {
	case a.NoSuchName:
		return noSuchName(name)
	case a.Refuse:
		return refused(name)
	}
	return nil
}

func closes(h http.Header) bool { return len(h["Connection"]) > 0 && h.Get("Connection") == "close" }

// converse is request, handler and answer on a connection that stands.
func (nic *NIC) converse(ctx context.Context, c *conn, out *outgoing) (*answer, error) {
	w, weighed := ctx.Value(weightKey{}).(weight)
	sent, received := sizeClass(len(out.body)), int64(-1)
	if weighed {
		sent, received = weigh(w.request, sent), w.response
	}
	if err := nic.leg(ctx, c.site, c.site.uplink(), c.extra, sent, "vnet.request"); err != nil {
		return nil, err
	}
	late := out.action.Drop && nic.n.droppedLate(nic.o.Device, out.n)
	if !nic.still(c.epoch) || out.action.Drop && !late {
		return nil, reset("write", c)
	}
	ans, err := nic.consult(ctx, c, out)
	if err != nil {
		return nil, err
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if !nic.still(c.epoch) || late {
		return nil, reset("read", c)
	}
	if received < 0 {
		received = sizeClass(len(ans.body))
	}
	if err := nic.leg(ctx, c.site, c.site.downlink(), c.extra, received, "vnet.response"); err != nil {
		return nil, err
	}
	if !nic.still(c.epoch) {
		return nil, reset("read", c)
	}
	ans.tls = c.clientState
	out.spoil(ans)
	return ans, nil
}

// droppedLate draws whether a connection that a fault rule breaks breaks after the service has seen the request, which the
// caller cannot know.
func (n *Network) droppedLate(device string, number int) bool {
	k := n.o.Seed.Key("vnet", "drop", device, strconv.Itoa(number))
	return k[0]&1 == 1
}

func weigh(given, usual int64) int64 {
	if given < 0 {
		return usual
	}
	return given
}

// consult asks the service, or the fault rule that answers in its place.
func (nic *NIC) consult(ctx context.Context, c *conn, out *outgoing) (*answer, error) {
	if out.action.Status == 0 {
		return c.home.carry(ctx, c, out)
	}
	return nic.n.faulty(out), nil
}

// faulty is the answer of a fault rule.
func (n *Network) faulty(out *outgoing) *answer {
	rec := newRecorder(n.clock.Now())
	if d := out.action.RetryAfter; d > 0 {
		rec.Header().Set("Retry-After", strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10))
	}
	rec.WriteHeader(out.action.Status)
	return rec.finish(method(out.req))
}

// spoil applies what a fault rule does to an answer on its way back.
func (out *outgoing) spoil(ans *answer) {
	if len(ans.body) == 0 {
		return
	}
	if out.action.Corrupt {
		body := append([]byte(nil), ans.body...)
		body[len(body)/2] ^= 0x55
		ans.body = body
	}
	if out.action.Truncate {
		ans.body, ans.cut = ans.body[:len(ans.body)/2], true
	}
}
