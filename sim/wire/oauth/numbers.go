package oauth

// The numbers that this package knows. The values are those of the page that
// [AADSTS] cites; where that page has none, the number is one that clients of
// the real service report.
const (
	SeveralResources        AADSTS = 28000
	ReplyAddressMismatch    AADSTS = 50011
	InvalidAssertion        AADSTS = 50013
	UserNotInTenant         AADSTS = 50020
	JWTMalformed            AADSTS = 50027
	UserNotFound            AADSTS = 50034
	UnknownInstance         AADSTS = 50049
	AccountLocked           AADSTS = 50053
	PasswordExpired         AADSTS = 50055
	PasswordMissing         AADSTS = 50056
	AccountDisabled         AADSTS = 50057
	SessionMissing          AADSTS = 50058
	TenantNotNamed          AADSTS = 50059
	StrongAuthFailed        AADSTS = 50074
	MFARequired             AADSTS = 50076
	MFAEnrolmentRequired    AADSTS = 50079
	DeviceAuthRequired      AADSTS = 50097
	InvalidCredentials      AADSTS = 50126
	DeviceAuthFailed        AADSTS = 50155
	ExternalChallenge       AADSTS = 50158
	GrantRevoked            AADSTS = 50173
	RequestLoop             AADSTS = 50196
	DeviceNotCompliant      AADSTS = 53000
	DeviceNotJoined         AADSTS = 53001
	AppNotApproved          AADSTS = 53002
	AccessBlocked           AADSTS = 53003
	AppNotProtected         AADSTS = 53009
	CodeRedeemed            AADSTS = 54005
	ConsentRequired         AADSTS = 65001
	UserDeclined            AADSTS = 65004
	InvalidRefreshToken     AADSTS = 70000
	UnsupportedGrant        AADSTS = 70003
	UnsupportedResponse     AADSTS = 70005
	UnsupportedResponseMode AADSTS = 70007
	RefreshTokenExpired     AADSTS = 70008
	InvalidScope            AADSTS = 70011
	AuthorizationPending    AADSTS = 70016
	BadVerificationCode     AADSTS = 70018
	VerificationExpired     AADSTS = 70019
	DeviceCodeExpired       AADSTS = 70020
	SignInFrequency         AADSTS = 70043
	TenantNotFound          AADSTS = 90002
	MissingParameter        AADSTS = 90014
	InvalidInput            AADSTS = 90023
	MissingBodyParameter    AADSTS = 900144
	PostOnly                AADSTS = 900561
	ResourceNotFound        AADSTS = 500011
	CodeRedirectMismatch    AADSTS = 500112
	SecondFactorWrong       AADSTS = 500121
	AssertionAudience       AADSTS = 500131
	AssertionNotInTime      AADSTS = 500133
	DeviceDisabled          AADSTS = 135011
	VerifierMismatch        AADSTS = 501481
	VerifierMissing         AADSTS = 501482
	DeviceMustBeManaged     AADSTS = 530003
	DeviceNotFound          AADSTS = 700003
	WrongTenantForGrant     AADSTS = 700005
	AppNotFound             AADSTS = 700016
	AssertionOfOtherApp     AADSTS = 700021
	AssertionWrongAudience  AADSTS = 700023
	AssertionExpired        AADSTS = 700024
	PublicWithCredential    AADSTS = 700025
	InvalidClientAssertion  AADSTS = 700027
	CertificateNotFound     AADSTS = 700030
	ResponseTypeNotEnabled  AADSTS = 700054
	RefreshTokenInactive    AADSTS = 700082
	SPARefreshTokenExpired  AADSTS = 700084
	AdminConsentRequired    AADSTS = 90094
	ScopeUnknown            AADSTS = 650053
	ScopeNeedsDefault       AADSTS = 1002012
	OldKeyDerivation        AADSTS = 5000611
	UnsupportedTransport    AADSTS = 5001210
	AppDisabled             AADSTS = 7000112
	InvalidClientSecret     AADSTS = 7000215
	CredentialMissing       AADSTS = 7000218
	ClientSecretExpired     AADSTS = 7000222
	MalformedRequest        AADSTS = 9002313
	VerifierRequired        AADSTS = 9002325
	SPANeedsOrigin          AADSTS = 9002327
	DuplicateParameter      AADSTS = 9000411
)

