package msa

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/wire/fastxml"
)

// tokenTypeCompact is the only type that tickets of ours have.
const tokenTypeCompact = "urn:passport:compact"

// TicketResponse is a successful answer of RST2.srf.
type TicketResponse struct {
	PUID       PUID
	ServerTime time.Time
	Tickets    []IssuedTicket
}

// IssuedTicket is one ticket. Value is opaque to the device.
type IssuedTicket struct {
	Scope   string
	Value   string
	Created time.Time
	Expires time.Time
}

// For gives the ticket of a scope.
func (r TicketResponse) For(scope string) (t IssuedTicket, ok bool) {
	for _, t := range r.Tickets {
		if strings.EqualFold(t.Scope, scope) {
			return t, true
		}
	}
	return IssuedTicket{}, false
}

// Status codes of the service. Those for credentials and authentication states are published (PPCRL_* in passport
// client headers); the other two are our model.
const (
	statusOK              = 0
	stateAuthenticated    = 0x00048803
	stateUnauthenticated  = 0x80048800
	StatusBadCredentials  = 0x80048821 // name or password
	StatusBadRequest      = 0x80048FF0 // our model: the envelope cannot be read
	StatusTPMNotValidated = 0x80048FF1 // our model: the proof of the TPM is not accepted
)

// Fault is a refusal. As an error it prints the status.
type Fault struct {
	Status     uint32
	Subcode    string // wst:FailedAuthentication, wst:InvalidRequest
	Reason     string
	Internal   string // what the service logs; for people
	ServerTime time.Time
}

// Error prints the status and the reason.
func (f *Fault) Error() string {
	return fmt.Sprintf("msa: ticket refused: 0x%08X %s (%s)", f.Status, f.Reason, f.Internal)
}

// NewFault makes the refusal of a status.
func NewFault(status uint32, internal string, now time.Time) *Fault {
	f := &Fault{Status: status, Subcode: "wst:FailedAuthentication", Reason: "Authentication Failure", Internal: internal, ServerTime: now}
	if status == StatusBadRequest {
		f.Subcode, f.Reason = "wst:InvalidRequest", "Invalid Request"
	}
	return f
}

func hex32(n uint32) string { return fmt.Sprintf("0x%08x", n) }

// Encode writes the SOAP envelope.
func (r TicketResponse) Encode() ([]byte, error) {
	e := responseEnvelope{
		Header: responseHeader{Action: nsIssued, To: nsAnonymous, Passport: passport{ServerVersion: "1", PUID: r.PUID.String(),
			AuthState: hex32(stateAuthenticated), ReqStatus: hex32(statusOK), ServerInfo: serverInfo{stamp(r.ServerTime)}}},
		Body: responseBody{Tokens: &tokenResponses{}},
	}
	for i, t := range r.Tickets {
		e.Body.Tokens.Responses = append(e.Body.Tokens.Responses, tokenResponse{TokenType: tokenTypeCompact, AppliesTo: appliesTo{endpoint{t.Scope}},
			Lifetime:  lifetime{stamp(t.Created), stamp(t.Expires)},
			Requested: requestedToken{binaryToken{ID: fmt.Sprintf("Compact%d", i), Value: t.Value}}})
	}
	return document(e)
}

// Encode writes the SOAP envelope. The service sends it with HTTP 200.
func (f *Fault) Encode() ([]byte, error) {
	return document(responseEnvelope{
		Header: responseHeader{Passport: passport{ServerVersion: "1", AuthState: hex32(stateUnauthenticated), ReqStatus: hex32(f.Status), ServerInfo: serverInfo{stamp(f.ServerTime)}}},
		Body: responseBody{Fault: &soapFault{Code: faultCode{nsSOAP, nsTrust, "S:Sender", f.Subcode}, Reason: faultText{"en-US", f.Reason},
			Detail: faultDetail{faultError{hex32(f.Status), internalError{hex32(f.Status), f.Internal}}}}},
	})
}

// ParseTicketResponse reads an answer. A refusal comes back as an error with *Fault in its chain.
func ParseTicketResponse(b []byte) (TicketResponse, error) {
	var e responseEnvelope
	if err := fastxml.Unmarshal(b, &e); err != nil {
		return TicketResponse{}, fmt.Errorf("msa: parse ticket response: %w", err)
	}
	at, err := parseStamp("ServerTime", e.Header.Passport.ServerInfo.ServerTime)
	if err != nil {
		return TicketResponse{}, fmt.Errorf("msa: parse ticket response: %w", err)
	}
	if e.Body.Fault != nil {
		return TicketResponse{}, e.Body.Fault.fault(at)
	}
	r, err := e.tickets()
	if err != nil {
		return TicketResponse{}, fmt.Errorf("msa: parse ticket response: %w", err)
	}
	r.ServerTime = at
	return r, nil
}

func (f soapFault) fault(at time.Time) error {
	status, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(f.Detail.Error.Value), "0x"), 16, 32)
	if err != nil {
		return fmt.Errorf("msa: parse fault: %w", err)
	}
	return &Fault{Status: uint32(status), Subcode: f.Code.Subcode, Reason: f.Reason.Text, Internal: f.Detail.Error.Internal.Text, ServerTime: at}
}

func (e responseEnvelope) tickets() (r TicketResponse, err error) {
	if e.Body.Tokens == nil || len(e.Body.Tokens.Responses) == 0 {
		return r, errors.New("there is neither a ticket nor a fault")
	}
	if r.PUID, err = ParsePUID(strings.TrimSpace(e.Header.Passport.PUID)); err != nil {
		return r, err
	}
	for _, t := range e.Body.Tokens.Responses {
		issued := IssuedTicket{Scope: strings.TrimSpace(t.AppliesTo.Endpoint.Address), Value: strings.TrimSpace(t.Requested.Token.Value)}
		if issued.Created, err = parseStamp("Created", t.Lifetime.Created); err != nil {
			return r, err
		}
		if issued.Expires, err = parseStamp("Expires", t.Lifetime.Expires); err != nil {
			return r, err
		}
		r.Tickets = append(r.Tickets, issued)
	}
	return r, nil
}
