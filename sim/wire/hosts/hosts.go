package hosts

import "strings"

const (
	MSA               = "login.live.com"        // device accounts and device tickets
	Autopilot         = "ztd.dds.microsoft.com" // Autopilot deployment service
	AutopilotOld      = "cs.dds.microsoft.com"
	AIKSuffix         = ".microsoftaik.azure.net"   // below it one authority a TPM vendor key
	Login             = "login.microsoftonline.com" // Entra ID tokens
	LoginOld          = "login.windows.net"
	LoginMicrosoft    = "login.microsoft.com" // other names of Login, which clients learn from it
	LoginIssuer       = "sts.windows.net"
	LoginDevice       = "device.login.microsoftonline.com"   // with the device certificate
	Registration      = "enterpriseregistration.windows.net" // device registration
	Graph             = "graph.microsoft.com"
	GraphOld          = "graph.windows.net"                      // legacy directory API
	Enrollment        = "enrollment.manage.microsoft.com"        // MS-MDE2
	OMADM             = "r.manage.microsoft.com"                 // device management sessions
	IntuneLocation    = "manage.microsoft.com"                   // location service of the management extension
	EnrollmentPrefix  = "enterpriseenrollment."                  // before a customer's domain: MS-MDE2 for who knows an address only
	SideCar           = "fef.msua01.manage.microsoft.com"        // gateway of the management extension
	ContentCDN        = "swda01-mscdn.manage.microsoft.com"      // app content and the extension's installer
	ODJConnector      = "odjconnector.manage.microsoft.com"      // Intune Connectors for Active Directory; the name is our model
	Provisioning      = "adminwebservice.microsoftonline.com"    // exports of Entra Connect
	IntuneStorage     = "intunewindtunnel.blob.core.windows.net" // where an app's content is uploaded to; the account's name is ours
	NCSI              = "www.msftconnecttest.com"                // connectivity test
	NTP               = "time.windows.com"                       // UDP 123
	HealthAttestation = "intunemaape1.eus.attest.azure.net"      // Azure Attestation, one of Intune's instances
	EKIntel           = "ekop.intel.com"                         // EK certificates of firmware TPMs
	EKQualcomm        = "ekcert.spserv.microsoft.com"
	EKAMD             = "ftpm.amd.com"
	Store             = "dl.delivery.mp.microsoft.com"     // packages of the Microsoft Store
	OfficeCDN         = "officecdn.microsoft.com"          // Microsoft 365 Apps
	LogUpload         = "lgmsapeweu.blob.core.windows.net" // Autopilot diagnostics
)

// HeaderModelledSize is how the content network tells a simulated PC how many
// bytes the real file has: the body that travels is small, and the PC charges
// its link and its disk for the rest. Our model; a client that does not know
// it gets an ordinary small file.
const HeaderModelledSize = "X-Windtunnel-Modelled-Size"

// StorePackage is where the Store's package of a product is. The path is our
// model: the Store's own addresses are made for each download.
func StorePackage(productID string) string {
	return "https://" + Store + "/packages/" + strings.ToLower(productID)
}

// OfficePackage is where a product of Microsoft 365 Apps comes from, of an
// update channel. The path is our model.
func OfficePackage(channel, product string) string {
	return "https://" + OfficeCDN + "/pr/" + strings.ToLower(channel) + "/" + strings.ToLower(product)
}