// Error names of RFC 6749 4.1.2.1 and 5.2, RFC 8628 3.5, [MS-OAPX] 2.2.4 and
// OpenID Connect Core 3.1.2.6.
const (
	InvalidRequest          = "invalid_request"
	InvalidClient           = "invalid_client"
	InvalidGrant            = "invalid_grant"
	UnauthorizedClient      = "unauthorized_client"
	UnsupportedGrantType    = "unsupported_grant_type"
	UnsupportedResponseType = "unsupported_response_type"
	InvalidResource         = "invalid_resource"
	InvalidScopeName        = "invalid_scope"
	InvalidInstance         = "invalid_instance"
	InteractionRequired     = "interaction_required"
	LoginRequired           = "login_required"
	ConsentRequiredName     = "consent_required"
	AccessDenied            = "access_denied"
	Pending                 = "authorization_pending"
	SlowDown                = "slow_down"
	Declined                = "authorization_declined"
	ExpiredToken            = "expired_token"
	BadVerification         = "bad_verification_code"
)

// Values of suberror (learn.microsoft.com, "Handle errors and exceptions in
// MSAL").
const (
	SubErrorBasicAction     = "basic_action" // the user can do something about it
	SubErrorMessageOnly     = "message_only" // the user can only be told
	SubErrorConsentRequired = "consent_required"
	SubErrorBadToken        = "bad_token"
	SubErrorTokenExpired    = "token_expired"
)

