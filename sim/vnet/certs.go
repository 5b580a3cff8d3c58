package vnet

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"time"

	"windtunnel.test/sim/pki"
)

// identity is what one end of TLS presents.
type identity struct {
	chain  []*x509.Certificate // leaf first, without the root
	cert   tls.Certificate
	passes bool // the service itself: false for a proxy in its place, which asks nobody for a certificate
}

type mintKey struct {
	ca   *pki.CA
	name string
}

// Server certificates live as long as public ones may, 200 days since March 2026 (CA/Browser Forum Baseline Requirements
// 6.3.2), of which some are grace for clocks that are slow, and are renewed a month before they end, as hosters do. How
// long grace and renewal are is our model.
const (
	certGrace   = 14 * 24 * time.Hour
	certLife    = 200*24*time.Hour - certGrace
	certRenewal = 30 * 24 * time.Hour
)

// Presents makes a service present a certificate of the caller's choice, such as one for another name or one that has
// ended. key holds the first certificate's key.
func Presents(cert tls.Certificate) ServeOption {
	return func(s *service) {
		id := &identity{cert: cert, passes: true}
		for _, der := range cert.Certificate {
			c, err := x509.ParseCertificate(der)
			if err != nil {
				panic(fmt.Sprintf("vnet: certificate of %q: %v", s.pattern, err))
			}
			id.chain = append(id.chain, c)
		}
		s.presents = id
	}
}

// identityOf is what a service presents as a host.
func (n *Network) identityOf(s *service, host string) (*identity, error) {
	if s.presents != nil {
		return s.presents, nil
	}
	return n.mint(n.o.WebRoot, s.certName(host), true)
}

// WebRoot is the root above all server certificates that are minted, nil where
// there is none.
func (n *Network) WebRoot() *x509.Certificate {
	if n.o.WebRoot == nil {
		return nil
	}
	return n.o.WebRoot.Root().Cert
}

// intercepted is what a proxy presents in a host's place.
func (n *Network) intercepted(ca *pki.CA, host string) (*identity, error) {
	return n.mint(ca, host, false)
}

func (n *Network) mint(ca *pki.CA, name string, passes bool) (*identity, error) {
	if ca == nil {
		return nil, errors.New("vnet: https is not served: the network was made without a web root")
	}
	now := n.clock.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	k := mintKey{ca, name}
	if id, ok := n.minted[k]; ok && now.Before(id.chain[0].NotAfter.Add(-certRenewal)) {
		return id, nil
	}
	key := pki.Key(n.o.Seed, "vnet", "server", ca.Name, name)
	leaf, err := ca.Issue(now, &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		DNSNames:    []string{name},
		NotBefore:   now.Add(-certGrace),
		NotAfter:    now.Add(certLife),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, key.Public())
	if err != nil {
		return nil, fmt.Errorf("vnet: certificate for %q: %w", name, err)
	}
	id := &identity{chain: []*x509.Certificate{leaf}, passes: passes, cert: tls.Certificate{PrivateKey: key, Leaf: leaf}}
	for up := ca; up.Parent != nil; up = up.Parent {
		id.chain = append(id.chain, up.Cert)
	}
	for _, c := range id.chain {
		id.cert.Certificate = append(id.cert.Certificate, c.Raw)
	}
	n.minted[k] = id
	return id, nil
}
