package power_test

import (
	"windtunnel.test/sim/spec"
)

// rich brings more onto a PC than the standard tenant does: a second app of the
// management extension, a line-of-business MSI, a script, a certificate by SCEP, a
// wireless network, a policy that is tracked and one that needs a restart. A
// certificate that comes as a file, an app for the user and the user's
// policy are in the standard tenant.
var rich = all(apps, scripts, profiles,
	spec.Policy("Autopilot PCs", "./Device/Vendor/MSFT/Policy/Config/Browser/AllowPopups", 0),
	spec.Policy("Autopilot PCs", "./Device/Vendor/MSFT/Policy/Config/Update/ManagePreviewBuilds", 1),
)

// all is several options as one.
func all(options ...spec.Option) []spec.Option { return options }

var profiles = spec.Resources("deviceConfigurations", `
- "@odata.type": "#microsoft.graph.windows81SCEPCertificateProfile"
  displayName: Network access
  certificateStore: machine
  subjectNameFormat: custom
  subjectNameFormatString: "CN={{AAD_Device_ID}}"
  keyStorageProvider: useTpmKspOtherwiseFail
  keyUsage: digitalSignature
  keySize: size2048
  hashAlgorithm: sha2
  certificateValidityPeriodScale: years
  certificateValidityPeriodValue: 1
  extendedKeyUsages: [{name: Client Authentication, objectIdentifier: 1.3.6.1.5.5.7.3.2}]
  scepServerUrls: ["https://ndes.contoso.com/certsrv/mscep/mscep.dll"]
  assignments: [{target: {"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Autopilot PCs}}]
- "@odata.type": "#microsoft.graph.windowsWifiConfiguration"
  displayName: Office network
  networkName: Office
  ssid: Office
  wifiSecurityType: wpa2Personal
  preSharedKey: hardly a secret
  assignments: [{target: {"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Autopilot PCs}}]
`)

var scripts = spec.Resources("deviceManagementScripts", `
- displayName: Inventory
  fileName: inventory.ps1
  runAsAccount: system
  scriptContent: R2V0LUNvbXB1dGVySW5mbw==
  windtunnel: {duration: 5s}
  assignments: [{target: {"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Autopilot PCs}}]
`)

var apps = spec.Apps(`
- "@odata.type": "#microsoft.graph.win32LobApp"
  displayName: Suite
  size: 30_000_000
  installExperience: {runAsAccount: system}
  detectionRules: [{"@odata.type": "#microsoft.graph.win32LobAppFileSystemDetection", path: 'C:\Program Files\Suite', fileOrFolderName: suite.exe, detectionType: exists}]
  windtunnel: {product: Suite, installDuration: 60s}
  assignments: [{intent: required, target: {"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Staff}}]
- "@odata.type": "#microsoft.graph.windowsMobileMSI"
  displayName: Viewer
  size: 5_000_000
  productCode: "{6A1D2C6E-8C50-4A1C-9D0B-0B5B8F3E1A11}"
  productVersion: "2.0"
  useDeviceContext: true
  windtunnel: {product: Viewer, installDuration: 10s}
  assignments: [{intent: required, target: {"@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: Autopilot PCs}}]
`)
