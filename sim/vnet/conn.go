package vnet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"strconv"
	"time"
)

// poolKey tells which idle connections a request may use.
type poolKey struct {
	secure bool
	host   string
	port   uint16
	cert   *x509.Certificate
}

// conn is one HTTP connection of a card. In every home it costs its set-up once and is then reused, one exchange at a
// time, until it has been idle too long or the card drops it.
type conn struct {
	key         poolKey
	nic         *NIC
	service     *service
	site        *Site
	epoch       uint64
	number      int           // how many connections the device had made before
	extra       time.Duration // a proxy on the way, each direction
	id          *identity     // what the other end presents; nil without TLS
	cert        *ClientCertificate
	remote      string // the service's address, for errors
	local       string // the caller's address as the service sees it
	clientState *tls.ConnectionState
	serverState *tls.ConnectionState
	idleSince   time.Time
	home        home
	carriage    any // the home's own
}

// connection finds an idle connection or sets one up.
func (nic *NIC) connection(ctx context.Context, out *outgoing) (*conn, error) {
	key := poolKey{secure: out.secure, host: out.host, port: out.port}
	if out.secure && out.cert != nil {
		key.cert = out.cert.Cert
	}
	if out.action.Intercept && out.secure {
		return nic.connect(ctx, key, out) // whoever is in the way now sees a connection that is made now
	}
	if c := nic.reuse(key, out.service); c != nil {
		return c, nil
	}
	return nic.connect(ctx, key, out)
}

// reuse takes the connection that was used last, as net/http does, so that the others grow old.
func (nic *NIC) reuse(key poolKey, s *service) *conn {
	now := nic.n.clock.Now()
	var old []*conn // dropped without the lock, which a home may want
	defer func() {
		for _, c := range old {
			c.home.drop(c)
		}
	}()
	nic.mu.Lock()
	defer nic.mu.Unlock()
	list := nic.idle[key]
	for len(list) > 0 {
		c := list[len(list)-1]
		list = list[:len(list)-1]
		nic.idle[key] = list
		if c.epoch == nic.epoch && c.service == s && now.Sub(c.idleSince) < nic.n.o.Timing.Network.IdleConnection && !hungUp(c) {
			return c
		}
		old = append(old, c)
	}
	return nil
}

// keep puts a connection back.
func (nic *NIC) keep(c *conn) {
	c.idleSince = nic.n.clock.Now()
	if !nic.shelve(c) {
		c.home.drop(c)
	}
}

// shelve adds to the idle connections what the card's link still carries.
func (nic *NIC) shelve(c *conn) bool {
	nic.mu.Lock()
	defer nic.mu.Unlock()
	if c.epoch != nic.epoch {
		return false
	}
	if nic.idle == nil {
		nic.idle = map[poolKey][]*conn{}
	}
	nic.idle[c.key] = append(nic.idle[c.key], c)
	return true
}

// connect resolves the name, passes the firewall, shakes hands, and has the home prove both ends to each other.
func (nic *NIC) connect(ctx context.Context, key poolKey, out *outgoing) (*conn, error) {
	h, site, epoch, err := nic.reach(ctx, "tcp", key.host, key.port)
	if err != nil {
		return nil, err
	}
	s := nic.n.serviceAt(h)
	if s == nil || key.port != 80 && key.port != 443 || (key.port == 443) != key.secure {
		return nil, refused(tcpAddr(h.addr, key.port).String())
	}
	c := &conn{
		key: key, nic: nic, service: s, site: site, epoch: epoch, home: nic.n.home, number: nic.n.countConn(nic.o.Device),
		remote: tcpAddr(h.addr, key.port).String(),
	}
	c.local = site.address().String() + ":" + strconv.Itoa(nic.ephemeral())
	proxy, intercepts := site.proxyFor(key.host)
	if proxy != nil {
		c.extra = proxy.Latency
	}
	if address := s.address(key.secure); address != "" {
		c.home = nic.n.realHomeTo(address)
	}
	if key.secure {
		if err := nic.secure(ctx, c, out, proxy, intercepts); err != nil {
			return nil, err
		}
	}
	if err := c.home.connect(ctx, c); err != nil {
		return nil, err
	}
	return c, nil
}

