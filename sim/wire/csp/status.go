package csp

import "strings"

// Nodes of the DeviceStatus CSP that a server reads for reports and compliance. All are to be read, and int unless said
// otherwise.
const (
	StatusSecureBoot      = "./Device/Vendor/MSFT/DeviceStatus/SecureBootState"                 // 0 not supported, 1 on, 2 off
	StatusEncryption      = "./Device/Vendor/MSFT/DeviceStatus/Compliance/EncryptionCompliance" // 0 not encrypted, 1 encrypted
	StatusTPM             = "./Device/Vendor/MSFT/DeviceStatus/TPM/SpecificationVersion"        // chr, "2.0"; "Not available"
	StatusTPMManufacturer = "./Device/Vendor/MSFT/DeviceStatus/TPM/ManufacturerIdTxt"           // chr, "IFX"
	StatusOSEdition       = "./Device/Vendor/MSFT/DeviceStatus/OS/Edition"                      // GetProductInfo's number
	StatusOSMode          = "./Device/Vendor/MSFT/DeviceStatus/OS/Mode"                         // 0 none, 1 S mode off, 2 S mode
	StatusAntivirus       = "./Device/Vendor/MSFT/DeviceStatus/Antivirus/Status"                // 0 good, 1 off, 2 to be looked at
	StatusAntivirusAge    = "./Device/Vendor/MSFT/DeviceStatus/Antivirus/SignatureStatus"       // 1 out of date
	StatusAntispyware     = "./Device/Vendor/MSFT/DeviceStatus/Antispyware/Status"
	StatusFirewall        = "./Device/Vendor/MSFT/DeviceStatus/Firewall/Status"
	StatusUAC             = "./Device/Vendor/MSFT/DeviceStatus/UAC/Status"
	StatusBattery         = "./Device/Vendor/MSFT/DeviceStatus/Battery/Status" // 0 on battery, 1 on mains, 255 none
	StatusDomain          = "./Device/Vendor/MSFT/DeviceStatus/DomainName"     // chr
	StatusVBS             = "./Device/Vendor/MSFT/DeviceStatus/DeviceGuard/VirtualizationBasedSecurityStatus"
	StatusCertAttestation = "./Device/Vendor/MSFT/DeviceStatus/CertAttestation/MDMClientCertAttestation" // chr
	StatusNetwork         = "./Device/Vendor/MSFT/DeviceStatus/NetworkIdentifiers"                       // interior; its children are MAC addresses
)

// Nodes of the NodeCache CSP below a server's. The device keeps which values the server believes it has, so that the server
// asks only for what changed.
const (
	CacheVersion      = "CacheVersion"         // chr, the server's own number
	CacheChanged      = "ChangedNodes"         // chr, to be read: ids of nodes whose value is another one, separated by ";"
	CacheChangedData  = "ChangedNodesData"     // xml, to be read: the same with their values
	CacheURI          = "NodeURI"              // chr, of a node of the cache
	CacheExpected     = "ExpectedValue"        // chr: what the server believes
	CacheAutoExpected = "AutoSetExpectedValue" // takes what the node has now for what is expected
	cacheNodes        = "Nodes"                // interior
)

// Cached is a node of the cache.
func Cached(id string, names ...string) string {
	return Join(Join("./Device/Vendor/MSFT/NodeCache", Provider, cacheNodes, id), names...)
}

// ParseNodeCache recognises a node of a server's cache: id is the cached node's, "" for one of the cache itself.
func ParseNodeCache(uri string) (server, id, name string, ok bool) {
	_, rest, ok := vendorNode(uri, "NodeCache")
	switch {
	case !ok || len(rest) == 0:
		return "", "", "", false
	case len(rest) > 2 && rest[1] == cacheNodes:
		return rest[0], rest[2], strings.Join(rest[3:], "/"), true
	case len(rest) <= 2:
		return rest[0], "", strings.Join(rest[1:], ""), true
	}
	return "", "", "", false
}
