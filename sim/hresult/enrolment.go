package hresult

// MDM enrolment, facility 24 (device enroller): [MS-MDE2] 3.1.4 for what a server's fault becomes,
// mdmregistration.h for what the client finds by itself.
const (
	EnrollMessageFormat       Code = 0x80180001
	EnrollAuthentication      Code = 0x80180002
	EnrollAuthorization       Code = 0x80180003
	EnrollCertificateRequest  Code = 0x80180004
	EnrollServerError         Code = 0x80180005
	EnrollInternalService     Code = 0x80180006
	EnrollInvalidSecurity     Code = 0x80180007
	EnrollUnknown             Code = 0x80180008
	EnrollInProgress          Code = 0x80180009
	EnrollAlreadyEnrolled     Code = 0x8018000A
	EnrollNotEnrolled         Code = 0x8018000B
	EnrollDiscoveryCertDate   Code = 0x8018000D
	EnrollPasswordNeeded      Code = 0x8018000E
	EnrollWebAuthBroker       Code = 0x8018000F
	EnrollConnectivity        Code = 0x80180010
	EnrollInvalidTLSCert      Code = 0x80180012
	EnrollDeviceCapReached    Code = 0x80180013
	EnrollDeviceNotSupported  Code = 0x80180014
	EnrollNotSupported        Code = 0x80180015
	EnrollNotEligibleToRenew  Code = 0x80180016
	EnrollInMaintenance       Code = 0x80180017
	EnrollUserLicense         Code = 0x80180018
	EnrollInvalidData         Code = 0x80180019
	EnrollInsecureRedirect    Code = 0x8018001A
	EnrollPlatformState       Code = 0x8018001B
	EnrollPlatformLicense     Code = 0x8018001C
	EnrollPlatformUnknown     Code = 0x8018001D
	EnrollCSPCertStore        Code = 0x8018001E
	EnrollCSPW7               Code = 0x8018001F
	EnrollCSPDMClient         Code = 0x80180020
	EnrollCSPPFW              Code = 0x80180021
	EnrollCSPMisc             Code = 0x80180022
	EnrollProvisioningUnknown Code = 0x80180023
	EnrollTLSCertNotFound     Code = 0x80180024
	EnrollCSPAppManagement    Code = 0x80180025
	EnrollManagementBlocked   Code = 0x80180026
	EnrollPrivateKeyCreation  Code = 0x80180027
	EnrollCertAuthNoCert      Code = 0x80180028
	EnrollEmptyMessage        Code = 0x80180029
	EnrollUserCanceled        Code = 0x8018002A
	EnrollMDMNotConfigured    Code = 0x8018002B
	EnrollUserCancelledSDK    Code = 0x80180030
	EnrollNotConfiguredSDK    Code = 0x80180031
	EnrollCustomServerError   Code = 0x80180032
	EnrollServer429           Code = 0x80180033
)

const (
	pageMDE       = "learn.microsoft.com/windows/client-management/mobile-device-enrollment; [MS-MDE2]"
	pageMDMErrors = "learn.microsoft.com/windows/win32/mdmreg/mdm-registration-constants; mdmregistration.h"
)

