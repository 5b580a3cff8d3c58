package drs

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"windtunnel.test/sim/hresult"
)

// ErrorDetails is the body of a refusal, HTTP 400 ([MS-DVRJ] 2.2.2.4). The
// cloud names the kind Code; AD FS names it ErrorType. Both are read.
type ErrorDetails struct {
	Code    string `json:"Code"`
	SubCode string `json:"SubCode,omitempty"`
	// Operation is what was refused, as the cloud writes it.
	Operation string `json:"Operation,omitempty"`
	Message   string `json:"Message"`
	RequestID string `json:"RequestId,omitempty"`
	TraceID   string `json:"TraceId"`
	Time      string `json:"Time"` // dd-MM-yyyy HH:mm:ssZ
}

// Kinds of refusal ([MS-DVRJ] 2.2.2.4 and the "troubleshoot hybrid join" page).
const (
	MalformedMessage    = "MalformedMessage"
	InvalidRequest      = "invalid_request"
	AuthenticationError = "AuthenticationError"
	AuthorizationError  = "AuthorizationError"
	InternalServerError = "InternalServerError"
	DirectoryError      = "DirectoryError"
	ServiceBusy         = "ServiceBusy"
)

// Sub-codes. MsaTicketTpmValidationFailed was observed on real services; the
// names of the other attestation sub-codes are our model, their results are
// the documented HRESULTs.
const (
	SubDeviceNotFound          = "DeviceNotFound"
	SubTenantNotFound          = "TenantNotFound"
	SubQuota                   = "DeviceQuotaExceeded"
	SubMFA                     = "MultiFactorAuthenticationRequired"
	SubMsaTicket               = "MsaTicketValidationFailed"
	SubMsaTicketTPM            = "MsaTicketTpmValidationFailed"
	SubAIK                     = "AikValidationFailed"
	SubAIKExpired              = "AikCertificateExpired"
	SubAttestation             = "AttestationValidationFailed"
	SubAutopilotDeviceDeleted  = "AutopilotDeviceNotFound"
	SubAutopilotDeviceNotKnown = "AutopilotDeviceNotRegistered"
)

// timeLayout is how the cloud prints Time.
const timeLayout = "02-01-2006 15:04:05Z"

// NewError fills a refusal; id is both trace and request id.
func NewError(code, sub, operation, message, id string, now time.Time) *ErrorDetails {
	return &ErrorDetails{Code: code, SubCode: sub, Operation: operation, Message: message,
		RequestID: id, TraceID: id, Time: now.UTC().Format(timeLayout)}
}

// Error prints kind, sub-code and text.
func (e *ErrorDetails) Error() string {
	if e.SubCode == "" {
		return fmt.Sprintf("%s: %s", e.Code, e.Message)
	}
	return fmt.Sprintf("%s/%s: %s", e.Code, e.SubCode, e.Message)
}

// Status is the HTTP status that carries the refusal.
func (e *ErrorDetails) Status() int {
	switch e.Code {
	case InternalServerError:
		return http.StatusInternalServerError
	case ServiceBusy:
		return http.StatusServiceUnavailable
	case AuthenticationError:
		if e.SubCode == "" {
			return http.StatusUnauthorized
		}
	}
	return http.StatusBadRequest
}

// UnmarshalJSON reads the cloud's, AD FS's and the lower-case form of the
// newer endpoints of the same host.
func (e *ErrorDetails) UnmarshalJSON(b []byte) error {
	// encoding/json matches member names without case, so code and Code are one.
	var w struct {
		Code, ErrorType, SubCode, Operation, Message, RequestID, TraceID, Time string
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return fmt.Errorf("drs: error body: %w", err)
	}
	if w.Code == "" {
		w.Code = w.ErrorType
	}
	*e = ErrorDetails{w.Code, w.SubCode, w.Operation, w.Message, w.RequestID, w.TraceID, w.Time}
	return nil
}

type kind struct{ code, sub string }

// results is the client's table ("troubleshoot hybrid join" and the DSREG
// error pages of learn.microsoft.com): a kind with its sub-code first, then the
// kind alone.
var results = map[kind]hresult.Code{
	{MalformedMessage, ""}:                   hresult.JoinMessageFormat,
	{InvalidRequest, ""}:                     hresult.JoinMessageFormat,
	{AuthenticationError, ""}:                hresult.JoinAuthentication,
	{AuthenticationError, SubDeviceNotFound}: hresult.JoinDirectoryFailure,
	{AuthorizationError, ""}:                 hresult.JoinAuthorization,
	{AuthorizationError, SubMsaTicketTPM}:    hresult.JoinAuthorization,
	{AuthorizationError, SubAIK}:             hresult.JoinAIKValidation,
	{AuthorizationError, SubAIKExpired}:      hresult.JoinAIKCertificateExpired,
	{AuthorizationError, SubAttestation}:     hresult.JoinAttestation,
	// Attested, but the join failed.
	{AuthorizationError, SubAutopilotDeviceNotKnown}: hresult.JoinServerNotAuthorized,
	{AuthorizationError, SubQuota}:                   hresult.JoinQuotaReached,
	{InternalServerError, ""}:                        hresult.JoinInternalService,
	{ServiceBusy, ""}:                                hresult.JoinServerBusy,
	{DirectoryError, ""}:                             hresult.JoinDirectoryFailure,
	{DirectoryError, SubQuota}:                       hresult.JoinQuotaReached,
	{DirectoryError, SubAutopilotDeviceDeleted}:      hresult.JoinDeviceObjectDeleted,
	{DirectoryError, SubTenantNotFound}:              hresult.JoinTenantNotFound,
	{InvalidRequest, SubTenantNotFound}:              hresult.JoinTenantNotFound,
}

// HResult is what the client reports for this refusal. An unknown kind is the
// internal error, as for a body that does not decode.
func (e *ErrorDetails) HResult() hresult.Code {
	if c, ok := results[kind{e.Code, e.SubCode}]; ok {
		return c
	}
	if c, ok := results[kind{e.Code, ""}]; ok {
		return c
	}
	return hresult.JoinInternalService
}

// DiscoveryResult is the client's result for a failed discovery by HTTP
// status; body may be nil. 0 status means that the time ran out.
func DiscoveryResult(status int, body *ErrorDetails) hresult.Code {
	switch {
	case status == 0:
		return hresult.AutoJoinDiscoveryTimeout
	case status == http.StatusServiceUnavailable:
		return hresult.JoinServerBusy
	case body != nil && body.SubCode == SubTenantNotFound, status == http.StatusNotFound:
		return hresult.JoinTenantNotFound
	}
	return hresult.AutoJoinDiscoveryFailed
}
