package csp

// Nodes that a server executes for an administrator (Reboot, RemoteWipe and CleanPC CSP). None takes a value.
const (
	RebootNow = "./Device/Vendor/MSFT/Reboot/RebootNow"

	Wipe                  = "./Device/Vendor/MSFT/RemoteWipe/doWipe"
	WipeProtected         = "./Device/Vendor/MSFT/RemoteWipe/doWipeProtected"
	WipeKeepingPackages   = "./Device/Vendor/MSFT/RemoteWipe/doWipePersistProvisionedData"
	WipeKeepingUserData   = "./Device/Vendor/MSFT/RemoteWipe/doWipePersistUserData"
	AutomaticRedeployment = "./Device/Vendor/MSFT/RemoteWipe/AutomaticRedeployment/doAutomaticRedeployment"

	Clean                = "./Device/Vendor/MSFT/CleanPC/CleanPCWithoutRetainingUserData"
	CleanKeepingUserData = "./Device/Vendor/MSFT/CleanPC/CleanPCRetainingUserData"
)
