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

// The numbers that this package knows.
const (
	InvalidAssertion       AADSTS = 50013
	JWTMalformed           AADSTS = 50027
	UserNotFound           AADSTS = 50034
	AccountLocked          AADSTS = 50053
	PasswordExpired        AADSTS = 50055
	AccountDisabled        AADSTS = 50057
	MFARequired            AADSTS = 50076
	MFAEnrolmentRequired   AADSTS = 50079
	DeviceAuthRequired     AADSTS = 50097
	InvalidCredentials     AADSTS = 50126
	DeviceAuthFailed       AADSTS = 50155
	RequestLoop            AADSTS = 50196
	DeviceNotCompliant     AADSTS = 53000
	ConsentRequired        AADSTS = 65001
	UnsupportedGrant       AADSTS = 70003
	RefreshTokenExpired    AADSTS = 70008
	AuthorizationPending   AADSTS = 70016
	InvalidRefreshToken    AADSTS = 70000
	TenantNotFound         AADSTS = 90002
	MissingParameter       AADSTS = 90014
	ResourceNotFound       AADSTS = 500011
	DeviceDisabled         AADSTS = 135011
	DeviceMustBeManaged    AADSTS = 530003
	DeviceNotFound         AADSTS = 700003
	AppNotFound            AADSTS = 700016
	RefreshTokenInactive   AADSTS = 700082
	InvalidClientSecret    AADSTS = 7000215
	WrongTenantForGrant    AADSTS = 700005
	UnsupportedTransport   AADSTS = 5001210
	InvalidClientAssertion AADSTS = 700027
)

// Error names of RFC 6749 5.2, [MS-OAPX] 2.2.4 and OpenID Connect.
const (
	InvalidRequest       = "invalid_request"
	InvalidClient        = "invalid_client"
	InvalidGrant         = "invalid_grant"
	UnauthorizedClient   = "unauthorized_client"
	UnsupportedGrantType = "unsupported_grant_type"
	InvalidResource      = "invalid_resource"
	InteractionRequired  = "interaction_required"
	Pending              = "authorization_pending"
)

var numbers = map[AADSTS]struct{ name, text string }{
	InvalidAssertion:       {InvalidGrant, "The assertion is not valid."},
	JWTMalformed:           {InvalidRequest, "The JSON web token cannot be read."},
	UserNotFound:           {InvalidGrant, "The user account does not exist in the directory."},
	AccountLocked:          {InvalidGrant, "The account is locked."},
	PasswordExpired:        {InvalidGrant, "The password has expired."},
	AccountDisabled:        {InvalidGrant, "The user account is disabled."},
	MFARequired:            {InteractionRequired, "Multifactor authentication is required."},
	MFAEnrolmentRequired:   {InteractionRequired, "The user has to set up multifactor authentication."},
	DeviceAuthRequired:     {InteractionRequired, "Device authentication is required."},
	InvalidCredentials:     {InvalidGrant, "User name or password is not right."},
	DeviceAuthFailed:       {InvalidGrant, "Device authentication failed."},
	RequestLoop:            {InvalidGrant, "The client asked the same thing too often."},
	DeviceNotCompliant:     {InteractionRequired, "The device is not compliant."},
	ConsentRequired:        {InvalidGrant, "No user or administrator has consented to the application."},
	UnsupportedGrant:       {UnsupportedGrantType, "The grant type is not supported."},
	RefreshTokenExpired:    {InvalidGrant, "The refresh token has expired."},
	AuthorizationPending:   {Pending, "The user has not finished yet."},
	InvalidRefreshToken:    {InvalidGrant, "The grant is not valid."},
	TenantNotFound:         {InvalidRequest, "The tenant was not found."},
	MissingParameter:       {InvalidRequest, "A required parameter is missing."},
	ResourceNotFound:       {InvalidResource, "The resource is not known in the tenant."},
	DeviceDisabled:         {InvalidGrant, "The device is disabled."},
	DeviceMustBeManaged:    {InteractionRequired, "The device has to be managed."},
	DeviceNotFound:         {InvalidGrant, "The device object was not found in the directory."},
	AppNotFound:            {UnauthorizedClient, "The application was not found in the directory."},
	RefreshTokenInactive:   {InvalidGrant, "The refresh token has expired because it was not used."},
	InvalidClientSecret:    {InvalidClient, "The client secret is not right."},
	WrongTenantForGrant:    {InvalidGrant, "The grant was issued for another tenant."},
	UnsupportedTransport:   {InvalidGrant, "The transport key's format is not supported."},
	InvalidClientAssertion: {InvalidClient, "The client assertion's signature is not valid."},
}

// Error is the body of a refusal (RFC 6749 5.2 with Entra's members).
type Error struct {
	Name          string   `json:"error"`
	Description   string   `json:"error_description"`
	Codes         []AADSTS `json:"error_codes,omitempty"`
	Timestamp     string   `json:"timestamp,omitempty"`
	TraceID       string   `json:"trace_id,omitempty"`
	CorrelationID string   `json:"correlation_id,omitempty"`
	URI           string   `json:"error_uri,omitempty"`
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
		Name: row.name,
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