// secure spends the handshake's round trips and finds out who stands at the other end.
func (nic *NIC) secure(ctx context.Context, c *conn, out *outgoing, proxy *ProxyConfig, intercepts bool) error {
	var err error
	if c.home != nic.n.home {
		c.id, c.cert = untouched, out.cert
	} else if out.action.Intercept {
		c.id, err = nic.n.intercepted(nic.n.o.Stranger, c.key.host)
	} else if intercepts {
		c.id, err = nic.n.intercepted(proxy.TLSIntercept, c.key.host)
	} else {
		c.id, err = nic.n.identityOf(c.service, c.key.host)
		// A proxy that opens TLS does not have the device's key: only an untouched connection can carry a certificate.
		if c.service.mode != NoClientCert {
			c.cert = out.cert
		}
	}
	if err != nil {
		return err
	}
	// TLS 1.3 takes one round trip (RFC 8446 2), 1.2 two (RFC 5246 7.3).
	trips := time.Duration(1)
	if c.version() == tls.VersionTLS12 {
		trips = 2
	}
	if err := nic.wait(ctx, trips*2*(c.site.latency()+c.extra), "vnet.tls"); err != nil {
		return err
	}
	if !nic.still(c.epoch) {
		return reset("read", c)
	}
	return nil
}

// version is TLS 1.3, but 1.2 where the device proves itself with an RSA key: 1.3 allows RSA only as PSS (RFC 8446 4.2.3)
// with a salt as long as the hash, and a TPM may make its PSS salts as long as fits (TCG TPM 2.0 Library part 1, B.7).
func (c *conn) version() uint16 {
	if c.cert != nil && c.cert.Cert.PublicKeyAlgorithm == x509.RSA {
		return tls.VersionTLS12
	}
	return tls.VersionTLS13
}

// reach is everything before the first byte: link, name, firewall, and TCP's handshake.
func (nic *NIC) reach(ctx context.Context, network, name string, port uint16) (*host, *Site, uint64, error) {
	site, epoch, _ := nic.place()
	h, err := nic.resolve(ctx, name)
	if err != nil {
		return nil, nil, 0, err
	}
	address := tcpAddr(h.addr, port).String()
	mode := site.blocks(h.name)
	if mode == Allow && site.shut() && !nic.n.domainOnly(h.name) {
		mode = TimeOut // the firewall lets out what comes from the proxy
	}
	switch mode {
	case TimeOut:
		if err := nic.wait(ctx, nic.n.o.Timing.Network.TCPConnect, "vnet.connect"); err != nil {
			return nil, nil, 0, err
		}
		return nil, nil, 0, connectionTimedOut("dial", address)
	case Refuse:
		if err := nic.wait(ctx, 2*site.latency(), "vnet.connect"); err != nil {
			return nil, nil, 0, err
		}
		return nil, nil, 0, refused(address)
	}
	if network == "udp" {
		return h, site, epoch, nil
	}
	late, givenUp := nic.lossDelay(site)
	if err := nic.wait(ctx, 2*site.latency()+late, "vnet.connect"); err != nil {
		return nil, nil, 0, err
	}
	if givenUp {
		return nil, nil, 0, connectionTimedOut("dial", address)
	}
	if !nic.still(epoch) {
		return nil, nil, 0, unreachable(network, name)
	}
	return h, site, epoch, nil
}

// countConn numbers a device's connections.
func (n *Network) countConn(device string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.connCount[device]++
	return n.connCount[device]
}

// ephemeral is the next of the ports that Windows uses for outgoing connections, 49152 to 65535 (RFC 6335 6).
func (nic *NIC) ephemeral() int {
	nic.mu.Lock()
	defer nic.mu.Unlock()
	nic.ports++
	return 49152 + (nic.ports-1)%16384
}
