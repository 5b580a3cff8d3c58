package graph

import (
	"encoding/json"
	"time"
)

// Host is where Graph lives.
const Host = "graph.microsoft.com"

// Diagnostic is the x-ms-ags-diagnostic header: what Graph's front says of itself, which support asks for.
const Diagnostic = `{"ServerInfo":{"DataCenter":"Windtunnel","Slice":"E","Ring":"1","ScaleUnit":"000","RoleInstance":"WT000001"}}`

// Collection is the envelope of a list.
type Collection[T any] struct {
	Context  string `json:"@odata.context,omitempty"`
	Count    *int   `json:"@odata.count,omitempty"`
	NextLink string `json:"@odata.nextLink,omitempty"`
	Value    []T    `json:"value"`
}

// MarshalJSON writes an empty list as [], never as null.
func (c Collection[T]) MarshalJSON() ([]byte, error) {
	type plain Collection[T]
	if c.Value == nil {
		c.Value = []T{}
	}
	return json.Marshal(plain(c))
}

// RawCollection is a Collection of resources that are encoded already.
type RawCollection Collection[json.RawMessage]

// Encode gives what json.Marshal gives of the Collection, without looking at the resources again.
func (c RawCollection) Encode() ([]byte, error) {
	items := c.Value
	c.Value = nil
	head, err := json.Marshal(Collection[json.RawMessage](c)) // ends in "value":[]}
	if err != nil {
		return nil, err
	}
	size := len(head) + len(items)
	for _, item := range items {
		size += len(item)
	}
	out := append(make([]byte, 0, size), head[:len(head)-2]...)
	for i, item := range items {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, item...)
	}
	return append(out, "]}"...), nil
}

// Error codes that clients look for.
const (
	CodeInvalidToken     = "InvalidAuthenticationToken"  // 401
	CodeDenied           = "Authorization_RequestDenied" // 403, directory
	CodeForbidden        = "Forbidden"                   // 403, Intune
	CodeNotFound         = "ResourceNotFound"            // 404, Intune
	CodeRequestNotFound  = "Request_ResourceNotFound"    // 404, directory
	CodeBadRequest       = "BadRequest"                  // 400
	CodeUnsupportedQuery = "Request_UnsupportedQuery"    // 400, directory
	CodeConflict         = "Conflict"                    // 409
	CodeTooManyRequests  = "TooManyRequests"             // 429
	CodeNotImplemented   = "NotImplemented"              // 501: not modelled here
	CodeUnavailable      = "ServiceUnavailable"          // 503
	CodeInternal         = "InternalServerError"         // 500
)

// Error is the body of every answer that is not a success.
type Error struct {
	Error ErrorDetail `json:"error"`
}

// ErrorDetail is what SDKs show of an error.
type ErrorDetail struct {
	Code       string      `json:"code"`
	Message    string      `json:"message"`
	InnerError *InnerError `json:"innerError,omitempty"`
}

// InnerError identifies the request.
type InnerError struct {
	Date            string `json:"date"` // 2026-09-01T08:00:00, without zone
	RequestID       string `json:"request-id"`
	ClientRequestID string `json:"client-request-id"`
}

// NewError builds a body. An empty clientRequestID becomes requestID, as Graph does.
func NewError(code, message string, now time.Time, requestID, clientRequestID string) Error {
	if clientRequestID == "" {
		clientRequestID = requestID
	}
	return Error{ErrorDetail{Code: code, Message: message, InnerError: &InnerError{
		Date: now.UTC().Format("2006-01-02T15:04:05"), RequestID: requestID, ClientRequestID: clientRequestID}}}
}

// IntuneMessage is the JSON text that Intune puts into the message member of an error; clients print it.
type IntuneMessage struct {
	Version            int    `json:"_version"`
	Message            string `json:"Message"`
	CustomAPIErrorCode string `json:"CustomApiErrorPhrase"`
	RetryAfter         *int   `json:"RetryAfter"`
	ErrorSourceService string `json:"ErrorSourceService"`
	HTTPHeaders        string `json:"HttpHeaders"`
}

// String gives the text form.
func (m IntuneMessage) String() string {
	if m.Version == 0 {
		m.Version = 3
	}
	if m.HTTPHeaders == "" {
		m.HTTPHeaders = "{}"
	}
	b, err := json.Marshal(m)
	if err != nil {
		return m.Message
	}
	return string(b)
}
