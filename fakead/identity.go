package fakead

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"sync"
	"time"

	"windtunnel.test/sim/pki"
)

// certificate is what a controller shows in TLS. It is replaced before it ends,
// as enrolment does it, by the controller's own clock.
type certificate struct {
	mu      sync.Mutex
	current *tls.Certificate
	renew   time.Time
}

// tls is the certificate now.
func (c *controller) tls() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, t := c.replica.Now(), c.f.Timing().Domain
	if c.current != nil && now.Before(c.renew) && !now.Before(c.current.Leaf.NotBefore) {
		return c.current, nil
	}
	host := c.replica.HostName()
	key := pki.Key(c.f.o.Seed, "fakead", "controller", host)
	leaf, err := c.f.ca.Issue(now, &x509.Certificate{
		Subject: pkix.Name{CommonName: host}, DNSNames: []string{host, c.f.Domain(), c.f.NetBIOS()}, NotAfter: now.Add(t.CertificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, key.Public())
	if err != nil {
		return nil, fmt.Errorf("fakead: certificate of %s: %w", host, err)
	}
	c.current = &tls.Certificate{Certificate: [][]byte{leaf.Raw, c.f.ca.Cert.Raw}, PrivateKey: key, Leaf: leaf}
	c.renew = leaf.NotAfter.Add(-t.CertificateRenew)
	return c.current, nil
}
