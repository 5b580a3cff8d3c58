package statuspage_test

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/spec"
)

// item is one thing that Intune can bring onto a PC: a Graph resource without
// assignments, whether it is on the PC, and where the status page counts it.
type item struct {
	collection string
	resource   string // YAML; its display name is Item
	there      func(w *spec.World, pc *device.PC) bool
	list       string // of the page's tracking information, or sidecar; "" for what no list can name
	names      string // part of the entry's name
}

// sidecar stands for the apps that the management extension tracks.
const sidecar = "Tracking"

// evaluation is how long a spec gives the service to judge a PC.
const evaluation = 10 * time.Minute

func policy(uri string, value string) item {
	area, name := uri[strings.LastIndexByte(uri[:strings.LastIndexByte(uri, '/')], '/')+1:strings.LastIndexByte(uri, '/')], uri[strings.LastIndexByte(uri, '/')+1:]
	return item{
		collection: "deviceConfigurations", resource: custom(uri, value), list: "ExpectedPolicies", names: uri,
		there: func(w *spec.World, pc *device.PC) bool {
			sid := ""
			if strings.HasPrefix(uri, "./User") {
				sid = w.SID(pc)
			}
			return w.Policy(pc, sid, area, name) != ""
		},
	}
}

// custom is a custom configuration with one setting, a number or a text.
func custom(uri, value string) string {
	kind := "Integer"
	if strings.ContainsAny(value, "'\"") {
		kind = "String"
	}
	return `
"@odata.type": "#microsoft.graph.windows10CustomConfiguration"
displayName: Item
omaSettings: [{"@odata.type": "#microsoft.graph.omaSetting` + kind + `", displayName: Item, omaUri: "` + uri + `", value: ` + value + `}]
`
}

// app is an app of the management extension; account is system or user.
func win32(account string) item {
	return item{
		collection: "mobileApps", list: sidecar, names: "Win32App_", there: product,
		resource: `
"@odata.type": "#microsoft.graph.win32LobApp"
displayName: Item
size: 5_000_000
installExperience: {runAsAccount: ` + account + `}
detectionRules: [{"@odata.type": "#microsoft.graph.win32LobAppFileSystemDetection", path: 'C:\Item', fileOrFolderName: item.exe, detectionType: exists}]
windtunnel: {product: Item, installDuration: 20s}
`}
}

// lob is a line-of-business MSI.
func lob(deviceContext string) item {
	return item{
		collection: "mobileApps", list: "ExpectedMSIAppPackages", names: "6A1D2C6E-8C50-4A1C-9D0B-0B5B8F3E1A99", there: product,
		resource: `
"@odata.type": "#microsoft.graph.windowsMobileMSI"
displayName: Item
size: 5_000_000
productCode: "{6A1D2C6E-8C50-4A1C-9D0B-0B5B8F3E1A99}"
productVersion: "1.0"
useDeviceContext: ` + deviceContext + `
windtunnel: {product: Item, installDuration: 20s}
`}
}

// winGet is an app of the WinGet kind, and catalog one of the Enterprise App
// Catalog: both are the management extension's.
func winGet(account string) item {
	return item{
		collection: "mobileApps", list: sidecar, names: "Win32App_", there: product,
		resource: `
"@odata.type": "#microsoft.graph.winGetApp"
displayName: Item
packageIdentifier: 9WZDNCRFJ3PZ
installExperience: {runAsAccount: ` + account + `}
windtunnel: {product: Item, installDuration: 20s}
`}
}

func catalog() item {
	i := win32("system")
	i.resource = strings.Replace(i.resource, "win32LobApp\"", "win32CatalogApp\"", 1)
	return i
}

// packaged is an offline app of the Store for Business, that the MDM client has
// Windows install. Whether it is for the whole PC is part of its assignment.
func packaged() item {
	return item{
		collection: "mobileApps", list: "ExpectedModernAppPackages", names: "Contoso.Item", there: product,
		resource: `
"@odata.type": "#microsoft.graph.microsoftStoreForBusinessApp"
displayName: Item
size: 5_000_000
packageIdentityName: Contoso.Item_8wekyb3d8bbwe
productKey: 9WZDNCRFJ3PZ
licenseType: offline
windtunnel: {product: Item, installDuration: 20s}
`}
}

// product tells whether an item is among the installed products.
func product(w *spec.World, pc *device.PC) bool {
	for _, p := range w.Products(pc) {
		if p == "Item" {
			return true
		}
	}
	return false
}

