package hresult

// Device registration with Entra ID (DSREG), facility 28.
const (
	JoinMessageFormat         Code = 0x801C0001
	JoinAuthentication        Code = 0x801C0002
	JoinAuthorization         Code = 0x801C0003
	JoinInternalService       Code = 0x801C0006
	JoinRedirectNotTrusted    Code = 0x801C000B
	JoinDiscoveryFailed       Code = 0x801C000C
	JoinQuotaReached          Code = 0x801C000E
	JoinRebootRequired        Code = 0x801C000F
	JoinAIKValidation         Code = 0x801C0010
	JoinAttestation           Code = 0x801C0011
	JoinDiscoveryBadMessage   Code = 0x801C0012
	JoinTenantIDNotFound      Code = 0x801C0013
	JoinUserSIDNotFound       Code = 0x801C0014
	AutoJoinADConfigRead      Code = 0x801C001D
	AutoJoinDiscoveryTimeout  Code = 0x801C001F
	AutoJoinDiscoveryFailed   Code = 0x801C0021
	JoinServerBusy            Code = 0x801C0025
	JoinTenantNotFound        Code = 0x801C003A
	AutoJoinRealmDiscovery    Code = 0x801C003D
	JoinBadServerMessage      Code = 0x801C03E9
	JoinServerNotAuthorized   Code = 0x801C03EA
	JoinBadHTTPStatus         Code = 0x801C03EB
	JoinServerException       Code = 0x801C03EC
	JoinRequestFailed         Code = 0x801C03ED
	JoinAttestationFailed     Code = 0x801C03EE
	JoinAIKCertificateExpired Code = 0x801C03EF
	JoinDirectoryFailure      Code = 0x801C03F2
	JoinDeviceObjectDeleted   Code = 0x801C03F3
)

const pageJoinPages = "learn.microsoft.com/windows/client-management/azure-active-directory-integration-with-mdm"

var registration = []Entry{
	{JoinMessageFormat, "DSREG_E_DEVICE_MESSAGE_FORMAT_ERROR", "the registration service could not read the message", pageJoinPages},
	{JoinAuthentication, "DSREG_E_DEVICE_AUTHENTICATION_ERROR", "AuthenticationError whose sub-code is not DeviceNotFound", pageHybridJoin},
	{JoinAuthorization, "DSREG_E_DEVICE_AUTHORIZATION_ERROR", "the user or device may not join", pageJoinPages},
	{JoinInternalService, "DSREG_E_DEVICE_INTERNALSERVICE_ERROR", "the registration service failed", pageHybridJoin},
	{JoinRedirectNotTrusted, "DSREG_E_DISCOVERY_REDIRECTION_NOT_TRUSTED", "discovery was redirected to a host that is not trusted", pageJoinPages},
	{JoinDiscoveryFailed, "DSREG_E_DISCOVERY_FAILED", "discovery of the registration service failed", pageJoinPages},
	{JoinQuotaReached, "DSREG_E_DEVICE_REGISTRATION_QUOTA_EXCCEEDED", "the user has joined too many devices", pageJoinPages + "; " + pageHello},
	{JoinRebootRequired, "DSREG_E_DEVICE_REQUIRES_REBOOT", "done, but the device has to restart", pageJoinPages + "; " + pageHello},
	{JoinAIKValidation, "DSREG_E_DEVICE_AIK_VALIDATION_ERROR", "the AIK certificate is not valid or not trusted", pageJoinPages + "; " + pageHello},
	{JoinAttestation, "DSREG_E_DEVICE_ATTESTATION_ERROR", "the attestation statement is not valid", pageJoinPages + "; " + pageHello},
	{JoinDiscoveryBadMessage, "DSREG_E_DISCOVERY_BAD_MESSAGE_ERROR", "the discovery answer could not be read", pageJoinPages},
	{JoinTenantIDNotFound, "DSREG_E_TENANTID_NOT_FOUND", "the token carries no tenant", pageJoinPages},
	{JoinUserSIDNotFound, "DSREG_E_USERSID_NOT_FOUND", "the token carries no user SID", pageJoinPages},
	{AutoJoinADConfigRead, "DSREG_AUTOJOIN_ADCONFIG_READ_FAILED", "the service connection point is missing or cannot be read", pageHybridJoin},
	{AutoJoinDiscoveryTimeout, "DSREG_AUTOJOIN_DISC_WAIT_TIMEOUT", "discovery took too long", pageHybridJoin},
	{AutoJoinDiscoveryFailed, "DSREG_AUTOJOIN_DISC_FAILED", "discovery failed", pageHybridJoin},
	{JoinServerBusy, "DSREG_SERVER_BUSY", "the registration service is busy (503)", pageHybridJoin},
	{JoinTenantNotFound, "DSREG_DISCOVERY_TENANT_NOT_FOUND", "no such tenant", pageHybridJoin},
	{AutoJoinRealmDiscovery, "DSREG_AUTOJOIN_USERREALM_DISCOVERY_FAILED", "discovery of the user's realm failed", pageHybridJoin},
	{JoinBadServerMessage, "dsreg_server_response_invalid", "the service's answer is not valid", pageHello},
	{JoinServerNotAuthorized, "dsreg_server_failed_to_authorize", "the service would not authorise user or device; in self-deploying modes: TPM attestation went wrong and the join with it", pageHello + "; " + pageEnrollError},
	{JoinBadHTTPStatus, "dsreg_http_status_invalid", "the service answered an unexpected HTTP status", pageHello},
	{JoinServerException, "dsreg_server_exception", "unhandled exception on the service", pageHello},
	{JoinRequestFailed, "dsreg_request_invalid", "the request was not valid, or the token is missing", pageHello},
	{JoinAttestationFailed, "dsreg_attestation_failed", "attestation failed", pageHello},
	{JoinAIKCertificateExpired, "dsreg_aik_certificate_expired", "the AIK certificate is no longer valid", pageHello},
	{JoinDirectoryFailure, "DSREG_E_DIRECTORY_FAILURE", "DirectoryError, for one: the directory does not know the device yet", pageHybridJoin},
	{JoinDeviceObjectDeleted, "dsreg_device_object_deleted", "the Entra device object that registration made is gone", pageKnownIssues},
}
