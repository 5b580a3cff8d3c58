package csp

import (
	"encoding/base64"
	"strconv"
)

// Node is a node to be set: what an Add or Replace carries.
type Node struct {
	URI    string
	Format string // metinf format: "chr", "int", "bool", "b64", "node", "xml"
	Value  string
}

// Chr is a text node.
func Chr(uri, value string) Node { return Node{URI: uri, Format: "chr", Value: value} }

// Int is a number node.
func Int(uri string, value int) Node {
	return Node{URI: uri, Format: "int", Value: strconv.Itoa(value)}
}

// Bool is a truth node; Windows writes "true" and "false".
func Bool(uri string, value bool) Node {
	return Node{URI: uri, Format: "bool", Value: strconv.FormatBool(value)}
}

// B64 is a binary node.
func B64(uri string, value []byte) Node {
	return Node{URI: uri, Format: "b64", Value: base64.StdEncoding.EncodeToString(value)}
}

// Interior is a node that has children and no value.
func Interior(uri string) Node { return Node{URI: uri, Format: "node"} }

// Policy is a policy of the Policy CSP that is set at Config and read at Result.
type Policy struct {
	Scope Scope
	Area  string // "DeviceLock"
	Name  string // "MinDevicePasswordLength"
}

// Config is the node that the server sets.
func (p Policy) Config() string { return Join(p.Scope.vendor(), "Policy", "Config", p.Area, p.Name) }

// Result is the node that tells the value in force.
func (p Policy) Result() string { return Join(p.Scope.vendor(), "Policy", "Result", p.Area, p.Name) }

// ParsePolicy recognises a Config or Result URI of the Policy CSP.
func ParsePolicy(uri string) (p Policy, config, ok bool) {
	path, err := Parse(uri)
	if err != nil || len(path.Segments) != 6 {
		return Policy{}, false, false
	}
	s := path.Segments
	if s[0] != "Vendor" || s[1] != "MSFT" || s[2] != "Policy" || s[3] != "Config" && s[3] != "Result" {
		return Policy{}, false, false
	}
	return Policy{Scope: path.Scope, Area: s[4], Name: s[5]}, s[3] == "Config", true
}

// DevInfo and DevDetail nodes that a server asks for when it takes stock (DevInfo, DevDetail CSP).
const (
	DevInfoDevID  = "./DevInfo/DevId"
	DevInfoMan    = "./DevInfo/Man"
	DevInfoMod    = "./DevInfo/Mod"
	DevInfoDmV    = "./DevInfo/DmV"
	DevInfoLang   = "./DevInfo/Lang"
	DevDetailSwV  = "./DevDetail/SwV"
	DevDetailHwV  = "./DevDetail/HwV"
	DevDetailFwV  = "./DevDetail/FwV"
	DevDetailOEM  = "./DevDetail/OEM"
	DevDetailType = "./DevDetail/DevTyp"

	DevDetailLocalTime       = "./DevDetail/Ext/Microsoft/LocalTime"
	DevDetailDeviceName      = "./DevDetail/Ext/Microsoft/DeviceName"
	DevDetailDNSComputerName = "./DevDetail/Ext/Microsoft/DNSComputerName"
	DevDetailOSPlatform      = "./DevDetail/Ext/Microsoft/OSPlatform"
	DevDetailProcessor       = "./DevDetail/Ext/Microsoft/ProcessorArchitecture" // 9 is x64
	DevDetailSMBIOSSerial    = "./DevDetail/Ext/Microsoft/SMBIOSSerialNumber"
	DevDetailMACAddress      = "./DevDetail/Ext/WLANMACAddress"
	DevDetailHardwareData    = "./DevDetail/Ext/DeviceHardwareData" // the 4K hardware hash
)

// NodeCache nodes of the MDM server (NodeCache CSP).
var (
	NodeCacheVersion      = Join("./Vendor/MSFT/NodeCache", Provider, "CacheVersion")
	NodeCacheChangedNodes = Join("./Vendor/MSFT/NodeCache", Provider, "ChangedNodes")
)

// HardwareMismatch is the Autopilot CSP's node for a motherboard swap (WindowsAutopilot CSP).
const HardwareMismatch = "./Vendor/MSFT/WindowsAutopilot/HardwareMismatchRemediationData"

// ODJBlob is executed with base64 of an offline domain join blob. The OfflineDomainJoin CSP is not documented; community
// tools saw it on the wire.
const ODJBlob = "./Vendor/MSFT/OfflineDomainJoin/Blob"