func scepProfile(store string) item {
	return item{
		collection: "deviceConfigurations", list: "ExpectedSCEPCerts", names: "SCEP", there: certificate,
		resource: `
"@odata.type": "#microsoft.graph.windows81SCEPCertificateProfile"
displayName: Item
certificateStore: ` + store + `
subjectNameFormat: custom
subjectNameFormatString: "CN=Item"
keyStorageProvider: useTpmKspOtherwiseUseSoftwareKsp
keyUsage: digitalSignature
keySize: size2048
hashAlgorithm: sha2
certificateValidityPeriodScale: years
certificateValidityPeriodValue: 1
extendedKeyUsages: [{name: Client Authentication, objectIdentifier: 1.3.6.1.5.5.7.3.2}]
scepServerUrls: ["https://ndes.contoso.com/certsrv/mscep/mscep.dll"]
`}
}

// certificate tells whether a certificate was issued to Item.
func certificate(w *spec.World, pc *device.PC) bool {
	for _, subject := range w.Texts(pc, "certificate.installed", "subject") {
		if subject == "CN=Item" {
			return true
		}
	}
	return false
}

func wifi(scope string) item {
	return item{
		collection: "deviceConfigurations", list: "ExpectedNetworkProfiles", names: "WiFi",
		resource: custom("./"+scope+"/Vendor/MSFT/WiFi/Profile/Item/WlanXml",
			`'<WLANProfile xmlns="http://www.microsoft.com/networking/WLAN/profile/v1"><name>Item</name><SSIDConfig><SSID><name>Item</name></SSID></SSIDConfig><connectionType>ESS</connectionType><connectionMode>auto</connectionMode><MSM><security><authEncryption><authentication>open</authentication><encryption>none</encryption><useOneX>false</useOneX></authEncryption></security></MSM></WLANProfile>'`),
		there: networkProfile,
	}
}

func vpn(scope string) item {
	return item{
		collection: "deviceConfigurations", list: "ExpectedNetworkProfiles", names: "VPN",
		resource: custom("./"+scope+"/Vendor/MSFT/VPNv2/Item/ProfileXML",
			`'<VPNProfile><ProfileName>Item</ProfileName><NativeProfile><Servers>vpn.contoso.com</Servers><NativeProtocolType>IKEv2</NativeProtocolType><Authentication><MachineMethod>Certificate</MachineMethod></Authentication></NativeProfile></VPNProfile>'`),
		there: networkProfile,
	}
}

// networkProfile tells whether a network connection of that name was added.
func networkProfile(w *spec.World, pc *device.PC) bool {
	for _, name := range w.Texts(pc, "profile.installed", "name") {
		if name == "Item" {
			return true
		}
	}
	return false
}

// script writes a value that only it writes; account is system or user.
func script(account string) item {
	return item{
		collection: "deviceManagementScripts", list: sidecar, names: "Item",
		resource: `
displayName: Item
fileName: item.ps1
runAsAccount: ` + account + `
scriptContent: V3JpdGUtT3V0cHV0ICdJdGVtJw==
windtunnel: {duration: 5s, files: ['C:\ProgramData\Item\ran.txt']}
`,
		there: func(_ *spec.World, pc *device.PC) bool {
			_, ok := pc.Disk.Files.Read(`C:\ProgramData\Item\ran.txt`)
			return ok
		},
	}
}

// laps is a policy of Windows LAPS; it is there once a password was set by it.
func laps() item {
	return item{
		collection: "deviceConfigurations", resource: custom("./Device/Vendor/MSFT/LAPS/Policies/BackupDirectory", "1"), list: "ExpectedPolicies", names: "LAPS",
		there: func(_ *spec.World, pc *device.PC) bool {
			return pc.Disk.Registry.String(`HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\LAPS\State`, "LastPasswordUpdateTime") != ""
		},
	}
}

// compliance is a policy that no PC can meet: where it counts, the PC is
// noncompliant.
func compliance() item {
	return item{
		collection: "deviceCompliancePolicies",
		resource: `
displayName: Item
osMinimumVersion: "10.0.99999.0"
scheduledActionsForRule: [{ruleName: PasswordRequired, scheduledActionConfigurations: [{actionType: block, gracePeriodHours: 0}]}]
`,
		there: func(w *spec.World, pc *device.PC) bool {
			GinkgoHelper()
			d, ok := w.Managed(pc)
			Expect(ok).To(BeTrue())
			return d.ComplianceState == "noncompliant"
		},
	}
}
