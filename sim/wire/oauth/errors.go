package oauth

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// AADSTS is a number of the token service's error table (learn.microsoft.com,
// "Microsoft Entra authentication and authorization error codes").
type AADSTS int

// Error is the body of a refusal (RFC 6749 5.2 with Entra's members).
type Error struct {
	Name          string   `json:"error"`
	Description   string   `json:"error_description"`
	Codes         []AADSTS `json:"error_codes,omitempty"`
	Timestamp     string   `json:"timestamp,omitempty"`
	TraceID       string   `json:"trace_id,omitempty"`
	CorrelationID string   `json:"correlation_id,omitempty"`
	URI           string   `json:"error_uri,omitempty"`
	// SubError says what a client can do about it: see [SubErrorBasicAction].
	SubError string `json:"suberror,omitempty"`
	// Claims is JSON that the client sends back with its next authorisation
	// request: which conditional access policies have to be met.
	Claims string `json:"claims,omitempty"`
}

// timeLayout is how Entra prints timestamps in error bodies.
const timeLayout = "2006-01-02 15:04:05Z"

// NewError fills the body of a refusal; detail, which may be empty, is added
// to the table's text. The ids are GUIDs.
func NewError(n AADSTS, detail, traceID, correlationID string, now time.Time) *Error {
	row, ok := numbers[n]
	if !ok {
		row.name = InvalidRequest
	}
	text := row.text
	if detail != "" {
		text += " " + detail
	}
	stamp := now.UTC().Format(timeLayout)
	return &Error{
		Name: row.name, SubError: row.sub,
		Description: fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
			n, text, traceID, correlationID, stamp),
		Codes: []AADSTS{n}, Timestamp: stamp, TraceID: traceID, CorrelationID: correlationID,
		URI: "https://" + Host + "/error?code=" + strconv.Itoa(int(n)),
	}
}

// Error prints the description.
func (e *Error) Error() string { return e.Name + ": " + e.Description }

// Code is the first AADSTS number, or 0.
func (e *Error) Code() AADSTS {
	if len(e.Codes) == 0 {
		return 0
	}
	return e.Codes[0]
}

// Status is the HTTP status of the refusal: 401 for a client that did not
// prove itself, else 400 (RFC 6749 5.2).
func (e *Error) Status() int {
	if e.Name == InvalidClient {
		return http.StatusUnauthorized
	}
	return http.StatusBadRequest
}

// ErrorText is what the table says about a number, or "".
func ErrorText(n AADSTS) string { return numbers[n].text }
