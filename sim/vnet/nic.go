package vnet

import (
	"context"
	"crypto/x509"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"windtunnel.test/sim/fault"
)

// NICOptions describe a network card.
type NICOptions struct {
	Device string // names the device in journal, faults and random streams; "" for a service's own card
	Site   *Site  // nil: the backbone, where services stand
	// Roots are the certificates that the device trusts; nil, or a nil pool: the web root only. A pool that was returned
	// must not change afterwards: results of verification are kept by it. Return another pool instead.
	Roots func() *x509.CertPool
	Now   func() time.Time // the device's own clock, which may be wrong; nil: true time
	// Harm does to the device what a fault rule about an exchange says besides the exchange: its power goes, its clock jumps;
	// nil: nobody minds.
	Harm func(fault.Action)
}

// NIC is a network card. A new one is up. All connections of a device start here and end when the card goes down, moves
// to another site, or [NIC.CloseIdle] is called.
type NIC struct {
	n *Network
	o NICOptions

	mu       sync.Mutex
	site     *Site
	up       bool
	epoch    uint64 // grows with every loss of link: what was made before it is dead
	count    int    // exchanges so far
	dials    int    // streams and datagram sockets so far
	resolver map[string]bool
	idle     map[poolKey][]*conn
	streams  []*end // open ones that this card dialled, oldest first
	relays   []*relayed
	real     map[*realChannel]bool // connections of the operating system's, idle and busy
	tunnel   bool                  // a VPN stands
	ports    int
	loss     *rand.Rand
	roots    rootsMemo
}

// Attach gives a device a network card.
func (n *Network) Attach(o NICOptions) *NIC {
	nic := &NIC{n: n, o: o, site: o.Site, up: true}
	n.mu.Lock()
	n.cards = append(n.cards, nic)
	n.mu.Unlock()
	return nic
}

// Device is the name that the card was attached with.
func (nic *NIC) Device() string { return nic.o.Device }

// Site is where the card is, nil for the backbone.
func (nic *NIC) Site() *Site {
	nic.mu.Lock()
	defer nic.mu.Unlock()
	return nic.site
}

// IsUp tells whether the card has link.
func (nic *NIC) IsUp() bool {
	nic.mu.Lock()
	defer nic.mu.Unlock()
	return nic.up
}

// Up connects the card; Down takes its link away and breaks everything that was in flight.
func (nic *NIC) Up() { nic.relink(func() { nic.up = true }) }

// Down takes the link away: connections die, transfers end with what has passed.
func (nic *NIC) Down() { nic.relink(func() { nic.up = false }) }

// Move carries the device to another site. Its connections die on the way; link is up at the new place if it was up.
func (nic *NIC) Move(to *Site) { nic.relink(func() { nic.site = to }) }

func (nic *NIC) relink(change func()) {
	nic.mu.Lock()
	site, wasUp := nic.site, nic.up
	change()
	if site == nic.site && wasUp == nic.up {
		nic.mu.Unlock()
		return
	}
	nic.epoch++
	nic.resolver = nil
	streams, relays := nic.streams, nic.relays
	nic.streams, nic.relays, nic.tunnel = nil, nil, false
	real := slices.Collect(maps.Keys(nic.real))
	nic.mu.Unlock()

	nic.CloseIdle()
	if site != nil {
		site.down.kill(nic, errLinkLost)
		site.up.kill(nic, errLinkLost)
	}
	for _, e := range streams {
		e.abort(os.NewSyscallError("read", syscall.ECONNRESET))
	}
	for _, r := range relays {
		r.cut()
	}
	for _, ch := range real {
		ch.end()
	}
}

// CloseIdle ends the phase: every idle connection is closed, and the next request to any host sets one up anew.
func (nic *NIC) CloseIdle() {
	nic.mu.Lock()
	idle := nic.idle
	nic.idle = nil
	nic.mu.Unlock()
	for _, list := range idle {
		for _, c := range list {
			c.home.drop(c)
		}
	}
}

