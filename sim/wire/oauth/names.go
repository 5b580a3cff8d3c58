package oauth

// Hosts of the token service.
const (
	Host       = "login.microsoftonline.com"
	DeviceHost = "device.login.microsoftonline.com"
)

// Client identifiers of Microsoft's own applications.
const (
	// ClientBroker is the Windows authentication broker, which asks for join
	// tokens and for device tokens.
	ClientBroker = "29d9ed98-a469-4536-ade2-f981bc1d605e"
	// ClientPRT is the client that primary refresh tokens are issued to.
	ClientPRT = "38aa3b87-a06d-4817-b275-7a316988d93b"
)

// Audiences.
const (
	ResourceDRS      = "urn:ms-drs:enterpriseregistration.windows.net"
	ResourceMDM      = "https://enrollment.manage.microsoft.com/"
	ResourceIntune   = "https://manage.microsoft.com/" // management sessions and the management extension
	ResourceGraph    = "https://graph.microsoft.com"
	ResourceAADGraph = "https://graph.windows.net"
)

// Grant types (RFC 6749, RFC 7523, [MS-OAPXBC] 3.2.5.1.1 and the client's
// device token request).
const (
	GrantChallenge   = "srv_challenge"
	GrantPassword    = "password"
	GrantRefresh     = "refresh_token"
	GrantJWT         = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	GrantClient      = "client_credentials"
	GrantDeviceToken = "device_token"
	GrantSAML        = "urn:ietf:params:oauth:grant-type:saml1_1-bearer"
	GrantCode        = "authorization_code"
	GrantDeviceCode  = "urn:ietf:params:oauth:grant-type:device_code"
	GrantDeviceCode1 = "device_code" // version 1's name for it
)

// Redirect addresses that the broker names in its requests.
const (
	RedirectDRS = "ms-appx-web://Microsoft.AAD.BrokerPlugin/DRS"
	RedirectMDM = "ms-aadj-redir://auth/mdm"
)

// IssuerBroker is the iss of a JWT that the broker signs with the device key.
const IssuerBroker = "aad:brokerplugin"

// ScopePRT asks for a primary refresh token: aza is the scope that makes the
// service answer one ([MS-OAPXBC] 3.1.5.1.2).
const ScopePRT = "openid aza ugs"

// CapabilityKDF2 in the metadata says that the server knows kdf version 2
// ([MS-OIDCE] 2.2.3.2).
const CapabilityKDF2 = "kdf_ver2"

// Values of windows_api_version: protocol 2 of the PRT.
const (
	WindowsAPI20 = "2.0"
	WindowsAPI22 = "2.2"
)
