package vnet

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vclock"
)

// rootLife is how long a gateway's authority lives: longer than what it issues, and no longer than somebody may forget it
// in a trust store. It is ours.
const rootLife = 2 * 365 * 24 * time.Hour

// maxLeafs bounds what clients can make a gateway remember: names with several labels below a wildcard have a certificate
// each.
const maxLeafs = 1024

// newKey makes a key that does not follow from a seed: what a user may trust must not be derivable by somebody else.
func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("vnet: gateway: key: %w", err)
	}
	return key, nil
}

// protocols are what the TLS listener speaks (RFC 9113 3.2, RFC 7301).
var protocols = []string{"h2", "http/1.1"}

func (g *Gateway) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: protocols, Time: vclock.RealNow, GetConfigForClient: g.configFor,
	}
}

// configFor is how the service behaves that a client asks for: which certificate it has, and whether it wants one. Without
// a service there is no certificate, and the client gets the alert unrecognized_name (RFC 6066 3).
func (g *Gateway) configFor(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	name := g.nameOf(hello)
	s := g.network.Load().serviceFor(name)
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: protocols, Time: vclock.RealNow}
	if s == nil {
		g.refused("TLS", "server name is served", "unrecognized_name", name)
		return c, nil
	}
	id, err := g.identityOf(s, name)
	if err != nil {
		return nil, err
	}
	c.Certificates = []tls.Certificate{id.cert}
	switch s.mode {
	case RequestClientCert:
		c.ClientAuth = tls.RequestClientCert
	case RequireClientCert:
		c.ClientAuth = tls.RequireAnyClientCert
	}
	// A resumed session would bring the certificate of the one before.
	c.SessionTicketsDisabled = s.mode != NoClientCert
	return c, nil
}

// nameOf is the name that a client wants: what it says, or the one that it had the proxy connect it to.
func (g *Gateway) nameOf(hello *tls.ClientHelloInfo) string {
	if hello.ServerName != "" {
		return normalName(hello.ServerName)
	}
	return tunnelTarget(hello.Conn)
}

func tunnelTarget(c net.Conn) string {
	if t, ok := c.(*tunnel); ok {
		return t.target
	}
	return ""
}

type targetKey struct{}

// withTarget has requests remember the name that their connection was made for, where TLS does not say it.
func withTarget(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	return context.WithValue(ctx, targetKey{}, tunnelTarget(c))
}

// certified is the name that the certificate of a request's connection is for.
func certified(r *http.Request) string {
	if r.TLS.ServerName != "" {
		return normalName(r.TLS.ServerName)
	}
	target, _ := r.Context().Value(targetKey{}).(string)
	return target
}

// identityOf is what a service presents as a host to a real client.
func (g *Gateway) identityOf(s *service, host string) (*identity, error) {
	if s.presents != nil {
		return s.presents, nil
	}
	return g.leaf(s.certName(host))
}

// certName is the name on the certificate of a host: everything below a suffix shares one as far as a wildcard reaches,
// which is one label (RFC 9525 6.3).
func (s *service) certName(host string) string {
	if strings.HasPrefix(s.pattern, "*.") && !strings.Contains(strings.TrimSuffix(host, s.pattern[1:]), ".") {
		return s.pattern
	}
	return host
}

// leaf finds a certificate with a key of its own, or issues one: P-256, in real time, renewed in time.
func (g *Gateway) leaf(name string) (*identity, error) {
	now := vclock.RealNow()
	g.mu.Lock()
	defer g.mu.Unlock()
	if id := g.leafs[name]; id != nil && now.Before(id.chain[0].NotAfter.Add(-certRenewal)) {
		return id, nil
	}
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	cert, err := g.o.RealRoot.Issue(now, &x509.Certificate{
		Subject: pkix.Name{CommonName: commonName(name)}, DNSNames: []string{name},
		NotBefore: now.Add(-certGrace), NotAfter: now.Add(certLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, key.Public())
	if err != nil {
		return nil, fmt.Errorf("vnet: certificate for %q: %w", name, err)
	}
	id := &identity{chain: []*x509.Certificate{cert}, passes: true, cert: tls.Certificate{PrivateKey: key, Leaf: cert}}
	for up := g.o.RealRoot; up.Parent != nil; up = up.Parent {
		id.chain = append(id.chain, up.Cert)
	}
	for _, c := range id.chain {
		id.cert.Certificate = append(id.cert.Certificate, c.Raw)
	}
	if len(g.leafs) >= maxLeafs {
		clear(g.leafs)
	}
	g.leafs[name] = id
	return id, nil
}

// commonName fits a name into what a common name can hold, 64 characters (RFC 5280 appendix A, ub-common-name); clients
// look at the alternative names.
func commonName(name string) string { return name[max(0, len(name)-64):] }

// refused journals what the gateway itself refuses.
func (g *Gateway) refused(operation, check, code, name string) {
	if j := g.network.Load().o.Journal; j != nil {
		j.Record("", journal.Refused, journal.F("service", "gateway"), journal.F("operation", operation),
			journal.F("check", check), journal.F("code", code), journal.F("name", shortened(name)))
	}
}

// shortened keeps what a stranger sends short in the journal.
func shortened(s string) string {
	const most = 255 // RFC 1035 2.3.4
	return s[:min(len(s), most)]
}
