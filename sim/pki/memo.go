package pki

import (
	"crypto/sha256"
	"crypto/x509"
	"sync"
	"time"
)

// A fleet shows the same certificates to the same services over and over. What was found out about one stays true, so a
// few thousand answers are kept; which are kept changes how long a question takes and nothing else.

// memo keeps the newest answers: two generations of maps, of which the older is dropped when the newer is full.
type memo[K comparable, V any] struct {
	mu         sync.Mutex
	young, old map[K]V
}

const memoGeneration = 1024

func (m *memo[K, V]) get(k K) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.young[k]
	if !ok {
		if v, ok = m.old[k]; ok {
			m.put(k, v)
		}
	}
	return v, ok
}

func (m *memo[K, V]) set(k K, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(k, v)
}

func (m *memo[K, V]) put(k K, v V) {
	if m.young == nil || len(m.young) >= memoGeneration {
		m.old, m.young = m.young, make(map[K]V, memoGeneration)
	}
	m.young[k] = v
}

type sum = [sha256.Size]byte

var (
	parsed memo[sum, *x509.Certificate]
	signed memo[[2]sum, struct{}] // issuer, certificate
	chains memo[chain, window]
)

// chain is a question for [Trusted].
type chain struct {
	roots *x509.CertPool
	certs sum
}

// window is when all certificates of a chain are valid.
type window struct{ from, to time.Time }

// Parse is x509.ParseCertificate. The result may be shared: it is not to be changed.
func Parse(der []byte) (*x509.Certificate, error) {
	k := sha256.Sum256(der)
	if cert, ok := parsed.get(k); ok {
		return cert, nil
	}
	cert, err := x509.ParseCertificate(der)
	if err == nil {
		parsed.set(k, cert)
	}
	return cert, err
}

// CheckIssued is cert.CheckSignatureFrom(issuer).
func CheckIssued(cert, issuer *x509.Certificate) error {
	k := [2]sum{sha256.Sum256(issuer.Raw), sha256.Sum256(cert.Raw)}
	if _, ok := signed.get(k); ok {
		return nil
	}
	if err := cert.CheckSignatureFrom(issuer); err != nil {
		return err
	}
	signed.set(k, struct{}{})
	return nil
}

func remember(cert, issuer *x509.Certificate) {
	signed.set([2]sum{sha256.Sum256(issuer.Raw), sha256.Sum256(cert.Raw)}, struct{}{})
}

// Trusted is cert.Verify for any use, with these intermediates.
func Trusted(cert *x509.Certificate, between []*x509.Certificate, roots *x509.CertPool, now time.Time) error {
	h := sha256.New()
	for _, c := range append([]*x509.Certificate{cert}, between...) {
		digest := sha256.Sum256(c.Raw)
		h.Write(digest[:])
	}
	k := chain{roots: roots, certs: sum(h.Sum(nil))}
	if w, ok := chains.get(k); ok && !now.Before(w.from) && !now.After(w.to) {
		return nil
	}
	pool := x509.NewCertPool()
	for _, c := range between {
		if tooLong(c.PublicKey) {
			return errKeyTooLong
		}
		pool.AddCert(c)
	}
	found, err := cert.Verify(x509.VerifyOptions{Roots: roots, Intermediates: pool, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return err
	}
	w := window{from: cert.NotBefore, to: cert.NotAfter}
	for _, c := range found[0] {
		if c.NotBefore.After(w.from) {
			w.from = c.NotBefore
		}
		if c.NotAfter.Before(w.to) {
			w.to = c.NotAfter
		}
	}
	chains.set(k, w)
	return nil
}
