package csp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// SCEP is a certificate that the device itself asks a SCEP server for (ClientCertificateInstall CSP).
type SCEP struct {
	Scope Scope
	ID    string // unique id of the instance
}

// Names of nodes below SCEP/{id}. The comment gives the format.
const (
	SCEPServerURL    = "Install/ServerURL"               // chr; several are separated by semicolons
	SCEPChallenge    = "Install/Challenge"               // chr
	SCEPEKUMapping   = "Install/EKUMapping"              // chr, object identifiers separated by "+"
	SCEPKeyUsage     = "Install/KeyUsage"                // int, bits of X.509's key usage: 0x80 digitalSignature, 0x20 keyEncipherment
	SCEPSubjectName  = "Install/SubjectName"             // chr, "CN=name, O=org"
	SCEPProtection   = "Install/KeyProtection"           // int, a [KeyLocation]
	SCEPRetryDelay   = "Install/RetryDelay"              // int, minutes between polls of a pending request; 5
	SCEPRetryCount   = "Install/RetryCount"              // int, how many polls; 3, at most 30
	SCEPKeyLength    = "Install/KeyLength"               // int, bits: 1024, 2048, 4096
	SCEPHash         = "Install/HashAlgorithm"           // chr, names separated by "+"
	SCEPCAThumbprint = "Install/CAThumbprint"            // chr, SHA-1 of the CA's certificate in hexadecimal
	SCEPAltNames     = "Install/SubjectAlternativeNames" // chr, "type+value;type+value", types as CERT_ALT_NAME_ENTRY numbers them
	SCEPValidPeriod  = "Install/ValidPeriod"             // chr: Days, Months, Years
	SCEPValidUnits   = "Install/ValidPeriodUnits"        // int
	SCEPEnroll       = "Install/Enroll"                  // executed, last
	SCEPThumbprint   = "CertThumbprint"                  // chr, to be read
	SCEPStatus       = "Status"                          // int, to be read: a [SCEPState]
	SCEPErrorCode    = "ErrorCode"                       // int, to be read: an HRESULT
	SCEPRespondent   = "RespondentServerUrl"             // chr, to be read: which server answered
)

// SCEPState is the Status node.
type SCEPState int

// Its values.
const (
	SCEPFinished SCEPState = 1
	SCEPPending  SCEPState = 2 // sent, no answer yet
	SCEPUnknown  SCEPState = 16
	SCEPFailed   SCEPState = 32
)

// String names the state.
func (s SCEPState) String() string {
	switch s {
	case SCEPFinished:
		return "finished"
	case SCEPPending:
		return "pending"
	case SCEPFailed:
		return "failed"
	case SCEPUnknown:
		return "unknown"
	}
	return strconv.Itoa(int(s))
}

// Node is one of the nodes; the name may have two segments, and no name gives the interior node.
func (s SCEP) Node(name string) string {
	uri := Join(s.Scope.vendor(), "ClientCertificateInstall", "SCEP", s.ID)
	if name == "" {
		return uri
	}
	return Join(uri, strings.Split(name, "/")...)
}

// ParseSCEP recognises a node below SCEP/{id}; name is "" for the interior node.
func ParseSCEP(uri string) (s SCEP, name string, ok bool) {
	scope, rest, ok := vendorNode(uri, "ClientCertificateInstall", "SCEP")
	if !ok || len(rest) == 0 || len(rest) > 3 {
		return SCEP{}, "", false
	}
	return SCEP{Scope: scope, ID: rest[0]}, strings.Join(rest[1:], "/"), true
}

// SCEPRequest says what certificate to ask for, and whom.
type SCEPRequest struct {
	URLs         []string
	Challenge    string
	SubjectName  string
	AltNames     []AltName
	EKU          []string // object identifiers, dotted
	KeyUsage     int
	Protection   KeyLocation
	KeyLength    int    // bits
	Hash         string // "SHA-2"
	CAThumbprint string // SHA-1 in hexadecimal; "": any
	ValidPeriod  string // Days, Months, Years
	ValidUnits   int
	RetryDelay   int // minutes
	RetryCount   int
}

// AltName is a subject alternative name. Type is the number that Windows gives its kind (CERT_ALT_NAME_ENTRY).
type AltName struct {
	Type  int
	Value string
}

// Kinds of alternative names.
const (
	AltEmail = 2
	AltDNS   = 3
	AltURL   = 7
	AltUPN   = 11
)

// Nodes are the values that describe a request. Executing [SCEPEnroll] comes after them, in the same Atomic.
func (s SCEP) Nodes(r SCEPRequest) []Node {
	nodes := []Node{
		Interior(s.Node("")),
		Chr(s.Node(SCEPServerURL), strings.Join(r.URLs, ";")),
		Chr(s.Node(SCEPChallenge), r.Challenge),
		Chr(s.Node(SCEPSubjectName), r.SubjectName),
		Chr(s.Node(SCEPEKUMapping), strings.Join(r.EKU, "+")),
		Int(s.Node(SCEPKeyUsage), r.KeyUsage),
		Int(s.Node(SCEPProtection), int(r.Protection)),
		Int(s.Node(SCEPKeyLength), r.KeyLength),
		Chr(s.Node(SCEPHash), r.Hash),
		Int(s.Node(SCEPRetryDelay), r.RetryDelay),
		Int(s.Node(SCEPRetryCount), r.RetryCount),
	}
	if r.CAThumbprint != "" {
		nodes = append(nodes, Chr(s.Node(SCEPCAThumbprint), r.CAThumbprint))
	}
	if len(r.AltNames) > 0 {
		nodes = append(nodes, Chr(s.Node(SCEPAltNames), JoinAltNames(r.AltNames)))
	}
	if r.ValidUnits > 0 {
		nodes = append(nodes, Chr(s.Node(SCEPValidPeriod), r.ValidPeriod), Int(s.Node(SCEPValidUnits), r.ValidUnits))
	}
	return nodes
}

// JoinAltNames writes alternative names. A semicolon in a value cannot be told from a separator; the CSP knows no escape.
func JoinAltNames(names []AltName) string {
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = strconv.Itoa(n.Type) + "+" + n.Value
	}
	return strings.Join(texts, ";")
}

// ParseAltNames reads them; empty items are passed over.
func ParseAltNames(text string) ([]AltName, error) {
	var names []AltName
	for item := range strings.SplitSeq(text, ";") {
		if item == "" {
			continue
		}
		kind, value, ok := strings.Cut(item, "+")
		n, err := strconv.ParseUint(strings.TrimSpace(kind), 10, 8)
		if !ok || err != nil || value == "" {
			return nil, fmt.Errorf("csp: alternative name %q", item)
		}
		names = append(names, AltName{Type: int(n), Value: value})
	}
	return names, nil
}

var errThumbprint = errors.New("csp: a certificate's name is its SHA-1 in hexadecimal")
