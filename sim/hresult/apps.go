package hresult

// Apps: Intune's 0x87D1xxxx and the package deployment stack's 0x8007 3CFx.
const (
	AppNotDetected       Code = 0x87D1041C
	AppxInstallFailed    Code = 0x80073CF9
	AppxAlreadyInstalled Code = 0x80073CFB
	ContentNotFound      Code = 0x87D00607
)

const pageAppErrors = "learn.microsoft.com/troubleshoot/mem/intune/app-management/app-install-error-codes"

var apps = []Entry{
	{AppNotDetected, "intune_app_not_detected", "the app was installed and its detection rule does not find it", pageAppErrors},
	{ContentNotFound, "intune_content_not_found", "the content could not be found", pageAppErrors},
	{AppxInstallFailed, "ERROR_INSTALL_FAILED", "the package could not be deployed", pageAppErrors},
	{AppxAlreadyInstalled, "ERROR_PACKAGE_ALREADY_EXISTS", "a differing package of this name is installed", pageAppErrors},
}
