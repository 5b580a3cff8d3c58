package csp

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// RootCertificate is a trusted certificate of the device, or of a user (RootCATrustedCertificates CSP).
type RootCertificate struct {
	Scope Scope
	Store string // "Root", "CA", "TrustedPublisher", "TrustedPeople", "UntrustedCertificates"
	Hash  string // SHA-1 of the certificate in hexadecimal
}

// Names of nodes below {store}/{hash}.
const (
	RootEncoded    = "EncodedCertificate" // b64
	RootIssuedBy   = "IssuedBy"           // chr, to be read, as all that follow
	RootIssuedTo   = "IssuedTo"
	RootValidFrom  = "ValidFrom"
	RootValidTo    = "ValidTo"
	rootStoreCount = 5
)

// rootStores are the stores that the CSP writes.
var rootStores = [rootStoreCount]string{"Root", "CA", "TrustedPublisher", "TrustedPeople", "UntrustedCertificates"}

// NewRootCertificate names a certificate by its DER.
func NewRootCertificate(scope Scope, store string, der []byte) RootCertificate {
	sum := sha1.Sum(der) //nolint:gosec // a name, not a proof
	return RootCertificate{Scope: scope, Store: store, Hash: strings.ToUpper(hex.EncodeToString(sum[:]))}
}

// Node is one of the nodes; no name gives the interior node.
func (r RootCertificate) Node(names ...string) string {
	return Join(Join(r.Scope.vendor(), "RootCATrustedCertificates", r.Store, r.Hash), names...)
}

// Nodes are the value that installs the certificate.
func (r RootCertificate) Nodes(der []byte) []Node { return []Node{B64(r.Node(RootEncoded), der)} }

// ParseRootCertificate recognises a node below a certificate; name is "" for the interior node.
func ParseRootCertificate(uri string) (r RootCertificate, name string, ok bool) {
	scope, rest, ok := vendorNode(uri, "RootCATrustedCertificates")
	if !ok || len(rest) < 2 || len(rest) > 3 {
		return RootCertificate{}, "", false
	}
	for _, store := range rootStores {
		if rest[0] == store {
			return RootCertificate{Scope: scope, Store: store, Hash: rest[1]}, strings.Join(rest[2:], ""), true
		}
	}
	return RootCertificate{}, "", false
}

// DER reads an EncodedCertificate value, and refuses one whose hash is not the node's name.
func (r RootCertificate) DER(value string) ([]byte, error) {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), ""))
	if err != nil {
		return nil, fmt.Errorf("csp: EncodedCertificate: %w", err)
	}
	if !strings.EqualFold(NewRootCertificate(r.Scope, r.Store, der).Hash, r.Hash) {
		return nil, errThumbprint
	}
	return der, nil
}
