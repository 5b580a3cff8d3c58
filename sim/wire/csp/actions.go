package csp

// Nodes that a server executes for an administrator (Reboot, RemoteWipe and CleanPC CSP). None of them takes a value.
const (
	RebootNow = "./Device/Vendor/MSFT/Reboot/RebootNow"

	Wipe                  = "./Device/Vendor/MSFT/RemoteWipe/doWipe"
	WipeProtected         = "./Device/Vendor/MSFT/RemoteWipe/doWipeProtected"
	WipeKeepingPackages   = "./Device/Vendor/MSFT/RemoteWipe/doWipePersistProvisionedData"
	WipeKeepingUserData   = "./Device/Vendor/MSFT/RemoteWipe/doWipePersistUserData"
	WipeCloud             = "./Device/Vendor/MSFT/RemoteWipe/doWipeCloud"
	AutomaticRedeployment = "./Device/Vendor/MSFT/RemoteWipe/AutomaticRedeployment/doAutomaticRedeployment"

	Clean                = "./Device/Vendor/MSFT/CleanPC/CleanPCWithoutRetainingUserData"
	CleanKeepingUserData = "./Device/Vendor/MSFT/CleanPC/CleanPCRetainingUserData"
)

// Nodes beside them.
const (
	RebootOnce  = "./Device/Vendor/MSFT/Reboot/Schedule/Single"         // chr, a moment in ISO 8601: "2026-09-01T14:00:00Z"
	RebootDaily = "./Device/Vendor/MSFT/Reboot/Schedule/DailyRecurrent" // chr, its time of day in local time

	RedeploymentStatus    = "./Device/Vendor/MSFT/RemoteWipe/AutomaticRedeployment/Status"    // int, a [Redeployment]
	RedeploymentLastError = "./Device/Vendor/MSFT/RemoteWipe/AutomaticRedeployment/LastError" // int, an HRESULT
)

// Redeployment is how far an Autopilot Reset is (RemoteWipe CSP, AutomaticRedeployment/Status).
type Redeployment int

// Its values.
const (
	RedeploymentNever      Redeployment = 0
	RedeploymentRestarting Redeployment = 10 // scheduled, the restart that begins it is to come
	RedeploymentRunning    Redeployment = 20
	RedeploymentFailed     Redeployment = 30
	RedeploymentDone       Redeployment = 40
	RedeploymentPending    Redeployment = 50
)

// Nodes of the Update CSP: what a server that approves updates itself reads. The policies are in the area Update of the
// Policy CSP.
const (
	UpdateInstalled     = "./Device/Vendor/MSFT/Update/InstalledUpdates"     // interior; its children are update ids
	UpdatePendingReboot = "./Device/Vendor/MSFT/Update/PendingRebootUpdates" // interior
	UpdateFailed        = "./Device/Vendor/MSFT/Update/FailedUpdates"        // interior
	UpdateLastScan      = "./Device/Vendor/MSFT/Update/LastSuccessfulScanTime"
	UpdateDeferUpgrade  = "./Device/Vendor/MSFT/Update/DeferUpgrade" // bool
	UpdateApproved      = "./Device/Vendor/MSFT/Update/ApprovedUpdates"
)
