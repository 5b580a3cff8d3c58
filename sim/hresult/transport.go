package hresult

// Win32 errors as HRESULTs, facility 7, and the URL moniker's 0x800Cxxxx: what networks, waits and domains end in.
const (
	FileNotFound          Code = 0x80070002
	AccessDenied          Code = 0x80070005
	InvalidData           Code = 0x8007000D
	InvalidParameter      Code = 0x80070057
	ServiceDisabled       Code = 0x80070422
	NotFound              Code = 0x80070490
	WaitTimeout           Code = 0x800705B4
	NoSuchDomain          Code = 0x8007054B
	UnknownProduct        Code = 0x80070645
	InstallFailure        Code = 0x80070643
	ProductVersion        Code = 0x80070666
	InstallAlreadyRunning Code = 0x80070652
	InstallUserExit       Code = 0x80070642
	InstallSourceAbsent   Code = 0x8007064C
	TrustedRelationship   Code = 0x800706FD
	DomainControllerNone  Code = 0x80070774
	ConstraintViolation   Code = 0x8007202F
	InternetTimeout       Code = 0x80072EE2
	InternetInvalidURL    Code = 0x80072EE5
	InternetNameUnknown   Code = 0x80072EE7
	InternetCannotConnect Code = 0x80072EFD
	InternetAborted       Code = 0x80072EFE
	InternetSecureFailure Code = 0x80072F8F
	URLInvalidServer      Code = 0x800C0003
	OutOfDisk             Code = 0x80070070
)

var transport = []Entry{
	{FileNotFound, "ERROR_FILE_NOT_FOUND", "not found", pageSystemError},
	{AccessDenied, "E_ACCESSDENIED", "access denied", pageSystemError},
	{InvalidData, "ERROR_INVALID_DATA", "the data is not valid, such as a proxy's page in place of an answer", pageHybridJoin},
	{InvalidParameter, "E_INVALIDARG", "a parameter is not valid", pageSystemError},
	{OutOfDisk, "ERROR_DISK_FULL", "the disk is full", pageSystemError},
	{NotFound, "ERROR_NOT_FOUND", "element not found; in attestation: the EK certificate", pageKnownIssues},
	{ServiceDisabled, "ERROR_SERVICE_DISABLED", "the service cannot be started because it is disabled", pageEnrollError},
	{NoSuchDomain, "ERROR_NO_SUCH_DOMAIN", "the domain does not exist or no controller of it could be contacted", pageHybridJoin},
	{WaitTimeout, "ERROR_TIMEOUT", "the wait took longer than it may", pageEnrollError},
	{InstallUserExit, "ERROR_INSTALL_USEREXIT", "the installation was cancelled", pageSystemError},
	{InstallFailure, "ERROR_INSTALL_FAILURE", "the installation failed", pageSystemError},
	{UnknownProduct, "ERROR_UNKNOWN_PRODUCT", "the product is not installed", pageSystemError},
	{InstallSourceAbsent, "ERROR_INSTALL_SOURCE_ABSENT", "in enrolment: a leftover of another enrolment, such as a cloned image's certificate", pageEnrollError},
	{InstallAlreadyRunning, "ERROR_INSTALL_ALREADY_RUNNING", "another installation holds the installer", pageSystemError},
	{ProductVersion, "ERROR_PRODUCT_VERSION", "another version is installed", pageSystemError},
	{TrustedRelationship, "ERROR_TRUSTED_RELATIONSHIP_FAILURE", "the trust between this machine and the domain failed", pageKnownIssues},
	{DomainControllerNone, "ERROR_DOMAIN_CONTROLLER_NOT_FOUND", "no domain controller was found", pageEnrollError},
	{ConstraintViolation, "ERROR_DS_CONSTRAINT_VIOLATION", "the directory refused a value", pageKnownIssues},
	{InternetTimeout, "WININET_E_TIMEOUT", "the request timed out", pageHybridJoin},
	{InternetInvalidURL, "WININET_E_INVALID_URL", "the address is not valid", pageWinError},
	{InternetNameUnknown, "WININET_E_NAME_NOT_RESOLVED", "the host's name could not be resolved", pageHybridJoin},
	{InternetCannotConnect, "WININET_E_CANNOT_CONNECT", "no connection to the host", pageHybridJoin},
	{InternetAborted, "WININET_E_CONNECTION_ABORTED", "the connection broke", pageHybridJoin},
	{InternetSecureFailure, "WININET_E_DECODING_FAILED", "TLS failed: certificate not trusted, outside its dates, or the clock is wrong", pageHybridJoin},
	{URLInvalidServer, "INET_E_NO_SESSION", "no connection to the internet could be made", "urlmon.h; observed Windows behaviour"},
}
