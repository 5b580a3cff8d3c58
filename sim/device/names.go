package device

// Registry keys that parts of Windows share. They are the names that Windows
// uses where those are known (learn.microsoft.com troubleshooting pages of
// Autopilot and the enrollment status page); OOBE's own bookkeeping is our
// model.
const (
	KeyOOBE          = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\OOBE`                // our model: where setup stopped
	KeyAutopilot     = `HKLM\SOFTWARE\Microsoft\Provisioning\Diagnostics\Autopilot`         // profile as the device sees it
	KeyPolicyCache   = `HKLM\SOFTWARE\Microsoft\Provisioning\AutopilotPolicyCache`          // PolicyJsonCache, ProfileAvailable
	KeySettings      = `HKLM\SOFTWARE\Microsoft\Provisioning\AutopilotSettings`             // *.Status of the ESP's categories
	KeyTracking      = `HKLM\SOFTWARE\Microsoft\Windows\Autopilot\EnrollmentStatusTracking` // \Device or \<SID>
	KeyESPInfo       = KeyTracking + `\ESPTrackingInfo\Diagnostics`                         // expected items by time
	KeyEnrollments   = `HKLM\SOFTWARE\Microsoft\Enrollments`                                // \{GUID}
	KeyMSI           = `HKLM\SOFTWARE\Microsoft\EnterpriseDesktopAppManagement`             // \<SID>\MSI\{ProductCode}
	KeyIME           = `HKLM\SOFTWARE\Microsoft\IntuneManagementExtension`                  // \Win32Apps\<user>\<app>
	KeyPolicyManager = `HKLM\SOFTWARE\Microsoft\PolicyManager\current`                      // \device\<Area>, \<SID>\<Area>
	KeyRebootURIs    = `HKLM\SOFTWARE\Microsoft\Provisioning\SyncML\RebootRequiredURIs`
	KeyServices      = `HKLM\SYSTEM\CurrentControlSet\Services`                         // \<name>: Start 2 automatic, 3 manual, 4 disabled
	KeyJoinInfo      = `HKLM\SYSTEM\CurrentControlSet\Control\CloudDomainJoin\JoinInfo` // \<thumbprint>
	KeyIdentityStore = `HKLM\SOFTWARE\Microsoft\IdentityStore`                          // our model: PRT and token broker bookkeeping
	KeyUninstall     = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`       // \<product>: what is installed
	FileProfile      = `C:\Windows\ServiceState\wmansvc\AutopilotDDSZTDFile.json`       // cached Autopilot profile
	FileTicket       = `C:\ProgramData\Microsoft\IdentityCRL\production\deviceticket`   // cached device ticket, our model
	ServiceWLID      = "wlidsvc"                                                        // Microsoft Account Sign-in Assistant
	ServiceIME       = "IntuneManagementExtension"
	DeviceSID        = "S-0-0-00-0000000000-0000000000-000000000-000" // EnterpriseDesktopAppManagement's name for "the device"
	LogAutopilot     = "Microsoft-Windows-ModernDeployment-Diagnostics-Provider/Autopilot"
	LogManagement    = "Microsoft-Windows-ModernDeployment-Diagnostics-Provider/ManagementService"
	LogMDM           = "Microsoft-Windows-DeviceManagement-Enterprise-Diagnostics-Provider/Admin"
	LogRegistration  = "Microsoft-Windows-User Device Registration/Admin"
	LogAAD           = "Microsoft-Windows-AAD/Operational"
	LogShell         = "Microsoft-Windows-Shell-Core/Operational"
	LogIME           = `C:\ProgramData\Microsoft\IntuneManagementExtension\Logs\IntuneManagementExtension.log` // CMTrace lines

	LogAppWorkload   = `C:\ProgramData\Microsoft\IntuneManagementExtension\Logs\AppWorkload.log`   // apps, since the agent of August 2024
	LogAgentExecutor = `C:\ProgramData\Microsoft\IntuneManagementExtension\Logs\AgentExecutor.log` // scripts
	LogTPM           = "Microsoft-Windows-TPM-WMI/Admin"
	LogAADAnalytic   = "Microsoft-Windows-AAD/Analytic"
	KeyTimeZone      = `HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation` // TimeZoneKeyName
	LogAppX          = "Microsoft-Windows-AppXDeploymentServer/Operational"
	KioskUser        = "kioskUser0" // the account that Assigned Access makes and signs in by itself
)
