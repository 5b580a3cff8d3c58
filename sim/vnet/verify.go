package vnet

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// chainCache keeps which chains verified, for whom and until when. Verification costs some 100 µs and a fleet does it for
// the same few services and the same roots over and over. Only successes are kept.
type chainCache struct {
	mu    sync.Mutex
	pools []*x509.CertPool
	until map[chainKey]window
}

type chainKey struct {
	leaf  *x509.Certificate
	host  string
	roots int
}

// window is when every certificate of a verified chain is within its dates.
type window struct{ from, to time.Time }

// rootsMemo is which number a card's pool was given last.
type rootsMemo struct {
	pool   *x509.CertPool
	number int
}

// verifyChain verifies what the other end presents, for its host, by the device's roots and clock. Its error is the one
// that crypto/tls gives.
func (n *Network) verifyChain(c *conn) error {
	now, pool := c.nic.now(), c.nic.trusted()
	key := chainKey{c.id.chain[0], c.key.host, n.verified.number(c.nic, pool)}
	if n.verified.holds(key, now) {
		return nil
	}
	o := x509.VerifyOptions{Roots: pool, CurrentTime: now, DNSName: c.key.host, Intermediates: x509.NewCertPool()}
	for _, ca := range c.id.chain[1:] {
		o.Intermediates.AddCert(ca)
	}
	chains, err := c.id.chain[0].Verify(o)
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: c.id.chain, Err: err}
	}
	n.verified.keep(key, chains[0])
	return nil
}

// trusted is what the card's device trusts.
func (nic *NIC) trusted() *x509.CertPool {
	if nic.o.Roots != nil {
		if pool := nic.o.Roots(); pool != nil {
			return pool
		}
	}
	return nic.n.defaultRoots()
}

// defaultRoots is a pool with nothing but the web root.
func (n *Network) defaultRoots() *x509.CertPool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.webRoots == nil {
		n.webRoots = x509.NewCertPool()
		if n.o.WebRoot != nil {
			n.webRoots.AddCert(n.o.WebRoot.Root().Cert)
		}
	}
	return n.webRoots
}

// number tells pools apart by what is in them: devices may each have a pool of their own with the same roots.
func (v *chainCache) number(nic *NIC, pool *x509.CertPool) int {
	nic.mu.Lock()
	memo := nic.roots
	nic.mu.Unlock()
	if memo.pool == pool {
		return memo.number
	}
	number := v.find(pool)
	nic.mu.Lock()
	nic.roots = rootsMemo{pool, number}
	nic.mu.Unlock()
	return number
}

func (v *chainCache) find(pool *x509.CertPool) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i, p := range v.pools {
		if p.Equal(pool) {
			return i
		}
	}
	v.pools = append(v.pools, pool.Clone())
	return len(v.pools) - 1
}

func (v *chainCache) holds(k chainKey, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	w, ok := v.until[k]
	return ok && !now.Before(w.from) && !now.After(w.to)
}

func (v *chainCache) keep(k chainKey, chain []*x509.Certificate) {
	w := window{chain[0].NotBefore, chain[0].NotAfter}
	for _, c := range chain[1:] {
		if c.NotBefore.After(w.from) {
			w.from = c.NotBefore
		}
		if c.NotAfter.Before(w.to) {
			w.to = c.NotAfter
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.until == nil {
		v.until = map[chainKey]window{}
	}
	v.until[k] = w
}

// proveKey has the device sign the connection's nonce and verifies it as the service would. The nonce is seeded: a key
// that signs with randomness of its own may still differ from run to run, so no byte of this leaves the function.
func (n *Network) proveKey(ctx context.Context, c *conn) error {
	nonce := n.o.Seed.Key("vnet", "nonce", c.nic.o.Device, strconv.Itoa(c.number))
	digest := sha256.Sum256(append([]byte("vnet client proof\x00"+c.key.host+"\x00"), nonce[:]...))
	signer := c.cert.signer(ctx)
	if key, ok := signer.(*ecdsa.PrivateKey); ok && key.PublicKey.Equal(c.cert.Cert.PublicKey) {
		return nil // what a key in memory signs is verified by its public half
	}
	signature, err := signer.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return signFailed(err)
	}
	ok := false
	switch pub := c.cert.Cert.PublicKey.(type) {
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(pub, digest[:], signature)
	case *rsa.PublicKey:
		ok = rsa.VerifyPKCS1v15(pub, crypto.SHA256, digest[:], signature) == nil
	default:
		return signFailed(fmt.Errorf("unsupported key type %T", pub))
	}
	if !ok {
		return remoteAlert(alertDecryptError)
	}
	return nil
}

func signFailed(err error) error { return fmt.Errorf("vnet: sign with client certificate: %w", err) }

// Alerts of RFC 8446 6 that a server sends about client certificates.
const (
	alertBadCertificate      tls.AlertError = 42
	alertDecryptError        tls.AlertError = 51
	alertCertificateRequired tls.AlertError = 116
)

// missingCertAlert is what a service that requires a certificate answers without one; 1.2 has no alert of its own for it.
func (c *conn) missingCertAlert() tls.AlertError {
	if c.version() == tls.VersionTLS12 {
		return alertBadCertificate
	}
	return alertCertificateRequired
}