var enrolment = []Entry{
	{EnrollMessageFormat, "MENROLL_E_DEVICE_MESSAGE_FORMAT_ERROR", "the server could not read the enrolment message", pageMDE},
	{EnrollAuthentication, "MENROLL_E_DEVICE_AUTHENTICATION_ERROR", "the server could not authenticate the caller", pageMDE},
	{EnrollAuthorization, "MENROLL_E_DEVICE_AUTHORIZATION_ERROR", "the user or device may not enrol", pageMDE},
	{EnrollCertificateRequest, "MENROLL_E_DEVICE_CERTIFICATEREQUEST_ERROR", "the certificate request was refused", pageMDE},
	{EnrollServerError, "MENROLL_E_DEVICE_CONFIGMGRSERVER_ERROR", "the enrolment server failed; in pre-provisioning: the profile does not allow it", pageMDE + "; learn.microsoft.com/autopilot/profiles"},
	{EnrollInternalService, "MENROLL_E_DEVICE_INTERNALSERVICE_ERROR", "unhandled exception on the server", pageMDE},
	{EnrollInvalidSecurity, "MENROLL_E_DEVICE_INVALIDSECURITY_ERROR", "the server could not parse the security header", pageMDE},
	{EnrollUnknown, "MENROLL_E_DEVICE_UNKNOWN_ERROR", "enrolment failed for an unknown reason", pageMDMErrors},
	{EnrollInProgress, "MENROLL_E_ENROLLMENT_IN_PROGRESS", "another enrolment is running", pageMDMErrors},
	{EnrollAlreadyEnrolled, "MENROLL_E_DEVICE_ALREADY_ENROLLED", "the device is enrolled already", pageMDMErrors},
	{EnrollNotEnrolled, "MENROLL_E_DEVICE_NOT_ENROLLED", "the device is not enrolled", pageMDMErrors},
	{EnrollDiscoveryCertDate, "MENROLL_E_DISCOVERY_SEC_CERT_DATE_INVALID", "the discovery service's certificate is outside its dates", pageMDMErrors},
	{EnrollPasswordNeeded, "MENROLL_E_PASSWORD_NEEDED", "a password is needed", pageMDMErrors},
	{EnrollWebAuthBroker, "MENROLL_E_WAB_ERROR", "the web authentication broker failed", pageMDMErrors},
	{EnrollConnectivity, "MENROLL_E_CONNECTIVITY", "no connection to the enrolment server", pageMDMErrors},
	{EnrollInvalidTLSCert, "MENROLL_E_INVALIDSSLCERT", "the server's TLS certificate is not valid", pageMDMErrors},
	{EnrollDeviceCapReached, "MENROLL_E_DEVICECAPREACHED", "the account has too many devices", pageMDE},
	{EnrollDeviceNotSupported, "MENROLL_E_DEVICENOTSUPPORTED", "platform or version is not accepted, or the one-time limit of a pre-provisioned device is used up", pageKnownIssues + "; " + pageMDE},
	{EnrollNotSupported, "MENROLL_E_NOTSUPPORTED", "the server does not support mobile device management for this caller", pageMDE},
	{EnrollNotEligibleToRenew, "MENROLL_E_NOTELIGIBLETORENEW", "the certificate may not be renewed", pageMDE},
	{EnrollInMaintenance, "MENROLL_E_INMAINTENANCE", "the service is in maintenance", pageMDE},
	{EnrollUserLicense, "MENROLL_E_USERLICENSE", "the user has no licence", pageMDE},
	{EnrollInvalidData, "MENROLL_E_ENROLLMENTDATAINVALID", "the server rejected the enrolment data", pageMDE},
	{EnrollInsecureRedirect, "MENROLL_E_INSECUREREDIRECT", "a redirect left https or the trusted host", pageMDMErrors},
	{EnrollPlatformState, "MENROLL_E_PLATFORM_WRONG_STATE", "Windows is not in a state to enrol", pageMDMErrors},
	{EnrollPlatformLicense, "MENROLL_E_PLATFORM_LICENSE_ERROR", "the edition's licence does not allow enrolment", pageMDMErrors},
	{EnrollPlatformUnknown, "MENROLL_E_PLATFORM_UNKNOWN_ERROR", "unknown platform failure", pageMDMErrors},
	{EnrollCSPCertStore, "MENROLL_E_PROV_CSP_CERTSTORE", "the provisioning document failed in the CertificateStore CSP", pageMDMErrors},
	{EnrollCSPW7, "MENROLL_E_PROV_CSP_W7", "the provisioning document failed in the w7 APPLICATION CSP", pageMDMErrors},
	{EnrollCSPDMClient, "MENROLL_E_PROV_CSP_DMCLIENT", "the provisioning document failed in the DMClient CSP", pageMDMErrors},
	{EnrollCSPPFW, "MENROLL_E_PROV_CSP_PFW", "the provisioning document failed in the PassportForWork CSP", pageMDMErrors},
	{EnrollCSPMisc, "MENROLL_E_PROV_CSP_MISC", "the provisioning document failed in another CSP; on editions without MDM, the edition", pageMDMErrors + "; " + pageEnrollError},
	{EnrollProvisioningUnknown, "MENROLL_E_PROV_UNKNOWN", "provisioning failed, no CSP named", pageMDMErrors},
	{EnrollTLSCertNotFound, "MENROLL_E_PROV_SSLCERTNOTFOUND", "the client certificate of the provisioning document was not found", pageMDMErrors},
	{EnrollCSPAppManagement, "MENROLL_E_PROV_CSP_APPMGMT", "the provisioning document failed in the EnterpriseAppManagement CSP", pageMDMErrors},
	{EnrollManagementBlocked, "MENROLL_E_DEVICE_MANAGEMENT_BLOCKED", "management is blocked by policy or by another agent", pageMDMErrors + "; " + pageEnrollError},
	{EnrollPrivateKeyCreation, "MENROLL_E_CERTPOLICY_PRIVATEKEYCREATION_FAILED", "the private key could not be made as the policy asks", pageMDMErrors},
	{EnrollCertAuthNoCert, "MENROLL_E_CERTAUTH_FAILED_TO_FIND_CERT", "certificate authentication was asked for and no certificate found", pageMDMErrors},
	{EnrollEmptyMessage, "MENROLL_E_EMPTY_MESSAGE", "the server answered 200 without a message", pageMDMErrors},
	{EnrollUserCanceled, "MENROLL_E_USER_CANCELED", "the user cancelled (numbering of the CSP pages)", pageMDMErrors},
	{EnrollMDMNotConfigured, "MENROLL_E_MDM_NOT_CONFIGURED", "no MDM is configured for this user (numbering of the CSP pages)", pageEnrollError},
	{EnrollUserCancelledSDK, "MENROLL_E_USER_CANCELLED", "the user cancelled (numbering of newer SDK headers)", "mdmregistration.h"},
	{EnrollNotConfiguredSDK, "MENROLL_E_MDM_NOT_CONFIGURED_SDK", "no MDM is configured for this user (numbering of newer SDK headers)", "mdmregistration.h"},
	{EnrollCustomServerError, "MENROLL_E_CUSTOMSERVERERROR", "the server sent a text of its own for the user", "mdmregistration.h; [MS-MDE2]"},
	{EnrollServer429, "MENROLL_E_SERVER429", "the server asked to slow down", "mdmregistration.h"},
}
