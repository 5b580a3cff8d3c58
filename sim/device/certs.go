package device

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"windtunnel.test/sim/pki"
)

// Names of the certificate stores, as Windows has them.
const (
	StoreMySystem = `My\System` // of the computer
	StoreMyUser   = `My\User`   // of the enrolled user
	StoreRoot     = `Root`
	StoreCA       = `CA`
)

// Certificate is one entry of a certificate store. Container names the private
// key's container, "" where the key is not on this PC.
type Certificate struct {
	Store     string `json:"store"`
	Name      string `json:"name"` // what it is for: "entra-device", "mdm", "ime"
	DER       []byte `json:"der"`
	Container string `json:"container,omitempty"`
}

// Parse decodes the certificate. It is done anew at each call: a fleet keeps
// thousands of them, and their decoded form is ten times as large.
func (c Certificate) Parse() (*x509.Certificate, error) {
	cert, err := pki.Parse(c.DER)
	if err != nil {
		return nil, fmt.Errorf("certificate %s in store %s: %w", c.Name, c.Store, err)
	}
	return cert, nil
}

// Certs are the certificate stores of one Windows installation.
type Certs struct {
	mu   sync.Mutex
	l    []Certificate
	dark *atomic.Bool
}

// Put adds an entry; one of the same store and name is replaced.
func (c *Certs) Put(cert Certificate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if unpowered(c.dark) {
		return
	}
	for i := range c.l {
		if c.l[i].Store == cert.Store && c.l[i].Name == cert.Name {
			c.l[i] = cert
			return
		}
	}
	c.l = append(c.l, cert)
}

// Find gives the entry of a store by name and whether it is there.
func (c *Certs) Find(store, name string) (Certificate, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.l, func(e Certificate) bool { return e.Store == store && e.Name == name })
	if i < 0 {
		return Certificate{}, false
	}
	return c.l[i], true
}

// Delete removes an entry.
func (c *Certs) Delete(store, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !unpowered(c.dark) {
		c.l = slices.DeleteFunc(c.l, func(e Certificate) bool { return e.Store == store && e.Name == name })
	}
}

// All lists a store's entries in the order they came in; every store's for "".
func (c *Certs) All(store string) []Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Certificate
	for _, e := range c.l {
		if store == "" || e.Store == store {
			out = append(out, e)
		}
	}
	return out
}

func (c *Certs) replace(l []Certificate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !unpowered(c.dark) {
		c.l = l
	}
}

// MarshalJSON writes all stores.
func (c *Certs) MarshalJSON() ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return json.Marshal(c.l)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *Certs) UnmarshalJSON(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return json.Unmarshal(b, &c.l)
}

func marshalMap(mu *sync.Mutex, m map[string][]byte) ([]byte, error) {
	mu.Lock()
	defer mu.Unlock()
	return json.Marshal(m)
}

func unmarshalMap(mu *sync.Mutex, m *map[string][]byte, b []byte) error {
	mu.Lock()
	defer mu.Unlock()
	*m = map[string][]byte{}
	return json.Unmarshal(b, m)
}
