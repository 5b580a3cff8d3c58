package maa

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// Path and APIVersion are the operation's address.
const (
	Path       = "/attest/Tpm"
	APIVersion = "2020-10-01"
	// ContentType of all messages.
	ContentType = "application/json"
	// TypeAIKCert is the only type of attestation that the first message can ask
	// for.
	TypeAIKCert = "aikcert"
	// HeaderCorrelation carries the caller's correlation vector, in the answer the
	// service's own identifier of the exchange.
	HeaderCorrelation = "x-ms-request-id"
)

// MaxBytes bounds a message, far above a request with the largest log.
const MaxBytes = 1 << 20

// Bytes are octets that travel as unpadded base64url.
type Bytes []byte

// MarshalText writes base64url.
func (b Bytes) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, b), nil
}

// UnmarshalText reads it.
func (b *Bytes) UnmarshalText(text []byte) error {
	out, err := base64.RawURLEncoding.Strict().AppendDecode(nil, text)
	*b = out
	return err
}

// What a message is refused for.
var (
	ErrMalformed = errors.New("message is malformed")
	ErrLong      = errors.New("message is too long")
)

// ToService is what a client sends: the first message has a Type, the second a
// Request.
type ToService struct {
	Type    string `json:"type,omitempty"`
	Request string `json:"request,omitempty"` // compact JWS, see [SignRequest]
}

// ToClient is what the service answers: a challenge, then a report.
type ToClient struct {
	Challenge      Bytes  `json:"challenge,omitempty"`
	ServiceContext Bytes  `json:"service_context,omitempty"`
	Report         string `json:"report,omitempty"` // compact JWT, see [Verify]
}

// envelope is the body of the Attest TPM operation.
type envelope struct {
	Data Bytes `json:"data"`
}

// Encode writes a message in its envelope.
func Encode[T ToService | ToClient](m T) ([]byte, error) {
	inner, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("maa: encode: %w", err)
	}
	return json.Marshal(envelope{inner})
}

// Decode reads a message, in its envelope or bare.
func Decode[T ToService | ToClient](body []byte) (T, error) {
	var m T
	if len(body) > MaxBytes {
		return m, fmt.Errorf("maa: %w", ErrLong)
	}
	var e envelope
	if json.Unmarshal(body, &e) == nil && len(e.Data) > 0 {
		body = e.Data
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return m, fmt.Errorf("maa: %w: %w", ErrMalformed, err)
	}
	return m, nil
}

// Error is the body of a refusal (CloudError of the REST API).
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error says both.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Codes of refusals.
const (
	CodeInvalid      = "InvalidParameter"
	CodeNotSupported = "UnsupportedApiVersion"
	CodeFailed       = "AttestationFailed"
)

// EncodeError writes the body of a refusal.
func EncodeError(e Error) []byte {
	b, err := json.Marshal(struct {
		Error Error `json:"error"`
	}{e})
	if err != nil {
		return nil // two texts always marshal
	}
	return b
}

// DecodeError reads one; a body of another form gives no code and the text
// itself, shortened.
func DecodeError(body []byte) *Error {
	var v struct {
		Error Error `json:"error"`
	}
	if json.Unmarshal(body, &v) == nil && v.Error.Code != "" {
		return &v.Error
	}
	return &Error{Message: string(body[:min(len(body), 200)])}
}

// Key is a public key as the messages carry it (RFC 7517).
type Key = jose.JSONWebKey
