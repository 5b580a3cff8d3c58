package target

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"slices"
	"strings"

	"windtunnel.test/sim"
	"windtunnel.test/sim/vnet"
)

// Target is services that are not in this process.
type Target struct {
	name       string // in words
	hosts      []host
	ca         []*x509.Certificate // above its TLS certificates; none: the system's
	trust      []*x509.Certificate // what PCs trust besides
	client     string              // application that PCs are registered with; "": the administrator's own
	secret     string
	registered bool
	child      *child
}

// host is where names are served: the first that fits a name counts.
type host struct {
	pattern string // "login.microsoftonline.com", "*.contoso.com", "*"
	vnet.Forward
}

// String says what is loaded.
func (t *Target) String() string {
	if t == nil {
		return "this process (direct)"
	}
	return t.name
}

// Connect has the names of a world's network served by the target, and its PCs
// trust what stands behind it.
func (t *Target) Connect(w *sim.World) error {
	for i := len(t.hosts) - 1; i >= 0; i-- { // the first wins, so it comes last
		h := t.hosts[i]
		if err := w.Network.Forward(h.pattern, h.Forward); err != nil {
			return fmt.Errorf("load target: %w", err)
		}
	}
	if t.child != nil || len(t.hosts) == 1 && t.hosts[0].pattern == "*" {
		w.ServeVendors()
	}
	w.Trust(slices.Concat(t.ca, t.trust)...)
	if t.client != "" {
		w.AdministerAs(t.client, t.secret)
	}
	return nil
}

// Registered tells whether the PCs are known there already.
func (t *Target) Registered() bool { return t != nil && t.registered }

// Close ends what was started for the load.
func (t *Target) Close() error {
	if t == nil || t.child == nil {
		return nil
	}
	return t.child.stop()
}

// readCertificates reads a PEM file of certificates.
func readCertificates(flag, file string) ([]*x509.Certificate, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, inputError("%s: %w", flag, err)
	}
	certs, err := parseCertificates(text)
	if err != nil {
		return nil, inputError("%s: %s: %w", flag, file, err)
	}
	return certs, nil
}

func parseCertificates(text []byte) (certs []*x509.Certificate, err error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, fmt.Errorf("there is no certificate in it; PEM blocks begin with -----BEGIN CERTIFICATE-----")
	}
	return certs, nil
}

// find is what serves a name, nil where this process does.
func (t *Target) find(name string) *host {
	for i, h := range t.hosts {
		if h.pattern == "*" || h.pattern == name || strings.HasPrefix(h.pattern, "*.") && strings.HasSuffix(name, h.pattern[1:]) {
			return &t.hosts[i]
		}
	}
	return nil
}
