package vnet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"windtunnel.test/sim/hresult"
)

// Forward is where a name is really served: addresses of this machine or of
// another, HOST:PORT. What has no address stays on the network of this process.
type Forward struct {
	TLS  string // of https, with the name as SNI; "": not forwarded
	HTTP string // of http
}

// Forward has the HTTP exchanges with a name, or with every name below "*.suffix",
// or with all that are served ("*"), carried over real connections: TCP and TLS
// of the operating system, with the names' own SNI, checked against what the
// device trusts and against its clock. A client certificate is proved by the
// device's own key. Names keep their operations, which this process knows from
// its own services.
//
// The clock must be a wall clock. What the site's link would take is spent as
// elsewhere, on top of what the connection takes.
func (n *Network) Forward(pattern string, f Forward) error {
	if n.clock.IsVirtual() {
		return fmt.Errorf("vnet: forward %s: real connections take real time, and this network's is virtual", pattern)
	}
	pattern = normalName(pattern)
	carried := func(s *service) *service {
		c := *s
		c.forward = &f
		if c.mode == NoClientCert {
			c.mode = RequestClientCert // who knows what the other end asks for
		}
		return &c
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, h := range n.hosts {
		if h.service != nil && forwards(pattern, h.name) {
			h.service = carried(h.service)
		}
	}
	for i, s := range n.wild {
		if forwards(pattern, s.pattern) {
			n.wild[i] = carried(s)
		}
	}
	if pattern == "*" {
		return nil
	}
	if strings.HasPrefix(pattern, "*.") {
		for _, s := range n.wild {
			if s.pattern == pattern {
				return nil
			}
		}
		n.addWild(carried(&service{n: n, pattern: pattern}))
		return nil
	}
	if h := n.hostLocked(pattern); h.service == nil {
		s := n.wildLocked(pattern)
		if s == nil {
			s = &service{n: n, pattern: pattern}
		}
		h.service = carried(s)
	}
	return nil
}

// forwards tells whether a pattern is about a name or a served suffix.
func forwards(pattern, name string) bool {
	return pattern == "*" || pattern == name || strings.HasPrefix(pattern, "*.") && strings.HasSuffix(name, pattern[1:])
}

// address is where a connection goes, "" where it stays in the process.
func (s *service) address(secure bool) string {
	switch {
	case s.forward == nil:
		return ""
	case secure:
		return s.forward.TLS
	}
	return s.forward.HTTP
}

// realHome carries connections over the operating system's sockets.
type realHome struct {
	n         *Network
	address   string
	transport *http.Transport
}

// realHomeTo is the home of connections to an address.
func (n *Network) realHomeTo(address string) *realHome {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.real == nil {
		n.real = map[string]*realHome{}
	}
	h := n.real[address]
	if h == nil {
		h = &realHome{n: n, address: address, transport: overDialled()}
		n.real[address] = h
	}
	return h
}

// realChannel is a connection of the operating system's.
type realChannel struct {
	client *http.ClientConn
	socket net.Conn
	close  sync.Once
}

func (ch *realChannel) end() {
	ch.close.Do(func() {
		ch.client.Close()
		ch.socket.Close()
	})
}

func (h *realHome) connect(ctx context.Context, c *conn) error {
	dialer := net.Dialer{Timeout: h.n.o.Timing.Network.TCPConnect, KeepAlive: -1}
	socket, err := dialer.DialContext(ctx, "tcp", h.address)
	if err != nil {
		return ended(ctx, err)
	}
	near := socket
	if c.key.secure {
		secured := tls.Client(socket, h.config(ctx, c))
		if err := secured.HandshakeContext(ctx); err != nil {
			socket.Close()
			return ended(ctx, err)
		}
		state := secured.ConnectionState()
		c.clientState, near = &state, secured
	}
	scheme := "http"
	if c.key.secure {
		scheme = "https"
	}
	cc, err := h.transport.NewClientConn(context.WithValue(context.Background(), dialled{}, near), scheme, c.remote)
	if err != nil {
		socket.Close()
		return err
	}
	ch := &realChannel{client: cc, socket: socket}
	c.carriage = ch
	c.nic.holds(ch, true)
	return nil
}

// config is what the device brings to the handshake. In wall time the handshake
// is on the actor's goroutine, so that its key may sign right there.
func (h *realHome) config(ctx context.Context, c *conn) *tls.Config {
	now := c.nic.now()
	cfg := deviceConfig(c, func() time.Time { return now })
	cfg.CurvePreferences = nil // the other end may not know ours
	if c.cert == nil {
		return cfg
	}
	cert := deviceCertificate(c.cert)
	cert.PrivateKey = c.cert.signer(ctx)
	cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	return cfg
}

// carry sends the request and reads the whole answer. The end of the context
// closes the connection, which is how a client of TCP breaks off.
func (h *realHome) carry(ctx context.Context, c *conn, out *outgoing) (*answer, error) {
	ch := c.carriage.(*realChannel)
	stop := context.AfterFunc(ctx, ch.end)
	defer stop()
	ans, err := roundTrip(ch.client, wireRequest(out), func(b io.ReadCloser) io.ReadCloser { return h.n.slowed(ctx, b) })
	switch {
	case err == nil:
		return ans, nil
	case context.Cause(ctx) == nil && !c.nic.still(c.epoch):
		return nil, reset("read", c)
	}
	return nil, ended(ctx, err)
}

// holds has the card remember a connection, to cut it when its link is lost.
func (nic *NIC) holds(ch *realChannel, held bool) {
	nic.mu.Lock()
	defer nic.mu.Unlock()
	if !held {
		delete(nic.real, ch)
		return
	}
	if nic.real == nil {
		nic.real = map[*realChannel]bool{}
	}
	nic.real[ch] = true
}

// maxAnswer is the longest body that is taken from elsewhere; it travels whole,
// in memory. It is ours.
const maxAnswer = 1 << 30

var errTooLong = fmt.Errorf("the answer's body is over %d bytes", maxAnswer)

// hungUp tells whether the other end has closed a connection that was kept
// (RFC 9112 9.5). In the process it never does.
func hungUp(c *conn) bool {
	ch, ok := c.carriage.(*realChannel)
	return ok && ch.client.Err() != nil
}

func (h *realHome) drop(c *conn) {
	if ch, ok := c.carriage.(*realChannel); ok {
		c.nic.holds(ch, false)
		ch.end()
	}
}

// ended is why a real connection failed: the end of its context, or else what
// the operating system says. What package http alone has a word for, such as an
// answer that is none, is a connection that broke off.
func ended(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if ErrorCode(err) == hresult.OK {
		return &net.OpError{Op: "read", Net: "tcp", Err: err}
	}
	return err
}

// untouched is the end of a forwarded connection: nobody here knows its
// certificate before it is shown, nor does a proxy stand in between.
var untouched = &identity{passes: true}

// deviceCertificate is a client certificate as package tls wants it, without
// its key.
func deviceCertificate(c *ClientCertificate) *tls.Certificate {
	cert := &tls.Certificate{Leaf: c.Cert, Certificate: [][]byte{c.Cert.Raw}}
	for _, ca := range c.Chain {
		cert.Certificate = append(cert.Certificate, ca.Raw)
	}
	if c.Cert.PublicKeyAlgorithm == x509.RSA {
		cert.SupportedSignatureAlgorithms = []tls.SignatureScheme{tls.PKCS1WithSHA256}
	}
	return cert
}
