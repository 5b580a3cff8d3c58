package connector

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Paths below https://<hosts.ODJConnector>. All are POST.
const (
	PathEnrol   = "/OfflineDomainJoin/Enroll"
	PathPoll    = "/OfflineDomainJoin/Poll"
	PathBlob    = "/OfflineDomainJoin/Blob"
	PathFailure = "/OfflineDomainJoin/Failure"
)

// MaxBody bounds a message, in bytes: the largest blob as base64, and room.
const MaxBody = 256 << 10

// MaxBlob bounds a blob that Intune takes, in bytes.
const MaxBlob = 64 << 10

// Enrol asks for a certificate; the Authorization header has the
// administrator's access token for Graph.
type Enrol struct {
	Name    string `json:"name"` // of the server that the connector is on
	Domain  string `json:"domain"`
	Version string `json:"version"`
	CSR     []byte `json:"csr"` // PKCS #10, DER
}

// Enrolled answers it.
type Enrolled struct {
	ConnectorID string `json:"connectorId"`
	Certificate []byte `json:"certificate"` // DER
}

// Poll asks for work, and says what the connector is now.
type Poll struct {
	Version string `json:"version"`
	Domain  string `json:"domain"`
	// Wait is how many seconds the connector is ready to wait for an answer that
	// has requests; 0: it wants to be answered at once. Intune may answer sooner.
	Wait int `json:"wait,omitempty"`
}

// Work answers it; Requests may be empty.
type Work struct {
	Requests []Request `json:"requests"`
	More     bool      `json:"more,omitempty"` // others wait: poll again at once
}

// Request is a computer account that a device needs.
type Request struct {
	ID                 string    `json:"requestId"`
	DeviceID           string    `json:"deviceId"` // Intune's
	Domain             string    `json:"domainName"`
	OrganizationalUnit string    `json:"organizationalUnit,omitempty"` // DN; "" is the Computers container
	NamePrefix         string    `json:"computerNamePrefix"`
	RandomCharacters   int       `json:"computerNameRandomCharacters"` // after the prefix
	Try                int       `json:"retryCount"`                   // of earlier connectors
	Lease              time.Time `json:"leaseExpires"`
}

// Blob brings what a request asked for.
type Blob struct {
	RequestID    string `json:"requestId"`
	ComputerName string `json:"computerName"`
	Blob         []byte `json:"blob"`
}

// Failure says why a request has no blob.
type Failure struct {
	RequestID      string `json:"requestId"`
	ErrorCode      uint32 `json:"errorCode"` // a Windows error
	DiagnosticCode uint32 `json:"diagnosticCode"`
	DiagnosticText string `json:"diagnosticText"`
	Final          bool   `json:"final"` // another try would fail as well
}

// Refusal is the body of an answer that is no success.
type Refusal struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Codes of refusals.
const (
	CodeVersion   = "ConnectorVersionNotSupported"
	CodeLease     = "RequestNotLeased"
	CodeUnknown   = "RequestNotFound"
	CodeInvalid   = "InvalidRequest"
	CodeForbidden = "Forbidden"
	CodeToken     = "InvalidToken"
	CodeBlob      = "InvalidBlob"
)

func (r Refusal) Error() string { return r.Code + ": " + r.Message }

var errTooLong = errors.New("more than " + fmt.Sprint(MaxBody) + " bytes")

// Decode reads a message of this package.
func Decode[T any](body []byte) (v T, err error) {
	if len(body) > MaxBody {
		return v, fmt.Errorf("connector: %w", errTooLong)
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return v, fmt.Errorf("connector: %w", err)
	}
	return v, nil
}
