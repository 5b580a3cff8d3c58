package power_test

import (
	"windtunnel.test/sim/spec"
)

// rich brings more onto a PC than the standard tenant does: a second app of the
// management extension, a line-of-business MSI, a script, a policy that is tracked
// and one that needs a restart. A certificate, an app for the user and the user's
// policy are in the standard tenant.
var rich = all(apps, scripts,
	spec.Policy("Autopilot PCs", "./Device/Vendor/MSFT/Policy/Config/Browser/AllowPopups", 0),
	spec.Policy("Autopilot PCs", "./Device/Vendor/MSFT/Policy/Config/Update/ManagePreviewBuilds", 1),
)

// all is several options as one.
func all(options ...spec.Option) []spec.Option { return options }

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