var numbers = map[AADSTS]struct{ name, text, sub string }{
	ReplyAddressMismatch:    {InvalidRequest, "The redirect URI of the request is not one of those registered for the application.", ""},
	InvalidAssertion:        {InvalidGrant, "The assertion is not valid.", ""},
	UserNotInTenant:         {InvalidGrant, "The user account is not one of the tenant asked.", ""},
	JWTMalformed:            {InvalidRequest, "The JSON web token cannot be read.", ""},
	UserNotFound:            {InvalidGrant, "The user account does not exist in the directory.", ""},
	UnknownInstance:         {InvalidInstance, "The authority is not known.", ""},
	AccountLocked:           {InvalidGrant, "The account is locked.", ""},
	PasswordExpired:         {InvalidGrant, "The password has expired.", ""},
	PasswordMissing:         {InvalidGrant, "The password is missing.", ""},
	AccountDisabled:         {InvalidGrant, "The user account is disabled.", ""},
	SessionMissing:          {LoginRequired, "A silent sign-in was asked for, but no user is signed in.", ""},
	TenantNotNamed:          {InvalidRequest, "The request names no tenant, and no user to find it by.", ""},
	StrongAuthFailed:        {InteractionRequired, "The second factor was not given.", ""},
	MFARequired:             {InteractionRequired, "Multifactor authentication is required.", SubErrorBasicAction},
	MFAEnrolmentRequired:    {InteractionRequired, "The user has to set up multifactor authentication.", SubErrorBasicAction},
	DeviceAuthRequired:      {InteractionRequired, "Device authentication is required.", ""},
	InvalidCredentials:      {InvalidGrant, "User name or password is not right.", ""},
	DeviceAuthFailed:        {InvalidGrant, "Device authentication failed.", ""},
	ExternalChallenge:       {InteractionRequired, "The user has to accept the terms of use.", SubErrorBasicAction},
	GrantRevoked:            {InvalidGrant, "The grant was revoked: the user's password changed after it was given.", SubErrorBadToken},
	RequestLoop:             {InvalidGrant, "The client asked the same thing too often.", ""},
	DeviceNotCompliant:      {InteractionRequired, "The device is not compliant.", ""},
	DeviceNotJoined:         {InteractionRequired, "The device has to be joined to the domain.", SubErrorMessageOnly},
	AppNotApproved:          {InteractionRequired, "The application is not one that the policy approves.", SubErrorMessageOnly},
	AppNotProtected:         {InteractionRequired, "The application has no protection policy.", SubErrorMessageOnly},
	OldKeyDerivation:        {InvalidGrant, "The version of the key derivation function is not valid any more for this device.", ""},
	AccessBlocked:           {InteractionRequired, "Conditional access blocks the sign-in.", SubErrorMessageOnly},
	CodeRedeemed:            {InvalidGrant, "The authorization code was redeemed before.", ""},
	ConsentRequired:         {InvalidGrant, "No user or administrator has consented to the application.", SubErrorConsentRequired},
	UserDeclined:            {AccessDenied, "The user declined.", ""},
	UnsupportedGrant:        {UnsupportedGrantType, "The grant type is not supported.", ""},
	UnsupportedResponse:     {UnsupportedResponseType, "The response type is not supported.", ""},
	UnsupportedResponseMode: {InvalidRequest, "The response mode is not supported for what was asked.", ""},
	RefreshTokenExpired:     {InvalidGrant, "The grant has expired or was revoked.", SubErrorTokenExpired},
	InvalidScope:            {InvalidScopeName, "The scope is not valid.", ""},
	AuthorizationPending:    {Pending, "The user has not finished yet.", ""},
	BadVerificationCode:     {BadVerification, "The device code is not known.", ""},
	VerificationExpired:     {ExpiredToken, "The user code has expired.", ""},
	DeviceCodeExpired:       {ExpiredToken, "The device code has expired.", ""},
	SignInFrequency:         {InvalidGrant, "The refresh token has expired: conditional access asks for a sign-in.", SubErrorTokenExpired},
	InvalidRefreshToken:     {InvalidGrant, "The grant is not valid.", SubErrorBadToken},
	TenantNotFound:          {InvalidRequest, "The tenant was not found.", ""},
	MissingParameter:        {InvalidRequest, "A required parameter is missing.", ""},
	InvalidInput:            {InvalidRequest, "The request is not valid.", ""},
	MissingBodyParameter:    {InvalidRequest, "The request body lacks a parameter.", ""},
	PostOnly:                {InvalidRequest, "The endpoint accepts POST only.", ""},
	ResourceNotFound:        {InvalidResource, "The resource is not known in the tenant.", ""},
	CodeRedirectMismatch:    {InvalidClient, "The redirect URI is not the one that the authorization code was asked with.", ""},
	SecondFactorWrong:       {InvalidGrant, "The second factor was not right.", ""},
	AssertionAudience:       {InvalidGrant, "The assertion's audience is not the application that presents it.", ""},
	AssertionNotInTime:      {InvalidGrant, "The assertion is outside the time in which it is valid.", ""},
	DeviceDisabled:          {InvalidGrant, "The device is disabled.", ""},
	VerifierMismatch:        {InvalidGrant, "The code verifier does not fit the code challenge.", ""},
	VerifierMissing:         {InvalidGrant, "The code verifier is missing or malformed.", ""},
	DeviceMustBeManaged:     {InteractionRequired, "The device has to be managed.", ""},
	DeviceNotFound:          {InvalidGrant, "The device object was not found in the directory.", ""},
	AppNotFound:             {UnauthorizedClient, "The application was not found in the directory.", ""},
	AssertionOfOtherApp:     {InvalidClient, "The client assertion names another application.", ""},
	SeveralResources:        {InvalidScopeName, "The scopes are of more than one resource.", ""},
	AssertionWrongAudience:  {InvalidClient, "The client assertion is meant for another audience.", ""},
	AssertionExpired:        {InvalidClient, "The client assertion is outside the time in which it is valid.", ""},
	PublicWithCredential:    {InvalidClient, "The application is public: neither secret nor assertion may be presented.", ""},
	RefreshTokenInactive:    {InvalidGrant, "The refresh token has expired because it was not used.", SubErrorTokenExpired},
	SPARefreshTokenExpired:  {InvalidGrant, "The refresh token of a single page application has expired.", SubErrorTokenExpired},
	InvalidClientSecret:     {InvalidClient, "The client secret is not right.", ""},
	WrongTenantForGrant:     {InvalidGrant, "The grant was issued for another tenant.", ""},
	UnsupportedTransport:    {InvalidGrant, "The transport key's format is not supported.", ""},
	InvalidClientAssertion:  {InvalidClient, "The client assertion's signature is not valid.", ""},
	CertificateNotFound:     {InvalidClient, "The client assertion's certificate is not valid.", ""},
	ResponseTypeNotEnabled:  {UnsupportedResponseType, "The application may not be given tokens by the authorisation endpoint.", ""},
	AdminConsentRequired:    {InvalidGrant, "An administrator has to consent to what the application asks for.", SubErrorConsentRequired},
	ScopeUnknown:            {InvalidClient, "The application asked for a scope that the resource does not have.", ""},
	ScopeNeedsDefault:       {InvalidScopeName, "An application asks for a resource's scope /.default.", ""},
	AppDisabled:             {UnauthorizedClient, "The application is disabled.", ""},
	CredentialMissing:       {InvalidClient, "The request has neither client_secret nor client_assertion.", ""},
	ClientSecretExpired:     {InvalidClient, "The client secret has expired.", ""},
	MalformedRequest:        {InvalidRequest, "The request is malformed.", ""},
	VerifierRequired:        {InvalidRequest, "A code of a single page application needs a code verifier.", ""},
	SPANeedsOrigin:          {InvalidRequest, "Tokens of a single page application can be redeemed by cross-origin requests only.", ""},
	DuplicateParameter:      {InvalidRequest, "A parameter is there twice.", ""},
}
