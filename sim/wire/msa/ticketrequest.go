package msa

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"windtunnel.test/sim/wire/fastxml"
)

// Scopes that a PC asks tickets for.
const (
	ScopeSTS        = "http://Passport.NET/tb" // the token service itself
	ScopeDeployment = "dds.microsoft.com"      // the deployment service
	PolicySSL       = "MBI_SSL"                // policy of tickets that travel in TLS
)

// Scope is one thing that a ticket is asked for.
type Scope struct {
	Address string
	Policy  string // "" for none
}

// AttestedProof is how a device shows that it holds a TPM, our model: the AIK certificate that the attestation service
// issued, and a statement that this AIK signed over ProofDigest (a TPM2_Certify or TPM2_Quote with the digest as
// qualifying data, in the encoding of the attestation packages).
type AttestedProof struct {
	AIKCertificates [][]byte // DER, the AIK's own first, then its issuers
	Statement       []byte
}

// TicketRequest is a request to RST2.srf.
type TicketRequest struct {
	MessageID string // urn:uuid:...
	Created   time.Time
	Expires   time.Time
	Username  string // Membername of the device account
	Password  string
	Proof     *AttestedProof // nil for a ticket that is not TPM-validated
	Scopes    []Scope
}

// ProofDigest is what the statement of an AttestedProof binds: this request and no other.
func (r TicketRequest) ProofDigest() [32]byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %q %q %q", r.MessageID, stamp(r.Created), stamp(r.Expires), r.Username)
	for _, s := range r.Scopes {
		fmt.Fprintf(&b, " %q %q", s.Address, s.Policy)
	}
	return sha256.Sum256([]byte(b.String()))
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func parseStamp(what, s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(s))
	if err != nil {
		return time.Time{}, fmt.Errorf("%s %q is not a time", what, s)
	}
	return t.UTC(), nil
}

// Encode writes the SOAP envelope. Times are written in whole seconds.
func (r TicketRequest) Encode() ([]byte, error) {
	e := requestEnvelope{Header: requestHeader{
		Action: nsAction, To: serviceURL, MessageID: r.MessageID,
		AuthInfo: authInfo{ID: "PPAuthInfo", HostingApp: "wlidsvc", BinaryVersion: "55"},
		Security: security{
			UsernameToken: &usernameToken{"devicesoftware", r.Username, r.Password},
			Timestamp:     timestamp{"Timestamp", stamp(r.Created), stamp(r.Expires)},
		},
	}}
	if r.Proof != nil {
		for i, der := range r.Proof.AIKCertificates {
			e.Header.Security.BinaryTokens = append(e.Header.Security.BinaryTokens,
				binaryToken{valueAIKCertificate, fmt.Sprintf("AIK%d", i), base64.StdEncoding.EncodeToString(der)})
		}
		e.Header.Security.BinaryTokens = append(e.Header.Security.BinaryTokens,
			binaryToken{valueAIKStatement, "Statement", base64.StdEncoding.EncodeToString(r.Proof.Statement)})
	}
	var requests []tokenRequest
	for i, s := range r.Scopes {
		t := tokenRequest{ID: fmt.Sprintf("RST%d", i), RequestType: requestIssue, AppliesTo: appliesTo{endpoint{s.Address}}}
		if s.Policy != "" {
			t.Policy = &policyReference{s.Policy}
		}
		requests = append(requests, t)
	}
	if len(requests) == 1 {
		e.Body.One = &requests[0]
	} else {
		e.Body.Many = &multipleTokens{"RSTS", requests}
	}
	return document(e)
}

// ParseTicketRequest reads an envelope. The proof is only decoded, not verified.
func ParseTicketRequest(b []byte) (TicketRequest, error) {
	var e requestEnvelope
	if err := fastxml.Unmarshal(b, &e); err != nil {
		return TicketRequest{}, fmt.Errorf("msa: parse ticket request: %w", err)
	}
	r, err := e.request()
	if err != nil {
		return TicketRequest{}, fmt.Errorf("msa: parse ticket request: %w", err)
	}
	return r, nil
}

func (e requestEnvelope) request() (r TicketRequest, err error) {
	s := e.Header.Security
	if s.UsernameToken == nil || s.UsernameToken.Username == "" {
		return r, errors.New("UsernameToken is missing")
	}
	r.MessageID, r.Username, r.Password = e.Header.MessageID, s.UsernameToken.Username, s.UsernameToken.Password
	if r.Created, err = parseStamp("Created", s.Timestamp.Created); err != nil {
		return r, err
	}
	if r.Expires, err = parseStamp("Expires", s.Timestamp.Expires); err != nil {
		return r, err
	}
	if r.Proof, err = proof(s.BinaryTokens); err != nil {
		return r, err
	}
	var requests []tokenRequest
	if e.Body.One != nil {
		requests = append(requests, *e.Body.One)
	}
	if e.Body.Many != nil {
		requests = append(requests, e.Body.Many.Requests...)
	}
	for _, t := range requests {
		scope := Scope{Address: strings.TrimSpace(t.AppliesTo.Endpoint.Address)}
		if t.Policy != nil {
			scope.Policy = t.Policy.URI
		}
		r.Scopes = append(r.Scopes, scope)
	}
	if len(r.Scopes) == 0 {
		return r, errors.New("no token is asked for")
	}
	return r, nil
}

func proof(tokens []binaryToken) (*AttestedProof, error) {
	var p AttestedProof
	for _, t := range tokens {
		b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(t.Value))
		if err != nil {
			return nil, fmt.Errorf("BinarySecurityToken %q: %w", t.ID, err)
		}
		switch t.ValueType {
		case valueAIKCertificate:
			p.AIKCertificates = append(p.AIKCertificates, b)
		case valueAIKStatement:
			p.Statement = b
		default:
			return nil, fmt.Errorf("BinarySecurityToken %q has the unknown type %q", t.ID, t.ValueType)
		}
	}
	switch {
	case len(tokens) == 0:
		return nil, nil
	case len(p.AIKCertificates) == 0 || len(p.Statement) == 0:
		return nil, errors.New("proof is incomplete: it needs an AIK certificate and a statement")
	}
	return &p, nil
}