func (nic *NIC) place() (site *Site, epoch uint64, up bool) {
	nic.mu.Lock()
	defer nic.mu.Unlock()
	return nic.site, nic.epoch, nic.up
}

// still tells whether the link has held since the epoch.
func (nic *NIC) still(epoch uint64) bool {
	nic.mu.Lock()
	defer nic.mu.Unlock()
	return nic.up && nic.epoch == epoch
}

// next numbers the card's exchanges from 1.
func (nic *NIC) next() int {
	nic.mu.Lock()
	defer nic.mu.Unlock()
	nic.count++
	return nic.count
}

func (nic *NIC) nextDial() int {
	nic.mu.Lock()
	defer nic.mu.Unlock()
	nic.dials++
	return nic.dials
}

func (nic *NIC) remember(e *end) {
	nic.mu.Lock()
	defer nic.mu.Unlock()
	nic.streams = append(nic.streams, e)
}

// forget drops a stream that both ends have closed.
func (nic *NIC) forget(e *end) {
	nic.mu.Lock()
	defer nic.mu.Unlock()
	nic.streams = slices.DeleteFunc(nic.streams, func(s *end) bool { return s == e || s == e.peer })
}

func (nic *NIC) knows(name string) bool {
	nic.mu.Lock()
	defer nic.mu.Unlock()
	return nic.resolver[name]
}

func (nic *NIC) learn(name string) {
	nic.mu.Lock()
	defer nic.mu.Unlock()
	if nic.resolver == nil {
		nic.resolver = map[string]bool{}
	}
	nic.resolver[name] = true
}

// now is the device's own clock.
func (nic *NIC) now() time.Time {
	if nic.o.Now == nil {
		return nic.n.clock.Now()
	}
	return nic.o.Now()
}

func (nic *NIC) wait(ctx context.Context, d time.Duration, tag string) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	return nic.n.clock.Sleep(ctx, d, tag)
}

// lossDelay draws how long a packet is late by being lost and sent again; given up says that it never arrives.
func (nic *NIC) lossDelay(s *Site) (late time.Duration, givenUp bool) {
	if s == nil || s.c.Loss == 0 {
		return 0, false
	}
	rto := nic.n.o.Timing.Network.TCPFirstResend
	for range nic.n.o.Timing.Network.TCPResends {
		if !nic.loses(s) {
			return late, false
		}
		late += rto
		rto *= 2
	}
	return late, true
}

// loses draws whether one packet is lost. The stream is the device's own, so that its luck does not depend on others.
func (nic *NIC) loses(s *Site) bool {
	if s == nil || s.c.Loss == 0 {
		return false
	}
	nic.mu.Lock()
	defer nic.mu.Unlock()
	if nic.loss == nil {
		nic.loss = nic.n.o.Seed.Stream("vnet", "loss", nic.o.Device)
	}
	return nic.loss.Float64() < s.c.Loss
}

// bulk is the size from which a message takes part in the sharing of a link. Smaller ones pass beside the flows at the
// share they would get: they are many, short, and not worth an event for every other flow.
const bulk = 64 << 10

// leg passes one message over the card's link.
func (nic *NIC) leg(ctx context.Context, s *Site, p *pipe, extra time.Duration, bytes int64, tag string) error {
	if s == nil {
		return nic.wait(ctx, extra, tag)
	}
	late, givenUp := nic.lossDelay(s)
	d := s.c.Latency + extra + late
	if bytes < bulk {
		d += p.brief(bytes)
	}
	if err := nic.wait(ctx, d, tag); err != nil {
		return err
	}
	if givenUp {
		return connectionTimedOut("write", "")
	}
	if bytes >= bulk {
		_, err := p.send(ctx, nic, bytes)
		return err
	}
	return nil
}

func (s *Site) uplink() *pipe {
	if s == nil {
		return nil
	}
	return s.up
}

func (s *Site) downlink() *pipe {
	if s == nil {
		return nil
	}
	return s.down
}
