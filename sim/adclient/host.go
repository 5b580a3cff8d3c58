package adclient

import (
	"context"
	"crypto/x509"
	"net"
	"sync"
	"time"

	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
)

// Net is a network card. *vnet.NIC is one.
type Net interface {
	// Dial opens a stream ("tcp") or a datagram socket ("udp") whose packets stay packets. Its deadlines are in the time of
	// [Host.Clock].
	Dial(ctx context.Context, network, address string) (net.Conn, error)
	// NameServers are the DNS servers that the card was told of, names or addresses without port; none where no domain
	// controller is in reach.
	NameServers() []string
}

// Host is the computer that asks.
type Host struct {
	Net    Net
	Clock  vclock.Clock          // true time, in which connections wait
	Now    func() time.Time      // the computer's own clock, which may be wrong; nil: Clock's
	Random func(n int) []byte    // n octets from the computer's own stream
	Timing *timing.Profile       // nil: Windows'
	Roots  func() *x509.CertPool // what it trusts; nil, or a nil pool: nobody
	Name   string                // NetBIOS name, in pings; may be ""
}

func (h Host) now() time.Time {
	if h.Now == nil {
		return h.Clock.Now()
	}
	return h.Now()
}

// windows is Windows' profile, of which there need be only one: nobody changes it.
var windows = sync.OnceValue(timing.Default)

func (h Host) timing() *timing.Profile {
	if h.Timing == nil {
		return windows()
	}
	return h.Timing
}

// number draws one below n, which is positive.
func (h Host) number(n int) int {
	b := h.Random(4)
	return int(uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8|uint32(b[3])) % n
}

// roots never is nil: a nil pool would mean the roots of the machine that simulates.
func (h Host) roots() *x509.CertPool {
	if h.Roots != nil {
		if p := h.Roots(); p != nil {
			return p
		}
	}
	return x509.NewCertPool()
}

// within gives a connection d from now.
func (h Host) within(c net.Conn, d time.Duration) error {
	return c.SetDeadline(h.Clock.Now().Add(d))
}
